"""The bus as publishers, consumers and operators see it.

Delivery is at least once: a message may come twice (its `message_id` tells), never not at all. Messages of one key come in the
order in which they were published, also where several consumers of a group compete: a message that fails holds back the later
ones of its own key, and no other, until it is done or dead.

All adapters pass one contract suite: `memory`, `database`, `redis_streams`, `nats`, `kafka`.
"""

import zlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, NamedTuple, Protocol

from world.errors import WorldError

LANES: Final = 8
"""Streams that keys are spread over; the most consumers of one group that can work at once."""


class Message(NamedTuple):
    """One thing that happened."""

    message_id: str
    """Idempotency key for consumers: the same at every delivery, such as world-17 or d-7c35c5a1785d20704e44d5de."""
    topic: str
    """Such as influence, tick, territory_changed, decision.recorded."""
    key: str
    """What order is kept within: the realm."""
    payload: bytes
    """JSON."""
    correlation_id: str | None = None
    subject: str = ""
    """What it is about: the act's event id, realm/sequence of an event, the decision's id."""


class DeadLetter(NamedTuple):
    """A message that one group could not take."""

    letter_id: str
    group: str
    message: Message
    tries: int
    reason: str
    """What the last try failed with."""
    died_at: int
    """Milliseconds since 1970."""


class Terms(NamedTuple):
    """How a consumer works."""

    max_tries: int = 5
    """Tries after which a message is dead (reliability.md, S10)."""
    retry_ms: int = 1_000
    """Wait before the second try; it doubles with each further one."""
    handler_s: float = 10.0
    """How long one try may take."""
    lease_ms: int = 30_000
    """How long a consumer that has gone silent keeps its lane from others."""
    batch: int = 100
    """Messages taken at once."""
    window: int = 1_000
    """Messages of a lane that may be under way or held back; past it nothing new is taken."""

    def retry_after_ms(self, tries: int) -> int:
        """Return how long a message rests after so many tries.

        >>> [Terms().retry_after_ms(tries) for tries in (0, 1, 2, 4)]
        [0, 1000, 2000, 8000]
        """
        return self.retry_ms << (tries - 1) if tries else 0


Handler = Callable[[Message], Awaitable[None]]
"""Takes one message; raises where it could not."""


class BusError(WorldError):
    """Base of everything the bus raises."""


class BusConfigError(BusError):
    """the bus URL cannot be used"""


class BusUnavailableError(BusError):
    """the bus cannot be reached or written now; what was to be published may or may not be there"""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the bus is unavailable: {reason}")


class BusLostError(BusError):
    """the bus has lost messages that were published to it; nothing was published by this call"""

    def __init__(self, standing: int | None) -> None:
        self.standing = standing
        super().__init__("the bus has lost messages: it was flushed, or has restarted from an old file")


class UnknownLetterError(BusError):
    """there is no such dead letter"""

    def __init__(self, letter_id: str) -> None:
        super().__init__(f"there is no dead letter {letter_id!r}")


class NotNowError(BusError):
    """a handler cannot take any message now, such as while its database is away; the message is not to blame for it"""


class Subscription(Protocol):
    """One consumer of a group."""

    async def step(self) -> int:
        """Take what waits once around; return how many messages are settled by it, done or dead.

        Raises:
            BusUnavailableError: where the bus cannot be asked now; calling again later goes on.
        """
        ...

    async def close(self) -> None:
        """Stop; what is not settled goes to others at once."""
        ...


class Bus(Protocol):
    """Where messages go and come from."""

    async def publish(self, messages: Sequence[Message], now: int, *, at_least: int | None = None) -> None:
        """Append messages in their order; return when the bus has them.

        Args:
            now: milliseconds since 1970; `standing` returns it afterwards, or what it returned before where that is later.
            at_least: what `standing` must have reached before; None: whatever it is.

        Raises:
            BusLostError: where it has not; looked at and published in one step.
            BusUnavailableError: where some of them may be missing; publishing all again is safe.
        """
        ...

    async def standing(self) -> int | None:
        """Return the time of the last publishing that the bus remembers; None where it remembers none.

        A bus that was flushed, or has restarted from an old file, answers with less than what was published to it.
        """
        ...

    async def subscribe(self, group: str, topics: Collection[str], handler: Handler, *, consumer: str) -> Subscription:
        """Return a consumer of a group; a group that is new starts at the oldest message kept.

        Args:
            topics: what is handed to the handler; empty: everything.
            consumer: its name, unique within the group.
        """
        ...

    async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Return dead letters, oldest first."""
        ...

    async def inspect(self, letter_id: str) -> DeadLetter | None:
        """Return one dead letter."""
        ...

    async def resend(self, letter_id: str) -> None:
        """Deliver a dead letter again, to its group alone, behind what waits; its tries start anew.

        Raises:
            UnknownLetterError: where there is none, or it was sent already.
        """
        ...

    async def tidy(self, before: int) -> int:
        """Drop messages published before a time that every group has settled; return how many."""
        ...

    async def ready(self) -> None:
        """Ask the bus for a sign of life.

        Raises:
            BusUnavailableError: where it gives none.
        """
        ...

    async def close(self) -> None:
        """Let the bus go."""
        ...


def moved_standing(standing: int | None, now: int, at_least: int | None) -> int:
    """Return where a bus stands after a publishing.

    Raises:
        BusLostError: where it stood at less than it must have.
    """
    if at_least is not None and (standing is None or standing < at_least):
        raise BusLostError(standing)
    return now if standing is None else max(standing, now)


def lane_of(key: str) -> int:
    """Return the lane of a key, 0 to LANES − 1: the same in every process."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % LANES
