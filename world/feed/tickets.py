"""One-time tickets: a browser's EventSource and WebSocket cannot send a token, and a token does not belong into an address."""

import hashlib
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from world.feed.frames import Audience

TTL_S: Final = 30
"""How long a ticket waits for its use, seconds."""
MAX_WAITING: Final = 100_000
"""Most tickets that wait at once in a process."""


class Ticket(NamedTuple):
    """What a ticket opens: one realm, for one reader."""

    realm_id: str
    audience: Audience


class Tickets(Protocol):
    """Where tickets wait. Only a hash of each is kept: who reads the store cannot use them."""

    async def give(self, secret: str, ticket: Ticket) -> bool:
        """Keep a ticket for 30 s; False where too many wait."""
        ...

    async def take(self, secret: str) -> Ticket | None:
        """Return what a ticket opens and end it, in one step; None for one that is unknown, used or too old."""
        ...

    async def close(self) -> None:
        """Let the store go."""
        ...


class LocalTickets:
    """Tickets of one process.

    Args:
        clock: seconds that never run back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[str, tuple[float, Ticket]] = {}

    async def give(self, secret: str, ticket: Ticket) -> bool:
        self._forget()
        if len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting[key_of(secret)] = (self._clock() + TTL_S, ticket)
        return True

    async def take(self, secret: str) -> Ticket | None:
        found = self._waiting.pop(key_of(secret), None)
        return found[1] if found is not None and self._clock() < found[0] else None

    async def close(self) -> None:
        self._waiting.clear()

    def _forget(self) -> None:
        """Forget tickets that nobody used; they stand in the order of their end."""
        now = self._clock()
        while self._waiting:
            oldest = next(iter(self._waiting))
            if self._waiting[oldest][0] > now:
                return
            del self._waiting[oldest]


def key_of(secret: str) -> str:
    """Return what a ticket is kept under."""
    return hashlib.sha256(secret.encode()).hexdigest()
