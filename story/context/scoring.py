"""Relevance: how much a thing of the world concerns one player now, in whole numbers (domain.md C10).

    rel = (350 locality + 250 involvement + 150 magnitude + 150 recency + 100 thread_match) / 1000, each 0 to 1,000

Size and news together come to 300 at most, and 350 are needed: what is linked to nothing of the player's is never told.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from story.context.items import Candidate, Terms, Viewpoint
from story.context.map import locality, nearest

LOCALITY: Final = 350
INVOLVEMENT: Final = 250
MAGNITUDE: Final = 150
RECENCY: Final = 150
THREAD: Final = 100
ENOUGH: Final = 350
"""Least relevance of what is told."""
HALF_LIFE: Final = 8
"""Ticks in which news loses half of its newness."""
_EIGHTHS: Final = (1_000, 917, 841, 771, 707, 648, 595, 545)
"""1000 * 2^(-k/8), k = 0 to 7."""
SHARED_ENTITY: Final = 600
"""What an id that an open thread names is worth in thread_match; two are all of it."""
SHARED_TAG: Final = 200
"""What a tag of an open thread is worth that one of the ids answers to."""


def terms_of(candidate: Candidate, view: Viewpoint) -> Terms:
    """Return the terms of a candidate's relevance."""
    place = locality(nearest(candidate.places, view.distances))
    own = involvement_in(candidate.entities, view.involvement)
    new = recency(view.tick - candidate.tick)
    match = thread_match(candidate.entities, view)
    whole = LOCALITY * place + INVOLVEMENT * own + MAGNITUDE * candidate.magnitude + RECENCY * new + THREAD * match
    return Terms(place, own, candidate.magnitude, new, match, whole // 1_000)


def recency(age: int) -> int:
    """Return how new something is, 0 to 1,000: it halves every eight ticks; what is dated ahead of now is of now.

    >>> [recency(age) for age in (0, 1, 8, 20, 96)]
    [1000, 917, 500, 176, 0]
    """
    return _EIGHTHS[age % HALF_LIFE] >> age // HALF_LIFE if age > 0 else 1_000


def involvement_in(names: Iterable[str], involvement: Mapping[str, int]) -> int:
    """Return the player's part in what something is about: the greatest in any of its ids."""
    return max([involvement[name] for name in names if name in involvement], default=0)


def thread_match(names: Collection[str], view: Viewpoint) -> int:
    """Return how much ids share with the open threads, 0 to 1,000."""
    direct = len(view.thread_entities.intersection(names))
    tags = len(view.thread_tags.intersection([tag for name in names for tag in tags_of(name)]))
    return min(1_000, SHARED_ENTITY * direct + SHARED_TAG * tags)


def is_direct(candidate: Candidate, view: Viewpoint) -> bool:
    """Whether an open thread names something that the candidate is about; a tag alone does not."""
    return not view.thread_entities.isdisjoint(candidate.entities)


def tags_of(name: str) -> tuple[str, ...]:
    """Return the tags that an id answers to: the whole of it, and each of its words.

    >>> tags_of("free_cities")
    ('free-cities', 'free', 'cities')
    """
    whole = name.replace("_", "-")
    words = whole.split("-")
    return (whole, *words) if len(words) > 1 else (whole,)
