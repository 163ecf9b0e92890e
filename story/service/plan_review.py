"""A plan before the council: only what it claims of the shared world is asked, which most plans do not (companions.md, Council).

The council wraps the story and does not replace it: a plan whose new facts are the hero's own goes straight on. One that says
something of a territory, a faction or what a canon lock guards is put to it, and what stands against it comes back as objections,
with which the chapter is planned again at most twice (`story.service.telling`).
"""

import hashlib
import logging
from typing import Any, Final

from policies.canonical import canonical_json
from policies.contracts.answer import Answer
from policies.contracts.reading import validate_request
from policies.contracts.request import DecisionRequest
from story.planner.plan import Plan
from story.tale.tale import Fact
from world.realm.rules_document import World
from world.realm.snapshots import world_snapshot
from world.realm.state import Realm
from world.review.port import ReviewClient, ReviewError

logger = logging.getLogger(__name__)
UNASKED: Final = "council_unavailable"
"""Objection where the council cannot be asked: what it would have to allow is left out."""


def claims_of(plan: Plan, realm: Realm, world: World) -> tuple[Fact, ...]:
    """Return the new facts of a plan that are not the hero's own business, in order of their ids."""
    shared = {*realm.territories, *realm.factions, *realm.triggers, *[subject for subject, _ in realm.facts]}
    shared |= {str(lock["subject"]) for lock in world.locks}
    return tuple([fact for fact in plan.facts if fact.source == "tale" and fact.subject in shared])


def plan_question(plan: Plan, realm: Realm, world: World, *, user_id: str) -> DecisionRequest | None:
    """Return what the council is asked about a plan; None where it claims nothing of the shared world."""
    claims = claims_of(plan, realm, world)
    if not claims:
        return None
    document: dict[str, Any] = {
        "decision_type": "impact_dispute",
        "realm_id": realm.realm_id,
        "proposed_change": {
            "summary": f"Chapter {plan.chapter} of a story says {len(claims)} thing(s) of the shared world",
            "actor": {"user_id": user_id},
            "effects": [
                {"op": "canon_assert", "subject": fact.subject, "predicate": fact.predicate, "object": fact.value}
                for fact in claims
            ],
        },
        "world_snapshot": world_snapshot(realm),
        "lore_constraints": list(world.locks),
    }
    digest = hashlib.sha256(canonical_json(document)).hexdigest()
    return validate_request({**document, "request_id": f"story:{digest[:48]}"})


def objections_of(answer: Answer, request: DecisionRequest) -> tuple[str, ...]:
    """Return what an answer holds against a plan, as `code:subject`; empty where it may be told as it is."""
    if answer.final_verdict == "approve":
        return ()
    subjects = [getattr(effect, "subject", "") for effect in request.proposed_change.effects]
    if answer.final_verdict == "modify":
        bounded = [subjects[required.effect] for required in answer.required_modifications]
        return tuple(dict.fromkeys([f"required:{subject}" for subject in bounded]))
    rules = [veto.rule for veto in answer.vetoes if veto.mode == "enforce"] or ["votes"]
    return tuple(dict.fromkeys([f"{rules[0]}:{subject}" for subject in subjects]))


class CouncilReview:
    """Asks the council about plans.

    Args:
        council: the way to it.
        world: its canon locks.
    """

    def __init__(self, council: ReviewClient, world: World) -> None:
        self._council = council
        self._world = world

    async def objections(
        self, plan: Plan, realm: Realm, *, user_id: str, correlation_id: str | None
    ) -> tuple[str, ...]:
        """Return what the council holds against a plan; where it cannot be asked, everything that it would have to allow."""
        request = plan_question(plan, realm, self._world, user_id=user_id)
        if request is None:
            return ()
        try:
            reply = await self._council.review(request, correlation_id=correlation_id)
        except ReviewError as error:
            logger.warning("plan_not_reviewed", extra={"story_id": plan.story_id, "kind": type(error).__name__})
            return tuple([f"{UNASKED}:{fact.subject}" for fact in claims_of(plan, realm, self._world)])
        return objections_of(reply.answer, request)
