"""What plots show: plain values that the page and the terminal draw alike. Pure."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from evals.decisions import is_needless_hold, is_unsafe_approval
from evals.statistics.intervals import Interval
from policies.verdicts import STRICTNESS, VERDICTS, Verdict

Kind = Literal["right", "unsafe", "needless", "wrong", "same", "milder", "stricter"]
"""What a cell of a matrix means. The first four compare a label with a verdict, the others an old verdict with a new one."""
Counts = tuple[tuple[int, ...], ...]
"""Four rows of four, in the order of `VERDICTS`."""


class Matrix(NamedTuple):
    """How often each verdict of one side met each of the other."""

    rows_are: Literal["label", "old verdict"]
    columns_are: Literal["verdict", "new verdict"]
    counts: Counts

    @property
    def n(self) -> int:
        return sum(map(sum, self.counts))

    def kind(self, row: Verdict, column: Verdict) -> Kind:
        """Return what a cell means."""
        if self.rows_are == "old verdict":
            return _turn(row, column)
        if row == column:
            return "right"
        return _wrong(label=row, verdict=column)

    def of_kind(self, kind: Kind) -> int:
        """Return how many stand in the cells of a kind."""
        return sum(
            self.counts[STRICTNESS[row]][STRICTNESS[column]]
            for row in VERDICTS for column in VERDICTS if self.kind(row, column) == kind
        )  # fmt: skip

    @property
    def told(self) -> str:
        """In words, row by row: what somebody hears who does not see the plot."""
        rows = [
            f"{self.rows_are} {row}: "
            + (", ".join(f"{count} {VERDICTS[at]}" for at, count in enumerate(counts) if count) or "none")
            for row, counts in zip(VERDICTS, self.counts, strict=True)
        ]
        return f"{self.columns_are} per {self.rows_are}, n = {self.n}. " + "; ".join(rows) + "."


class Estimate(NamedTuple):
    """One row of a plot of intervals."""

    name: str
    interval: Interval | None
    """None where there is nothing to measure."""


class Length(NamedTuple):
    """One row of a plot of bars."""

    name: str
    value: float
    """At least 0."""
    told: str
    """With its unit, as it is written beside the bar."""


class Spot(NamedTuple):
    """One policy on the plane of both errors."""

    name: str
    needless_holds: int
    unsafe_approvals: int
    accuracy: float | None = None
    is_current: bool = False


class TradeOff(NamedTuple):
    """Policies by both errors; the fewer of both the better."""

    spots: tuple[Spot, ...]
    labelled: int
    """Labelled decisions that each was judged on."""

    @property
    def front(self) -> tuple[Spot, ...]:
        """The policies that no other beats in one error without losing in the other, fewest needless holds first."""
        return pareto(self.spots)


def pareto(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Return the spots that no other beats, one per place (the current policy where it stands there), fewest needless first.

    Worked: of (needless, unsafe) (0, 5), (2, 3), (3, 3), (4, 0) all but (3, 3) are on the front, for (2, 3) beats it.
    """
    front: list[Spot] = []
    ranked = sorted(
        spots, key=lambda spot: (spot.needless_holds, spot.unsafe_approvals, not spot.is_current, spot.name)
    )
    for spot in ranked:
        if not front or spot.unsafe_approvals < front[-1].unsafe_approvals:
            front.append(spot)
    return tuple(front)


def matrix_of(pairs: Sequence[tuple[Verdict, Verdict]], *, is_turn: bool = False) -> Matrix:
    """Return the matrix of (label, verdict) pairs, or of (old verdict, new verdict) where it shows what turned."""
    counts = [[0] * len(VERDICTS) for _ in VERDICTS]
    for row, column in pairs:
        counts[STRICTNESS[row]][STRICTNESS[column]] += 1
    frozen = tuple([tuple(row) for row in counts])
    return Matrix("old verdict", "new verdict", frozen) if is_turn else Matrix("label", "verdict", frozen)


def _turn(old: Verdict, new: Verdict) -> Kind:
    if old == new:
        return "same"
    return "milder" if STRICTNESS[new] < STRICTNESS[old] else "stricter"


def _wrong(label: Verdict, verdict: Verdict) -> Kind:
    if is_unsafe_approval(verdict, label):
        return "unsafe"
    return "needless" if is_needless_hold(verdict, label) else "wrong"
