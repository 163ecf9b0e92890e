"""Drawing cases again with replacement: seeded, and in blocks, so that many cases fit through little memory."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 2000
"""Resamples unless others are asked for: an end of a 95 % interval then rests on the 50 most extreme ones."""
SEED: Final = 20260101
"""Seed unless another is asked for: the same input gives the same output."""
_BLOCK: Final = 4_000_000
"""Numbers drawn at once."""


def drawn(n: int, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Draw n of n cases with replacement, so many times; yield blocks of positions, one resample a row."""
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // max(1, n))
    for start in range(0, resamples, step):
        yield generator.integers(0, n, (min(step, resamples - start), n))


def resampled_sums(columns: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Return the sums of every column (cases x columns) over each resample: resamples x columns.

    Every statistic that is a function of sums over cases is bootstrapped by this one function.
    """
    n, width = columns.shape
    sums = np.empty((resamples, width))
    at = 0
    for block in drawn(n, resamples, seed):
        for column in range(width):
            sums[at : at + len(block), column] = columns[:, column][block].sum(axis=1)
        at += len(block)
    return sums
