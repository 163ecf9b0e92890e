"""Questions to the council: real snapshots, the acts behind a change, warnings, the realm's canon locks (S0-46 to 49, S0-58)."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from policies.contracts.request import ImpactCandidate
from world.influence.disputes import dispute_of
from world.influence.judging import Judged
from world.persistence.messages import NewQuestion
from world.realm.revising import effects_to_wire
from world.realm.rules_document import World
from world.realm.shares import weight_of
from world.realm.snapshots import world_snapshot
from world.realm.sovereign import wanted_effects
from world.realm.state import Proposed, Realm

MOST_EVENTS: Final = 200
LONGEST_KEY: Final = 128
"""Most characters of an idempotency key that the council takes."""
_SMALL: Final = frozenset(["of", "the", "and"])
"""Words that a name writes small."""


def trigger_question(world: World, realm: Realm, trigger_id: str) -> NewQuestion:
    """Ask whether a major trigger may fire: decision type major_trigger."""
    trigger = world.rules.trigger(trigger_id)
    assert trigger is not None
    effects: list[dict[str, Any]] = [{"op": "trigger_fire", "trigger_id": trigger_id}]
    change = {"summary": trigger.told, "effects": effects}
    key = f"{realm.realm_id}:{realm.season_id}:trigger:{trigger_id}:{realm.tick_number}"
    return _question(key, f"trigger:{trigger_id}", "major_trigger", change, world, realm)


def dispute_question(
    world: World, realm: Realm, candidate: ImpactCandidate, judged: Judged, recent: Sequence[ImpactCandidate]
) -> NewQuestion:
    """Ask whether an odd act may count: decision type impact_dispute, what it is disputed for as events and a warning."""
    dispute = dispute_of(candidate, judged, recent)
    points = judged.score.normalized if judged.score is not None else 0
    amount = min(100.0, points / 1_000 / _points_for_a_percent(realm))
    effect = {
        "op": "faction_delta",
        "faction_id": candidate.faction_id,
        "amount": -amount if judged.is_against else amount,
    }
    change = {
        "summary": f"An act of {candidate.action_type} whose pattern is odd",
        "actor": {"user_id": candidate.user_id, "faction_id": candidate.faction_id},
        "effects": [effect],
    }
    flag = {"code": "anomaly", "severity": dispute.severity / 1_000, "note": dispute.told}
    flags = [{**flag, "subject": candidate.user_id} if dispute.accuses else flag]
    events = dispute.events[-MOST_EVENTS:]
    key = dispute_key(realm.realm_id, candidate.event_id)
    return _question(
        key, f"event:{candidate.event_id}", "impact_dispute", change, world, realm, events=events, flags=flags
    )


def dispute_key(realm_id: str, event_id: str) -> str:
    """Return the id of the question about an act."""
    return _short(f"{realm_id}:event:{event_id}")


def action_key(realm_id: str, action_id: str) -> str:
    """Return the id of the question about a sovereign action."""
    return _short(f"{realm_id}:action:{action_id}")


def action_question(
    world: World,
    realm: Realm,
    action: Proposed,
    events: Sequence[ImpactCandidate],
    flags: Sequence[Mapping[str, Any]] = (),
) -> NewQuestion:
    """Ask whether a sovereign action may happen: decision type sovereign_action, the acts for and against it as events.

    Args:
        events: accepted acts of its window that bear on it, oldest first.
        flags: what is odd about them; who objected is added.
    """
    kind = world.rules.sovereign.kinds[action.kind]
    change = {
        "summary": f"{_who(realm, action)}: {kind.told}",
        "actor": {"user_id": action.user_id, "faction_id": action.faction_id, "sovereign": True},
        "effects": effects_to_wire(wanted_effects(realm, action, world.rules)),
    }
    key = action_key(realm.realm_id, action.action_id)
    warnings = [*_objections(realm, action), *flags]
    asked = _question(
        key, f"action:{action.action_id}", "sovereign_action", change, world, realm, events=events, flags=warnings
    )
    return asked._replace(correlation_id=action.correlation_id)


def _who(realm: Realm, action: Proposed) -> str:
    """Return who acts and on what, as a headline names them."""
    if action.target is None:
        return _title(action.faction_id)
    place = realm.territories.get(action.target)
    return f"{_title(action.faction_id)}, {place.name if place is not None else _title(action.target)}"


def _title(name: str) -> str:
    return " ".join([word if word in _SMALL else word.capitalize() for word in name.split("_")])


def conquest_question(world: World, realm: Realm, territory_id: str, events: Sequence[ImpactCandidate]) -> NewQuestion:
    """Ask whether a territory of great value that was won in a conflict may change hands (000 §6.2, world impact).

    The decision type is impact_dispute, which carries no floor of its own: the score alone says whether the council convenes.
    """
    territory = realm.territories[territory_id]
    fight = territory.conflict
    assert fight is not None
    change = {
        "summary": f"{territory.name} was won in a conflict and is to change hands",
        "actor": {"faction_id": fight.challenger},
        "effects": [
            {
                "op": "territory_transfer",
                "territory_id": territory_id,
                "from": territory.controller,
                "to": fight.challenger,
            }
        ],
    }
    key = f"{realm.realm_id}:move:{territory_id}:{fight.since}"
    return _question(key, f"move:{territory_id}", "impact_dispute", change, world, realm, events=events)


def _objections(realm: Realm, action: Proposed) -> list[dict[str, Any]]:
    """Return who stood up against an action as one warning: half of full severity where every other faction did."""
    factions = sorted({faction for faction, _ in action.objections})
    if not factions:
        return []
    others = max(1, len(realm.factions) - 1)
    severity = len(factions) * 500 // others / 1_000
    note = f"objected: {', '.join(factions)}; {len(action.objections)} in all"
    return [{"code": "counterplay", "severity": severity, "subject": action.faction_id, "note": note}]


def _points_for_a_percent(realm: Realm) -> int:
    """Return roughly how many effective points move the realm by one percent: a scale for what is asked, not a promise."""
    return max(1, sum(weight_of(each) for each in realm.territories.values()))


def _question(
    key: str,
    subject: str,
    decision_type: str,
    change: Mapping[str, Any],
    world: World,
    realm: Realm,
    *,
    events: Sequence[ImpactCandidate] = (),
    flags: Sequence[Mapping[str, Any]] = (),
) -> NewQuestion:
    key = _short(key)
    request = {
        "request_id": key,
        "decision_type": decision_type,
        "realm_id": realm.realm_id,
        "proposed_change": change,
        "world_snapshot": world_snapshot(realm),
        "supporting_events": [each.model_dump(mode="json", exclude_none=True) for each in events],
        "risk_flags": list(flags),
        "lore_constraints": list(world.locks),
    }
    return NewQuestion(key, subject, orjson.dumps(request))


def _short(key: str) -> str:
    """Return a key that the council takes: one that is too long ends in the hash of all of it."""
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[: LONGEST_KEY - 33]}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
