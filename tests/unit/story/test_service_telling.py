"""A chapter from its opening to its close, and back into the world (S0-32, S0-70 to S0-76, S0-95, S0-117, S4-59, K6)."""

import orjson
import pytest

from policies.faults import InvalidInputError
from story.errors import ChapterConflictError, UnknownStoryError
from story.planner.plan import Plan
from story.service.deeds import deed_id
from story.service.telling import PlanAsk
from tests.unit.story.told_stories import TellingRealm, hero, plan_of, text_of
from tests.unit.world.living_realm import REALM, WORLD, ScriptedCouncil
from world.errors import UnknownRealmError
from world.realm.sovereign import Proposal
from world.realm.state import Realm

PATROL = {"action_type": "patrol_complete", "faction_id": "free_cities", "territory_id": "far-wilds"}


async def test_a_chapter_is_told_once_and_read_back_the_same() -> None:
    realm = await TellingRealm().seed()
    first = await realm.plan(correlation_id="c-1")
    await realm.living.ticks(2)
    again = await realm.plan(correlation_id="c-2")

    assert not first.is_repeat
    assert again.is_repeat
    assert again.chapter == first.chapter
    assert first.chapter.told.correlation_id == "c-1"


async def test_the_same_story_in_the_same_world_is_told_alike_anywhere() -> None:
    one, other = [await (await TellingRealm().seed()).plan() for _ in range(2)]
    elsewhere = await (await TellingRealm().seed()).plan("s-2")

    assert one.chapter == other.chapter
    assert text_of(one) != text_of(elsewhere)


async def test_three_chapters_follow_one_another_and_the_threat_moves_at_each_close() -> None:
    realm = await TellingRealm().seed()
    intensities = []
    for number in (1, 2, 3):
        assert (await realm.plan()).chapter.told.number == number
        await realm.close(number, tags=["empire_encounter"] if number < 3 else [])
        intensities.append((await realm.tale()).threat.enforcement_intensity)

    assert intensities == [10, 20, 15]
    assert (await realm.tale()).chapter == 3


async def test_closing_again_is_harmless_and_another_outcome_is_refused() -> None:
    realm = await TellingRealm().seed()
    await realm.plan()
    closed = await realm.close(1, losses=10)

    assert (await realm.close(1, losses=10)) == closed._replace(is_repeat=True)
    with pytest.raises(ChapterConflictError, match="another outcome"):
        await realm.close(1, losses=20)
    with pytest.raises(ChapterConflictError, match="chapter 2 was never told"):
        await realm.close(2)


async def test_deeds_reach_the_influence_ledger_with_the_chapters_correlation_id() -> None:
    realm = await TellingRealm().seed()
    await realm.plan(correlation_id="c-42")
    await realm.close(1, deeds=[PATROL])

    assert await realm.sender.send() == 2
    row = await realm.living.store.row(REALM, deed_id("s-1", 1, 0))
    assert row is not None
    assert (row.state, row.user_id, row.territory_id, row.correlation_id) == ("accepted", "ana", "far-wilds", "c-42")
    assert orjson.loads(row.candidate)["chapter_id"] == "c-1"
    assert [deed.state for deed in await realm.stories.deeds("s-1", 1)] == ["accepted", "accepted"]
    assert await realm.sender.send() == 0


async def test_a_deed_that_failed_is_no_act_of_the_world() -> None:
    realm = await TellingRealm().seed()
    await realm.plan()
    await realm.close(1, deeds=[{**PATROL, "success": False}])

    kinds = [orjson.loads(deed.candidate)["action_type"] for deed in await realm.stories.deeds("s-1", 1)]
    assert kinds == ["chapter_complete"]


async def test_two_deeds_alike_in_one_chapter_are_two_deeds_and_no_replay() -> None:
    realm = await TellingRealm().seed()
    await realm.plan()
    await realm.close(1, deeds=[PATROL, PATROL, PATROL])

    assert await realm.sender.send() == 4
    deeds = await realm.stories.deeds("s-1", 1)
    assert [deed.state for deed in deeds] == ["accepted"] * 4
    moments = sorted(orjson.loads(deed.candidate)["created_at"] for deed in deeds)
    assert len(set(moments)) == 4


async def test_deeds_wait_while_the_world_is_down_and_count_once() -> None:
    realm = await TellingRealm().seed()
    await realm.plan()
    await realm.close(1, deeds=[PATROL])
    realm.ingesting.is_down = True

    assert await realm.sender.send() == 0
    realm.ingesting.is_down = False
    realm.living.now += 2_000
    assert await realm.sender.send() == 2
    assert len(await realm.living.store.rows(REALM, user_id="ana")) == 2


async def test_own_deeds_are_told_in_the_next_chapter_when_they_moved_something() -> None:
    realm = await TellingRealm().seed()
    await realm.plan()
    await realm.close(1, deeds=[{**PATROL, "territory_id": "contested-borderlands"}])
    await realm.sender.send()
    await realm.living.ticks(1)
    second = await realm.plan()

    assert "recap/ana" in plan_of(second).world_changes_used
    assert orjson.loads(second.chapter.told.context)["contribution_recap"] != []


async def decided(council: ScriptedCouncil) -> tuple[TellingRealm, Plan]:
    """Return the plan of the chapter after the council spoke about an action against the hero's own place."""
    realm = await TellingRealm(council).seed()
    await realm.plan()
    await realm.close(1)
    await realm.living.sovereignty.propose(
        REALM, Proposal("a-1", "annexation", "council_of_pillars", "lord", "contested-borderlands")
    )
    await realm.living.ticks(10)
    await realm.living.verdicts.settle()
    return realm, plan_of(await realm.plan())


async def test_what_was_approved_is_told_and_cited() -> None:
    realm, plan = await decided(ScriptedCouncil("approve"))
    (decision,) = plan.verdicts_cited

    assert any(beat.storylet == "verdict_approved" and beat.decisions == (decision,) for beat in plan.beats)
    await realm.close(2)
    assert decision in (await realm.tale()).decisions


async def test_what_was_rejected_did_not_happen_and_its_reason_is_known() -> None:
    veto = {"rule": "dominance_floor", "outcome": "reject", "mode": "enforce", "because": "too much"}
    _, plan = await decided(ScriptedCouncil("reject", vetoes=[veto]))
    beat = next(each for each in plan.beats if each.storylet == "verdict_rejected")

    assert beat.slots["reason"] == "dominance"
    assert any(fact.decision_id == plan.verdicts_cited[0] for fact in plan.facts)


async def test_what_is_held_for_a_person_is_nothing_at_all_to_the_story() -> None:
    _, held = await decided(ScriptedCouncil("quarantine"))

    assert held.verdicts_cited == ()
    assert not any(item.startswith("verdict/") for item in held.world_changes_used)


async def test_what_was_modified_is_told_with_its_condition() -> None:
    bound = {"effect": 1, "field": "amount", "min": -1.0, "asked_by": ["fairness"], "because": "half is enough"}
    _, plan = await decided(ScriptedCouncil("modify", required_modifications=[bound]))
    beat = next(each for each in plan.beats if each.storylet == "verdict_modified")

    assert beat.slots["condition"] == "raised:meter_delta"
    assert plan.verdicts_cited == beat.decisions


class Objecting:
    """A reviewer that holds something against the first plans."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.plans: list[Plan] = []

    async def objections(
        self, plan: Plan, realm: Realm, *, user_id: str, correlation_id: str | None
    ) -> tuple[str, ...]:
        self.plans.append(plan)
        at = len(self.plans)
        first = next(beat for beat in plan.beats if beat.kind == "personal")
        return (f"off_tone:{first.storylet}",) if at <= self.times else ()


@pytest.mark.parametrize(("times", "plans"), [(0, 1), (1, 2), (2, 3), (9, 3)])
async def test_a_rejected_plan_is_made_again_at_most_twice_without_what_was_objected_to(times: int, plans: int) -> None:
    reviewer = Objecting(times)
    realm = await TellingRealm(reviewer=reviewer).seed()
    told = plan_of(await realm.plan())

    assert [plan.attempt for plan in reviewer.plans] == list(range(1, plans + 1))
    assert told.beats == reviewer.plans[-1].beats
    for objection in told.objections:
        assert objection.partition(":")[2] not in [beat.storylet for beat in told.beats]


async def test_bad_asks_name_the_field_and_lose_nothing() -> None:
    realm = await TellingRealm().seed()
    with pytest.raises(UnknownStoryError, match="send 'hero'"):
        await realm.plan(hero=None)
    with pytest.raises(InvalidInputError, match="far-wilds"):
        await realm.plan(hero=hero(place="far-wild"))
    with pytest.raises(UnknownRealmError):
        await realm.teller.plan(PlanAsk("s-9", "nowhere", "ana", hero()))
    await realm.plan()
    with pytest.raises(InvalidInputError, match="user_id"):
        await realm.teller.plan(PlanAsk("s-1", REALM, "somebody-else"))
    with pytest.raises(InvalidInputError, match="patrol_complete"):
        await realm.close(1, deeds=[{**PATROL, "action_type": "patrol_completed"}])
    with pytest.raises(InvalidInputError, match="deaths"):
        await realm.close(1, deaths=["nobody-known"])

    assert (await realm.tale()).chapter == 0
    assert await realm.stories.unsent() == ()


async def test_a_story_goes_on_with_its_own_hero_or_with_none_said() -> None:
    telling = await TellingRealm().seed()
    first = await telling.plan()
    again = await telling.plan(hero=hero(place="far-wilds"))
    assert again.chapter.told.prose == first.chapter.told.prose, "where a hero began is no news"
    with pytest.raises(InvalidInputError) as refused:
        await telling.plan(hero=hero(name="Mai", language="vi"))
    assert [each.path for each in refused.value.faults] == ["/hero/name", "/hero/language"]
    assert refused.value.faults[0].message == "the story is told with 'Linh'"


async def test_a_deed_without_a_faction_is_the_heros_own() -> None:
    telling = await TellingRealm().seed()
    await telling.plan()
    await telling.close(1, deeds=[{"action_type": "patrol_complete"}])
    assert await telling.sender.send() > 0
    rows = await telling.living.store.rows(REALM)
    assert {(each.faction_id, each.state) for each in rows} == {("free_cities", "accepted")}


async def test_a_deed_that_the_world_would_not_count_is_refused_before_the_chapter_closes() -> None:
    """A recap that says that word of it is on its way would be a lie, for good."""
    telling = await TellingRealm().seed()
    await telling.plan(hero=hero(faction_id=None))
    with pytest.raises(InvalidInputError) as refused:
        await telling.close(1, deeds=[{"action_type": "patrol_complete"}])
    (fault,) = refused.value.faults
    assert fault.path == "/outcome/deeds/0/faction_id"
    assert "the hero stands with no faction" in fault.message
    assert "free_cities" in fault.fix
    vain = await telling.close(1, deeds=[{"action_type": "patrol_complete", "success": False}])
    assert not vain.is_repeat, "what failed is no act of the world, and may be for nobody"


async def test_a_deed_against_a_faction_names_it() -> None:
    against = next(name for name, action in WORLD.rules.actions.items() if action.base < 0)
    telling = await TellingRealm().seed()
    await telling.plan()
    with pytest.raises(InvalidInputError) as refused:
        await telling.close(1, deeds=[{"action_type": against}])
    assert refused.value.faults[0].message == "the act counts against a faction, and names none"
