"""What a group knows of one lane, as a value: for adapters that keep it as one record and replace it whole, or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Self

import orjson

from world.bus.courier import Delivery


class Handed(NamedTuple):
    """A message that was handed out and is not settled."""

    tries: int
    since: int
    """When it was handed out last, milliseconds since 1970."""


_NOTHING: Final[Mapping[int, Handed]] = {}


class GroupLane(NamedTuple):
    """How far a group is in a lane; places are numbers that grow along the lane."""

    position: int = 0
    """Place of the last message handed out."""
    waiting: Mapping[int, Handed] = _NOTHING
    holder: str | None = None
    until: int = 0
    """When the holder's lease ends, milliseconds since 1970."""

    @property
    def settled_to(self) -> int:
        """The place up to which everything is settled."""
        return min(self.waiting, default=self.position + 1) - 1

    def held(self, consumer: str, now: int, until: int) -> Self | None:
        """Return it with a new lease; None while another consumer's runs."""
        if self.holder not in (None, consumer) and self.until > now:
            return None
        return self._replace(holder=consumer, until=until)

    def left(self, consumer: str) -> Self | None:
        """Return it without a holder; None where that is another consumer by now."""
        return self._replace(holder=None) if self.holder == consumer else None

    def handed_out(self, places: Sequence[int], now: int) -> Self:
        """Return it with messages handed out for the first time."""
        waiting = {**self.waiting, **{place: Handed(1, now) for place in places}}
        return self._replace(position=places[-1], waiting=waiting)

    def again(self, delivery: Delivery, now: int) -> Self | None:
        """Return it with one more try counted; None where another consumer has counted or settled it meanwhile."""
        place = int(delivery.place)
        found = self.waiting.get(place)
        if found is None or found.tries != delivery.tries:
            return None
        return self._replace(waiting={**self.waiting, place: Handed(found.tries + 1, now)})

    def settled(self, done: Iterable[Delivery], untried: Iterable[Delivery] = ()) -> Self:
        """Return it without what is done, and with one try less of what was handed out and not tried."""
        gone = {int(each.place) for each in done}
        back = {int(each.place): each.tries for each in untried}
        waiting = {
            place: handed._replace(tries=handed.tries - (back.get(place) == handed.tries))
            for place, handed in self.waiting.items()
            if place not in gone
        }
        return self._replace(waiting=waiting)


def written(state: GroupLane) -> bytes:
    """Return a group's state as JSON."""
    waiting = [[place, *handed] for place, handed in sorted(state.waiting.items())]
    return orjson.dumps([state.position, waiting, state.holder, state.until])


def read(text: bytes) -> GroupLane:
    """Return the state that `written` wrote.

    >>> read(written(GroupLane(7, {5: Handed(2, 1_000)}, "feed-1", 9_000)))
    GroupLane(position=7, waiting={5: Handed(tries=2, since=1000)}, holder='feed-1', until=9000)
    """
    position, waiting, holder, until = orjson.loads(text)
    return GroupLane(position, {place: Handed(tries, since) for place, tries, since in waiting}, holder, until)
