"""What the buses over a message broker share: a broker that pushes, dead letters kept in the world's own database.

The broker delivers and keeps its place; this side tries, waits and buries. A message that fails is tried again in its place, so
it holds back its whole lane and not only its key, for as long as its tries take. Brokers replicate what they acknowledge, so
`standing` trusts them: what a broker itself loses is not found out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

from world.bus.port import (
    LANES,
    DeadLetter,
    Handler,
    Message,
    NotNowError,
    Terms,
    UnknownLetterError,
    lane_of,
)
from world.bus.telling import told

EVERYTHING: Final = 2**62
"""Where a bus stands that remembers all that was published."""


class Letters(Protocol):
    """Where dead letters are kept; the database's bus does so, and the one in memory."""

    async def keep(self, group: str, message: Message, tries: int, reason: str) -> None:
        """Keep a dead letter."""
        ...

    async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Return dead letters, oldest first."""
        ...

    async def inspect(self, letter_id: str) -> DeadLetter | None:
        """Return one dead letter."""
        ...

    async def forget(self, letter_id: str) -> bool:
        """Drop a dead letter; False where it is gone already."""
        ...


class Wire(Protocol):
    """A broker's connection."""

    async def start(self) -> None:
        """Connect; nothing where it is connected."""
        ...

    async def send(self, message: Message, headers: Mapping[str, str]) -> None:
        """Publish one message and wait until the broker has it."""
        ...

    def receive(self, group: str, taker: "Taker") -> None:
        """Have a group's messages pushed to a taker."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


class Taker:
    """Takes what a broker pushes to one consumer of a group; counts what is settled.

    Args:
        sleep: waits so many seconds between tries.
    """

    def __init__(
        self, group: str, topics: Collection[str], handler: Handler, terms: Terms, letters: Letters,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self.group = group
        self.settled = 0
        self._topics = frozenset(topics)
        self._handler = handler
        self._terms = terms
        self._letters = letters
        self._sleep = sleep or asyncio.sleep

    async def take(self, message: Message, only: str | None, deliveries: int, is_alive: "Sign") -> None:
        """Try one message until it is done or dead; the caller acknowledges it afterwards.

        Args:
            deliveries: how often the broker has pushed it, where it counts that, else 1.
            is_alive: told before each try, so that the broker does not push the message to another.
        """
        if only not in (None, self.group) or (self._topics and message.topic not in self._topics):
            return
        if deliveries > self._terms.max_tries:
            await self._letters.keep(self.group, message, deliveries - 1, "its consumer died each time")
        elif (reason := await self._tried(message, is_alive)) is not None:
            await self._letters.keep(self.group, message, self._terms.max_tries, reason)
        self.settled += 1

    async def _tried(self, message: Message, is_alive: "Sign") -> str | None:
        """Return None when it is done, or what the last try failed with."""
        reason = ""
        tries = 0
        while tries < self._terms.max_tries:
            if tries:
                await self._sleep(self._terms.retry_after_ms(tries) / 1_000)
            await is_alive()
            try:
                async with asyncio.timeout(self._terms.handler_s):
                    await self._handler(message)
                return None
            except NotNowError:
                await self._sleep(self._terms.retry_ms / 1_000)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is one failed try of this message
                tries, reason = tries + 1, told(error)
        return reason


class Sign(Protocol):
    """Tells the broker that a message is being worked on."""

    async def __call__(self) -> None: ...


class BrokeredBus:
    """A `Bus` over a broker's wire."""

    def __init__(self, wire: Wire, letters: Letters, terms: Terms | None = None) -> None:
        self._wire = wire
        self._letters = letters
        self._terms = terms or Terms()

    async def publish(self, messages: Sequence[Message], now: int, *, at_least: int | None = None) -> None:
        await self._wire.start()
        lanes: list[list[Message]] = [[] for _ in range(LANES)]
        for message in messages:
            lanes[lane_of(message.key)].append(message)
        # Side by side, but one after another within a lane: a message that fails must not be overtaken.
        await asyncio.gather(*[self._send(lane) for lane in lanes if lane])

    async def standing(self) -> int | None:
        return EVERYTHING

    async def subscribe(
        self, group: str, topics: Collection[str], handler: Handler, *, consumer: str
    ) -> "BrokeredSubscription":
        taker = Taker(group, topics, handler, self._terms, self._letters)
        self._wire.receive(group, taker)
        return BrokeredSubscription(self._wire, taker)

    async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        return await self._letters.dead_letters(group, limit)

    async def inspect(self, letter_id: str) -> DeadLetter | None:
        return await self._letters.inspect(letter_id)

    async def resend(self, letter_id: str) -> None:
        letter = await self._letters.inspect(letter_id)
        if letter is None:
            raise UnknownLetterError(letter_id)
        await self._wire.start()
        # Sent, then forgotten: whoever dies between the two leaves a letter that can be sent once more.
        await self._wire.send(letter.message, {**headers_of(letter.message), "only": letter.group, "letter": letter_id})
        await self._letters.forget(letter_id)

    async def tidy(self, before: int) -> int:
        return 0  # the broker's own retention does

    async def ready(self) -> None:
        await self._wire.start()

    async def close(self) -> None:
        await self._wire.stop()

    async def _send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            await self._wire.send(message, headers_of(message))


class BrokeredSubscription:
    """A consumer that a broker pushes to."""

    def __init__(self, wire: Wire, taker: Taker) -> None:
        self._wire = wire
        self._taker = taker

    async def step(self) -> int:
        """Begin to receive; return how many messages were settled since the last call."""
        await self._wire.start()
        settled, self._taker.settled = self._taker.settled, 0
        return settled

    async def close(self) -> None:
        await self._wire.stop()


def headers_of(message: Message) -> dict[str, str]:
    """Return what a message carries beside its payload."""
    found = {
        "message_id": message.message_id,
        "topic": message.topic,
        "key": message.key,
        "subject": message.subject,
    }
    if message.correlation_id is not None:
        found["correlation"] = message.correlation_id
    return found


def message_from(headers: Mapping[str, str], payload: bytes) -> Message:
    """Return the message of a delivery."""
    return Message(
        headers["message_id"],
        headers["topic"],
        headers["key"],
        payload,
        headers.get("correlation"),
        headers.get("subject", ""),
    )
