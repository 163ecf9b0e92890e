"""Two runs over the same cases: is there a difference, how large, and how large would it have to be to be seen.

Sources: McNemar 1947, Psychometrika 12, 153-157, in its exact form (Mosteller 1952); Efron 1987, J. Am. Stat. Assoc. 82,
171-185 (BCa bootstrap).
"""

from collections.abc import Sequence
from fractions import Fraction
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr  # type: ignore[import-untyped] # scipy ships no types

from evals.statistics.intervals import LEVEL, Interval
from evals.statistics.resampling import RESAMPLES, SEED, resampled_sums

POWER: Final = 0.8
"""Chance to see a difference that is there, at which the smallest one to be seen is told."""


def mcnemar_exact(b: int, c: int) -> float:
    """Return the two-sided p-value that flips go both ways alike, from the exact binomial sum (integers until the end).

    min(1, 2 * sum of C(b + c, k) for k up to the smaller / 2^(b + c)). Worked: 1 flip one way and 7 the other:
    2 * (1 + 8) / 256 = 0.0703. Six flips all one way give 2 / 64 = 0.03125, five 0.0625.

    Args:
        b: cases that succeed in the first only.
        c: cases that succeed in the second only.

    Returns:
        In (0, 1]; 1 where nothing flipped: no evidence either way.
    """
    if min(b, c) < 0:
        raise ValueError("a count is negative")
    n = b + c
    term = below = 1
    for k in range(min(b, c)):
        term = term * (n - k) // (k + 1)  # C(n, k + 1) from C(n, k)
        below += term
    return float(min(Fraction(1), Fraction(2 * below, 2**n)))


def fewest_flips(level: float = LEVEL) -> int:
    """Return how many flips, all one way, the exact McNemar test needs to see anything: 6 at the level 0.95.

    2 / 2^flips must not exceed 1 - level; with fewer no result can be told from chance.
    """
    flips = 1
    while mcnemar_exact(flips, 0) > 1 - level + 1e-12:
        flips += 1
    return flips


def detectable(n: int, background: float = 0.0, level: float = LEVEL, power: float = POWER) -> float | None:
    """Return the smallest difference of shares that n pairs would have shown, with the chance `power`.

    Flips number Binomial(n, 2q + d), and one way among m of them go Binomial(m, (q + d) / (2q + d)), where q is the share
    of flips that go each way for no reason; d is the least with P(McNemar finds it) >= power, by bisection. Worked: with
    60 cases and no background, 6 flips are needed, and P(Binomial(60, d) >= 6) is 0.8 for d = 0.128.

    Args:
        n: pairs.
        background: q, share of pairs, in [0, 0.5).

    Returns:
        In (0, 1 - 2q], to a millionth; None where no difference at all could be seen: too few pairs.
    """
    test = _Test(n, background, level)
    low, high = 0.0, 1 - 2 * background
    if n < 1 or test.power(high) < power:
        return None
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if test.power(middle) >= power else (middle, high)
    return high


def paired_bootstrap(
    differences: Sequence[float], level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval | None:
    """Return the mean of paired differences with its bootstrap interval, bias-corrected and accelerated (Efron 1987).

    The pairs are drawn again with replacement; the ends are the quantiles Phi(z0 + (z0 + z) / (1 - a (z0 + z))) of the
    means, with the bias z0 from the share of means below the estimate and the acceleration a from the skewness:
    sum of d^3 / (6 (sum of d^2)^1.5), d from the mean. Worked: symmetric differences have a = 0 and z0 near 0, which
    leaves the plain percentile interval.

    Returns:
        None without a pair. Where all differences are equal both ends are that difference: what was not seen to vary, no
        resampling can vary, so a handful of equal pairs proves little.
    """
    values = np.asarray(differences, dtype=np.float64)
    n = len(values)
    if n == 0:
        return None
    estimate = float(values.mean())
    if np.all(values == values[0]):
        return Interval(estimate, estimate, estimate, n)
    means = np.sort(resampled_sums(values[:, None], resamples, seed)[:, 0] / n)
    low, high = bca_ends(means, estimate, _acceleration(values), level)
    return Interval(estimate, low, high, n)


def bca_ends(means: NDArray[np.float64], estimate: float, acceleration: float, level: float) -> tuple[float, float]:
    """Return the ends of a BCa interval from sorted resampled values; an acceleration of 0 leaves the bias correction."""
    normal = NormalDist()
    below = (np.sum(means < estimate) + np.sum(means <= estimate)) / 2
    bias = normal.inv_cdf(min(max(float(below), 0.5), len(means) - 0.5) / len(means))
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        moved = bias + normal.inv_cdf(tail)
        ends.append(float(np.quantile(means, normal.cdf(bias + moved / (1 - acceleration * moved)))))
    return ends[0], ends[1]


def _acceleration(values: NDArray[np.float64]) -> float:
    centred = values - values.mean()
    return float((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))


class _Test:
    """McNemar's exact test of n pairs: the chance that it finds a difference, over every number of flips."""

    def __init__(self, n: int, background: float, level: float) -> None:
        self._n = n
        self._background = background
        # Per number of flips, the largest count on the rarer side that is still found; -1 where none is.
        half = (1 - level) / 2 + 1e-12
        self._critical: list[int] = []
        rarer = -1
        for flips in range(n + 1):
            while bdtr(rarer + 1, flips, 0.5) <= half:
                rarer += 1
            self._critical.append(rarer)

    def power(self, difference: float) -> float:
        """Return the chance to find a difference of shares."""
        share = min(2 * self._background + difference, 1.0)
        against = self._background / share
        flips, critical = np.arange(self._n + 1), np.asarray(self._critical)
        likely = np.diff(bdtr(flips, self._n, share), prepend=0.0)
        possible = critical >= 0
        rarer = np.maximum(critical, 0)
        found = bdtr(rarer, flips, against) + bdtr(rarer, flips, 1 - against)
        return float((likely * np.where(possible, np.minimum(found, 1.0), 0.0)).sum())
