"""How much a member's vote tells, and the weight that follows: log-odds, floored, shrunk to equal and made readable.

Of independent voters the best rule weighs each by the log-odds of being right (Nitzan and Paroush 1982, Int. Econ. Rev. 23,
289-297). Where a voter is not equally good at both answers, what its vote tells is log(TP/FN) + log(TN/FP), the log odds ratio
of vote and truth, and the weight is half of it; with both accuracies p it is log(p / (1 - p)) again (Ben-Yashar and Nitzan
1997, Int. Econ. Rev. 38, 175-186). So a member that approves everything weighs nothing, however often approving is right.

A verdict has three such questions in it, one per quota: at modify or stricter? at reject? at quarantine? A member has one weight
for all three, so its log-odds are averaged over those that the labels can answer, each counted by n1 n0 / n, n1 and n0 the
labels on either side. Where labels know two verdicts this is the one question that there is.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import log
from typing import Final, NamedTuple

from evals.ballot_board import ABSENT, LEVELS, Board, Flags, Rows

PRIOR: Final = 2.0
"""Items added to every table, spread as if vote and truth had nothing to do with each other: 1/2 a cell where both are even."""
DENOMINATOR: Final = 12
"""Proposed weights are whole twelfths: finer ones say more than the data do, and read badly."""
LEAST: Final = Fraction(1, DENOMINATOR)
"""Weight of a member that is no better than a coin: the merge wants weights above 0, and who sits is not for weights to say."""


class Competence(NamedTuple):
    """What one member's votes tell in one class."""

    member: str
    votes: int
    """Labelled items that it voted on."""
    log_odds: float | None
    """Natural logarithm; at most 0 is no better than a coin. None where it never voted on a question labels can answer."""
    variance: float
    """Sampling variance of `log_odds`."""
    weight: Fraction
    """Proposed, at least `LEAST`; the mean over members is near 1."""

    @property
    def is_a_coin(self) -> bool:
        return self.log_odds is not None and self.log_odds <= 0


class Learned(NamedTuple):
    """Weights learned from the votes of one class."""

    members: tuple[Competence, ...]
    shrinkage: float
    """Part of the way to equal weights, in [0, 1]; 1 where members cannot be told apart."""

    @property
    def weights(self) -> dict[str, Fraction]:
        return {found.member: found.weight for found in self.members}


def learn(board: Board, rows: Rows) -> Learned:
    """Learn weights from some items of a board."""
    judged = [_judged(board, rows, column) for column in range(len(board.members))]
    weights, shrinkage = weights_of([(value, variance) for value, variance, _ in judged])
    found = zip(board.members, judged, weights, strict=True)
    return Learned(
        tuple(
            [Competence(member, votes, value, variance, weight) for member, (value, variance, votes), weight in found]
        ),
        shrinkage,
    )


def weights_of(judged: Sequence[tuple[float | None, float]]) -> tuple[list[Fraction], float]:
    """Return weights from log-odds and their sampling variances, and the part of the way to equal weights.

    Floored at 0; then drawn to their mean by B = mean variance / variance among members, at most 1: what members differ by
    for want of data is taken out, and with much data nothing is (James and Stein 1961, positive part, variances pooled so
    that the order of members stays). Scaled to a mean of 1 and rounded to twelfths. A member that never
    voted gets the mean.

    Worked: log-odds 3, 1, 1, 1 of variance 0.25 have mean 1.5 and variance among members 1, so B = 1/4: 2.625, 1.125 each;
    over the mean, weights 7/4 and 3/4.
    """
    known = [max(0.0, value) for value, _ in judged if value is not None]
    mean = sum(known) / len(known) if known else 0.0
    if mean == 0:
        return [Fraction(1)] * len(judged), 1.0
    spread = sum((value - mean) ** 2 for value in known) / (len(known) - 1) if len(known) > 1 else 0.0
    noise = sum(variance for value, variance in judged if value is not None) / len(known)
    shrinkage = min(1.0, noise / spread) if spread > 0 else 1.0
    values = [mean if value is None else max(0.0, value) for value, _ in judged]
    return [readable((mean + (1 - shrinkage) * (value - mean)) / mean) for value in values], shrinkage


def log_odds(voted: Flags, true: Flags) -> tuple[float, float]:
    """Return half the log odds ratio of vote and truth, and its sampling variance.

    Worked: right on 40 of 50 true and on 40 of 50 false items; each cell gets 2 * 1/2 * 1/2 = 1/2 of the prior, so
    log(40.5 * 40.5 / (10.5 * 10.5)) / 2 = log(40.5 / 10.5) = 1.35, and the variance is (2 / 40.5 + 2 / 10.5) / 4 = 0.060.

    Args:
        voted: per item, whether the member says so.
        true: per item, whether it is so; some are, and some are not.
    """
    n = len(true)
    says, is_so = (float(voted.sum()) + PRIOR / 2) / (n + PRIOR), float(true.sum()) / n
    cells = [
        float(((voted == say) & (true == kind)).sum())
        + PRIOR * (says if say else 1 - says) * (is_so if kind else 1 - is_so)
        for say, kind in ((True, True), (False, False), (False, True), (True, False))
    ]
    value = (log(cells[0]) + log(cells[1]) - log(cells[2]) - log(cells[3])) / 2
    return value, sum(1 / cell for cell in cells) / 4


def _judged(board: Board, rows: Rows, column: int) -> tuple[float | None, float, int]:
    """Return a member's log-odds over the questions that labels answer, their variance, and its votes."""
    votes, labels = board.votes[rows, column], board.labels[rows]
    has_voted = votes < ABSENT
    votes, labels = votes[has_voted], labels[has_voted]
    total = value = variance = 0.0
    for level in LEVELS:
        true = labels >= level
        share = float(true.sum()) * float((~true).sum()) / max(1, len(true))
        if share > 0:
            found = log_odds(votes >= level, true)
            total, value, variance = total + share, value + share * found[0], variance + share * found[1]
    # The three questions are asked of the same items, so their variances are averaged, not divided by three.
    return (value / total, variance / total, len(votes)) if total else (None, 0.0, len(votes))


def readable(weight: float | Fraction) -> Fraction:
    """Return a weight rounded to twelfths, at least one."""
    return max(LEAST, Fraction(round(weight * DENOMINATOR), DENOMINATOR))
