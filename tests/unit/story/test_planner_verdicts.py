"""What a verdict does to a plan: approve, modify, reject and quarantine (issue 6, item 3)."""

from dataclasses import replace

import pytest

from story.context.items import HeardVerdict
from story.planner.plan import Beat, Plan
from story.tale.closing import close_tale
from story.tale.outcome import ChapterOutcome
from tests.unit.story.planner_tales import Case, context_of, heard, item, opened, shipped_realm

TRANSFER = {"op": "territory_transfer", "territory_id": "far-wilds", "from": "free_cities", "to": "empire"}


def _case(*verdicts: HeardVerdict, seed: int = 3, **changes: object) -> Case:
    items = [
        item(f"verdict/{each.decision_id}", "verdict", each.subject, decision_id=each.decision_id) for each in verdicts
    ]
    tale = replace(opened(seed), **changes)  # type: ignore[arg-type]
    return Case(tale, context_of(*items), verdicts, (), shipped_realm(), seed)


def _beat(plan: Plan, decision: str) -> Beat:
    return next(beat for beat in plan.beats if decision in beat.decisions)


def _said(plan: Plan) -> dict[str, str]:
    return {fact.fact_id: fact.value for fact in plan.facts}


def test_an_approved_change_is_told_and_its_effects_are_facts_of_the_realm() -> None:
    verdict = heard("d-1", "approve", effects=(TRANSFER,))
    case = _case(verdict)
    taken = replace(case.realm.territories["far-wilds"], controller="empire")
    realm = replace(case.realm, territories={**case.realm.territories, "far-wilds": taken})
    plan = case.planned(realm=realm).plan
    beat = _beat(plan, "d-1")
    assert (beat.storylet, beat.slots["subject"], beat.slots["faction"]) == ("verdict_approved", "far-wilds", "empire")
    assert plan.verdicts_cited == ("d-1",)
    assert _said(plan)["far-wilds/controller"] == "empire"
    assert {fact.decision_id for fact in plan.facts if fact.source == "realm"} == {"d-1"}


def test_what_an_approval_did_is_no_fact_any_more_where_the_realm_has_moved_on() -> None:
    plan = _case(heard("d-1", "approve", effects=(TRANSFER,))).planned().plan
    assert "far-wilds/controller" not in _said(plan)
    assert _said(plan)["d-1/verdict"] == "approve"


def test_every_modification_stands_in_the_beat_and_among_the_facts() -> None:
    conditions = ("The garrison leaves first.", "The archive stays open.")
    plan = _case(heard("d-1", "modify", modifications=conditions)).planned().plan
    beat = _beat(plan, "d-1")
    assert beat.storylet == "verdict_modified"
    assert (beat.slots["condition"], beat.slots["condition_2"]) == conditions
    assert (_said(plan)["d-1/condition-1"], _said(plan)["d-1/condition-2"]) == conditions
    assert all(condition in beat.description for condition in conditions)


def test_a_condition_with_numbers_stays_out_of_what_people_read() -> None:
    plan = _case(heard("d-1", "modify", modifications=("Nothing above 3.5 points.",))).planned().plan
    assert "3.5" not in _beat(plan, "d-1").description
    assert _beat(plan, "d-1").slots["condition"] == "Nothing above 3.5 points."


@pytest.mark.parametrize(("reason", "told"), [("dominance", "dominance"), ("", "votes"), ("a long story", "votes")])
def test_a_rejection_tells_its_reason_and_nothing_of_it_comes_true(reason: str, told: str) -> None:
    plan = _case(heard("d-1", "reject", reason=reason, effects=(TRANSFER,))).planned().plan
    assert _beat(plan, "d-1").slots["reason"] == told
    assert _said(plan)["d-1/rejected_for"] == told
    assert "far-wilds/controller" not in _said(plan)


def test_a_quarantined_case_leaves_no_trace_at_all() -> None:
    held = heard("d-1", "quarantine", effects=(TRANSFER,))
    with_it, without = _case(held), _case()
    assert with_it.planned() == without.planned()
    beside = item(
        "control/far-wilds",
        "control",
        "far-wilds",
        decision_id="d-1",
        facts={"territory": "far-wilds", "change": "taken"},
    )
    case = replace(with_it, context=context_of(beside))
    assert case.planned().plan == without.planned().plan


def test_a_fresh_verdict_that_touches_the_player_is_always_told_two_in_a_chapter() -> None:
    verdicts = [heard(f"d-{at}", "approve") for at in range(4)]
    for seed in range(20):
        plan = _case(*verdicts, seed=seed).planned().plan
        assert len(plan.verdicts_cited) == 2
        assert len(plan.beats) >= 7


def test_a_verdict_is_told_once_and_the_rest_in_the_chapters_after() -> None:
    verdicts = [heard(f"d-{at}", "approve") for at in range(3)]
    case = _case(*verdicts)
    told: list[str] = []
    for _ in range(3):
        plan = case.planned().plan
        told += plan.verdicts_cited
        case = replace(case, tale=close_tale(case.tale, plan, ChapterOutcome()))
    assert sorted(told) == ["d-0", "d-1", "d-2"]
    assert case.tale.decisions == ("d-0", "d-1", "d-2")


def test_a_verdict_that_is_not_in_the_context_is_not_told() -> None:
    case = replace(_case(heard("d-1", "approve")), context=context_of())
    assert case.planned().plan.verdicts_cited == ()


def test_what_touches_the_player_goes_before_what_is_far_away() -> None:
    far = heard("d-far", "approve", place="bleeding-gate", faction_id="veil")
    near = [heard("d-1", "modify"), heard("d-2", "reject")]
    plan = _case(far, *near).planned().plan
    assert set(plan.verdicts_cited) == {"d-1", "d-2"}


def test_an_effect_against_canon_never_becomes_a_fact_whoever_approved_it() -> None:
    raised = {"op": "canon_assert", "subject": "veiled-will", "predicate": "nature", "object": "a-mirror"}
    plan = _case(heard("d-1", "approve", effects=(raised,))).planned().plan
    assert "veiled-will/nature" not in _said(plan)


def test_items_of_one_decision_are_told_by_one_beat() -> None:
    case = _case(heard("d-1", "modify"))
    control = item(
        "control/far-wilds",
        "control",
        "far-wilds",
        decision_id="d-1",
        facts={"territory": "far-wilds", "change": "taken"},
    )
    plan = replace(case, context=context_of(control, *case.context.items)).planned().plan
    assert [beat.decisions for beat in plan.beats if beat.decisions] == [("d-1",)]
