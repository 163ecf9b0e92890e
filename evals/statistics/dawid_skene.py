"""Dawid-Skene: how good members would be if their errors were independent, from votes alone. A diagnosis, never a truth.

The model believes what members agree on. Where they err together, it takes the shared error for the truth and calls the
member that was right a bad one; so nothing of it enters weights, labels or gates.

Source: Dawid and Skene 1979, Appl. Stat. 28, 20-28.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NO_TRUTH: Final = "an estimate from agreement alone, no truth: members that err together look right"


class DawidSkene(NamedTuple):
    """What the model makes of votes."""

    shares: tuple[float, ...]
    """Per class, how common it is estimated to be."""
    confusion: tuple[tuple[tuple[float, ...], ...], ...]
    """Per rater and estimated class, the chance of each rating; a class that the rater never met has a row of zeros."""
    accuracy: tuple[float | None, ...]
    """Per rater, estimated chance of the estimated class; None for a rater without ratings."""
    posterior: tuple[tuple[float, ...], ...]
    """Per item, the chance of each class; where nobody rated the item, the shares."""
    log_likelihoods: tuple[float, ...]
    """After every round; they never fall."""
    converged: bool
    """Whether the last round gained less than the tolerance."""

    @property
    def classes(self) -> tuple[int, ...]:
        """Per item, the likeliest class; ties to the lower one."""
        return tuple([row.index(max(row)) for row in self.posterior])


def dawid_skene(
    counts: Sequence[Sequence[Sequence[int]]], *, rounds: int = 1000, tolerance: float = 1e-7
) -> DawidSkene | None:
    """Estimate classes and error rates by expectation and maximisation (Dawid and Skene 1979, equations 2.3 to 2.5).

    It starts from each item's shares of ratings (equation 3.1): no chance is involved, the same votes give the same answer.

    Args:
        counts: items x raters x classes, how often the rater put the item there.
        rounds: most rounds.
        tolerance: least gain of log-likelihood that is worth another round.

    Returns:
        None without a rating.
    """
    votes = np.asarray(counts, dtype=np.float64)
    if votes.ndim != 3 or not votes.sum():
        return None
    # Items with the same votes share one row, which counts as often: the time hangs on patterns, not on items.
    patterns, place, times = np.unique(votes, axis=0, return_inverse=True, return_counts=True)
    shares_of_items = times / len(votes)
    posterior = _start(patterns, times)
    likelihoods: list[float] = []
    converged = False
    while not converged and len(likelihoods) < rounds:
        shares, confusion = _maximise(patterns, posterior, shares_of_items)
        posterior, logs = _expect(patterns, shares, confusion)
        likelihood = float(logs @ times)
        converged = bool(likelihoods) and likelihood - likelihoods[-1] < tolerance
        likelihoods.append(likelihood)
    shares, confusion = _maximise(patterns, posterior, shares_of_items)
    return DawidSkene(
        tuple(shares.tolist()),
        tuple([tuple([tuple(row) for row in rater]) for rater in confusion.tolist()]),
        _accuracy(patterns, posterior, shares_of_items),
        tuple([tuple(row) for row in posterior[place.ravel()].tolist()]),
        tuple(likelihoods),
        converged,
    )


def _start(votes: Floats, times: NDArray[np.int64]) -> Floats:
    by_class: Floats = votes.sum(axis=1)
    rated = by_class.sum(axis=1, keepdims=True)
    overall = times @ by_class / (times @ by_class).sum()
    started: Floats = np.where(rated > 0, by_class / np.maximum(rated, 1), overall)
    return started


def _maximise(votes: Floats, posterior: Floats, weights: Floats) -> tuple[Floats, Floats]:
    shares: Floats = weights @ posterior
    together: Floats = np.einsum("ij,irk->rjk", posterior * weights[:, None], votes)
    total = together.sum(axis=2, keepdims=True)
    return shares, np.divide(together, total, out=np.zeros_like(together), where=total > 0)


def _expect(votes: Floats, shares: Floats, confusion: Floats) -> tuple[Floats, Floats]:
    """Return the chance of each class and the log-likelihood, per row."""
    with np.errstate(divide="ignore"):
        logs, prior = np.log(confusion), np.log(shares)
    # A rating that never happened counts 0 times the logarithm of 0: nothing.
    weighed = np.einsum("irk,rjk->ij", votes, np.where(np.isneginf(logs), 0.0, logs))
    impossible = np.einsum("irk,rjk->ij", votes, np.isneginf(logs).astype(np.float64)) > 0
    joint = np.where(impossible, -np.inf, weighed + prior)
    top = joint.max(axis=1, keepdims=True)
    scaled = np.exp(joint - top)
    total = scaled.sum(axis=1, keepdims=True)
    return scaled / total, (top + np.log(total))[:, 0]


def _accuracy(votes: Floats, posterior: Floats, weights: Floats) -> tuple[float | None, ...]:
    hits = np.einsum("ij,irj->r", posterior * weights[:, None], votes)
    totals = weights @ votes.sum(axis=2)
    return tuple([float(hit / total) if total else None for hit, total in zip(hits, totals, strict=True)])
