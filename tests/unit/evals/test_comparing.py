"""Two runs compared: what flipped, whether it got worse, and whether that can be known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.comparing import Comparison, compare, is_good
from evals.errors import EvalsError, NotEnoughError
from evals.flips import differences, flip_of, most_dangerous_first
from evals.pairing import changed, check_comparable, pair
from evals.results import Gate
from evals.statistics.paired import mcnemar_exact
from tests.unit.evals.run_doubles import HEADER, check, marked, result, run_of, vote

marks = st.text("+-~", min_size=1, max_size=40)


def compared(old: str, new: str, min_effect: float = 0.02) -> Comparison:
    return compare(marked(old), marked(new, run_id="run-2"), min_effect=min_effect, resamples=50)


def test_a_loss_beyond_chance_and_the_minimum_effect_is_a_regression() -> None:
    # 60 right before; 8 of them wrong after and none gained: p = 2 / 2^8 = 0.0078, a loss of 8 / 60 = 0.13.
    found = compared("+" * 60, "-" * 8 + "+" * 52)
    assert found.judgement == "regression"
    assert found.told == "worse; right: 100.0% → 86.7% of 60 cases"
    assert found.change is not None
    assert (found.change.lost, found.change.gained, found.change.p_value) == (8, 0, mcnemar_exact(8, 0))
    assert found.change.difference.estimate == pytest.approx(-8 / 60)
    assert found.change.difference.high < 0


def test_a_loss_below_the_minimum_effect_fails_no_gate() -> None:
    found = compared("+" * 60, "-" * 8 + "+" * 52, min_effect=0.15)
    assert found.judgement == "small_loss"
    assert found.told.startswith("worse, by less than the minimum effect of 0.15; ")


def test_a_loss_of_just_the_minimum_effect_is_one() -> None:
    # 8 of 100: 1 - 0.92 is 0.07999999999999996 in floats.
    assert compared("+" * 100, "-" * 8 + "+" * 92, min_effect=0.08).judgement == "regression"


def test_a_difference_within_chance_is_said_to_be_no_evidence() -> None:
    # Five flips one way: p = 0.0625.
    found = compared("+" * 60, "-" * 5 + "+" * 55)
    assert found.judgement == "no_evidence"
    assert found.told == "no evidence of a difference; right: 100.0% → 91.7% of 60 cases"
    assert found.detectable == pytest.approx(0.1286, abs=1e-4)


def test_flips_both_ways_weigh_against_each_other() -> None:
    # 8 lost and 7 gained: p = 1, where 8 lost alone would be a regression.
    found = compared("+" * 8 + "-" * 7 + "+" * 45, "-" * 8 + "+" * 7 + "+" * 45)
    assert found.judgement == "no_evidence"
    assert found.change is not None and found.change.p_value == 1
    assert found.detectable is not None and found.detectable > 0.2


def test_a_gain_beyond_chance_is_an_improvement() -> None:
    assert compared("-" * 8 + "+" * 52, "+" * 60).judgement == "improvement"


def test_without_labels_nobody_can_say_which_run_is_better() -> None:
    old, new = run_of([result("a", "approve", None)]), run_of([result("a", "reject", None)])
    found = compare(old, new)
    assert (found.judgement, found.change, found.detectable) == ("unjudged", None, None)
    assert found.told == "no case in common is labelled: nobody can say which run is better"
    assert [flip.effect for flip in found.flips] == ["unlabelled"]
    assert compare(old, new, metric="passed").told.startswith("no case in common has an expectation")


def test_metrics_judge_different_faults() -> None:
    unsafe, held = result("a", "approve", "reject"), result("b", "quarantine", "modify")
    assert [is_good(unsafe, metric) for metric in ("accuracy", "unsafe_approvals", "needless_holds")] == [
        False,
        False,
        True,
    ]
    assert [is_good(held, metric) for metric in ("accuracy", "unsafe_approvals", "needless_holds")] == [
        False,
        True,
        False,
    ]
    assert is_good(unsafe, "passed") is None
    assert is_good(unsafe._replace(checks=(check("verdict", True),)), "passed") is True


def test_runs_without_a_judged_case_in_common_are_refused() -> None:
    with pytest.raises(NotEnoughError, match="no judged case in common"):
        compare(run_of([result("a")]), run_of([result("b")]))


def test_unfinished_runs_and_other_suites_are_refused_unless_wanted() -> None:
    whole, cut = marked("++"), run_of([], is_complete=False)
    other = marked("++", suite="forests", suite_hash="6" * 64)
    check_comparable(whole, whole)
    with pytest.raises(EvalsError, match="the second run, run-1, was cut off"):
        check_comparable(whole, cut)
    with pytest.raises(EvalsError, match="the first run"):
        check_comparable(cut, whole)
    check_comparable(cut, whole, allow_partial=True)
    with pytest.raises(EvalsError, match=r"different suites: harbors \(555555555555\) and forests \(666666666666\)"):
        check_comparable(whole, other)
    check_comparable(whole, other, allow_other_suite=True)


def test_what_cannot_be_paired_is_named_with_its_reason() -> None:
    old = [result("kept"), result("gone"), result("lost"), result("never", None), result("renamed", label="approve")]
    new = [result("kept"), result("fresh"), result("lost", None), result("never"), result("renamed")]
    found = pair(old, new)
    assert [before.case for before, _ in found.pairs] == ["kept"]
    assert (found.only_old, found.only_new) == (("gone",), ("fresh",))
    assert (found.lost, found.unjudged, found.relabelled) == (("lost",), ("never",), ("renamed",))


def test_repeats_are_paired_each_with_its_own_and_named() -> None:
    found = pair([result("a"), result("a", repeat=1)], [result("a")])
    assert len(found.pairs) == 1
    assert found.only_old == ("a (repeat 2)",)


def test_a_repeated_case_counts_once() -> None:
    # Three repeats each of ten cases. Counted by repeat, 2 losses in each of 4 cases would be 8 flips and p = 0.0078; they are
    # four cases, and p = 2 / 2^4.
    old = [result(f"c{n}", repeat=k) for n in range(10) for k in range(3)]
    new = [result(f"c{n}", "approve" if n < 4 and k < 2 else "reject", repeat=k) for n in range(10) for k in range(3)]
    found = compare(run_of(old), run_of(new))
    assert found.change is not None
    assert (found.change.lost, found.change.p_value, found.change.old.n) == (4, 0.125, 10)
    # The shares of repeats that are right differ by 2/3 in 4 cases of 10.
    assert found.spread is not None
    assert found.spread.estimate == pytest.approx(-4 * (2 / 3) / 10)
    assert len(found.flips) == 8


def test_a_case_that_is_right_half_of_the_time_is_not_good() -> None:
    # Two repeats each: a right once of two in the first run and always in the second, b the other way round.
    old = [result("a"), result("a", "approve", repeat=1), result("b"), result("b", repeat=1)]
    new = [result("a"), result("a", repeat=1), result("b"), result("b", "approve", repeat=1)]
    found = compare(run_of(old), run_of(new)).change
    assert found is not None
    assert (found.gained, found.lost, found.old.estimate, found.new.estimate) == (1, 1, 0.5, 0.5)


def test_unsafe_approvals_come_first_then_the_furthest_towards_milder() -> None:
    turns = [
        ("a", "approve", "reject", "approve"),
        ("b", "modify", "approve", "modify"),
        ("c", "reject", "approve", "approve"),
        ("d", "quarantine", "approve", "modify"),
        ("e", "modify", "approve", "reject"),
    ]
    flips = []
    for case, was, now, truth in turns:
        flip = flip_of(result(case, was, truth), result(case, now, truth))  # type: ignore[arg-type] # verdicts
        assert flip is not None
        flips.append(flip)
    ranked = most_dangerous_first(flips)
    assert [flip.case for flip in ranked] == ["e", "d", "c", "b", "a"]
    assert [flip.effect for flip in ranked] == ["still wrong", "still wrong", "corrected", "broken", "broken"]
    assert [flip.is_unsafe for flip in ranked] == [True, False, False, False, False]


def test_what_differs_behind_a_flip_is_told() -> None:
    old = result("a", "reject", vetoes=("canon_lock",), votes=(vote("lore", "reject"), vote("risk", "approve")))
    new = result(
        "a", "approve", vetoes=("raid",), votes=(vote("lore", None, "timeout"), vote("risk", "approve")), path="fast"
    )
    assert differences(old, new) == (
        "rule canon_lock fires no longer",
        "rule raid fires now",
        "lore: reject → abstained (timeout)",
        "path council → fast",
    )
    assert differences(old, old) == (
        "votes and rules are the same: weights, quotas or other numbers of the merge decided",
    )
    assert "narrative: not seated → approve" in differences(
        old, old._replace(votes=(*old.votes, vote("narrative", "approve")))
    )


def test_a_result_without_a_verdict_is_no_flip() -> None:
    assert flip_of(result("a"), result("a", None)) is None
    assert flip_of(result("a"), result("a")) is None


def test_what_differs_between_runs_is_told() -> None:
    after = HEADER._replace(
        policy_version=2, policy_hash="b" * 64, mode="live", models={"lore": "large"}, prompts={"lore": "c" * 64}, version="0.2.0"
    )  # fmt: skip
    assert changed(HEADER, HEADER) == ()
    assert changed(HEADER, after) == (
        "policy: aelvyndor version 1 (aaaaaaaaaaaa) → aelvyndor version 2 (bbbbbbbbbbbb)",
        "mode: rules → live",
        "version of the council: 0.1.0 → 0.2.0",
        "model of lore: none → large",
        "prompt of lore: none → cccccccccccc",
    )


def test_cost_latency_and_confidence_are_told_with_intervals() -> None:
    old = [result(f"c{n}", latency_ms=100, picodollars=2 * 10**9, confidence=0.5) for n in range(20)]
    new = [result(f"c{n}", latency_ms=100 + 10 * (n % 2), picodollars=10**9, confidence=0.5) for n in range(20)]
    found = {score.name: score for score in compare(run_of(old), run_of(new)).scores}
    assert list(found) == ["confidence", "cost", "latency"]
    cost, latency = found["cost"], found["latency"]
    assert (cost.old_total, cost.new_total) == pytest.approx((0.04, 0.02))
    assert (cost.difference.low, cost.difference.high) == pytest.approx((-0.001, -0.001))
    assert latency.difference.estimate == pytest.approx(5)
    assert 1 < latency.difference.low < 5 < latency.difference.high < 9


def test_expectations_and_gates_that_fail_now_are_named() -> None:
    old = run_of([result("a", checks=(check("verdict", True),))])._replace(
        gates=(Gate("unsafe_approvals == 0", True, 0),)
    )
    failing = result("a", checks=(check("verdict", True), check("latency_ms", False)))
    new = run_of([failing])._replace(gates=(Gate("unsafe_approvals == 0", False, 2), Gate("passed == 1", False, 0.5)))
    found = compare(old, new)
    assert found.newly_failing == ("a: latency_ms",)
    assert found.lost_gates == ("unsafe_approvals == 0",)


def test_axes_are_told_apart() -> None:
    old = [result("a", axis="balance"), result("b", axis="exploit"), result("c")]
    new = [result("a", axis="balance"), result("b", "approve", axis="exploit"), result("c")]
    found = {each.group: (each.old.n, each.lost) for each in compare(run_of(old), run_of(new)).by_axis}
    assert found == {"balance": (1, 0), "exploit": (1, 1)}


@given(marks, marks)
def test_turning_the_comparison_round_turns_its_result(first: str, second: str) -> None:
    n = min(len(first), len(second))
    forth, back = compared(first[:n], second[:n]), compared(second[:n], first[:n])
    assert forth.change is not None and back.change is not None
    assert forth.change.p_value == back.change.p_value
    assert forth.change.difference.estimate == pytest.approx(-back.change.difference.estimate)
    assert (forth.change.lost, forth.change.gained) == (back.change.gained, back.change.lost)
    assert len(forth.flips) == len(back.flips)


@given(marks)
def test_a_run_compared_with_itself_shows_no_difference(each: str) -> None:
    found = compared(each, each)
    assert found.judgement == "no_evidence"
    assert found.flips == ()
    assert found.change is not None and found.change.difference.estimate == 0
