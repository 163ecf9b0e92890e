"""Agreement between raters beyond what chance would give. Agreement is not truth: members can agree on an error.

Ratings are categories 0, 1, ... below `categories`, None where a rater gave none; one row an item, one place a rater. Every
measure is 1 for perfect agreement and 0 for what chance gives, and None where it has no value: nothing rated twice, or one
category only, where there is nothing to agree about.

Sources: Cohen 1960, Educ. Psychol. Meas. 20, 37-46, and 1968, Psychol. Bull. 70, 213-220; Fleiss 1971, Psychol. Bull. 76,
378-382; Krippendorff 2011, "Computing Krippendorff's alpha-reliability"; Gwet 2008, Br. J. Math. Stat. Psychol. 61, 29-48.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evals.statistics.intervals import LEVEL, Interval
from evals.statistics.resampling import RESAMPLES, SEED

Rating = int | None
Metric = Literal["nominal", "ordinal"]
Weighting = Literal["nominal", "linear", "quadratic"]
Floats = NDArray[np.float64]
Measure = Callable[[Floats, Floats | None], float | None]
"""A measure of a table of items x categories (how many raters put the item there) with the weight of every row."""
_NOTHING = 1e-12


def counts_of(ratings: Sequence[Sequence[Rating]], categories: int) -> Floats:
    """Return how many raters put each item into each category.

    Raises:
        ValueError: for a rating that is no category.
    """
    counts = np.zeros((len(ratings), categories))
    for item, row in enumerate(ratings):
        for rating in row:
            if rating is None:
                continue
            if not 0 <= rating < categories:
                raise ValueError(f"{rating!r} is none of {categories} categories")
            counts[item, rating] += 1
    return counts


def cohen_kappa(
    first: Sequence[Rating],
    second: Sequence[Rating],
    categories: int,
    weights: Weighting | Sequence[Sequence[float]] = "nominal",
) -> float | None:
    """Return the agreement of two raters over the items that both rated (Cohen 1960; weighted: Cohen 1968).

    1 - sum of v_ij o_ij / sum of v_ij e_ij, with disagreement weights v: 1 off the diagonal, |i - j|, its square, or a
    table. Worked: agreement 0.70 where the margins give 0.41 by chance is (0.70 - 0.41) / (1 - 0.41) = 0.492.

    Returns:
        In [-1, 1]; None where no item was rated by both, or both used one and the same category only.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not pairs:
        return None
    table = np.zeros((categories, categories))
    for a, b in pairs:
        table[a, b] += 1
    table /= len(pairs)
    disagreement = _disagreement(weights, categories)
    expected = float((disagreement * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
    if expected < _NOTHING:
        return None
    return 1 - float((disagreement * table).sum()) / expected


def fleiss_kappa(ratings: Sequence[Sequence[Rating]], categories: int) -> float | None:
    """Return the agreement of any number of raters (Fleiss 1971).

    (P - Pe) / (1 - Pe): P is the mean share of agreeing pairs per item, Pe the sum of squared shares of the categories.
    Worked: P = 0.378 and Pe = 0.213 give 0.210. Items rated once are left out; raters may differ between items.
    """
    return fleiss_of_counts(counts_of(ratings, categories))


def krippendorff_alpha(
    ratings: Sequence[Sequence[Rating]], categories: int, metric: Metric = "nominal"
) -> float | None:
    """Return Krippendorff's alpha, which takes missing ratings and ordered categories (Krippendorff 2011).

    1 - observed / expected disagreement over all pairable values; the ordinal distance of c and k is the square of the
    values from c to k less half of those at both ends. Worked on its own example: nominal 0.743, ordinal 0.815.
    """
    return alpha_of_counts(counts_of(ratings, categories), metric=metric)


def gwet_ac1(ratings: Sequence[Sequence[Rating]], categories: int) -> float | None:
    """Return Gwet's AC1, which stays put where nearly all ratings are of one category and kappa falls (Gwet 2008).

    (P - Pe) / (1 - Pe) with Pe = sum of p_k (1 - p_k) / (categories - 1). Worked: two raters of 125 items, 118 together in
    one category and 5 + 2 apart: P = 0.944, Pe = 0.0544, AC1 = 0.941, where Cohen's kappa is -0.023.

    Returns:
        None where no item was rated twice, or there is but one category.
    """
    return ac1_of_counts(counts_of(ratings, categories))


def fleiss_of_counts(counts: Floats, weights: Floats | None = None) -> float | None:
    """Return Fleiss' kappa of a table of counts, rows weighted; see `fleiss_kappa`."""
    rated, weight = _rated(counts, weights)
    if not weight.sum():
        return None
    used = weight @ rated
    return _beyond_chance(_agreeing(rated, weight), float(((used / used.sum()) ** 2).sum()))


def ac1_of_counts(counts: Floats, weights: Floats | None = None) -> float | None:
    """Return Gwet's AC1 of a table of counts, rows weighted; see `gwet_ac1`."""
    rated, weight = _rated(counts, weights)
    if not weight.sum() or counts.shape[1] < 2:
        return None
    once, once_weight = _rated(counts, weights, least=1)
    shares = once_weight @ (once / once.sum(axis=1, keepdims=True)) / once_weight.sum()
    expected = float((shares * (1 - shares)).sum() / (counts.shape[1] - 1))
    return _beyond_chance(_agreeing(rated, weight), expected)


def alpha_of_counts(counts: Floats, weights: Floats | None = None, metric: Metric = "nominal") -> float | None:
    """Return Krippendorff's alpha of a table of counts, rows weighted; see `krippendorff_alpha`."""
    rated, weight = _rated(counts, weights)
    if not weight.sum():
        return None
    pairs = weight / (rated.sum(axis=1) - 1)
    # Coincidences: every ordered pair of values within an item, weighted so that each value counts once.
    together = rated.T @ (rated * pairs[:, None]) - np.diag(pairs @ rated)
    totals = together.sum(axis=1)
    distance = _ordinal(totals) if metric == "ordinal" else 1 - np.eye(len(totals))
    expected = float((np.outer(totals, totals) * distance).sum() / (totals.sum() - 1))
    if expected < _NOTHING:
        return None
    return 1 - float((together * distance).sum()) / expected


def ordinal_alpha_of_counts(counts: Floats, weights: Floats | None = None) -> float | None:
    """Return Krippendorff's alpha for ordered categories of a table of counts, rows weighted."""
    return alpha_of_counts(counts, weights, "ordinal")


def with_interval(
    measure: Measure, counts: Floats, level: float = LEVEL, resamples: int = RESAMPLES // 2, seed: int = SEED
) -> Interval | None:
    """Return a measure with its percentile bootstrap interval over items (Efron 1979); resamples without a value are left out.

    Items with the same counts are drawn together, by the multinomial distribution: the time hangs on how many patterns
    there are, not how many items.

    Returns:
        None where the measure has no value; `n` counts the items that two or more rated.
    """
    patterns, times = np.unique(counts, axis=0, return_counts=True)
    estimate = measure(counts, None)
    if estimate is None:
        return None
    draws = np.random.default_rng(seed).multinomial(len(counts), times / len(counts), resamples)
    found = [measure(patterns, draw.astype(np.float64)) for draw in draws]
    values = [value for value in found if value is not None] or [estimate]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high), int((counts.sum(axis=1) >= 2).sum()))


def _rated(counts: Floats, weights: Floats | None, least: int = 2) -> tuple[Floats, Floats]:
    """Return the rows with at least so many ratings, and their weights."""
    kept = counts.sum(axis=1) >= least
    weight = np.ones(len(counts)) if weights is None else weights
    return counts[kept], weight[kept]


def _agreeing(rated: Floats, weight: Floats) -> float:
    raters = rated.sum(axis=1)
    shares = ((rated**2).sum(axis=1) - raters) / (raters * (raters - 1))
    return float(weight @ shares / weight.sum())


def _beyond_chance(observed: float, expected: float) -> float | None:
    return None if 1 - expected < _NOTHING else (observed - expected) / (1 - expected)


def _ordinal(totals: Floats) -> Floats:
    upto = np.cumsum(totals)
    middles = upto - totals / 2
    distance: Floats = (middles[:, None] - middles[None, :]) ** 2
    return distance


def _disagreement(weights: Weighting | Sequence[Sequence[float]], categories: int) -> Floats:
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))).astype(np.float64)
    match weights:
        case "nominal":
            return np.minimum(apart, 1)
        case "linear":
            return apart
        case "quadratic":
            squared: Floats = apart**2
            return squared
        case _:
            return np.asarray(weights, dtype=np.float64)
