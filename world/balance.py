"""How evenly power is spread: concentration, evenness and inequality, in exact integers (domain.md C0, C4)."""

from collections.abc import Collection, Sequence
from typing import Final

BIT: Final = 1_000_000
"""Steps per bit of `log2`: results are millionths of a bit."""
_Q: Final = 40
_ONE: Final = 1 << _Q
_CELL_BITS: Final = _Q - 7
_CELL_MASK: Final = (1 << _CELL_BITS) - 1


def log2(value: int) -> int:
    """Return log2(value) in millionths of a bit, at most 15 of them off (domain.md C0 allows 1,120).

    Linear interpolation in a table of 128 cells over the leading bits; the table is made by repeated squaring, so the
    result is the same on every machine.

    Raises:
        ValueError: for values below 1, which have no logarithm.

    >>> log2(8)
    3000000
    """
    if value < 1:
        raise ValueError("must be at least 1")
    exponent = value.bit_length() - 1
    tail = (value << _Q >> exponent) - _ONE
    cell = tail >> _CELL_BITS
    low = _TABLE[cell]
    return exponent * BIT + low + ((_TABLE[cell + 1] - low) * (tail & _CELL_MASK) >> _CELL_BITS)


def hhi(shares: Collection[int]) -> int:
    """Return the Herfindahl-Hirschman index of non-negative shares of any scale, ppm: 1,000,000 where one holds all.

    Nobody with a share gives 0.

    >>> hhi([25, 25, 25, 25])
    250000
    """
    total = sum(shares)
    return sum([share * share for share in shares]) * 1_000_000 // (total * total) if total else 0


def hhi_star(shares: Collection[int]) -> int | None:
    """Return the normalised index HHI* = (HHI - 1/n) / (1 - 1/n), ppm: 0 at perfect balance, 1,000,000 at monopoly.

    Plain HHI depends on the number of factions: with four of them perfect balance is already 0.25 (domain.md C4). None
    where fewer than two factions are known or nobody holds a share: there is nothing to balance.

    Worked: 40/25/20/15 percent has HHI 0.285, so HHI* = (0.285 - 0.25) / 0.75 = 0.046666.

    >>> hhi_star([40, 25, 20, 15])
    46666
    """
    n, total = len(shares), sum(shares)
    if n < 2 or total == 0:
        return None
    square = total * total
    return (n * sum([share * share for share in shares]) - square) * 1_000_000 // ((n - 1) * square)


def evenness(shares: Collection[int]) -> int | None:
    """Return Pielou's evenness J = H / log n, permille to nearest: 1,000 where all hold the same.

    None where fewer than two shares are known or all are zero. Worked: 55/20/15/10 percent gives 0.841 (domain.md C4).

    Source: E. C. Pielou, The measurement of diversity, 1966, doi 10.1016/0022-5193(66)90013-0.

    >>> evenness([55, 20, 15, 10])
    841
    """
    n, total = len(shares), sum(shares)
    if n < 2 or total == 0:
        return None
    whole = log2(n)
    return min(1000, (entropy(shares) * 1000 + whole // 2) // whole)


def entropy(counts: Collection[int]) -> int:
    """Return Shannon's entropy of non-negative counts, millionths of a bit: H = log2 N - sum(c log2 c) / N.

    Nothing counted gives 0.

    >>> entropy([1, 1, 1, 1])
    2000000
    """
    total = sum(counts)
    if total == 0:
        return 0
    return max(0, log2(total) - sum([count * log2(count) for count in counts if count]) // total)


def gini(amounts: Sequence[int]) -> int | None:
    """Return the Gini coefficient of non-negative amounts, permille: 0 where all are equal, 1,000 * (n-1)/n at most.

    None where nobody has anything. Worked: one whale with 99 of 100 parties having nothing gives 990 (domain.md C4
    prints 0.98).

    >>> gini([1, 1, 1, 1]), gini([0, 0, 0, 1])
    (0, 750)
    """
    total, n = sum(amounts), len(amounts)
    if total == 0:
        return None
    ranked = sum([rank * amount for rank, amount in enumerate(sorted(amounts), 1)])
    return (2 * ranked - (n + 1) * total) * 1000 // (n * total)


def ramp(value: int, low: int, high: int) -> int:
    """Return g(value, low, high) of domain.md C7, permille: 0 up to `low`, 1,000 from `high` on, linear between."""
    if value <= low:
        return 0
    return 1000 if value >= high else (value - low) * 1000 // (high - low)


def _fraction(mantissa: int) -> int:
    """Return log2 of a Q40 mantissa in [1, 2) in millionths of a bit, by 30 squarings, rounded to nearest."""
    bits = 0
    for _ in range(30):
        mantissa = mantissa * mantissa >> _Q
        bits <<= 1
        if mantissa >= _ONE << 1:
            mantissa >>= 1
            bits |= 1
    return (bits * BIT + (1 << 29)) >> 30


_TABLE: Final = (*[_fraction(_ONE + (i << _CELL_BITS)) for i in range(1 << (_Q - _CELL_BITS))], BIT)
