"""A realm as it stands beside what it was a tick and an hour ago: what every reading of change is made from. Pure."""

from typing import Final, NamedTuple

from world.realm.shares import realm_shares
from world.realm.state import Realm

HOUR_S: Final = 3_600


class Earlier(NamedTuple):
    """A state before the latest one."""

    realm: Realm
    ticks: int
    """How many ticks ago its tick ended, 1 or more."""


class Moment(NamedTuple):
    """The latest state of a realm, and earlier ones to compare it with."""

    realm: Realm
    hash: str
    """Of the latest snapshot: every view of this moment is a function of it."""
    made_at: int
    """When that snapshot was made, milliseconds since 1970."""
    tick_ago: Earlier | None
    """None before the first tick."""
    hour_ago: Earlier | None
    """At most an hour ago: a younger realm is compared with its first state."""
    tick_s: int
    """Length of a tick, seconds."""


def ticks_per_hour(tick_s: int) -> int:
    """Return how many ticks count as an hour, at least one.

    >>> ticks_per_hour(900), ticks_per_hour(7_200)
    (4, 1)
    """
    return max(1, HOUR_S // tick_s)


class Changes(NamedTuple):
    """How something measured has changed, in its own unit."""

    per_tick: int | None
    per_hour: int | None
    """None where the realm is younger than an hour."""


def share_changes(moment: Moment) -> dict[str, Changes]:
    """Return how each faction's share of the realm has changed, ppm."""
    now = realm_shares(moment.realm)
    tick_ago = realm_shares(moment.tick_ago.realm) if moment.tick_ago is not None else None
    hour_ago = realm_shares(moment.hour_ago.realm) if _is_an_hour(moment) and moment.hour_ago is not None else None
    return {
        faction: Changes(
            share - tick_ago.get(faction, 0) if tick_ago is not None else None,
            share - hour_ago.get(faction, 0) if hour_ago is not None else None,
        )
        for faction, share in now.items()
    }


def meter_changes(moment: Moment) -> dict[str, Changes]:
    """Return how each meter has changed, milli."""
    tick_ago = moment.tick_ago.realm.meters if moment.tick_ago is not None else None
    hour_ago = moment.hour_ago.realm.meters if _is_an_hour(moment) and moment.hour_ago is not None else None
    return {
        name: Changes(
            level - tick_ago.get(name, level) if tick_ago is not None else None,
            level - hour_ago.get(name, level) if hour_ago is not None else None,
        )
        for name, level in moment.realm.meters.items()
    }


def _is_an_hour(moment: Moment) -> bool:
    return moment.hour_ago is not None and moment.hour_ago.ticks >= ticks_per_hour(moment.tick_s)
