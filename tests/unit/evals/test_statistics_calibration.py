"""Reliability, calibration error and isotonic tables."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression  # type: ignore[import-untyped] # scipy ships no types

from evals.statistics.calibration import Claim, Step, brier, ece, isotonic, policy_table, reliability
from policies.calibration import worth_of

claims = st.lists(st.builds(Claim, st.integers(0, 1000), st.booleans()), max_size=60)


def votes(confidence: int, right: int, wrong: int) -> list[Claim]:
    return [Claim(confidence, True)] * right + [Claim(confidence, False)] * wrong


def test_bins_of_equal_width_hold_their_votes_with_an_interval() -> None:
    found = reliability(votes(900, 6, 4) + votes(1000, 1, 0) + votes(50, 0, 2))
    # 900 and 1000 share the last bin, which is closed: mean confidence (9000 + 1000) / 11, 7 of 11 right.
    assert [(each.low, each.high, each.confidence, each.right.n) for each in found] == [
        (0, 100, Fraction(1, 20), 2),
        (900, 1000, Fraction(10, 11), 11),
    ]
    assert found[1].right.estimate == pytest.approx(7 / 11)
    assert found[1].right.low < 7 / 11 < found[1].right.high


def test_bins_of_equal_mass_never_part_votes_of_one_confidence() -> None:
    mixed = votes(700, 2, 2) + votes(800, 1, 1) + votes(900, 1, 1)
    found = reliability(mixed, 2, "mass")
    assert [(each.low, each.high, each.right.n) for each in found] == [(700, 700, 4), (800, 900, 4)]
    assert len(reliability(votes(850, 20, 5), 10, "mass")) == 1


def test_the_calibration_error_is_the_mean_gap_by_votes() -> None:
    # Ten at 900 of which 6 are right, ten at 700 of which 7 are: 1/2 * 0.3 + 1/2 * 0.
    assert ece(votes(900, 6, 4) + votes(700, 7, 3)) == Fraction(3, 20)
    # One bin lets gaps of opposite sign cancel: 13 of 20 right at a mean of 800.
    assert ece(votes(900, 6, 4) + votes(700, 7, 3), bins=1) == Fraction(3, 20)
    assert ece(votes(900, 10, 0) + votes(700, 6, 4), bins=1) == 0
    assert ece(votes(1000, 4, 0)) == 0
    assert ece(votes(1000, 0, 4)) == 1


def test_brier_is_the_mean_square() -> None:
    assert brier([Claim(900, True), Claim(600, False)]) == Fraction(185, 1000)
    assert brier(votes(500, 3, 5)) == Fraction(1, 4)


def test_without_votes_there_is_no_value() -> None:
    assert ece([]) is None
    assert brier([]) is None
    assert reliability([]) == ()
    assert isotonic([]) == ()
    with pytest.raises(ValueError, match="at least one bin"):
        reliability([], 0)


def test_violators_are_pooled() -> None:
    # At 700 one of two, at 800 none of one: falling, so pooled to 1 of 3; 900 stays.
    found = isotonic([*votes(700, 1, 1), *votes(800, 0, 1), *votes(900, 1, 0)])
    assert found == (Step(700, 333, 1, 3), Step(900, 1000, 1, 1))
    assert policy_table(found) == ((0, 333), (900, 1000))
    assert worth_of(policy_table(found), 899) == 333


def test_a_pooled_step_may_pull_down_the_one_before() -> None:
    # 600: 2 of 4, 700: 3 of 4, 800: 0 of 4. Pooling 700 and 800 gives 3 of 8, below 2 of 4: all three are one, 5 of 12.
    found = isotonic([*votes(600, 2, 2), *votes(700, 3, 1), *votes(800, 0, 4)])
    assert found == (Step(600, 417, 5, 12),)


@given(claims.filter(bool))
def test_the_table_is_that_of_scipy(found: list[Claim]) -> None:
    steps = isotonic(found)
    confidences = sorted({claim.confidence for claim in found})
    same = [[claim.is_right for claim in found if claim.confidence == each] for each in confidences]
    fitted = isotonic_regression([sum(each) / len(each) for each in same], weights=[len(each) for each in same]).x
    exact = {step.confidence: step.right / step.n for step in steps}
    ours, held = [], 0.0
    for confidence in confidences:
        held = exact.get(confidence, held)
        ours.append(held)
    assert ours == pytest.approx(list(fitted))


@given(claims.filter(bool))
def test_the_table_rises_and_keeps_every_vote(found: list[Claim]) -> None:
    steps = isotonic(found)
    assert [step.confidence for step in steps] == sorted({step.confidence for step in steps})
    shares = [Fraction(step.right, step.n) for step in steps]
    assert shares == sorted(set(shares))
    assert sum(step.n for step in steps) == len(found)
    assert sum(step.right for step in steps) == sum(claim.is_right for claim in found)


@given(claims, st.integers(1, 12), st.sampled_from(["width", "mass"]))
def test_every_vote_is_in_one_bin(found: list[Claim], bins: int, binning: str) -> None:
    diagram = reliability(found, bins, binning)  # type: ignore[arg-type] # one of the two
    assert sum(each.right.n for each in diagram) == len(found)
    assert len(diagram) <= bins
    assert [each.low for each in diagram] == sorted(each.low for each in diagram)
    assert all(each.low <= each.confidence * 1000 <= each.high for each in diagram)
