"""The points of a sweep: policies that differ from one policy in a few keys, on a grid or drawn at random. Pure."""

import copy
import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from evals.errors import EvalsError
from policies.faults import did_you_mean
from policies.loading import policy_from_document
from policies.numbers import exact
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError

MOST_POINTS: Final = 5_000
"""Largest sweep: more points than anybody reads, and minutes of work where rules have to be asked again."""
GRAIN: Final = 60
"""Denominator of fractions that are drawn: thirds, quarters, fifths and sixths are among them."""
_HELP: Final = "write KEY=V,V,V, or KEY=LOW..HIGH to draw from, such as merge.quotas.reject=1/5..1/2"


class Dimension(NamedTuple):
    """One key of the policy that a sweep varies."""

    key: str
    """Dotted, rules by their id: `merge.quotas.reject`, `rules.exploit_suspicion.threshold`."""
    values: tuple[Any, ...]
    """What it is set to, one after another; empty where it is drawn."""
    low: Fraction | None = None
    """Least value that is drawn."""
    high: Fraction | None = None
    is_whole: bool = False
    """Whether only whole numbers are drawn."""


class Point(NamedTuple):
    """One policy of a sweep."""

    name: str
    changes: Mapping[str, Any]
    policy: Policy


class Points(NamedTuple):
    """The policies of a sweep."""

    current: Point
    """The policy as it is."""
    points: tuple[Point, ...]
    invalid: tuple[str, ...]
    """Combinations that are no valid policy, each with its first fault: quotas that fall with strictness, for one."""


def read_dimension(text: str, policy: Policy) -> Dimension:
    """Read one `KEY=VALUES` of the command line.

    Raises:
        EvalsError: for another form, a key that the policy does not have, a value of another kind than it has.
    """
    key, equals, written = text.partition("=")
    if not equals or not key or not written:
        raise EvalsError(f"{text!r} is no key with values", _HELP)
    present = _value_at(policy.document, key)
    if ".." in written:
        low, _, high = written.partition("..")
        return _range(key, _bound(low, present, text), _bound(high, present, text), _is_whole(present), text)
    values = [_read(value.strip(), present, text) for value in written.split(",")]
    return Dimension(key, tuple(dict.fromkeys(values)))


def _range(key: str, low: Fraction, high: Fraction, is_whole: bool, text: str) -> Dimension:
    if low >= high:
        raise EvalsError(f"the range {text!r} holds nothing", "write the lower end first")
    return Dimension(key, (), low, high, is_whole)


def sweep_points(policy: Policy, dimensions: Sequence[Dimension], *, draws: int | None = None, seed: int = 0) -> Points:
    """Return the policies of a sweep: the grid of all values, or as many random draws.

    Args:
        draws: how many points to draw; None for the grid.

    Raises:
        EvalsError: without dimensions, for a range on a grid, for more points than `MOST_POINTS`.
    """
    if not dimensions:
        raise EvalsError("nothing is varied", f"name a key: --vary KEY=VALUES; {_HELP}")
    combinations = _grid(dimensions) if draws is None else _drawn(dimensions, draws, seed)
    points, invalid = [], []
    for changes in combinations:
        name = ", ".join(f"{key}={value}" for key, value in changes.items())
        try:
            points.append(Point(name, changes, changed(policy, changes)))
        except InvalidPolicyError as error:
            invalid.append(f"{name}: {error.faults[0].message}")
    return Points(Point("current", {}, policy), tuple(points), tuple(invalid))


def changed(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """Return a policy with keys set.

    Raises:
        InvalidPolicyError: where the result is not a policy.
    """
    document: dict[str, Any] = copy.deepcopy(dict(policy.document))
    for key, value in changes.items():
        _set(document, key, value)
    return policy_from_document(document, policy.shadows)


def _grid(dimensions: Sequence[Dimension]) -> Iterator[dict[str, Any]]:
    ranges = [each.key for each in dimensions if not each.values]
    if ranges:
        raise EvalsError(f"{ranges[0]} is a range, and a grid needs values", "list values, or draw with --random N")
    count = math.prod(len(each.values) for each in dimensions)
    if count > MOST_POINTS:
        raise EvalsError(
            f"the grid has {count} points, more than {MOST_POINTS}", "list fewer values, or draw: --random N"
        )
    keys = [each.key for each in dimensions]
    return (dict(zip(keys, values, strict=True)) for values in itertools.product(*[each.values for each in dimensions]))


def _drawn(dimensions: Sequence[Dimension], draws: int, seed: int) -> Iterator[dict[str, Any]]:
    if not 1 <= draws <= MOST_POINTS:
        raise EvalsError(f"{draws} points cannot be drawn", f"draw 1 to {MOST_POINTS}")
    source = random.Random(seed)
    return ({each.key: _draw(each, source) for each in dimensions} for _ in range(draws))


def _draw(dimension: Dimension, source: random.Random) -> Any:
    if dimension.values:
        return source.choice(dimension.values)
    low, high = dimension.low, dimension.high
    assert low is not None
    assert high is not None
    if dimension.is_whole:
        return source.randint(int(low), int(high))
    least, most = math.ceil(low * GRAIN), math.floor(high * GRAIN)
    return str(Fraction(source.randint(least, max(least, most)), GRAIN))


def _value_at(document: Mapping[str, Any], key: str) -> Any:
    """Return the present value; None where the key may be set and is not."""
    value: Any = document
    segments = key.split(".")
    for depth, segment in enumerate(segments):
        entries = _entries(value)
        if entries is None or segment not in entries:
            if segments[0] == "weights" and depth > 0:
                return None  # an override by decision type may be new
            known = f"{'.'.join(segments[:depth])} has {', '.join(entries)}" if entries else "it has no keys"
            near = did_you_mean(segment, list(entries)) if entries else known
            raise EvalsError(f"the policy has no key {key!r}: {segment!r} is not known", near)
        value = entries[segment]
    if _entries(value) is not None:
        raise EvalsError(f"{key!r} is no single value", f"name one of: {', '.join(_entries(value) or ())}")
    return value


def _entries(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) and "id" in item for item in value):
        return {item["id"]: item for item in value}
    return None


def _set(document: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    place: Any = document
    for segment in path:
        if isinstance(place, list | tuple):
            place = next(item for item in place if item["id"] == segment)
        else:
            place = place.setdefault(segment, {})
    place[last] = value


def _read(written: str, present: Any, text: str) -> Any:
    """Read a value in the kind that the key has."""
    if _is_whole(present):
        number = _number(written, text)
        if number.denominator != 1:
            raise EvalsError(f"{written!r} in {text!r} is no whole number", "thresholds are whole numbers")
        return int(number)
    if isinstance(present, bool):
        if written not in ("true", "false"):
            raise EvalsError(f"{written!r} in {text!r} is neither true nor false", "write true or false")
        return written == "true"
    try:
        return str(exact(written))
    except ValueError:
        return written  # a word, such as a merge rule; the policy says whether it knows it


def _is_whole(present: Any) -> bool:
    return isinstance(present, int) and not isinstance(present, bool)


def _bound(written: str, present: Any, text: str) -> Fraction:
    number = _number(written.strip(), text)
    if _is_whole(present) and number.denominator != 1:
        raise EvalsError(f"{written!r} in {text!r} is no whole number", "thresholds are whole numbers")
    return number


def _number(written: str, text: str) -> Fraction:
    try:
        return exact(written.replace("_", ""))
    except ValueError as error:
        raise EvalsError(f"{written!r} in {text!r} {error}", _HELP) from None
