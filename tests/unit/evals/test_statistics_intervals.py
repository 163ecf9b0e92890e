"""Intervals of shares and of their differences, against published tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.statistics.intervals import Interval, clopper_pearson, newcombe, newcombe_paired, normal_quantile, wilson

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
tables = st.tuples(*[st.integers(0, 60)] * 4).filter(sum)


def rounded(interval: Interval | None, places: int = 4) -> tuple[float, float, float]:
    assert interval is not None
    return round(interval.estimate, places), round(interval.low, places), round(interval.high, places)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3 (score interval without correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_says_what_its_published_table_says(successes: int, n: int, low: float, high: float) -> None:
    assert rounded(wilson(successes, n))[1:] == (low, high)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # The same table, method 5 (Clopper-Pearson).
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0000, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_clopper_pearson_says_what_its_published_table_says(successes: int, n: int, low: float, high: float) -> None:
    assert rounded(clopper_pearson(successes, n))[1:] == (low, high)


@pytest.mark.parametrize(
    ("a", "n_a", "b", "n_b", "expected"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10: contrasts (a) to (f), as b - a here.
        (48, 80, 56, 70, (0.2000, 0.0524, 0.3339)),
        (3, 10, 9, 10, (0.6000, 0.1705, 0.8090)),
        (2, 7, 6, 7, (0.5714, 0.0582, 0.8062)),
        (0, 29, 5, 56, (0.0893, -0.0381, 0.1926)),
        (0, 20, 0, 10, (0.0000, -0.1611, 0.2775)),
    ],
)
def test_newcombe_says_what_its_published_table_says(
    a: int, n_a: int, b: int, n_b: int, expected: tuple[float, float, float]
) -> None:
    assert rounded(newcombe(a, n_a, b, n_b)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        # Newcombe 1998, Statistics in Medicine 17, 2635-2650, table II, method 10. His f succeed in the first only and his
        # difference is (f - g) / n; here it is b - a, so his f are our only_b.
        ((36, 2, 12, 0), (0.2000, 0.0569, 0.3404)),
        ((36, 0, 14, 0), (0.2800, 0.1528, 0.4167)),
        ((0, 0, 0, 54), (0.0000, -0.0664, 0.0664)),
    ],
)
def test_paired_newcombe_says_what_its_published_table_says(
    table: tuple[int, int, int, int], expected: tuple[float, float, float]
) -> None:
    assert rounded(newcombe_paired(*table)) == pytest.approx(expected, abs=1e-4)


def test_the_continuity_correction_takes_a_weak_correlation_away() -> None:
    # Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33, 2850-2875, airway data: -0.507 to -0.026. Here
    # 1 * 12 - 7 * 1 = 5 is less than half of 21, so the correlation counts as 0.
    assert rounded(newcombe_paired(1, 7, 1, 12), 3) == (-0.286, -0.507, -0.026)


def test_the_continuity_correction_weakens_a_strong_correlation() -> None:
    # 20 * 16 - 2 * 12 = 296, less half of 50: phi = 271 / sqrt(22 * 28 * 32 * 18) = 271 / 595.66 = 0.4550. Wilson: 22 of 50
    # is 0.44 (0.3116 to 0.5769), 32 of 50 is 0.64 (0.5014 to 0.7586). Low: 0.2 - sqrt(0.1386^2 - 2 phi 0.1386 * 0.1369 +
    # 0.1369^2) = 0.2 - 0.1438; high: 0.2 + sqrt(0.1186^2 - 2 phi 0.1186 * 0.1284 + 0.1284^2) = 0.2 + 0.1292.
    assert rounded(newcombe_paired(20, 2, 12, 16)) == (0.2000, 0.0562, 0.3292)


def test_the_correlation_of_pairs_narrows_a_difference() -> None:
    # The same margins, 48 of 50 against 38 of 50, as pairs and as strangers.
    paired, apart = newcombe_paired(36, 2, 12, 0), newcombe(38, 50, 48, 50)
    together = newcombe_paired(38, 0, 10, 2)
    assert paired is not None and apart is not None and together is not None
    assert together.high - together.low < apart.high - apart.low < paired.high - paired.low


def test_no_case_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert clopper_pearson(0, 0) is None
    assert newcombe(0, 0, 3, 5) is None
    assert newcombe(3, 5, 0, 0) is None
    assert newcombe_paired(0, 0, 0, 0) is None


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="6 successes of 5 cases cannot be"):
        wilson(6, 5)
    with pytest.raises(ValueError, match="cannot be"):
        clopper_pearson(-1, 5)
    with pytest.raises(ValueError, match="a count is negative"):
        newcombe_paired(5, -1, 1, 5)
    with pytest.raises(ValueError, match=r"the level 1 does not lie between 0 and 1"):
        normal_quantile(1)


def test_intervals_are_told_in_words() -> None:
    interval = wilson(42, 51)
    assert interval is not None
    assert interval.told == "0.82 (0.70 to 0.90), n = 51"
    assert Interval(-0.02, -0.0601, 0.0333, 60).told_signed == "−0.02 (−0.06 to +0.03), n = 60"
    assert Interval(-0.001, -0.5, 0.5, 3).told_signed == "0.00 (−0.50 to +0.50), n = 3"


def test_only_an_interval_on_one_side_excludes_zero() -> None:
    assert Interval(0.2, 0.1, 0.3, 9).excludes_zero
    assert Interval(-0.2, -0.3, -0.1, 9).excludes_zero
    assert not Interval(0.2, 0.0, 0.3, 9).excludes_zero


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_intervals_hold_their_estimate_and_stay_within_shares(case: tuple[int, int], level: float) -> None:
    for interval in (wilson(*case, level), clopper_pearson(*case, level)):
        assert interval is not None
        assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@given(counts)
def test_counting_failures_mirrors_an_interval(case: tuple[int, int]) -> None:
    successes, n = case
    for of in (wilson, clopper_pearson):
        interval, mirrored = of(successes, n), of(n - successes, n)
        assert interval is not None and mirrored is not None
        assert interval.low == pytest.approx(1 - mirrored.high)


@given(counts)
def test_a_higher_level_is_never_narrower(case: tuple[int, int]) -> None:
    narrow, wide = wilson(*case, 0.8), wilson(*case, 0.99)
    assert narrow is not None and wide is not None
    assert wide.low <= narrow.low and narrow.high <= wide.high


@given(tables)
def test_swapping_the_two_runs_negates_a_paired_difference(table: tuple[int, int, int, int]) -> None:
    both, only_a, only_b, neither = table
    forth, back = newcombe_paired(both, only_a, only_b, neither), newcombe_paired(both, only_b, only_a, neither)
    assert forth is not None and back is not None
    assert (forth.estimate, forth.low, forth.high) == pytest.approx((-back.estimate, -back.high, -back.low))
    assert -1 <= forth.low <= forth.estimate <= forth.high <= 1
