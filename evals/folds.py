"""Folds of cross-validation: items dealt so that every fold has its part of every kind."""

from collections.abc import Hashable, Iterator, Sequence
from random import Random
from typing import NamedTuple

import numpy as np

from evals.ballot_board import Rows


class Fold(NamedTuple):
    """One part held out, and the rest to learn from."""

    repeat: int
    train: Rows
    test: Rows


def folds(strata: Sequence[Hashable], count: int, repeats: int, seed: int) -> Iterator[Fold]:
    """Deal items into folds, anew for every repeat; the same seed deals alike.

    Args:
        strata: per item its kind, such as class and label: folds differ by at most one item of each.
        count: folds of one repeat, at least 2.
    """
    random = Random(seed)
    kinds = list(dict.fromkeys(strata))
    for repeat in range(repeats):
        fold_of = np.zeros(len(strata), np.int64)
        dealt = 0
        for kind in kinds:
            members = [row for row, found in enumerate(strata) if found == kind]
            random.shuffle(members)
            for row in members:
                fold_of[row] = dealt % count
                dealt += 1
        for fold in range(count):
            held_out = fold_of == fold
            yield Fold(repeat, np.flatnonzero(~held_out), np.flatnonzero(held_out))
