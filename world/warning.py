"""Early warning of a tipping point: a realm that recovers more and more slowly from its own small disturbances.

Rising variance and rising lag-1 autocorrelation of stability over rolling windows are the standard indicators of
critical slowing down (Dakos et al. 2012, doi 10.1371/journal.pone.0041010; domain.md C7). They are noisy, so their
weight is small.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from policies.numbers import scaled

MIN_TICKS: Final = 24
"""Shortest record of stability that is judged: six hours. Below it the indicators are noise."""
POINTS: Final = 9
"""Rolling windows, each half the record long, spread evenly over it; Kendall's tau is taken over them."""
TAU: Final = 500
"""Kendall's tau, permille, above which an indicator counts as rising."""


def early_warning(levels: Sequence[float]) -> int | None:
    """Return 1,000 where both indicators rise, else 0; None where the record is too short.

    Args:
        levels: stability per tick, oldest first, in wire units of 0 to 100.
    """
    if len(levels) < MIN_TICKS:
        return None
    series = [scaled(level, 1000) for level in levels]
    variances, correlations = _indicators(series)
    return 1000 if kendall_tau(variances) > TAU and kendall_tau(correlations) > TAU else 0


def kendall_tau(values: Sequence[int]) -> int:
    """Return Kendall's tau-a of values against their order, permille: 1,000 rising, -1,000 falling.

    Fewer than two values give 0: they show no trend.

    >>> kendall_tau([1, 2, 3]), kendall_tau([1, 3, 2])
    (1000, 333)
    """
    n = len(values)
    if n < 2:
        return 0
    score = sum([(late > early) - (late < early) for i, late in enumerate(values) for early in values[:i]])
    return score * 2000 // (n * (n - 1)) if score >= 0 else -(-score * 2000 // (n * (n - 1)))


def _indicators(series: list[int]) -> tuple[list[int], list[int]]:
    """Return variance and lag-1 autocorrelation (permille, 0 where nothing varies) of the rolling windows."""
    width = len(series) // 2
    span = len(series) - width
    variances, correlations = [], []
    for point in range(POINTS):
        start = span * point // (POINTS - 1)
        window = series[start : start + width]
        mean = sum(window) // width
        around = [level - mean for level in window]
        power = sum([step * step for step in around])
        lagged = sum([one * other for one, other in pairwise(around)])
        variances.append(power // width)
        correlations.append(lagged * 1000 // power if power else 0)
    return variances, correlations
