"""Calibration: what a member's claimed confidence is worth, as steps that a policy carries (council.md, the merge).

A table is learned from labelled decisions (`council eval tune --calibrate`) and read as a step function, so that it stays exact:
the worth of a confidence is that of the last step at or below it.
"""

from bisect import bisect_right
from typing import Final

from policies.cursor import Place

Steps = tuple[tuple[int, int], ...]
"""Pairs of (confidence from which it holds, worth), both permille, by rising confidence; the first holds from 0."""

FULL: Final = 1000
MAX_STEPS: Final = 64


def worth_of(steps: Steps, confidence: int) -> int:
    """Return what a confidence is worth, permille.

    >>> worth_of(((0, 400), (900, 620)), 899), worth_of(((0, 400), (900, 620)), 900)
    (400, 620)

    Args:
        confidence: permille, 0 to 1000.
    """
    return steps[bisect_right(steps, (confidence, FULL)) - 1][1]


def written_calibration(place: Place) -> list[list[int]] | None:
    """Return a table as the document keeps it; None where there is none. Complaints say what is wrong with it."""
    if place.value is None:
        return None
    items = place.items()
    if isinstance(place.value, list | tuple) and not 1 <= len(items) <= MAX_STEPS:
        place.fault(f"must have 1 to {MAX_STEPS} steps", "write [[0, 500], [900, 800]], or null for none")
        return []
    steps = [_step(item) for item in items]
    if steps and all(steps):
        _check_order(items, steps)
    return steps


def _step(place: Place) -> list[int]:
    if not isinstance(place.value, list | tuple) or len(place.value) != 2:
        place.fault("must be two whole numbers", "write [confidence, worth], both permille: [900, 800]")
        return []
    return [place.at(index, value).integer(0, FULL) for index, value in enumerate(place.value)]


def _check_order(places: list[Place], steps: list[list[int]]) -> None:
    if steps[0][0] != 0:
        places[0].at(0, steps[0][0]).fault("the first step must hold from 0", "write [0, worth] first")
    for place, before, after in zip(places[1:], steps, steps[1:], strict=False):
        if after[0] <= before[0]:
            fix = "keep one step per confidence, by rising confidence"
            place.at(0, after[0]).fault(f"must be above the confidence of the step before, {before[0]}", fix)
        if after[1] < before[1]:
            fix = f"write at least {before[1]}: more confidence is never worth less"
            place.at(1, after[1]).fault(f"is below the worth of the step before, {before[1]}", fix)
