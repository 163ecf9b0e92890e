"""The world-impact score: does this change need a council (000 §6.2; domain.md C5)?

Everything here runs for every request, also those that take the fast path, so it reads only what the score needs. Two
of C5's terms are left out always, and the score renormalised over the rest: `population`, for a snapshot states none,
and `novelty`, for a request does not say what a season has already seen.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from policies.contracts.effects import CanonAssert, Effect, FactionDelta, MeterDelta, TerritoryTransfer, TriggerFire
from policies.contracts.request import DecisionRequest, WorldSnapshot
from policies.evidence import Evidence, Signal
from policies.numbers import PPM, scaled
from policies.verdicts import DecisionType
from world.case import Case
from world.change import largest_move, normalised_shares
from world.proximity import canon_conflict, canon_proximity

SATURATION_PPM: Final = 20_000
"""Two points of realm share are the greatest magnitude (domain.md C5)."""
SATURATION_MILLI: Final = 2_000
"""Two points of a meter: more than that in a tick needs a council (domain.md C4)."""
UNRATED: Final = 500
"""Severity, permille, of a risk flag sent as text: unknown is never harmless."""
ANOMALY_FLOOR_FROM: Final = 400
"""Anomaly, permille, from which a dispute is lifted to the anomaly floor: the band in review of domain.md C6."""
FATAL_WORDS: Final = frozenset({"dead", "destroyed", "killed", "annihilated", "erased", "renamed", "slain"})
"""Objects of `status` that undo a named thing for good."""

_EFFECTS: Final = ("/proposed_change/effects",)
_EVENTS: Final = ("/supporting_events",)
_FLAGS: Final = ("/risk_flags",)
_LOCKS: Final = ("/lore_constraints", "/proposed_change/effects")
_TYPE: Final = ("/decision_type",)
_SOVEREIGN: Final = ("/proposed_change/actor/sovereign",)


class _Reach(NamedTuple):
    """What one pass over the effects finds: permille terms of C5 and the kinds of effect met."""

    scope: int
    irreversibility: int
    value_moved: int
    meter_moved: int
    kinds: frozenset[type[Effect]]


def triage_signals(
    case: Case, *, impact_weights: Mapping[str, int], impact_floors: Mapping[str, int], impact_threshold: int
) -> Evidence:
    """Return the signals that invocation and seating rules read.

    Args:
        case: the case; its realm states are not needed and not computed.
        impact_weights: weight per term of the score (magnitude, scope, irreversibility, canon_proximity, population,
            novelty, contention, concentration).
        impact_floors: least score per reason (sovereign_action, major_trigger, canon_conflict, anomaly).
        impact_threshold: score from which this realm convenes a council.
    """
    request = case.request
    reach = _reach(case.effects, request.world_snapshot)
    has_conflict = canon_conflict(case.effects, request.lore_constraints)
    alarm = _alarm(request) if request.risk_flags else _NO_ALARM
    terms = _terms(case, reach)
    raw, coverage = _score(terms, impact_weights)
    kind, actor = request.decision_type, request.proposed_change.actor
    fires = TriggerFire in reach.kinds
    floor = _floor(impact_floors, kind, fires=fires, has_conflict=has_conflict, anomaly=alarm[0].value)
    return (
        *[Signal(_NAMES[name], value, _POINTERS[name]) for name, value in terms],
        Signal("impact_raw_score", raw, _EFFECTS),
        Signal("impact_score", max(raw, floor), _EFFECTS),
        Signal("impact_floor", floor, _TYPE) if floor > raw else _NO_FLOOR,
        *_of_policy(coverage, impact_threshold),
        *_of_type(kind, is_sovereign=actor is not None and actor.sovereign),
        *_of_kinds(reach.kinds),
        _CONFLICT if has_conflict else _NO_CONFLICT,
        *alarm,
        *_of_size(len(case.effects), len(request.supporting_events)),
    )


_NO_FLOOR: Final = Signal("impact_floor", 0, _TYPE)
_CONFLICT: Final = Signal("canon_conflict", 1, _LOCKS)
_NO_CONFLICT: Final = Signal("canon_conflict", 0, _LOCKS)
_NO_ALARM: Final = (
    Signal("anomaly", 0, _FLAGS),
    Signal("flag_severity_max", 0, _FLAGS),
    Signal("flag_count", 0, _FLAGS),
)


@lru_cache(maxsize=1024)
def _of_policy(coverage: int, threshold: int) -> Evidence:
    return Signal("impact_coverage", coverage, ()), Signal("impact_threshold", threshold, ())


@lru_cache(maxsize=16)
def _of_type(kind: DecisionType, *, is_sovereign: bool) -> Evidence:
    return (
        Signal("is_sovereign_action", int(kind == "sovereign_action"), _TYPE),
        Signal("is_major_trigger", int(kind == "major_trigger"), _TYPE),
        Signal("is_impact_dispute", int(kind == "impact_dispute"), _TYPE),
        Signal("actor_is_sovereign", int(is_sovereign), _SOVEREIGN),
    )


@lru_cache(maxsize=64)
def _of_kinds(kinds: frozenset[type[Effect]]) -> Evidence:
    return (
        Signal("fires_trigger", int(TriggerFire in kinds), _EFFECTS),
        Signal("touches_factions", int(FactionDelta in kinds), _EFFECTS),
        Signal("touches_territories", int(TerritoryTransfer in kinds), _EFFECTS),
        Signal("touches_meters", int(MeterDelta in kinds), _EFFECTS),
        Signal("touches_canon", int(CanonAssert in kinds), _EFFECTS),
    )


@lru_cache(maxsize=4096)
def _of_size(effects: int, events: int) -> Evidence:
    return Signal("effect_count", effects, _EFFECTS), Signal("event_count", events, _EVENTS)


_POINTERS: Final[dict[str, tuple[str, ...]]] = {
    "magnitude": ("/proposed_change/effects", "/world_snapshot/factions"),
    "scope": _EFFECTS,
    "irreversibility": _EFFECTS,
    "canon_proximity": _LOCKS,
    "contention": _EVENTS,
    "concentration": _EVENTS,
}
_NAMES: Final = {name: "impact_" + name for name in _POINTERS}


def _reach(effects: Sequence[Effect], snapshot: WorldSnapshot) -> _Reach:
    """Walk the effects once."""
    scope = irreversibility = value_moved = meter_moved = places = 0
    for effect in effects:
        if effect.op == "faction_delta":
            scope = max(scope, 700)
        elif effect.op == "meter_delta":
            scope = 1000
            meter_moved = max(meter_moved, abs(scaled(effect.amount, 1000)))
        elif effect.op == "territory_transfer":
            places += 1
            scope = max(scope, 400 if places == 1 else 700)
            value_moved += scaled(snapshot.territories[effect.territory_id].strategic_value, 1000)
        elif effect.op == "canon_assert":
            scope = max(scope, 400)
            irreversibility = max(irreversibility, _finality(effect))
        else:
            scope, irreversibility = 1000, max(irreversibility, 400)
    return _Reach(scope, irreversibility, value_moved, meter_moved, frozenset([type(effect) for effect in effects]))


def _finality(effect: CanonAssert) -> int:
    is_fatal = effect.predicate == "name" or (effect.predicate == "status" and effect.object.lower() in FATAL_WORDS)
    return 1000 if is_fatal else 700


def _terms(case: Case, reach: _Reach) -> list[tuple[str, int]]:
    """Return the terms of C5 that the request bears, permille."""
    request = case.request
    terms = [
        ("magnitude", _magnitude(case, reach)),
        ("scope", reach.scope),
        ("irreversibility", reach.irreversibility),
    ]
    proximity = canon_proximity(case.effects, request.lore_constraints, request.world_snapshot)
    if proximity is not None:
        terms.append(("canon_proximity", proximity))
    if request.supporting_events:
        terms += _crowd(case.effects, request)
    return terms


def _magnitude(case: Case, reach: _Reach) -> int:
    snapshot = case.request.world_snapshot
    moved = 0
    if FactionDelta in reach.kinds:
        moved = largest_move(normalised_shares(snapshot.factions), case.effects)
    if reach.value_moved:
        whole = sum([scaled(place.strategic_value, 1000) for place in snapshot.territories.values()])
        moved = max(moved, reach.value_moved * PPM // whole)
    return min(1000, max(moved * 1000 // SATURATION_PPM, reach.meter_moved * 1000 // SATURATION_MILLI))


def _crowd(effects: Sequence[Effect], request: DecisionRequest) -> list[tuple[str, int]]:
    """Return contention and concentration of the supporting points; neither where there are no points.

    Points of another faction than the one that gains, and negative points of its own, stand against the change.
    """
    gaining = _gaining_faction(effects, request)
    pro = con = 0
    holders: dict[str, int] = {}
    for event in request.supporting_events:
        points = scaled(event.base_points, 1000)
        if (points >= 0) == (gaining is None or event.faction_id is None or event.faction_id == gaining):
            points = abs(points)
            pro += points
            holder = event.device_id or event.user_id
            holders[holder] = holders.get(holder, 0) + points
        else:
            con += abs(points)
    terms = []
    if pro + con:
        terms.append(("contention", 2000 * min(pro, con) // (pro + con)))
    if pro:
        terms.append(("concentration", max(holders.values()) * 1000 // pro))
    return terms


def _gaining_faction(effects: Sequence[Effect], request: DecisionRequest) -> str | None:
    actor = request.proposed_change.actor
    if actor is not None and actor.faction_id is not None:
        return actor.faction_id
    for effect in effects:
        if effect.op == "faction_delta" and effect.amount > 0:
            return effect.faction_id
        if effect.op == "territory_transfer":
            return effect.to
    return None


def _score(terms: Sequence[tuple[str, int]], weights: Mapping[str, int]) -> tuple[int, int]:
    """Return the score renormalised over the terms present, points, and their part of all weights, permille."""
    present = total = 0
    for name, value in terms:
        weight = weights.get(name, 0)
        present += weight
        total += weight * value
    whole = sum(weights.values())
    return (total + 5 * present) // (10 * present) if present else 0, present * 1000 // whole if whole else 0


def _alarm(request: DecisionRequest) -> tuple[Signal, Signal, Signal]:
    """Return anomaly (noisy-OR, domain.md C6), the gravest severity and the number of flags."""
    innocent, gravest = 1000, 0
    for flag in request.risk_flags:
        severity = UNRATED if isinstance(flag, str) else scaled(flag.severity, 1000)
        innocent = innocent * (1000 - severity) // 1000
        gravest = max(gravest, severity)
    return (
        Signal("anomaly", 1000 - innocent, _FLAGS),
        Signal("flag_severity_max", gravest, _FLAGS),
        Signal("flag_count", len(request.risk_flags), _FLAGS),
    )


def _floor(floors: Mapping[str, int], kind: str, *, fires: bool, has_conflict: bool, anomaly: int) -> int:
    """Return the highest floor of C5 that applies, points; 0 where none does."""
    floor = 0
    if kind == "sovereign_action":
        floor = floors.get("sovereign_action", 0)
    if kind == "major_trigger" or fires:
        floor = max(floor, floors.get("major_trigger", 0))
    if has_conflict:
        floor = max(floor, floors.get("canon_conflict", 0))
    if kind == "impact_dispute" and anomaly >= ANOMALY_FLOOR_FROM:
        floor = max(floor, floors.get("anomaly", 0))
    return floor
