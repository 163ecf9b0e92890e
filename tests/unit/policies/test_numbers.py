"""Exact numbers (domain.md C0)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.numbers import apportion, exact, scaled


@pytest.mark.parametrize(
    ("written", "meant"), [(3, Fraction(3)), ("0.1", Fraction(1, 10)), ("2/5", Fraction(2, 5)), ("-1", Fraction(-1))]
)
def test_numbers_are_read_as_written(written: object, meant: Fraction) -> None:
    assert exact(written) == meant


@pytest.mark.parametrize("written", [0.1, True, None, "a third", "1e3", "1/0", "1/2/3", "", "٣"])
def test_what_is_not_exact_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="must"):
        exact(written)


@pytest.mark.parametrize(
    ("percent", "ppm"), [(41.1, 411_000), (12, 120_000), (0.00005, 0), (0.00015, 2), (33.3333, 333_333)]
)
def test_a_percent_becomes_the_ppm_that_was_written(percent: float, ppm: int) -> None:
    """Halves go to the even integer: 0.00005 % is half a ppm, 0.00015 % one and a half."""
    assert scaled(percent, 10_000) == ppm


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), min_size=1, max_size=8), st.integers(0, 10**6))
def test_apportioning_keeps_the_total_and_stays_within_one_of_pro_rata(weights: dict[str, int], total: int) -> None:
    parts = apportion(weights, total)
    assert sum(parts.values()) == total
    mass = sum(weights.values())
    if mass:
        assert all(abs(parts[key] - Fraction(weight * total, mass)) < 1 for key, weight in weights.items())
