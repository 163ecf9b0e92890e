"""A plan before the council: only what it claims of the shared world is asked (companions.md, Council; decision 0023)."""

import itertools
from typing import Any

import pytest

from council.graph import build_graph
from policies.loading import default_policy_path, load_policy
from story.planner.plan import Plan
from story.planner.playing_claims import CLAIMS, FIRST_ACT
from story.service.plan_review import CouncilReview, claims_of, plan_question
from story.tale.tale import Fact
from tests.unit.story.planner_tales import WORLD, chapters, shipped_realm
from tests.unit.story.told_stories import TellingRealm, plan_of
from tests.unit.world.living_realm import ScriptedCouncil
from world.review.port import ReviewUnavailableError

POLICY = load_policy(default_policy_path())
REALM = shipped_realm()


async def planned(*facts: Fact) -> Plan:
    """Return a real chapter's plan that also says something."""
    plan = plan_of(await (await TellingRealm().seed()).plan())
    return plan._replace(facts=(*plan.facts, *facts))


def fact(subject: str, predicate: str, value: str) -> Fact:
    """Return a new fact of a chapter."""
    return Fact(f"{subject}/{predicate}", subject, predicate, value, 1)


HARBOR = fact("grand-gate-city", "terrain", "harbor")
LETTER = fact("a-folded-letter", "held_by", "hero")


async def reviewed(plan: Plan, council: Any) -> tuple[str, ...]:
    """Return what a council holds against a plan."""
    return await CouncilReview(council, WORLD).objections(plan, REALM, user_id="ana", correlation_id="c-1")


async def test_what_is_the_heros_own_asks_nobody() -> None:
    council = ScriptedCouncil("reject")

    assert await reviewed(await planned(LETTER), council) == ()
    assert council.asked == []


async def test_what_the_realm_or_the_council_said_is_not_asked_again() -> None:
    plan = await planned(HARBOR._replace(source="realm", decision_id="d-1"))

    assert claims_of(plan, REALM, WORLD) == ()


@pytest.mark.parametrize("subject", ["far-wilds", "empire", "general-vorn", "veiled-will"])
async def test_places_factions_known_facts_and_locked_subjects_are_shared(subject: str) -> None:
    claim = fact(subject, "mood", "dark")

    assert claims_of(await planned(LETTER, claim), REALM, WORLD) == (claim,)


@pytest.mark.parametrize(
    ("council", "objections"),
    [
        (ScriptedCouncil("approve"), ()),
        (ScriptedCouncil("quarantine"), ("votes:grand-gate-city",)),
        (
            ScriptedCouncil(
                "reject", vetoes=[{"rule": "canon_lock", "outcome": "reject", "mode": "enforce", "because": "no sea"}]
            ),
            ("canon_lock:grand-gate-city",),
        ),
        (
            ScriptedCouncil("modify", required_modifications=[{"effect": 0, "drop": True, "because": "no sea"}]),
            ("required:grand-gate-city",),
        ),
    ],
)
async def test_what_stands_against_a_claim_names_its_subject(
    council: ScriptedCouncil, objections: tuple[str, ...]
) -> None:
    assert await reviewed(await planned(HARBOR), council) == objections


class Silent:
    """A council that does not answer."""

    async def review(self, request: object, **keys: object) -> None:
        raise ReviewUnavailableError("it does not answer", "k-1")

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_council_that_does_not_answer_allows_nothing() -> None:
    assert await reviewed(await planned(HARBOR, LETTER), Silent()) == ("council_unavailable:grand-gate-city",)


async def test_the_same_claims_are_asked_under_the_same_key() -> None:
    plan = await planned(HARBOR)
    first, again = (plan_question(plan, REALM, WORLD, user_id="ana") for _ in range(2))
    other = plan_question(await planned(fact("far-wilds", "mood", "dark")), REALM, WORLD, user_id="ana")

    assert first is not None
    assert again is not None
    assert other is not None
    assert first.request_id == again.request_id != other.request_id


async def test_the_real_council_rejects_a_plan_that_breaks_canon() -> None:
    request = plan_question(await planned(HARBOR), REALM, WORLD, user_id="ana")
    assert request is not None
    document = request.model_dump(mode="json", by_alias=True, exclude_unset=True)
    state = await build_graph(lambda: POLICY).ainvoke({"request": document})

    assert state["verdicts"][0]["final_verdict"] == "reject"


def test_with_the_shipped_storylets_few_chapters_claim_one_thing_of_the_shared_world() -> None:
    found = [claims_of(planned.plan, case.realm, WORLD) for seed in range(12) for case, planned in chapters(seed, 30)]

    assert max(map(len, found)) == 1
    assert 5 <= len([each for each in found if each]) <= 36  # of 360 chapters: at most one in ten


def test_only_the_storylets_that_may_claim_do_and_not_in_the_first_act() -> None:
    for case, planned in itertools.chain.from_iterable(chapters(seed, 30) for seed in range(12)):
        claims = {fact.fact_id for fact in claims_of(planned.plan, case.realm, WORLD)}
        told = {name for beat in planned.plan.beats if beat.storylet in CLAIMS for name in beat.facts}
        assert claims == told
        assert not claims or case.tale.player.act >= FIRST_ACT


def test_a_plan_that_is_made_again_claims_nothing() -> None:
    asked = [(case, planned) for seed in range(12) for case, planned in chapters(seed, 30)]
    claiming = [(case, plan) for case, (plan, _) in asked if claims_of(plan, case.realm, WORLD)]
    assert claiming
    for case, plan in claiming:
        subject = claims_of(plan, case.realm, WORLD)[0].subject
        for attempt, objections in ((2, [f"votes:{subject}"]), (2, ["off_tone"]), (3, [])):
            again = case.planned(attempt=attempt, objections=objections).plan
            assert claims_of(again, case.realm, WORLD) == ()
