"""What a wrong verdict costs, and the quotas that cost least: the loss that tuning makes small. Exact."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement
from math import lcm
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.ballot_board import LEVELS, Rows, Sums, carried
from evals.decisions import is_needless_hold, is_unsafe_approval
from policies.verdicts import VERDICTS, Verdict

GRID: Final[tuple[Fraction, ...]] = tuple(sorted({Fraction(part, of) for of in range(2, 7) for part in range(1, of)}))
"""Quotas that are tried: every fraction with a denominator of at most 6. The present ones are tried beside them."""
Quotas = Mapping[Verdict, Fraction]


class Costs(NamedTuple):
    """Loss of one decision; a right verdict costs nothing."""

    unsafe: Fraction = Fraction(5)
    """Approved, where the label is reject or quarantine."""
    needless: Fraction = Fraction(1)
    """Rejected or quarantined, where the label is approve or modify."""
    other: Fraction = Fraction(1, 2)
    """Any other wrong verdict."""

    @property
    def scale(self) -> int:
        """Whole units per 1 of loss in `table`."""
        return lcm(self.unsafe.denominator, self.needless.denominator, self.other.denominator)

    def of(self, verdict: Verdict, label: Verdict) -> Fraction:
        """Return the loss of one decision."""
        if verdict == label:
            return Fraction(0)
        if is_unsafe_approval(verdict, label):
            return self.unsafe
        return self.needless if is_needless_hold(verdict, label) else self.other

    def table(self) -> NDArray[np.int64]:
        """Return the loss per rank of label and rank of verdict, in whole units of 1 / scale."""
        rows = [[int(self.of(verdict, label) * self.scale) for verdict in VERDICTS] for label in VERDICTS]
        return np.array(rows, np.int64)


class QuotaChoice:
    """Chooses quotas for one set of weights over any of its items.

    The loss of a triple of quotas is a sum over its three levels: what is carried at a level is also carried at the milder
    ones, so each level adds the step in cost from the verdict below it. The best triple is found among all of the grid.

    Args:
        found: the masses of all items.
        costs: (N, 4) loss per item and verdict, whole units.
        current: the present quotas: where others are no better, they stay.
    """

    def __init__(self, found: Sums, costs: NDArray[np.int64], current: Quotas) -> None:
        self._triples = _nearest_first(tuple([current[VERDICTS[level]] for level in LEVELS]))
        self._steps = [
            np.array([carried(found, level, quota) for quota in self._triples.grid])
            * (costs[:, level] - costs[:, level - 1])
            for level in LEVELS
        ]

    def best(self, rows: Rows) -> dict[Verdict, Fraction]:
        """Return the quotas of least loss over some items; of several the nearest to the present ones, then the lowest."""
        first, second, third = [step[:, rows].sum(axis=1)[places] for step, places in self._parts()]
        at = int(np.argmin(first + second + third))
        return {VERDICTS[level]: self._triples.grid[self._triples.places[at, level - 1]] for level in LEVELS}

    def _parts(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        return list(zip(self._steps, self._triples.places.T, strict=True))


class _Triples(NamedTuple):
    """Every triple of quotas that never falls, as places in the grid."""

    grid: tuple[Fraction, ...]
    places: NDArray[np.int64]
    """(triples, 3), the nearest to the present quotas first."""


@lru_cache(maxsize=16)
def _nearest_first(current: tuple[Fraction, ...]) -> _Triples:
    grid = tuple(sorted({*GRID, *current}))

    def far(triple: tuple[int, ...]) -> Fraction:
        return sum((abs(grid[at] - quota) for at, quota in zip(triple, current, strict=True)), start=Fraction(0))

    triples = combinations_with_replacement(range(len(grid)), len(LEVELS))
    return _Triples(grid, np.array(sorted(triples, key=lambda triple: (far(triple), triple)), np.int64))
