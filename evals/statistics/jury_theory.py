"""What a jury's size is worth: errors shared by members, effective votes, and what independent members would reach.

Condorcet 1785: a majority of independent members, each better than chance, beats each of them; members that err together
do not. Sources: Kish 1965, Survey Sampling, section 5.4 (design effect); Fisher 1915 (interval of a correlation); the
distribution of a sum of unlike trials is Poisson's, 1837.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import atanh, sqrt, tanh
from typing import NamedTuple

from evals.statistics.intervals import LEVEL, Interval, normal_quantile


class Chances(NamedTuple):
    """How a member fares on an item, as exact chances that sum to 1."""

    right: Fraction
    wrong: Fraction
    silent: Fraction
    """It abstained, or was not asked."""


def error_correlation(first: Sequence[bool], second: Sequence[bool], level: float = LEVEL) -> Interval | None:
    """Return phi of two members' errors over the items that both voted on, with Fisher's interval.

    (n11 n00 - n10 n01) / sqrt of the product of the margins; tanh(atanh(phi) -/+ z / sqrt(n - 3)). Worked: both wrong 4
    times, one alone once each, both right 14 times in 20: (56 - 1) / 75 = 0.7333.

    Returns:
        In [-1, 1]; None where a member is always right or always wrong, or with fewer than 4 items.
    """
    n = len(first)
    both = sum(a and b for a, b in zip(first, second, strict=True))
    ones, twos = sum(first), sum(second)
    if n < 4 or not 0 < ones < n or not 0 < twos < n:
        return None
    phi = max(-1.0, min(1.0, _phi(n, both, ones, twos)))
    # Where errors fall together every time the transform has no value: half a case is added to each of the four cells.
    is_whole = abs(phi) > 1 - 1e-12
    half = 0.5 if is_whole else 0.0
    middle = atanh(_phi(n + 4 * half, both + half, ones + 2 * half, twos + 2 * half))
    reach = normal_quantile(level) / sqrt(n - 3)
    return Interval(phi, min(phi, tanh(middle - reach)), max(phi, tanh(middle + reach)), n)


def effective_votes(members: int, correlation: float) -> float:
    """Return how many independent votes are worth as much: members / (1 + (members - 1) rho) (Kish 1965).

    Worked: five members whose errors correlate by 0.5 are worth 5 / 3 votes. A correlation below 0 counts as 0: that
    members make up for each other's errors takes more data to believe than a jury's labels have.
    """
    rho = min(1.0, max(0.0, correlation))
    return members / (1 + (members - 1) * rho) if members else 0.0


def majority_right(members: Sequence[Chances]) -> Fraction:
    """Return how often more independent members would be right than wrong, ties by a fair coin; exact.

    The distribution of right less wrong votes, member by member (Poisson-binomial, with silence). Worked: three members that
    are right 4 times in 5: 0.8^3 + 3 * 0.8^2 * 0.2 = 0.896.

    Returns:
        In [0, 1]; 1/2 for nobody.
    """
    lead: dict[int, Fraction] = {0: Fraction(1)}
    for member in members:
        after: dict[int, Fraction] = {}
        for margin, chance in lead.items():
            for step, share in ((1, member.right), (-1, member.wrong), (0, member.silent)):
                if share:
                    after[margin + step] = after.get(margin + step, Fraction(0)) + chance * share
        lead = after
    ahead = sum((chance for margin, chance in lead.items() if margin > 0), Fraction(0))
    return ahead + lead.get(0, Fraction(0)) / 2


def _phi(n: float, both: float, ones: float, twos: float) -> float:
    return (n * both - ones * twos) / sqrt(ones * (n - ones) * twos * (n - twos))
