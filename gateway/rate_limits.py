"""How often acts may be reported: per user, per device and per session, all or none (register row S0-66). Chapters too, per user.

The generic cell rate algorithm (ITU-T I.371) is a token bucket kept as one integer a key: the time at which the bucket will be
full again. It is exact, in microseconds. Counts live in this process or in Redis; where Redis does not answer, a stricter limit
of this process holds meanwhile (reliability.md, S6): limits never fail open.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from gateway.problems import Problem

SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60 * SECOND_US
Key = Literal["user", "device", "session"]
KEYS: Final[tuple[Key, ...]] = ("user", "device", "session")


class Limit(NamedTuple):
    """A token bucket: so many acts a minute, and so many at once after a rest."""

    per_minute: int
    burst: int

    @property
    def interval_us(self) -> int:
        """Microseconds that one act costs, rounded up: a limit is never exceeded by rounding."""
        return -(-_MINUTE_US // self.per_minute)

    @property
    def capacity_us(self) -> int:
        """Microseconds that a rested caller may spend at once."""
        return self.interval_us * self.burst

    def halved(self) -> "Limit":
        """Return half of it, at least one act: what holds while processes cannot count together."""
        return Limit(max(1, self.per_minute // 2), max(1, self.burst // 2))


class Limits(NamedTuple):
    """The limit of each key."""

    user: Limit = Limit(30, 60)
    device: Limit = Limit(60, 60)
    session: Limit = Limit(20, 20)

    def halved(self) -> "Limits":
        """Return half of each."""
        return Limits(self.user.halved(), self.device.halved(), self.session.halved())


class Sender(NamedTuple):
    """Whose act it is. An act without a device or a session is held by the keys that it has."""

    user: str
    device: str | None = None
    session: str | None = None


class Allowed(NamedTuple):
    """The act may be reported, and is counted."""


class Limited(NamedTuple):
    """The act may not be reported now, and is not counted anywhere."""

    retry_after_s: int
    """Whole seconds after which it may, at least 1."""
    which: Key
    """The key that has to wait longest."""


Outcome = Allowed | Limited


class Buckets(Protocol):
    """Where buckets are kept."""

    async def take(self, senders: Sequence[Sender]) -> list[Outcome]:
        """Take one act of each sender, in order, each from all its buckets or from none."""
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...


class LocalBuckets:
    """Buckets of this process.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._full_at: dict[tuple[Key, str], int] = {}
        self._sweep_at = 1_024

    def __len__(self) -> int:
        """Return how many buckets are kept: those that were not full when they were last looked at."""
        return len(self._full_at)

    async def take(self, senders: Sequence[Sender]) -> list[Outcome]:
        """Take one act of each sender; nothing is awaited, so that no other task comes between."""
        now = int(self._clock() * SECOND_US)
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)
        return [self._take(sender, now) for sender in senders]

    def _take(self, sender: Sender, now: int) -> Outcome:
        after: dict[tuple[Key, str], int] = {}
        waits: list[tuple[int, Key]] = []
        for key, name, limit in zip(KEYS, sender, self._limits, strict=True):
            if name is None:
                continue
            full_at = max(self._full_at.get((key, name), now), now) + limit.interval_us
            after[key, name] = full_at
            waits.append((full_at - now - limit.capacity_us, key))
        wait, which = max(waits, key=lambda each: each[0])
        if wait > 0:
            return limited(wait, which)
        self._full_at.update(after)
        return Allowed()

    def _sweep(self, now: int) -> None:
        """Forget full buckets: a missing one is full. Done each time their number has doubled, so it costs little per act."""
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        self._sweep_at = max(1_024, 2 * len(self._full_at))

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class RateLimits:
    """The limits on reported acts.

    Args:
        buckets: where acts are counted.
        counted: told of each refusal.
    """

    def __init__(self, buckets: Buckets, counted: Callable[[Key], None]) -> None:
        self._buckets = buckets
        self._counted = counted

    async def check(self, user: str, device: str | None = None, session: str | None = None) -> Outcome:
        """Count one act, or say when it may be sent again."""
        return (await self.check_all([Sender(user, device, session)]))[0]

    async def check_all(self, senders: Sequence[Sender]) -> list[Outcome]:
        """Count the acts of a batch, in order, one outcome for each; with Redis in one round trip."""
        if not senders:
            return []
        outcomes = await self._buckets.take(senders)
        for outcome in outcomes:
            if isinstance(outcome, Limited):
                self._counted(outcome.which)
        return outcomes

    async def close(self) -> None:
        """Let connections go."""
        await self._buckets.close()


def limited(wait_us: int, which: Key) -> Limited:
    """Return the refusal of an act that has to wait so many microseconds, rounded up to seconds."""
    return Limited(max(1, -(-wait_us // SECOND_US)), which)


def too_often(refusal: Limited) -> Problem:
    """Return the problem of a call whose act is limited: 429 with Retry-After."""
    return Problem(
        "rate-limited",
        429,
        f"too many acts of one {refusal.which}",
        "send the same act again later; it was not counted",
        {"Retry-After": str(refusal.retry_after_s)},
        {"limit": refusal.which, "retry_after_s": refusal.retry_after_s},
    )


def too_many_chapters(refusal: Limited) -> Problem:
    """Return the problem of a chapter that is not planned now: 429 with Retry-After."""
    return Problem(
        "rate-limited",
        429,
        "too many chapters of one user",
        "ask for the same chapter again later; one that was told before is answered at any time",
        {"Retry-After": str(refusal.retry_after_s)},
        {"limit": "plan", "retry_after_s": refusal.retry_after_s},
    )
