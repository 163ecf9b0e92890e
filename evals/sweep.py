"""A sweep: the same recorded decisions under many policies, and what each would have got wrong.

Every point is judged as a backtest judges it: recorded votes are merged anew where that is exact, everything else is judged
anew from its request. What cannot be judged is counted, and left out of the rates.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.backtest import Redecide, merge_anew
from evals.columns import NONE, Columns
from evals.plots.figures import Spot, TradeOff, pareto
from evals.sweep_points import Point
from policies.policy import Policy
from policies.verdicts import STRICTNESS

SCHEMA: Final = "council.sweep/1"
Ranks = NDArray[np.int8]

_REJECT, _MODIFY = STRICTNESS["reject"], STRICTNESS["modify"]


class Outcome(NamedTuple):
    """What one policy makes of recorded decisions."""

    name: str
    changes: Mapping[str, Any]
    judged: int
    unjudged: int
    changed: int
    """Verdicts that differ from the recorded ones."""
    milder: int
    """Of those, the ones that are milder."""
    labelled: int
    """Judged decisions with a settled label."""
    right: int
    """Of those, the ones whose verdict is the label."""
    unsafe_approvals: int
    needless_holds: int

    @property
    def accuracy(self) -> float | None:
        """Share of labelled decisions that it gets right; None without labels."""
        return self.right / self.labelled if self.labelled else None

    @property
    def cost_of_errors(self) -> tuple[int, int]:
        return (self.unsafe_approvals, self.needless_holds)


class Sweep(NamedTuple):
    """All points of a sweep, the policy as it is first."""

    outcomes: tuple[Outcome, ...]
    invalid: tuple[str, ...]
    """Combinations that are no valid policy."""

    @property
    def current(self) -> Outcome:
        return self.outcomes[0]

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Every point on the plane of both errors."""
        return tuple(
            [
                Spot(each.name, each.needless_holds, each.unsafe_approvals, each.accuracy, at == 0)
                for at, each in enumerate(self.outcomes)
            ]
        )

    @property
    def trade_off(self) -> TradeOff:
        return TradeOff(self.spots, self.current.labelled)

    @property
    def front(self) -> tuple[Outcome, ...]:
        """The points that no other beats in one error without losing in the other, fewest needless holds first."""
        by_name = {each.name: each for each in self.outcomes}
        return tuple([by_name[spot.name] for spot in pareto(self.spots)])


def try_point(columns: Columns, policies: Mapping[str, Policy], point: Point, redecide: Redecide) -> Outcome:
    """Judge all decisions under one point of a sweep.

    Args:
        policies: the policies that decided, by content hash, as far as they are at hand.
        redecide: judges anew, under the point's policy, what the merge alone cannot say.
    """
    verdicts = _verdicts(columns, policies, point.policy, redecide)
    judged = verdicts != NONE
    recorded, labels = columns.arrays.council_verdicts, columns.arrays.labels
    truth = judged & (labels >= 0)
    return Outcome(
        point.name,
        point.changes,
        judged=_count(judged),
        unjudged=len(columns) - _count(judged),
        changed=_count(judged & (verdicts != recorded)),
        milder=_count(judged & (verdicts < recorded)),
        labelled=_count(truth),
        right=_count(truth & (verdicts == labels)),
        unsafe_approvals=_count(truth & (verdicts == 0) & (labels >= _REJECT)),
        needless_holds=_count(truth & (verdicts >= _REJECT) & (labels <= _MODIFY)),
    )


def labelled_only(columns: Columns) -> Columns:
    """Return the decisions with a settled label: all that errors are counted on."""
    return columns.take(np.flatnonzero(columns.arrays.labels >= 0))


def sweep_to_wire(sweep: Sweep) -> dict[str, Any]:
    """Return a sweep as its file holds it: what reports read."""
    return {
        "schema": SCHEMA,
        "current": 0,
        "labelled": sweep.current.labelled,
        "points": [
            {
                **{name: value for name, value in each._asdict().items() if name != "changes"},
                "changes": dict(each.changes),
                "accuracy": each.accuracy,
                "is_front": each in sweep.front,
            }
            for each in sweep.outcomes
        ],
        "invalid": list(sweep.invalid),
    }


def _verdicts(columns: Columns, policies: Mapping[str, Policy], new: Policy, redecide: Redecide) -> Ranks:
    verdicts = np.full(len(columns), NONE, np.int8)
    known = np.array([new.realm(name) is not None for name in columns.realms] or [False])[columns.arrays.realms]
    rows = np.flatnonzero(known)
    merged = merge_anew(columns, policies, new, rows)
    verdicts[merged.rows] = merged.verdicts
    left = np.setdiff1d(rows, merged.rows, assume_unique=True)
    for row, anew in zip(left.tolist(), redecide(left), strict=True):
        if anew.verdict is not None:
            verdicts[row] = STRICTNESS[anew.verdict]
    return verdicts


def _count(flags: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(flags))
