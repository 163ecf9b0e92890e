"""Calibration: whether a confidence of 900 permille is right nine times in ten, and what each confidence is worth.

Sources: Brier 1950, Mon. Weather Rev. 78, 1-3; Naeini, Cooper and Hauskrecht 2015, AAAI 29, 2901-2907 (expected calibration
error); Ayer et al. 1955, Ann. Math. Stat. 26, 641-647 (pool adjacent violators).
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import Final, Literal, NamedTuple

from evals.statistics.intervals import LEVEL, Interval, wilson
from policies.calibration import Steps

FULL: Final = 1000
"""Permille."""
Binning = Literal["width", "mass"]


class Claim(NamedTuple):
    """One vote's confidence, and whether the vote was right."""

    confidence: int
    """Permille, 0 to 1000."""
    is_right: bool


class Bin(NamedTuple):
    """Votes of like confidence: one bar of a reliability diagram."""

    low: int
    """Least confidence in it, permille: the bin's edge for equal width, the least vote for equal mass."""
    high: int
    confidence: Fraction
    """Mean confidence of its votes, in [0, 1]."""
    right: Interval
    """Share of right votes with its Wilson interval."""


class Step(NamedTuple):
    """What confidences from `confidence` up to the next step are worth."""

    confidence: int
    """Least confidence of the step, permille."""
    permille_right: int
    """Share of right votes, rounded half to even: what a policy's table takes."""
    right: int
    """Right votes of the step: the exact share is right / n."""
    n: int


def reliability(
    claims: Sequence[Claim], bins: int = 10, binning: Binning = "width", level: float = LEVEL
) -> tuple[Bin, ...]:
    """Return the reliability diagram: bins that hold votes, mildest confidence first.

    Args:
        bins: how many at most, at least 1.
        binning: "width" cuts [0, 1000] into equal parts, the last one closed; "mass" puts as many votes into each, and never
            parts votes of one confidence.
    """
    if bins < 1:
        raise ValueError("at least one bin is needed")
    groups = _by_width(claims, bins) if binning == "width" else _by_mass(claims, bins)
    return tuple([_bin(low, high, found, level) for low, high, found in groups])


def ece(claims: Sequence[Claim], bins: int = 10, binning: Binning = "width") -> Fraction | None:
    """Return the expected calibration error: how far confidence and share of right votes lie apart, on average by votes.

    Sum over bins of n_b / n * |right_b - confidence_b|. Worked: ten votes at 900 of which 6 are right, ten at 700 of which 7
    are: 1/2 * 0.3 + 1/2 * 0 = 0.15.

    Returns:
        In [0, 1], exact; None without votes. Votes that all claim the same say nothing of how claims rank.
    """
    groups = _by_width(claims, bins) if binning == "width" else _by_mass(claims, bins)
    if not claims:
        return None
    gaps = [abs(sum(c.is_right for c in found) - Fraction(_total(found), FULL)) for _, _, found in groups]
    return sum(gaps, Fraction(0)) / len(claims)


def brier(claims: Sequence[Claim]) -> Fraction | None:
    """Return the mean squared distance of confidence from what came true: 0 is perfect, 1/4 a coin, 1 always sure and wrong.

    Worked: one right vote at 900 and one wrong at 600: (0.01 + 0.36) / 2 = 0.185.
    """
    if not claims:
        return None
    squares = sum((FULL * claim.is_right - claim.confidence) ** 2 for claim in claims)
    return Fraction(squares, FULL * FULL * len(claims))


def isotonic(claims: Sequence[Claim]) -> tuple[Step, ...]:
    """Return what confidences are worth as rising steps, by pooling adjacent violators (Ayer et al. 1955); exact.

    The best fit in squares among tables that never fall. Worked: at 700 one of two right, at 800 none of one, at 900 one of
    one: 700 and 800 are pooled to 1 of 3, so the steps are 700: 333 permille and 900: 1000.

    Returns:
        Steps by confidence, rising in both; empty without votes. Steps of few votes are worth little: look at `n`.
    """
    pooled: list[Step] = []
    for confidence, same in groupby(sorted(claims), key=lambda claim: claim.confidence):
        found = list(same)
        step = _step(confidence, sum(claim.is_right for claim in found), len(found))
        while pooled and pooled[-1].right * step.n >= step.right * pooled[-1].n:
            before = pooled.pop()
            step = _step(before.confidence, before.right + step.right, before.n + step.n)
        pooled.append(step)
    return tuple(pooled)


def policy_table(steps: Sequence[Step]) -> Steps:
    """Return steps as a policy carries them: the first one holds from 0, whatever the least confidence seen.

    >>> policy_table([Step(700, 333, 1, 3), Step(900, 1000, 1, 1)])
    ((0, 333), (900, 1000))
    """
    return tuple([(step.confidence if place else 0, step.permille_right) for place, step in enumerate(steps)])


def _step(confidence: int, right: int, n: int) -> Step:
    return Step(confidence, round(Fraction(right * FULL, n)), right, n)


def _bin(low: int, high: int, claims: Sequence[Claim], level: float) -> Bin:
    right = wilson(sum(claim.is_right for claim in claims), len(claims), level)
    assert right is not None
    return Bin(low, high, Fraction(_total(claims), FULL * len(claims)), right)


def _total(claims: Sequence[Claim]) -> int:
    return sum(claim.confidence for claim in claims)


def _by_width(claims: Sequence[Claim], bins: int) -> list[tuple[int, int, list[Claim]]]:
    found: dict[int, list[Claim]] = {}
    for claim in sorted(claims):
        found.setdefault(min(claim.confidence * bins // FULL, bins - 1), []).append(claim)
    return [(-(-place * FULL // bins), -(-(place + 1) * FULL // bins), votes) for place, votes in found.items()]


def _by_mass(claims: Sequence[Claim], bins: int) -> list[tuple[int, int, list[Claim]]]:
    groups: list[list[Claim]] = []
    done = 0
    for _, same in groupby(sorted(claims), key=lambda claim: claim.confidence):
        votes = list(same)
        # A confidence opens a bin where the votes before it have filled one.
        if not groups or done * bins >= len(claims) * len(groups):
            groups.append([])
        groups[-1] += votes
        done += len(votes)
    return [(votes[0].confidence, votes[-1].confidence, votes) for votes in groups]
