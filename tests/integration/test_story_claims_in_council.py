"""A plan that says something of the shared world before the real council, rules only: what each verdict does to the chapter.

companions.md (Council: planned again at most twice), decision 0023; register rows S4-22 to S4-25.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from council.graph import build_graph
from council.ledger.memory import MemoryLedger
from council.service import CouncilService
from gateway.in_process import InProcessReviewClient
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy, RealmPolicy
from story.planner.plan import Plan
from story.planner.playing_claims import CLAIMS, COOLDOWN
from story.service.plan_review import CouncilReview
from story.tale.tale import Fact, Tale
from tests.unit.story.told_stories import TellingRealm, plan_of, text_of
from tests.unit.world.living_realm import WORLD, ScriptedCouncil
from world.review.port import ReviewClient

STORIES = tuple([f"s-{number}" for number in range(1, 13)])
LATEST = 20
SHARED = {*WORLD.seed.territories, *WORLD.seed.factions, *[each.trigger_id for each in WORLD.rules.triggers]}
RULE = """rules:
  - id: guarded_ground
    outcome: {outcome}
    mode: enforce
    threshold: 0 # flag
    when: touches_canon > threshold
    because: "nobody says such a thing of the realm without leave"
    when_missing: skip
"""
Write = Callable[[str], Policy]


@pytest.fixture
def policy(tmp_path: Path) -> Write:
    """Return the shipped policy where everything is put to the council, with one rule more about what is said of the realm."""

    def write(outcome: str) -> Policy:
        text = default_policy_path().read_text("utf-8")
        path = tmp_path / f"{outcome}.yaml"
        path.write_text(text.replace("rules:\n", RULE.format(outcome=outcome), 1) if outcome else text, "utf-8")
        return replace(load_policy(path), realms={"*": RealmPolicy("enforce", 20)})

    return write


def council(policy: Policy) -> InProcessReviewClient:
    service = CouncilService(
        ledger=MemoryLedger(), current_policy=lambda: policy, graph=build_graph(lambda: policy)
    )  # fmt: skip
    return InProcessReviewClient(service)


class Asked(NamedTuple):
    """A story that came to ask the council."""

    telling: TellingRealm
    story_id: str
    plan: Plan
    """Of the chapter that asked, its last attempt."""

    async def close(self, number: int) -> None:
        await self.telling.close(number, self.story_id, player={"act": 2})

    async def closed(self) -> Tale:
        """Close the chapter and return the tale after it."""
        await self.close(self.plan.chapter)
        return await self.telling.tale(self.story_id)


async def claiming(client: ReviewClient) -> Asked:
    """Tell stories until a chapter asks the council: the same one, whatever the council says."""
    for story_id in STORIES:
        telling = await TellingRealm(reviewer=CouncilReview(client, WORLD)).seed()
        for number in range(1, LATEST):
            plan = plan_of(await telling.plan(story_id))
            if plan.attempt > 1 or _claimed(plan):
                return Asked(telling, story_id, plan)
            await telling.close(number, story_id, player={"act": 2})
    raise AssertionError(f"no story says anything of the shared world before chapter {LATEST}")


def _claimed(plan: Plan) -> list[Fact]:
    """Return what the claiming beats of a plan establish."""
    told = {name for beat in plan.beats if beat.storylet in CLAIMS for name in beat.facts}
    return [fact for fact in plan.facts if fact.fact_id in told]


async def test_what_the_council_approves_is_told_and_stands_in_the_ledger(policy: Write) -> None:
    asked = await claiming(council(policy("")))
    (claim,) = _claimed(asked.plan)

    assert asked.plan.attempt == 1
    assert asked.plan.objections == ()
    assert claim.chapter == asked.plan.chapter
    assert claim.subject in SHARED
    assert (await asked.closed()).facts[claim.fact_id] == claim


@pytest.mark.parametrize(
    "outcome",
    ["reject", "quarantine", pytest.param("modify", id="a floor of modify where no member says what to modify")],
)
async def test_what_the_council_does_not_approve_is_planned_again_and_never_happened(
    policy: Write, outcome: str
) -> None:
    approved = await claiming(council(policy("")))
    (claim,) = _claimed(approved.plan)
    asked = await claiming(council(policy(outcome)))

    assert (asked.story_id, asked.plan.chapter) == (approved.story_id, approved.plan.chapter)
    assert asked.plan.attempt == 2
    assert asked.plan.objections == (f"guarded_ground:{claim.subject}",)
    assert CLAIMS.isdisjoint({beat.storylet for beat in asked.plan.beats})
    assert claim.fact_id not in (await asked.closed()).facts


async def test_a_claim_that_is_bounded_is_left_out_whole() -> None:
    (claim,) = _claimed((await claiming(ScriptedCouncil("approve"))).plan)
    bounds = [{"effect": 0, "field": "object", "value": "a-small-flag", "because": "smaller"}]
    asked = await claiming(ScriptedCouncil("modify", required_modifications=bounds))

    assert asked.plan.objections == (f"required:{claim.subject}",)
    assert _claimed(asked.plan) == []


async def test_a_council_that_refuses_is_asked_once_a_chapter_and_in_few_chapters() -> None:
    client = ScriptedCouncil("reject")
    asked = await claiming(client)
    first = asked.plan.chapter
    for number in range(first, first + LATEST):
        before = len(client.asked)
        await asked.close(number)
        told = await asked.telling.plan(asked.story_id)
        assert len(client.asked) - before <= 1
        assert text_of(told)
        assert orjson.loads(told.chapter.told.why)["objections"] == list(plan_of(told).objections)
    assert len(client.asked) - 1 <= LATEST // 3


async def test_after_a_claim_was_told_twelve_chapters_pass_before_the_next() -> None:
    asked = await claiming(ScriptedCouncil("approve"))
    first = asked.plan.chapter
    for number in range(first, first + COOLDOWN - 1):
        await asked.close(number)
        assert _claimed(plan_of(await asked.telling.plan(asked.story_id))) == []
