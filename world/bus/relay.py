"""From the outboxes to the bus: what was committed is published, in order, and marked only when the bus has it.

At every instant the bus holds nothing that is not committed (invariant I4 of reliability.md): messages are read from committed
outbox rows. A relay that dies between publishing and marking publishes again, under the same ids. A bus that has lost what it was
given is found out by where it stands, and gets again what was published since; one that stands nowhere gets the last day.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

from world.bus.port import Bus, BusLostError, BusUnavailableError, Message
from world.errors import StoreUnavailableError
from world.persistence.messages import OutboxRow
from world.persistence.port import WorldStore

_log: Final = logging.getLogger(__name__)

PAGE: Final = 500
"""Messages published at once."""
KEPT_MS: Final = 24 * 3_600_000
"""How long the bus keeps what all groups have settled, and how far back an empty bus is filled again."""
SKEW_MS: Final = 60_000
"""How far the clocks of two relays may stand apart."""
IDLE_S: Final = 0.2
LONGEST_WAIT_S: Final = 10.0
"""Longest rest while the bus is away: a backlog begins to drain so soon after its return (S6)."""
TIDY_S: Final = 60.0


class Outgoing(NamedTuple):
    """An outbox row as a message."""

    number: int
    message: Message


class Outbox(Protocol):
    """Where committed messages wait. Its methods raise StoreUnavailableError while its database is away."""

    async def pending(self, limit: int) -> Sequence[Outgoing]:
        """Return the oldest messages not marked, in the order of their commits within a realm."""
        ...

    async def published(self, since: int, after: int, limit: int) -> Sequence[Outgoing]:
        """Return messages marked at or after a time (milliseconds) with a number past `after`, in order of it."""
        ...

    async def mark(self, numbers: Sequence[int], now: int) -> None:
        """Mark messages as published."""
        ...


class WorldOutbox:
    """The outbox of the world's store."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store

    async def pending(self, limit: int) -> Sequence[Outgoing]:
        return [_outgoing(row) for row in await self._store.pending(limit)]

    async def published(self, since: int, after: int, limit: int) -> Sequence[Outgoing]:
        return [_outgoing(row) for row in await self._store.published(since, after=after, limit=limit)]

    async def mark(self, numbers: Sequence[int], now: int) -> None:
        await self._store.mark_published(numbers, now)


class Relay:
    """Carries messages from outboxes to a bus. Several may run at once: messages may come twice then, never in another order.

    Args:
        now: milliseconds since 1970.
    """

    def __init__(self, bus: Bus, outboxes: Sequence[Outbox], now: Callable[[], int]) -> None:
        self._bus = bus
        self._outboxes = tuple(outboxes)
        self._now = now
        self._standing: int | None = None
        """Where the bus stands at least; None: not known, it may have lost something."""

    async def step(self) -> int:
        """Publish one page of each outbox; return how many messages went out, those of a recovery included.

        Raises:
            BusUnavailableError: where the bus is away; the messages stay where they are.
            StoreUnavailableError: where an outbox is.
        """
        try:
            if self._standing is None:
                return await self._recover()
            published = sum([await self._forward(outbox, self._standing) for outbox in self._outboxes])
            if published == 0:
                await self._look(self._standing)
        except BusLostError:
            self._standing = None  # the next step recovers
            _log.warning("bus_lost_messages")
            return 0
        return published

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop; rest longer and longer while the bus or the database is away."""
        wait = IDLE_S
        tidied = asyncio.get_running_loop().time()
        while not stop.is_set():
            try:
                published = await self.step()
                wait = 0.0 if published else IDLE_S
                if (now := asyncio.get_running_loop().time()) - tidied > TIDY_S:
                    tidied = now
                    await self._bus.tidy(self._now() - KEPT_MS)
            except (BusUnavailableError, StoreUnavailableError) as error:
                wait = min(max(wait, IDLE_S) * 2, LONGEST_WAIT_S)
                _log.warning("bus_relay_waits", extra={"error": type(error).__name__, "wait_s": wait})
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)

    async def _forward(self, outbox: Outbox, standing: int) -> int:
        waiting = await outbox.pending(PAGE)
        if waiting:
            now = self._now()
            await self._bus.publish([each.message for each in waiting], now, at_least=standing)
            self._standing = max(standing, now)
            await outbox.mark([each.number for each in waiting], now)
        return len(waiting)

    async def _look(self, expected: int) -> None:
        standing = await self._bus.standing()
        if standing is None or standing < expected:
            raise BusLostError(standing)

    async def _recover(self) -> int:
        """Publish again what the bus may have lost.

        Until all of it is there the bus keeps standing where it stood, so that a relay that dies meanwhile leaves the rest to
        the next one.
        """
        now = self._now()
        standing = await self._bus.standing()
        since = now - KEPT_MS if standing is None else standing
        again = 0
        await self._bus.publish([], since)  # from here on a flush is seen
        if standing is None or await self._is_behind(standing):
            for outbox in self._outboxes:
                again += await self._again(outbox, since)
        await self._bus.publish([], now, at_least=since)
        self._standing = max(since, now)
        return again

    async def _is_behind(self, standing: int) -> bool:
        """Whether anything was marked as published after the last publishing that the bus remembers."""
        return any([await outbox.published(standing + 1, 0, 1) for outbox in self._outboxes])

    async def _again(self, outbox: Outbox, since: int) -> int:
        again = after = 0
        while page := await outbox.published(since - SKEW_MS, after, PAGE):
            await self._bus.publish([each.message for each in page], since, at_least=since)
            again += len(page)
            after = page[-1].number
        return again


def _outgoing(row: OutboxRow) -> Outgoing:
    message_id = f"world-{row.number}.{row.part}" if row.part else f"world-{row.number}"
    return Outgoing(row.number, Message(message_id, row.topic, row.realm_id, row.payload, row.correlation_id, row.key))
