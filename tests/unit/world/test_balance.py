"""Concentration, evenness and inequality in exact integers (domain.md C0, C4; register row S0-51)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from world.balance import BIT, entropy, evenness, gini, hhi, hhi_star, log2, ramp

SHARES = st.lists(st.integers(0, 1_000_000), min_size=2, max_size=8).filter(lambda shares: sum(shares) > 0)


@pytest.mark.parametrize(
    ("shares", "star", "even"),
    [
        # The table of domain.md C4: HHI* 0, 0.046, 0.166, 0.366, 0.642 and J 1, 0.95, 0.84, 0.66, 0.41.
        ([25, 25, 25, 25], 0, 1000),
        ([40, 25, 20, 15], 46_666, 952),
        ([55, 20, 15, 10], 166_666, 841),
        ([70, 15, 10, 5], 366_666, 660),
        ([85, 8, 5, 2], 642_400, 410),
    ],
)
def test_the_design_table_of_concentration_is_reproduced(shares: list[int], star: int, even: int) -> None:
    assert (hhi_star(shares), evenness(shares)) == (star, even)


def test_balance_of_fewer_than_two_factions_is_not_a_number() -> None:
    assert [hhi_star([]), hhi_star([5]), hhi_star([0, 0]), evenness([5]), evenness([0, 0])] == [None] * 5


def test_one_holder_of_all_is_full_concentration_and_no_evenness() -> None:
    assert (hhi([7, 0, 0]), hhi_star([7, 0, 0]), evenness([7, 0, 0])) == (1_000_000, 1_000_000, 0)


@given(SHARES, st.integers(1, 1000))
def test_concentration_depends_on_proportions_alone(shares: list[int], factor: int) -> None:
    scaled = [share * factor for share in shares]
    assert (hhi(scaled), hhi_star(scaled), gini(scaled)) == (hhi(shares), hhi_star(shares), gini(shares))


@given(SHARES)
def test_concentration_stays_in_its_range_and_ignores_order(shares: list[int]) -> None:
    star, even = hhi_star(shares), evenness(shares)
    assert star is not None and 0 <= star <= 1_000_000
    assert even is not None and 0 <= even <= 1000
    assert (hhi_star(shares[::-1]), evenness(shares[::-1])) == (star, even)


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=6), st.integers(0, 10**6))
def test_moving_influence_from_the_weakest_to_the_strongest_concentrates(shares: list[int], part: int) -> None:
    shares = sorted(shares)
    moved = min(part, shares[0])
    after = [shares[0] - moved, *shares[1:-1], shares[-1] + moved]
    assert (hhi_star(after) or 0) >= (hhi_star(shares) or 0)


@given(st.integers(1, 10**15))
def test_the_logarithm_is_within_fifteen_millionths_of_a_bit(value: int) -> None:
    """Domain.md C0 allows 1,120 millionths (1.12 milli-bits)."""
    assert abs(log2(value) - math.log2(value) * BIT) < 15


def test_powers_of_two_have_exact_logarithms() -> None:
    assert [log2(1 << bits) for bits in (0, 1, 20, 60)] == [0, BIT, 20 * BIT, 60 * BIT]


def test_zero_has_no_logarithm() -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        log2(0)


def test_entropy_of_eight_equal_kinds_is_three_bits() -> None:
    assert (entropy([5] * 8), entropy([9]), entropy([]), entropy([3, 0, 3])) == (3 * BIT, 0, 0, BIT)


def test_gini_reads_equality_as_zero_and_a_single_holder_as_the_rest() -> None:
    # One of four holds all: G = (n - 1) / n = 0.75. Amounts 1, 2, 3: G = 2 * (1 + 4 + 9) / (3 * 6) - 4 / 3 = 0.2222.
    assert (gini([5, 5, 5]), gini([0, 0, 0, 1]), gini([1, 2, 3]), gini([0])) == (0, 750, 222, None)


def test_a_ramp_is_flat_outside_and_linear_inside() -> None:
    assert [ramp(value, 200, 600) for value in (0, 200, 300, 400, 600, 900)] == [0, 0, 250, 500, 1000, 1000]
