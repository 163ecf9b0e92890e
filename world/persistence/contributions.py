"""What a tick tells everybody who took part, many at once: events of their own, kept in pages. Pure.

A tick of a great realm tells tens of thousands of accounts what they contributed. Each telling is an event of the realm's
sequence with its own place, payload, reader and correlation id; but stored one by one they cost many times what the tick
itself does. So they are written as pages of columns in order of accounts, and become events where somebody reads them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from world.realm.tick import Gains

KIND: Final = "contributed"
PAGE: Final = 256
"""Most tellings of one page: about 20 KiB, which whoever reads one of them reads."""


class Contributions(NamedTuple):
    """Tellings as columns of one length; those of one account stand together."""

    users: Sequence[str]
    """Whom alone each is for, in order of ids."""
    cells: Sequence[int]
    """Where it was contributed: places in `places`."""
    points: Sequence[int]
    """Effective milli-points."""
    traces: Sequence[str | None]
    """Correlation ids of the accounts' acts; None: `own`."""
    places: Sequence[tuple[str, str]]
    """Territory and faction of each cell."""
    own: str | None
    """Correlation id of the tick."""


class Telling(NamedTuple):
    """One of them."""

    place: int
    """From 0."""
    user_id: str
    payload: bytes
    """JSON."""
    correlation_id: str | None


def contributions_of(gains: Sequence[Gains], traces: Mapping[str, str], own: str) -> Contributions:
    """Return what a tick tells, in order of accounts, for each of them by territory and faction.

    Args:
        gains: what counted, by territory and faction.
        traces: per account, the correlation id of its newest act.
        own: that of the tick, for accounts none of whose acts has one.
    """
    users: list[str] = []
    cells: list[int] = []
    points: list[int] = []
    for cell, each in enumerate(gains):
        users += each.by_user
        cells += [cell] * len(each.by_user)
        points += each.by_user.values()
    order = sorted(range(len(users)), key=users.__getitem__)
    in_order = list(map(users.__getitem__, order))
    return Contributions(
        in_order,
        list(map(cells.__getitem__, order)),
        list(map(points.__getitem__, order)),
        list(map(traces.get, in_order)),
        [(each.territory_id, each.faction_id) for each in gains],
        own,
    )


def pages(told: Contributions) -> Iterator[Contributions]:
    """Cut tellings into pages."""
    for first in range(0, len(told.users), PAGE):
        page = slice(first, first + PAGE)
        yield Contributions(
            told.users[page], told.cells[page], told.points[page], told.traces[page], told.places, told.own
        )


def tellings(told: Contributions, user_id: str | None = None) -> Iterator[Telling]:
    """Return the tellings one by one, or those for one account, each with its place from 0."""
    first, end = 0, len(told.users)
    if user_id is not None:
        first, end = bisect_left(told.users, user_id), bisect_right(told.users, user_id)
    for index in range(first, end):
        territory_id, faction_id = told.places[told.cells[index]]
        payload = {"territory_id": territory_id, "faction_id": faction_id, "points": told.points[index] / 1_000}
        yield Telling(index, told.users[index], orjson.dumps(payload), told.traces[index] or told.own)


def page_bytes(page: Contributions) -> bytes:
    """Return a page as JSON."""
    return orjson.dumps(page._asdict())


def page_from(stored: bytes) -> Contributions:
    """Return a page of JSON."""
    return Contributions(**orjson.loads(stored))
