"""One tick of a realm: a pure function of its state, the acts that count, and the rules (domain.md C0; S0-4, S0-9, S0-115).

The order never depends on how rows came in: territories, factions and accounts are walked by id, everything is read from the
state before. The same inputs give the same hash on any machine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from world.change import METER_MAX
from world.influence.scoring import effective
from world.realm.contests import Contested, Move, contest, is_frozen
from world.realm.meters import settled
from world.realm.pot import Acts, moved
from world.realm.rules import WorldRules
from world.realm.shares import realm_shares
from world.realm.sovereign import close_windows, earned
from world.realm.state import Past, Realm, Territory, state_hash
from world.realm.triggers import Looked, look

KEPT: Final = 96
"""Earlier ticks that a state remembers: a day."""
_NOBODY: Final[Mapping[str, int]] = {}

Points = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Milli-points by territory, faction and account."""


@dataclass(frozen=True, slots=True)
class TickInput:
    """What counts in one tick.

    Attributes:
        gained: points for factions.
        opposed: points against factions.
        cluster_of: per account that is linked to others, what stands for its cluster.
        relics: relic ids that acts of two factions or more claimed.
        watermark: highest ledger sequence that is in the points.
    """

    gained: Points
    opposed: Points
    cluster_of: Mapping[str, str]
    relics: frozenset[str]
    watermark: int


class Contributed(NamedTuple):
    """What one account did for a faction in a territory, as far as it counted."""

    user_id: str
    territory_id: str
    faction_id: str
    points: int
    """Effective milli-points."""


class Gains(NamedTuple):
    """What accounts did for one faction in one territory, as far as it counted."""

    territory_id: str
    faction_id: str
    by_user: Mapping[str, int]
    """Effective milli-points per account, in order of ids."""


class TickResult(NamedTuple):
    """What one tick did."""

    realm: Realm
    before: Mapping[str, int]
    """Shares of the realm before, ppm."""
    after: Mapping[str, int]
    moves: tuple[Move, ...]
    began: tuple[str, ...]
    """Territories in which a conflict began."""
    fired: tuple[str, ...]
    asked: tuple[str, ...]
    """Major triggers that the council is to be asked about."""
    gains: tuple[Gains, ...]
    """By territory and faction; a territory and faction for which nobody did anything is left out."""
    dropped: int
    """Milli-points beyond the caps of clusters and accounts."""
    closed: tuple[str, ...] = ()
    """Sovereign actions whose window for counterplay has closed: the council is to be asked."""
    won: tuple[str, ...] = ()
    """Territories of great value whose conflict is won: the council is to be asked."""

    @property
    def contributed(self) -> Iterator[Contributed]:
        """What each account did, by territory, faction and account."""
        for gains in self.gains:
            for user_id, points in gains.by_user.items():
                yield Contributed(user_id, gains.territory_id, gains.faction_id, points)


def tick(realm: Realm, given: TickInput, rules: WorldRules) -> TickResult:
    """Move a realm by one tick.

    Args:
        realm: its latest state.
        given: what was accepted since, up to a watermark.
        rules: the world's rules.
    """
    number, before = realm.tick_number + 1, realm_shares(realm)
    walked = _walk(realm, given, rules, number)
    moved_on = replace(
        realm,
        tick_number=number,
        revision=0,
        rules_hash=rules.content_hash,
        territories=walked.territories,
        watermark=given.watermark,
        previous=state_hash(realm),
        treasuries=earned(realm.treasuries, walked.income, rules.sovereign),
    )
    tension = _tension(walked.territories, walked.moves, rules)
    closed = close_windows(replace(moved_on, meters=settled(realm.meters, rules.meters, {"tension": tension})))
    seen = closed.realm
    looked = look(
        rules.triggers, realm.triggers, measures_of(seen, len(given.relics)), tick=number, season=realm.season_id
    )
    after = realm_shares(seen)
    began = [
        each.territory_id
        for each in walked.territories.values()
        if each.phase == "conflict" and realm.territories[each.territory_id].phase != "conflict"
    ]
    return TickResult(
        _remembered(seen, looked, rules, after), before, after, tuple(walked.moves), tuple(began), looked.fired,
        looked.asked, tuple(walked.gains), walked.dropped, closed.asked, tuple(walked.won),
    )  # fmt: skip


class _Walked(NamedTuple):
    """What a tick did in the territories, one after the other."""

    territories: dict[str, Territory]
    moves: list[Move]
    gains: list[Gains]
    won: list[str]
    income: dict[str, int]
    """Effective milli-points that each faction gained."""
    dropped: int


def _walk(realm: Realm, given: TickInput, rules: WorldRules, number: int) -> _Walked:
    walked = _Walked({}, [], [], [], {}, 0)
    dropped = 0
    for territory_id in sorted(realm.territories):
        counted = _counted(territory_id, given)
        found = _step(realm.territories[territory_id], counted.acts, number, rules.asked_value)
        walked.territories[territory_id] = found.territory
        walked.moves.extend([found.move] if found.move is not None else [])
        walked.won.extend([territory_id] if found.is_asked else [])
        walked.gains.extend(counted.gains)
        dropped += counted.dropped
        for faction, acts in counted.acts.items():
            walked.income[faction] = walked.income.get(faction, 0) + acts.gained
    return walked._replace(dropped=dropped)


def gains_of(realm: Realm, given: TickInput) -> tuple[Gains, ...]:
    """Return what accounts did as far as it counted: what a tick of the same has as `gains`."""
    return tuple([gains for territory_id in sorted(realm.territories) for gains in _counted(territory_id, given).gains])


def measures_of(realm: Realm, relics_contested: int = 0) -> dict[str, int]:
    """Return what trigger conditions may read: shares (ppm), meters (milli), counts."""
    shares = realm_shares(realm)
    conflicts = sum(1 for each in realm.territories.values() if each.phase == "conflict")
    return {
        **{f"share_{faction}": share for faction, share in shares.items()},
        **{f"meter_{meter}": level for meter, level in realm.meters.items()},
        **{f"territories_{name}": _held(realm, name) for name in realm.factions},
        "conflicts": conflicts,
        "relics_contested": relics_contested,
    }


def result_to_wire(result: TickResult) -> dict[str, Any]:
    """Return a tick's result as 000 §5.2 has it (S0-40 to S0-44); deltas are percentage points with one decimal."""
    deltas = {faction: result.after[faction] - result.before.get(faction, 0) for faction in result.after}
    return {
        "realm_id": result.realm.realm_id,
        "tick_number": result.realm.tick_number,
        "faction_deltas": {faction: _points(delta) for faction, delta in deltas.items() if _points(delta)},
        "territory_changes": [
            {"territory_id": move.territory_id, "from": move.old, "to": move.new} for move in result.moves
        ],
        "trigger_fired": list(result.fired),
        "snapshot_id": result.realm.snapshot_id,
    }


class _Counted(NamedTuple):
    acts: dict[str, Acts]
    gains: list[Gains]
    dropped: int


def _counted(territory_id: str, given: TickInput) -> _Counted:
    gained, opposed = given.gained.get(territory_id, {}), given.opposed.get(territory_id, {})
    acts: dict[str, Acts] = {}
    gains: list[Gains] = []
    dropped = 0
    for faction in sorted({*gained, *opposed}):
        pro = effective(gained.get(faction, _NOBODY), given.cluster_of)
        con = effective(opposed.get(faction, _NOBODY), given.cluster_of)
        acts[faction] = Acts(pro.total, con.total)
        gains += [Gains(territory_id, faction, pro.by_user)] if pro.by_user else []
        dropped += pro.dropped + con.dropped
    return _Counted(acts, gains, dropped)


def _step(territory: Territory, acts: Mapping[str, Acts], number: int, asked_value: int | None) -> Contested:
    if not is_frozen(territory):
        shares = moved(territory.shares, acts, territory.population)
        territory = replace(territory, shares=dict(sorted(shares.items())))
    return contest(territory, acts, number, asked_value)


def _tension(territories: Mapping[str, Territory], moves: list[Move], rules: WorldRules) -> int:
    conflicts = sum(1 for each in territories.values() if each.phase == "conflict")
    return len(moves) * rules.move_tension + conflicts * rules.conflict_tension


def _remembered(realm: Realm, looked: Looked, rules: WorldRules, shares: Mapping[str, int]) -> Realm:
    """Return the realm with what its triggers did, and this tick as its latest past."""
    meters = dict(realm.meters)
    for trigger_id in looked.fired:
        trigger = rules.trigger(trigger_id)
        assert trigger is not None
        for name, amount in trigger.meters.items():
            meters[name] = max(0, min(METER_MAX, meters.get(name, 0) + amount))
    past = (*realm.past, Past(realm.tick_number, dict(shares), dict(meters)))[-KEPT:]
    return replace(realm, meters=meters, triggers=looked.states, past=past)


def _held(realm: Realm, faction: str) -> int:
    return sum(1 for each in realm.territories.values() if each.controller == faction)


def _points(ppm: int) -> float:
    """Return a share's change in percentage points with one decimal, half away from nothing."""
    tenths = (abs(ppm) + 500) // 1_000
    return (tenths if ppm >= 0 else -tenths) / 10
