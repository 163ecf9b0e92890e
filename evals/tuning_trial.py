"""The trial of ways of deciding: every labelled decision decided by each way as fitted without it. Pure."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.ballot_board import Ranks
from evals.folds import Fold, folds
from evals.statistics.intervals import Interval
from evals.statistics.paired import paired_bootstrap
from evals.tuning_ways import Tuner, Way
from policies.verdicts import STRICTNESS

Step = Callable[[], object]


class Scored(NamedTuple):
    """One way of deciding, over held-out cases."""

    way: Way
    loss: float
    """Mean loss of a decision."""
    accuracy: Interval
    unsafe: float
    """Share of decisions that were unsafe approvals, in [0, 1]."""
    needless: float
    """Share of decisions that were needless holds, in [0, 1]."""
    saved: Interval | None
    """Loss saved against the policy as it stands; None for that itself."""


def held_out(tuner: Tuner, on_fold: Step) -> "Trial":
    """Decide every item by every way as fitted without it.

    Args:
        on_fold: called as each fold is done.
    """
    board, options = tuner.board, tuner.options
    strata = list(zip(board.kinds.tolist(), board.labels.tolist(), strict=True))
    trial = Trial(tuner)
    for fold in folds(strata, options.folds, options.repeats, options.seed):
        for way in tuner.ways:
            trial.add(way, fold, tuner.decided(way, fold.train))
        on_fold()
    return trial


class Trial:
    """What every way cost on every item while it was held out, over all repeats."""

    def __init__(self, tuner: Tuner) -> None:
        self.ways = tuner.ways
        self._labels, self._costs, self._options = tuner.board.labels, tuner.unit_costs, tuner.options
        self._counts = {way: np.zeros((len(self._labels), 4), np.int64) for way in self.ways}
        """Per item, how often each verdict was given."""

    def add(self, way: Way, fold: Fold, ranks: Ranks) -> None:
        self._counts[way][fold.test, ranks[fold.test]] += 1

    def chosen(self) -> Way:
        """Return the fullest way of which each step on the way to it is shown to save."""
        best: Way = "current"
        for way in self.ways:
            if way not in ("current", "blind", "equal") and self._beats(way, best) and self._beats(way, "blind"):
                best = way
        return best

    def saved(self, way: Way, other: Way) -> Interval:
        """Return the loss that one way saves against another, per decision."""
        found = paired_bootstrap(
            (self._losses(other) - self._losses(way)).tolist(), self._options.level, seed=self._options.seed
        )
        assert found is not None
        return found

    def scored(self) -> tuple[Scored, ...]:
        return tuple([self._scored(way) for way in self.ways])

    def _beats(self, way: Way, other: Way) -> bool:
        return self.saved(way, other).low > 0

    def _scored(self, way: Way) -> Scored:
        shares = self._counts[way] / self._options.repeats
        labels = self._labels
        right = shares[np.arange(len(labels)), labels]
        accuracy = paired_bootstrap(right.tolist(), self._options.level, seed=self._options.seed)
        assert accuracy is not None
        reject = STRICTNESS["reject"]
        return Scored(
            way=way,
            loss=float(self._losses(way).mean()),
            accuracy=accuracy,
            unsafe=float(np.where(labels >= reject, shares[:, 0], 0).mean()),
            needless=float(np.where(labels < reject, shares[:, reject:].sum(axis=1), 0).mean()),
            saved=None if way == "current" else self.saved(way, "current"),
        )

    def _losses(self, way: Way) -> NDArray[np.float64]:
        """Return the mean loss of every item."""
        units = (self._counts[way] * self._costs).sum(axis=1)
        losses: NDArray[np.float64] = units / (self._options.repeats * self._options.costs.scale)
        return losses
