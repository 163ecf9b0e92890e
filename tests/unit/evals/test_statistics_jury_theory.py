"""Condorcet's figure, shared errors and what votes are worth."""

from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.statistics.jury_theory import Chances, effective_votes, error_correlation, majority_right
from policies.diversity import effective_votes as exact_votes

tenths = st.integers(0, 10)
chances = st.tuples(tenths, tenths).filter(lambda pair: sum(pair) <= 10)


def member(right: str, silent: str = "0") -> Chances:
    return Chances(Fraction(right), 1 - Fraction(right) - Fraction(silent), Fraction(silent))


def test_three_members_of_four_in_five_reach_nine_in_ten() -> None:
    # 0.8^3 + 3 * 0.8^2 * 0.2 = 0.512 + 0.384.
    assert majority_right([member("4/5")] * 3) == Fraction(112, 125)


def test_unlike_members_add_up_as_poisson_says() -> None:
    # 0.9, 0.7, 0.6: all right 0.378; one wrong: 0.9*0.7*0.4 + 0.9*0.3*0.6 + 0.1*0.7*0.6 = 0.252 + 0.162 + 0.042.
    assert majority_right([member("9/10"), member("7/10"), member("3/5")]) == Fraction(834, 1000)


def test_a_tie_is_a_coin_and_silence_leaves_the_others_to_decide() -> None:
    # Two of 4/5: both right 0.64, one each 0.32, halved.
    assert majority_right([member("4/5")] * 2) == Fraction(4, 5)
    # A second member that is always silent leaves the first alone: 4/5 again.
    assert majority_right([member("4/5"), member("0", "1")]) == Fraction(4, 5)
    assert majority_right([]) == Fraction(1, 2)


@given(st.lists(chances, min_size=1, max_size=5))
def test_the_majority_is_the_sum_over_all_outcomes(parts: list[tuple[int, int]]) -> None:
    members = [Chances(Fraction(r, 10), Fraction(w, 10), Fraction(10 - r - w, 10)) for r, w in parts]
    total = Fraction(0)
    for outcome in product((1, -1, 0), repeat=len(members)):
        chance = prod(
            (each.right, each.wrong, each.silent)[(1, -1, 0).index(step)]
            for each, step in zip(members, outcome, strict=True)
        )
        total += chance * (1 if sum(outcome) > 0 else Fraction(1, 2) if sum(outcome) == 0 else 0)
    assert majority_right(members) == total


@given(st.integers(1, 9), st.integers(51, 99))
def test_members_better_than_chance_reach_more_together(pairs: int, percent: int) -> None:
    # Condorcet's theorem: of odd juries of like members better than chance, the larger is the better.
    each = member(f"{percent}/100")
    assert majority_right([each] * (2 * pairs + 1)) > majority_right([each] * (2 * pairs - 1))


def test_phi_is_that_of_the_table_of_errors() -> None:
    # Both wrong 4 times, one alone once each, both right 14 times: (4 * 14 - 1) / sqrt(5 * 15 * 5 * 15) = 55 / 75.
    first = [True] * 4 + [True] + [False] + [False] * 14
    second = [True] * 4 + [False] + [True] + [False] * 14
    phi = error_correlation(first, second)
    assert phi is not None
    assert phi.estimate == pytest.approx(55 / 75)
    # atanh(0.7333) = 0.9360; 1.96 / sqrt(17) = 0.4754; tanh(0.4606) = 0.4306, tanh(1.4114) = 0.8878.
    assert (phi.low, phi.high) == pytest.approx((0.4306, 0.8878), abs=5e-4)


def test_errors_that_always_fall_together_are_not_certain_to() -> None:
    errors = [True] * 2 + [False] * 18
    phi = error_correlation(errors, errors)
    assert phi is not None
    # Cells 2.5, 0.5, 0.5, 18.5 of 22: (2.5 * 18.5 - 0.25) / (3 * 19) = 0.8070; atanh 1.1185 - 0.4754 = 0.6431.
    assert (phi.estimate, phi.high) == (1.0, 1.0)
    assert phi.low == pytest.approx(0.567, abs=5e-3)


def test_members_without_variation_have_no_correlation() -> None:
    assert error_correlation([False] * 9, [True, False] * 4 + [True]) is None
    assert error_correlation([True] * 9, [True, False] * 4 + [True]) is None
    assert error_correlation([True, False, True], [True, False, False]) is None
    assert error_correlation([], []) is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=4, max_size=40))
def test_a_correlation_is_symmetric_and_lies_in_its_interval(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    phi = error_correlation(first, second)
    assert phi == error_correlation(second, first)
    if phi is not None:
        assert -1 <= phi.low <= phi.estimate <= phi.high <= 1


@given(st.integers(1, 12), st.fractions(0, 1))
def test_effective_votes_are_those_of_the_exact_formula(members: int, rho: Fraction) -> None:
    assert effective_votes(members, float(rho)) == pytest.approx(float(exact_votes([members], rho)))


def test_members_that_seem_to_make_up_for_each_other_count_as_apart() -> None:
    assert effective_votes(5, -0.2) == 5
    assert effective_votes(0, 0.3) == 0
