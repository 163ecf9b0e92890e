"""Intervals for shares of cases: how far a count of successes can be trusted.

Sources: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212; Clopper and Pearson 1934, Biometrika 26, 404-413; Newcombe 1998,
Statistics in Medicine 17, 873-890 (independent) and 2635-2650 (paired), method 10 of each.
"""

from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

LEVEL: Final = 0.95
"""Level of an interval unless another is asked for."""


class Interval(NamedTuple):
    """An estimate with the range that holds the true value at the level asked for."""

    estimate: float
    low: float
    high: float
    n: int
    """Cases that it rests on."""

    @property
    def told(self) -> str:
        """In words.

        >>> Interval(0.8235, 0.7110, 0.9042, 51).told
        '0.82 (0.71 to 0.90), n = 51'
        """
        return f"{_places(self.estimate)} ({_places(self.low)} to {_places(self.high)}), n = {self.n}"

    @property
    def told_signed(self) -> str:
        """In words, for a difference.

        >>> Interval(-0.02, -0.0601, 0.0333, 60).told_signed
        '−0.02 (−0.06 to +0.03), n = 60'
        """
        return f"{_signed(self.estimate)} ({_signed(self.low)} to {_signed(self.high)}), n = {self.n}"

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole range lies on one side of 0."""
        return self.low > 0 or self.high < 0


def normal_quantile(level: float) -> float:
    """Return the two-sided quantile of the normal distribution: 1.96 for 0.95.

    Raises:
        ValueError: for a level that does not lie strictly between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level {level!r} does not lie between 0 and 1")
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval | None:
    """Return a share with its score interval (Wilson 1927; Newcombe 1998, 857-872, method 3).

    (2np + z^2 -/+ z sqrt(z^2 + 4npq)) / (2(n + z^2)). Worked: 81 of 263 is 0.3080 (0.2553 to 0.3662).

    Returns:
        None where there is no case; the ends lie in [0, 1], and reach 0 or 1 only with no success or no failure.

    Raises:
        ValueError: for counts that cannot be.
    """
    _check(successes, n)
    if n == 0:
        return None
    z = normal_quantile(level)
    share = successes / n
    middle, scale = 2 * successes + z * z, 2 * (n + z * z)
    reach = z * sqrt(z * z + 4 * successes * (1 - share))
    low = 0.0 if successes == 0 else max(0.0, (middle - reach) / scale)
    high = 1.0 if successes == n else min(1.0, (middle + reach) / scale)
    return Interval(share, low, high, n)


def newcombe(a: int, n_a: int, b: int, n_b: int, level: float = LEVEL) -> Interval | None:
    """Return the difference b/n_b - a/n_a of two independent shares (Newcombe 1998, 873-890, method 10).

    Worked, from its table II: 48 of 80 and 56 of 70 differ by 0.2000 (0.0524 to 0.3339).

    Returns:
        None where one side has no case; `n` is the number of cases of both.
    """
    first, second = wilson(a, n_a, level), wilson(b, n_b, level)
    if first is None or second is None:
        return None
    return _hybrid(first, second, 0.0, n_a + n_b)


def newcombe_paired(both: int, only_a: int, only_b: int, neither: int, level: float = LEVEL) -> Interval | None:
    """Return the difference b - a of two shares of the same cases (Newcombe 1998, 2635-2650, method 10).

    The correlation of the two is taken in with its continuity correction. Worked, from its table II: with 36 cases right in
    both, 12 in b only, 2 in a only and none in neither, b - a is 0.2000 (0.0569 to 0.3404).

    Args:
        both: cases that succeed in both.
        only_a: cases that succeed in a alone.
        only_b: cases that succeed in b alone.
        neither: cases that succeed in neither.

    Returns:
        None where there is no case.
    """
    n = both + only_a + only_b + neither
    first, second = wilson(both + only_a, n, level), wilson(both + only_b, n, level)
    if min(both, only_a, only_b, neither) < 0:
        raise ValueError("a count is negative")
    if first is None or second is None:
        return None
    return _hybrid(first, second, _corrected_phi(both, only_a, only_b, neither), n)


def clopper_pearson(successes: int, n: int, level: float = LEVEL) -> Interval | None:
    """Return a share with its exact interval, which never covers less than the level (Clopper and Pearson 1934).

    Worked: no failure in 60 cases: the share of successes is at least 0.9404 (1 - 0.9404 is about 3.6 / 60).
    """
    from scipy.special import betaincinv  # type: ignore[import-untyped] # noqa: PLC0415 - others need no scipy

    _check(successes, n)
    if n == 0:
        return None
    tail = (1 - level) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return Interval(successes / n, low, high, n)


def _hybrid(first: Interval, second: Interval, phi: float, n: int) -> Interval:
    """Combine two score intervals into one of their difference: the square-and-add rule with a correlation."""
    difference = second.estimate - first.estimate
    down, first_up = second.estimate - second.low, first.high - first.estimate
    up, first_down = second.high - second.estimate, first.estimate - first.low
    low = difference - sqrt(max(0.0, down * down - 2 * phi * down * first_up + first_up * first_up))
    high = difference + sqrt(max(0.0, up * up - 2 * phi * up * first_down + first_down * first_down))
    return Interval(difference, max(-1.0, low), min(1.0, high), n)


def _corrected_phi(both: int, only_a: int, only_b: int, neither: int) -> float:
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    product = both * neither - only_a * only_b
    half = (both + only_a + only_b + neither) / 2
    corrected = max(product - half, 0.0) if product >= 0 else float(product)
    return corrected / sqrt(margins)


def _check(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} cases cannot be")


def _places(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _signed(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if text in ("-0.00", "+0.00") else text.replace("-", "−")
