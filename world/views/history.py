"""A realm's past by ticks: shares, their change per tick and per hour, and where every territory was heading. Pure."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from world.persistence.port import Snapshot
from world.persistence.verdicts_told import is_of_one_act
from world.realm.shares import realm_shares
from world.realm.state import Realm, realm_from
from world.views.moment import Earlier, Moment, meter_changes, share_changes, ticks_per_hour
from world.views.realm_view import projected
from world.views.units import moment_text, percent, percent_or_none, points, points_or_none

MOST_TICKS: Final = 96
"""Most ticks on one page: a day."""


class TickTold(NamedTuple):
    """One tick as it ended, the decisions applied after it included."""

    realm: Realm
    hash: str
    made_at: int
    results: tuple[bytes, ...]
    """What made each of its snapshots, in order."""


def tick_told(last: Snapshot, results: Sequence[bytes]) -> TickTold:
    """Return a tick from its last snapshot and from what made each of them."""
    return TickTold(realm_from(orjson.loads(last.state)), last.hash, last.made_at, tuple(results))


def history_view(
    told: Sequence[TickTold], first: int, tick_s: int, *, shows_disputes: bool = False
) -> list[dict[str, Any]]:
    """Return one row per tick from `first` on.

    Args:
        told: the ticks asked for, and up to an hour of ticks before them to compare with.
        first: first tick that is shown.
        tick_s: length of a tick, seconds.
        shows_disputes: whether verdicts over single acts are shown: to game masters only.
    """
    by_tick = {each.realm.tick_number: each for each in told}
    return [
        {**_row(each, by_tick, tick_s), "decisions": _decisions(each.results[1:], shows_disputes=shows_disputes)}
        for each in told
        if each.realm.tick_number >= first
    ]


def _row(each: TickTold, by_tick: dict[int, TickTold], tick_s: int) -> dict[str, Any]:
    realm, number = each.realm, each.realm.tick_number
    back = min(number, ticks_per_hour(tick_s))
    moment = Moment(realm, each.hash, each.made_at, _ago(by_tick, number, 1), _ago(by_tick, number, back), tick_s)
    shares, meters = share_changes(moment), meter_changes(moment)
    wire = orjson.loads(each.results[0])
    return {
        "tick_number": number,
        "snapshot_id": realm.snapshot_id,
        "hash": each.hash,
        "made_at": moment_text(each.made_at),
        "factions": {
            faction: {
                "share": percent(share),
                "change_per_tick": percent_or_none(shares[faction].per_tick),
                "change_per_hour": percent_or_none(shares[faction].per_hour),
            }
            for faction, share in realm_shares(realm).items()
        },
        "meters": {
            name: {
                "level": points(level),
                "change_per_tick": points_or_none(meters[name].per_tick),
                "change_per_hour": points_or_none(meters[name].per_hour),
            }
            for name, level in realm.meters.items()
        },
        "territories": {
            name: {
                "controller": territory.controller,
                "phase": territory.phase,
                "projected_ticks": projected(moment, territory),
            }
            for name, territory in realm.territories.items()
        },
        "territory_changes": wire.get("territory_changes", []),
        "trigger_fired": wire.get("trigger_fired", []),
    }


def _ago(by_tick: dict[int, TickTold], number: int, ticks: int) -> Earlier | None:
    found = by_tick.get(number - ticks) if ticks else None
    return Earlier(found.realm, ticks) if found is not None else None


def _decisions(results: Sequence[bytes], *, shows_disputes: bool) -> list[dict[str, Any]]:
    """Return the verdicts among what made a tick's revisions; the others are steps of sovereign actions, or given up."""
    found = []
    for told in map(orjson.loads, results):
        if "decision_id" not in told:
            continue
        about = told.get("subject", "").partition(":")[0]
        if shows_disputes or not is_of_one_act(told, about):
            found.append({"decision_id": told["decision_id"], "verdict": told["verdict"]})
    return found
