"""Buses of every kind for the conformance suite, messages, and a handler that remembers."""

import asyncio
from collections.abc import Callable

from world.bus.port import Bus, BusUnavailableError, Message, Subscription, Terms

TERMS = Terms(retry_ms=1, lease_ms=150)
"""Rests and leases that a test can wait for."""


class Kind:
    """One bus, opened as often as a test wants, as other processes would open it."""

    def __init__(self, opener: Callable[[], Bus]) -> None:
        self._opener = opener
        self._opened: list[Bus] = []

    def open(self) -> Bus:
        """Return the bus as one more process has it."""
        self._opened.append(self._opener())
        return self._opened[-1]

    async def close(self) -> None:
        """Close all that were opened."""
        for each in self._opened:
            await each.close()


class Taken:
    """A handler that remembers what it was handed, and fails where it is told to."""

    def __init__(self, fails: Callable[[Message], bool] = lambda _: False) -> None:
        self.messages: list[Message] = []
        self.tries: list[str] = []
        self.fails = fails

    async def __call__(self, message: Message) -> None:
        self.tries.append(message.message_id)
        if self.fails(message):
            raise ValueError(f"cannot take {message.message_id}")
        self.messages.append(message)

    @property
    def ids(self) -> list[str]:
        """Ids in the order in which they were done."""
        return [message.message_id for message in self.messages]

    def of_key(self, key: str) -> list[str]:
        """Ids of one key, each at its first time."""
        return list(dict.fromkeys(message.message_id for message in self.messages if message.key == key))


def message(number: int, key: str = "realm-1", topic: str = "influence", payload: bytes = b"{}") -> Message:
    """Return a message."""
    return Message(f"world-{number}", topic, key, payload, f"c-{number}", f"e-{number}")


async def drain(*consumers: Subscription, quiet: int = 6) -> int:
    """Let consumers work until none of them settles anything for some rounds; return how many were settled."""
    settled = idle = 0
    while idle < quiet:
        found = sum([await stepped(each) for each in consumers])
        settled += found
        idle = 0 if found else idle + 1
        await asyncio.sleep(0.02)
    return settled


async def stepped(consumer: Subscription) -> int:
    """Let a consumer work once, as those do that outlive a bus: it is called again where the bus was away for a moment.

    Kafka's mock refuses consumers that join a group at the same instant.
    """
    for _ in range(10):
        try:
            return await consumer.step()
        except BusUnavailableError:
            await asyncio.sleep(0.05)
    return await consumer.step()
