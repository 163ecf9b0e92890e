"""Requests for the tests of lore, fairness and risk: one small realm, and what the test adds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from council.modifications import is_applicable
from policies.conditions import apply_modifications
from policies.contracts.reading import validate_request
from policies.votes import Vote
from world.case import Case, open_case, with_effects

Json = dict[str, Any]

GAIN: Json = {"op": "faction_delta", "faction_id": "empire", "amount": 12}
LOSS: Json = {"op": "faction_delta", "faction_id": "veil", "amount": -12}
UNREST: Json = {"op": "meter_delta", "meter": "stability", "amount": -8}
TAKE: Json = {"op": "territory_transfer", "territory_id": "t-3", "from": "veil", "to": "empire"}
FIRE: Json = {"op": "trigger_fire", "trigger_id": "age_of_iron"}
START = datetime(2026, 11, 20, tzinfo=UTC)


def fact(subject: str, predicate: str, says: str) -> Json:
    """Return an effect that asserts a fact."""
    return {"op": "canon_assert", "subject": subject, "predicate": predicate, "object": says}


def lock(mode: str, subject: str, predicate: str, says: str | None = None, **more: str) -> Json:
    """Return a canon lock."""
    return {"id": f"lock:{subject}", "mode": mode, "subject": subject, "predicate": predicate, "object": says, **more}


def event(number: int, *, at_s: float | None = None, **fields: object) -> Json:
    """Return one supporting event; by default each is of its own account, seven minutes after the last."""
    moment = START + timedelta(seconds=number * 420 if at_s is None else at_s)
    return {
        "event_id": f"e-{number}",
        "realm_id": "realm-1",
        "user_id": f"u-{number}",
        "action_type": "faction_quest_complete",
        "base_points": 25,
        "faction_id": "empire",
        "created_at": moment.isoformat(),
        **fields,
    }


def case_of(effects: Sequence[Json] = (GAIN,), **fields: object) -> Case:
    """Open a case with these effects; other fields of the request by name, `actor` and `narrative` too."""
    change: Json = {"summary": "a change", "effects": list(effects)}
    change |= {name: fields.pop(name) for name in ("actor", "narrative") if name in fields}
    request: Json = {
        "decision_type": "sovereign_action",
        "realm_id": "realm-1",
        "proposed_change": change,
        "world_snapshot": {
            "snapshot_id": "snap-1",
            "tick_number": 1,
            "factions": {"empire": {"influence": 41}, "veil": {"influence": 33}, "free_cities": {"influence": 26}},
            "territories": {"t-3": {"controller": "veil"}},
            "meters": {"stability": 62},
        },
        **fields,
    }
    return open_case(validate_request(request))


def modified(case: Case, vote: Vote) -> Case:
    """Return the case that a modify vote leads to, its modifications applied as the council applies them."""
    effects = case.request.proposed_change.effects
    assert vote.verdict == "modify"
    assert vote.modifications
    assert all(is_applicable(item, effects) for item in vote.modifications)
    return with_effects(case, *apply_modifications(effects, vote.modifications))
