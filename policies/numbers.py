"""Exact numbers: integers, decimal strings and fraction strings in, fractions out, no floats in between.

Shares are ppm (1,000,000 = the whole realm), meters and points are milli, confidences are permille (domain.md C0).
"""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

PPM: Final = 1_000_000
PERMILLE: Final = 1_000

_CLEAR: Final = 2**30
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30}|/[0-9]{1,30})?")


def exact(value: object) -> Fraction:
    """Read an integer, a decimal string ("0.4") or a fraction string ("2/5") exactly.

    Raises:
        ValueError: for anything else. Floats are refused: 0.1 is not a tenth.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Fraction):
        raise ValueError("must be an integer, a decimal string or a fraction string such as '1/3'")
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError("must be an integer, a decimal string or a fraction string such as '1/3'")
    try:
        return Fraction(value)
    except ZeroDivisionError:
        raise ValueError("must not have a zero denominator") from None


def half_even(value: Fraction) -> int:
    """Round to the nearest integer, halves to the even one."""
    return round(value)


def scaled(value: float, scale: int) -> int:
    """Return a wire number as an integer of `value * scale`, halves to even.

    The float's shortest decimal form is what the sender wrote, so the product is the decimal one: 0.1 percent is
    exactly 1,000 ppm. Below 2^30 the float product is less than 2^-22 away from it, so wherever it stands clear of a
    half its nearest integer is the answer, found ten times faster than in decimal.
    """
    if isinstance(value, int):
        return value * scale
    product = value * scale
    nearest = round(product)
    if -_CLEAR < nearest < _CLEAR and -499 < (product - nearest) * 1000 < 499:
        return nearest
    return int((Decimal(repr(value)) * scale).to_integral_value())


def apportion(weights: dict[str, int], total: int) -> dict[str, int]:
    """Split `total` pro rata to non-negative weights by largest remainder, ties by key.

    The result sums to `total` exactly. With no weight at all it is split as evenly as integers allow.

    >>> apportion({"a": 1, "b": 1, "c": 1}, 100)
    {'a': 34, 'b': 33, 'c': 33}
    """
    if not weights:
        return {}
    mass = sum(weights.values())
    if mass == 0:
        return apportion(dict.fromkeys(weights, 1), total)
    parts = {key: divmod(weight * total, mass) for key, weight in weights.items()}
    split = {key: quotient for key, (quotient, _) in parts.items()}
    left = total - sum(split.values())
    if left:
        for _, key in sorted([(-rest, key) for key, (_, rest) in parts.items()])[:left]:
            split[key] += 1
    return split
