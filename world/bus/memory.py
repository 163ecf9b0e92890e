"""A bus within one process: the reference that the other adapters are held to, and what a store in memory comes with."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from world.bus.courier import Courier, Delivery, Lane
from world.bus.port import (
    LANES,
    DeadLetter,
    Handler,
    Message,
    Subscription,
    Terms,
    UnknownLetterError,
    lane_of,
    moved_standing,
)


@dataclass(slots=True)
class _Entry:
    number: int
    message: Message
    only: str | None
    at: int


@dataclass(slots=True)
class _Waiting:
    entry: _Entry
    tries: int
    since: int


@dataclass(slots=True)
class _GroupLane:
    """What a group knows of one lane."""

    position: int = 0
    waiting: dict[int, _Waiting] = field(default_factory=dict)
    holder: str | None = None
    until: int = 0


class MemoryBus:
    """A `Bus` of one process.

    Args:
        now: milliseconds since 1970; leases and rests are reckoned by it.
    """

    def __init__(
        self, terms: Terms | None = None, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self.terms = terms or Terms()
        self.now = now
        self.lanes: list[list[_Entry]] = [[] for _ in range(LANES)]
        self.groups: dict[str, list[_GroupLane]] = {}
        self._letters: dict[str, DeadLetter] = {}
        self._published: set[str] = set()
        self._number = 0
        self._died = 0
        self._standing: int | None = None

    async def publish(self, messages: Sequence[Message], now: int, *, at_least: int | None = None) -> None:
        self._standing = moved_standing(self._standing, now, at_least)
        for message in messages:
            if message.message_id not in self._published:
                self._published.add(message.message_id)
                self._append(message, None, now)

    async def standing(self) -> int | None:
        return self._standing

    async def subscribe(self, group: str, topics: Collection[str], handler: Handler, *, consumer: str) -> Subscription:
        self.groups.setdefault(group, [_GroupLane() for _ in range(LANES)])
        return Courier(_MemoryPost(self, group, consumer), group, topics, handler, self.terms, lane_of(consumer))

    async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        return tuple([each for each in self._letters.values() if group in (None, each.group)][:limit])

    async def inspect(self, letter_id: str) -> DeadLetter | None:
        return self._letters.get(letter_id)

    async def resend(self, letter_id: str) -> None:
        letter = self._letters.pop(letter_id, None)
        if letter is None:
            raise UnknownLetterError(letter_id)
        self._append(letter.message, letter.group, self.now())

    async def tidy(self, before: int) -> int:
        dropped = 0
        for number, lane in enumerate(self.lanes):
            at = [_settled_to(group[number]) for group in self.groups.values()]
            upto = min(at, default=self._number)
            gone = [entry for entry in lane if entry.number <= upto and entry.at < before]
            self.lanes[number] = lane[len(gone) :]
            self._published.difference_update(entry.message.message_id for entry in gone)
            dropped += len(gone)
        return dropped

    async def ready(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def keep(self, group: str, message: Message, tries: int, reason: str) -> None:
        """Keep a dead letter."""
        self._died += 1
        letter = DeadLetter(str(self._died), group, message, tries, reason, self.now())
        self._letters[letter.letter_id] = letter

    async def forget(self, letter_id: str) -> bool:
        """Drop a dead letter; False where it is gone already."""
        return self._letters.pop(letter_id, None) is not None

    def _append(self, message: Message, only: str | None, at: int) -> None:
        self._number += 1
        self.lanes[lane_of(message.key)].append(_Entry(self._number, message, only, at))


class _MemoryPost:
    """A group's lanes as one consumer sees them."""

    def __init__(self, bus: MemoryBus, group: str, consumer: str) -> None:
        self._bus = bus
        self._group = group
        self._consumer = consumer

    async def busy(self) -> Collection[int]:
        states = self._bus.groups[self._group]
        return [
            number
            for number, (lane, state) in enumerate(zip(self._bus.lanes, states, strict=True))
            if state.waiting or (lane and lane[-1].number > state.position)
        ]

    def lane(self, number: int) -> Lane:
        return _MemoryLane(self._bus, self._group, self._consumer, number)


class _MemoryLane:
    def __init__(self, bus: MemoryBus, group: str, consumer: str, number: int) -> None:
        self._bus = bus
        self._group = group
        self._consumer = consumer
        self._number = number
        self._state = bus.groups[group][number]

    async def hold(self) -> bool:
        now = self._bus.now()
        if self._state.holder not in (None, self._consumer) and self._state.until > now:
            return False
        self._state.holder, self._state.until = self._consumer, now + self._bus.terms.lease_ms
        return True

    async def leave(self) -> None:
        if self._state.holder == self._consumer:
            self._state.holder = None

    async def waiting(self, limit: int) -> Sequence[Delivery]:
        now = self._bus.now()
        return [_delivery(each, now) for _, each in sorted(self._state.waiting.items())[:limit]]

    async def fresh(self, limit: int) -> Sequence[Delivery]:
        now = self._bus.now()
        entries = [entry for entry in self._bus.lanes[self._number] if entry.number > self._state.position][:limit]
        for entry in entries:
            self._state.waiting[entry.number] = _Waiting(entry, 1, now)
            self._state.position = entry.number
        return [_delivery(self._state.waiting[entry.number], now) for entry in entries]

    async def again(self, delivery: Delivery) -> Delivery | None:
        waiting = self._state.waiting.get(int(delivery.place))
        if waiting is None or waiting.tries != delivery.tries:
            return None
        waiting.tries, waiting.since = waiting.tries + 1, self._bus.now()
        return _delivery(waiting, waiting.since)

    async def settle(self, done: Sequence[Delivery], untried: Sequence[Delivery]) -> None:
        for delivery in done:
            self._state.waiting.pop(int(delivery.place), None)
        for delivery in untried:
            waiting = self._state.waiting.get(int(delivery.place))
            if waiting is not None and waiting.tries == delivery.tries:
                waiting.tries -= 1

    async def bury(self, delivery: Delivery, reason: str) -> None:
        if self._state.waiting.pop(int(delivery.place), None) is not None:
            await self._bus.keep(self._group, delivery.message, delivery.tries, reason)


def _settled_to(state: _GroupLane) -> int:
    """Return the number up to which a group has settled everything of a lane."""
    return min(state.waiting, default=state.position + 1) - 1


def _delivery(waiting: _Waiting, now: int) -> Delivery:
    entry = waiting.entry
    return Delivery(str(entry.number), entry.message, waiting.tries, now - waiting.since, entry.only)
