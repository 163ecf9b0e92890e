"""Weighing of many candidates at once: the same relevance as `story.context.scoring`, and no more of it than somebody asks for.

Thousands of candidates share a few hundred places, ticks and ids, so each part is worked out once. What a place, a size and an
age come to is cheap, and is worked out for all; what links an item to the player adds a known amount at most, and is only looked
up for candidates that might still come next. Whoever takes four of ten thousand has weighed some dozens of them.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, TypeVar

from story.context.items import Candidate, Viewpoint
from story.context.map import locality, nearest
from story.context.scoring import (
    ENOUGH,
    INVOLVEMENT,
    LOCALITY,
    MAGNITUDE,
    RECENCY,
    THREAD,
    involvement_in,
    recency,
    tags_of,
    thread_match,
)

Key = TypeVar("Key", bound=Hashable)
_ENTITIES: Final = attrgetter("entities")
_STEP: Final = 10_000
"""Width of a class of candidates that are weighed together, thousandths of relevance."""
_CLASSES: Final = (LOCALITY + MAGNITUDE + RECENCY) * 1_000 // _STEP + 1


class _Once(dict[Key, int]):
    """A function's values, each worked out when it is first asked for."""

    def __init__(self, value: Callable[[Key], int]) -> None:
        self._value = value

    def __missing__(self, key: Key) -> int:
        found = self[key] = self._value(key)
        return found


class Weighing:
    """Candidates by relevance, the greatest first.

    Args:
        candidates: their magnitude is 0 to 1,000.
        view: where the player stands.

    """

    def __init__(self, candidates: Sequence[Candidate], view: Viewpoint) -> None:
        self._musts: list[Candidate] = []
        self._view = view
        self._near = _Once[tuple[str, ...]](lambda places: LOCALITY * locality(nearest(places, view.distances)))
        self._new = _Once[int](lambda tick: RECENCY * recency(view.tick - tick))
        self._linked = _Once[frozenset[str]](self._link)
        self._linking = view.thread_entities.union(view.involvement)
        self._looked_at: set[str] = set()
        self._classes = self._classed(candidates)

    def own_news(self) -> Iterator[tuple[int, list[Candidate]]]:
        """Yield the player's own news, relevant or not, together what is of equal relevance."""
        ready: dict[int, list[Candidate]] = {}
        self._weigh(self._musts, ready, 0)
        yield from _taken_out(ready, 0)

    def in_order(self) -> Iterator[tuple[int, list[Candidate]]]:
        """Yield all else that is relevant enough, together what is of equal relevance."""
        ready: dict[int, list[Candidate]] = {}
        most = self._link_at_most()
        for at in range(_CLASSES - 1, -1, -1):
            ceiling = (at + 1) * _STEP + most
            yield from _taken_out(ready, max(ENOUGH, ceiling // 1_000 + 1))
            if ceiling < ENOUGH * 1_000:
                break
            self._weigh(self._classes[at], ready, ENOUGH * 1_000)
        yield from _taken_out(ready, ENOUGH)

    def _classed(self, candidates: Sequence[Candidate]) -> list[list[Candidate]]:
        """Return the candidates by what they weigh without their links, classes rising."""
        near, new, faction = self._near, self._new, self._view.faction_id
        classes: list[list[Candidate]] = [[] for _ in range(_CLASSES)]
        for each in candidates:
            if each.is_must:
                self._musts.append(each)
            elif each.seen_by is None or faction in each.seen_by or each.seen_within is not None:
                # What others keep to themselves wherever the player stands never passes the gates, and is not weighed.
                classes[(near[each.places] + MAGNITUDE * each.magnitude + new[each.tick]) // _STEP].append(each)
        return classes

    def _weigh(self, some: Sequence[Candidate], ready: dict[int, list[Candidate]], least: int) -> None:
        """Weigh some candidates in full; those of less than so many thousandths are left out."""
        self._learn(some)
        near, new, linked, linking = self._near, self._new, self._linked, self._linking
        for each in some:
            weight = near[each.places] + MAGNITUDE * each.magnitude + new[each.tick]
            if not linking.isdisjoint(each.entities):
                weight += linked[linking.intersection(each.entities)]
            if weight >= least:
                ready.setdefault(weight // 1_000, []).append(each)

    def _learn(self, some: Sequence[Candidate]) -> None:
        """Find the ids of some candidates that a thread's tags answer to: no other id but those known links anything."""
        tags = self._view.thread_tags
        if tags:
            names = set(chain.from_iterable(map(_ENTITIES, some))) - self._looked_at
            self._looked_at |= names
            self._linking |= {name for name in names if not tags.isdisjoint(tags_of(name))}

    def _link(self, names: frozenset[str]) -> int:
        return INVOLVEMENT * involvement_in(names, self._view.involvement) + THREAD * thread_match(names, self._view)

    def _link_at_most(self) -> int:
        view = self._view
        threads = THREAD * 1_000 if view.thread_entities or view.thread_tags else 0
        return INVOLVEMENT * max(view.involvement.values(), default=0) + threads


def _taken_out(ready: dict[int, list[Candidate]], least: int) -> Iterator[tuple[int, list[Candidate]]]:
    for relevance in sorted([each for each in ready if each >= least], reverse=True):
        yield relevance, ready.pop(relevance)
