"""McNemar, the smallest difference to be seen, and the paired bootstrap."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.statistics.paired import bca_ends, detectable, fewest_flips, mcnemar_exact, paired_bootstrap
from evals.statistics.resampling import drawn, resampled_sums

flips = st.integers(0, 80)


@pytest.mark.parametrize(
    ("b", "c", "expected"),
    [
        # 2 * (C(8,0) + C(8,1)) / 2^8 = 18 / 256.
        (1, 7, 18 / 256),
        (7, 1, 18 / 256),
        # Six all one way: 2 / 64; five are not enough: 2 / 32 = 0.0625.
        (0, 6, 0.03125),
        (0, 5, 0.0625),
        # Evenly split: the two tails overlap, and the sum is cut at 1.
        (4, 4, 1.0),
        (0, 0, 1.0),
        # Agresti, Categorical Data Analysis (2nd ed. 2002), table 10.1: 86 and 150 opinions changed; the exact p is 3.7e-5.
        (86, 150, 3.7e-5),
    ],
)
def test_mcnemar_is_the_exact_binomial_sum(b: int, c: int, expected: float) -> None:
    assert mcnemar_exact(b, c) == pytest.approx(expected, rel=0.02 if expected < 0.001 else 1e-12)


def test_mcnemar_refuses_a_negative_count() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar_exact(-1, 2)


@given(flips, flips)
def test_mcnemar_does_not_care_which_run_came_first(b: int, c: int) -> None:
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)
    assert 0 < mcnemar_exact(b, c) <= 1


@given(flips, flips)
def test_one_more_flip_on_the_longer_side_is_never_less_evidence(b: int, c: int) -> None:
    longer, shorter = max(b, c), min(b, c)
    assert mcnemar_exact(longer + 1, shorter) <= mcnemar_exact(longer, shorter)


def test_six_flips_one_way_are_the_fewest_that_count() -> None:
    assert fewest_flips(0.95) == 6
    # 2 / 2^8 = 0.0078 is the first below 0.01.
    assert fewest_flips(0.99) == 8


def test_the_smallest_difference_to_be_seen_has_the_power_asked_for() -> None:
    # Without background every flip goes one way, and six are needed: P(Binomial(60, d) >= 6) = 0.8.
    d = detectable(60)
    assert d is not None
    seen = 1 - sum(comb(60, k) * d**k * (1 - d) ** (60 - k) for k in range(6))
    assert seen == pytest.approx(0.8, abs=1e-4)
    assert d == pytest.approx(0.1286, abs=1e-4)


def test_the_power_with_background_is_that_of_simulated_runs() -> None:
    # 200 pairs, of which 4 in 100 flip each way for no reason: simulated with numpy, seeded.
    d = detectable(200, 0.04)
    assert d is not None
    generator = np.random.default_rng(7)
    draws = generator.multinomial(200, [0.04, 0.04 + d, 1 - 0.08 - d], 4000)
    seen = np.mean([mcnemar_exact(int(lost), int(gained)) <= 0.05 for lost, gained, _ in draws])
    assert seen == pytest.approx(0.8, abs=0.03)


def test_too_few_pairs_can_show_nothing() -> None:
    assert detectable(0) is None
    assert detectable(5) is None
    assert detectable(6) is not None


def test_more_pairs_show_smaller_differences() -> None:
    found = [detectable(n) or 1.0 for n in (10, 50, 200, 1000)]
    assert found == sorted(found, reverse=True)


def test_the_bootstrap_of_a_large_sample_comes_near_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(0.5, 2, 400)
    interval = paired_bootstrap(values.tolist())
    assert interval is not None
    # The standard error of the mean, times 1.96, to a tenth of it.
    reach = 1.96 * values.std(ddof=1) / 20
    assert (interval.low, interval.high) == pytest.approx(
        (values.mean() - reach, values.mean() + reach), abs=reach / 10
    )


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    # Skewed differences (exponential, mean 1) in samples of 40: 200 samples, of which about 95 in 100 should be covered.
    generator = np.random.default_rng(11)
    covered = 0
    for seed in range(200):
        interval = paired_bootstrap(generator.exponential(1.0, 40).tolist(), resamples=400, seed=seed)
        assert interval is not None
        covered += interval.low <= 1 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_skewed_sample_moves_both_ends_towards_its_tail() -> None:
    values = [0.1 * place for place in range(30)] + [20.0, 25.0, 30.0]
    interval = paired_bootstrap(values)
    sums = np.sort(resampled_sums(np.asarray(values)[:, None], 2000, 20260101)[:, 0] / 33)
    assert interval is not None
    assert interval.low > np.quantile(sums, 0.025)
    assert interval.high > np.quantile(sums, 0.975)


def test_without_acceleration_and_bias_the_ends_are_plain_quantiles() -> None:
    means = np.linspace(-1, 1, 2001)
    assert bca_ends(means, 0.0, 0.0, 0.95) == pytest.approx((-0.95, 0.95), abs=1e-3)


def test_the_same_seed_draws_the_same_interval_and_another_does_not() -> None:
    values = [0.3, -0.1, 0.7, 0.2, 0.0, -0.4, 0.9]
    assert paired_bootstrap(values, seed=1) == paired_bootstrap(values, seed=1)
    assert paired_bootstrap(values, seed=1) != paired_bootstrap(values, seed=2)


def test_equal_differences_have_no_width_and_no_differences_no_interval() -> None:
    found = paired_bootstrap([0.25] * 9)
    assert found is not None
    assert (found.estimate, found.low, found.high, found.n) == (0.25, 0.25, 0.25, 9)
    assert paired_bootstrap([]) is None


def test_drawing_in_blocks_draws_every_resample_once() -> None:
    blocks = list(drawn(3_000_000, 3, 5))
    assert [len(block) for block in blocks] == [1, 1, 1]
    assert sum(len(block) for block in drawn(10, 37, 5)) == 37
