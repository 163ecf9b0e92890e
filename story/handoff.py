"""Hand-on: what the story planner receives of a decision, the verdict's fields and the fresh `world_context`.

The four fields are those of 000 §9 (register rows S0-70 to S0-73); each may be empty, none is left out, and their rows have the
shapes of a chapter's context (`story.context.rows`). This one is made of a request alone, and for no player: what one player's
chapter hears of it is chosen from the world itself (`story.context.selecting`). Text that players wrote never passes
(reliability.md, injection 7).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from policies.contracts.effects import Effect, TerritoryTransfer, TriggerFire
from policies.contracts.request import DecisionRequest
from policies.verdicts import Verdict
from policies.votes import Modification
from story.context.items import HeardVerdict
from story.context.reasons import reason_of
from story.context.rows import control_row, ranking_row, trigger_row
from world.case import Case
from world.change import RealmState, apply_effects
from world.realm.revising import effects_to_wire
from world.realm.telling import asked_of, conditions_told

MAX_ITEMS: Final = 4
"""Items per list: the planner's prompt has little room (domain.md C10)."""


def planner_brief(
    case: Case,
    verdict: Verdict,
    effects: Sequence[Effect],
    *,
    decision_id: str = "",
    conditions: Sequence[Modification] = (),
    stood_against: str = "",
) -> dict[str, Any]:
    """Return the planner's input after a decision.

    Args:
        case: the case that was decided.
        verdict: the final verdict.
        effects: the effects that will happen: those of the request, what modifications left of them, or none.
        decision_id: of the record; "" where none is made.
        conditions: what a `modify` verdict requires.
        stood_against: the rule that stopped or bounded the change, "votes" where members did; "" where nothing did.
    """
    after = apply_effects(case.before, effects)
    return {
        "decision_id": decision_id,
        "realm_id": case.request.realm_id,
        "snapshot_id": case.request.world_snapshot.snapshot_id,
        "decision_type": case.request.decision_type,
        "final_verdict": verdict,
        "heard": _heard(case, effects, conditions, stood_against),
        "stories": sorted({event.story_id for event in case.request.supporting_events if event.story_id is not None}),
        "world_context": {
            "faction_ranking": _ranking(case.before, after),
            "local_territory_control": _territories(case.request, after),
            "active_triggers": [
                trigger_row(effect.trigger_id, "fired") for effect in effects if isinstance(effect, TriggerFire)
            ],
            "contribution_recap": _contributions(case.request),
        },
    }


def heard_of(brief: Mapping[str, Any]) -> HeardVerdict:
    """Return the verdict of a brief as the story hears it."""
    heard = brief["heard"]
    return HeardVerdict(
        decision_id=brief["decision_id"],
        verdict=brief["final_verdict"],
        decision_type=brief["decision_type"],
        subject=heard["subject"],
        faction_id=heard["faction_id"],
        tick=heard["tick_number"],
        modifications=tuple(heard["conditions"]),
        reason=heard["reason"],
        effects=tuple(heard["effects"]),
    )


def _heard(
    case: Case, effects: Sequence[Effect], conditions: Sequence[Modification], stood_against: str
) -> dict[str, Any]:
    asked, actor = case.request.proposed_change.effects, case.request.proposed_change.actor
    return {
        "subject": asked_of(asked),
        "faction_id": actor.faction_id if actor is not None else None,
        "tick_number": case.request.world_snapshot.tick_number,
        "conditions": conditions_told(asked, conditions),
        "reason": reason_of(stood_against),
        "effects": effects_to_wire(effects),
    }


def _ranking(before: RealmState, after: RealmState) -> list[dict[str, Any]]:
    ranked = sorted(after.shares.items(), key=lambda item: (-item[1], item[0]))
    return [
        ranking_row(rank, faction, share, share - before.shares[faction])
        for rank, (faction, share) in enumerate(ranked, start=1)
    ]


def _territories(request: DecisionRequest, after: RealmState) -> list[dict[str, Any]]:
    """Territories that the change names, then their neighbours, in the order of the request."""
    known = request.world_snapshot.territories
    named = [effect.territory_id for effect in request.proposed_change.effects if isinstance(effect, TerritoryTransfer)]
    near = [neighbour for territory in named for neighbour in known[territory].neighbors if neighbour in known]
    return [
        control_row(
            territory,
            after.controllers[territory],
            is_changed=after.controllers[territory] != known[territory].controller,
        )
        for territory in list(dict.fromkeys([*named, *near]))[:MAX_ITEMS]
    ]


def _contributions(request: DecisionRequest) -> list[dict[str, Any]]:
    """Players by number of supporting events, most first; points stay inside the server (register row S0-87)."""
    acts: defaultdict[str, int] = defaultdict(int)
    for event in request.supporting_events:
        acts[event.user_id] += 1
    most = sorted(acts.items(), key=lambda item: (-item[1], item[0]))[:MAX_ITEMS]
    return [{"user_id": user, "events": count} for user, count in most]
