"""Questions to the council: real snapshots, the acts behind a change, warnings, the realm's canon locks (S0-46 to 49, S0-58)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from policies.contracts.request import ImpactCandidate
from world.influence.judging import Judged
from world.persistence.port import NewQuestion
from world.realm.rules_document import World
from world.realm.shares import weight_of
from world.realm.snapshots import world_snapshot
from world.realm.state import Realm

MOST_EVENTS: Final = 200


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
    """Ask whether an odd act may count: decision type impact_dispute, the acts near it as events, its anomaly as a warning."""
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
    flags = [{"code": "anomaly", "severity": judged.anomaly / 1_000, "subject": candidate.user_id}]
    events = [*recent[-(MOST_EVENTS - 1) :], candidate]
    key = f"{realm.realm_id}:event:{candidate.event_id}"
    return _question(
        key, f"event:{candidate.event_id}", "impact_dispute", change, world, realm, events=events, flags=flags
    )


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
