"""Each member of a jury by itself: how often it is right, how it errs, and what its confidence is worth. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from evals.decisions import is_needless_hold, is_unsafe_approval
from evals.jury import Ballot, Jury, JuryItem
from evals.statistics.calibration import Bin, Claim, Step, brier, ece, isotonic, reliability
from evals.statistics.intervals import LEVEL, Interval, wilson
from evals.statistics.jury_theory import Chances
from policies.verdicts import Verdict

ABSTAINED: Final = "abstained"


class MemberReport(NamedTuple):
    """One member over the items that it was asked about."""

    member: str
    asked: int
    abstained: int
    accuracy: Interval | None
    """Of its votes on labelled items; abstentions count neither way. None without such a vote."""
    unsafe_approvals: int
    needless_holds: int
    confusion: Mapping[str, Mapping[str, int]]
    """Per label, its votes, "abstained" included."""
    confidences: int
    """How many different confidences it claimed on labelled items."""
    ece: Fraction | None
    """Expected calibration error, ten bins of equal width; None without a vote on a labelled item."""
    ece_equal_mass: Fraction | None
    brier: Fraction | None
    reliability: tuple[Bin, ...]
    isotonic: tuple[Step, ...]
    chances: Chances | None
    """How it fares on a labelled item, silence included; None without labelled items."""


def member_report(jury: Jury, member: str, level: float = LEVEL) -> MemberReport:
    """Return what is known of one member."""
    ballots = [item.ballots[member] for item in jury.items if member in item.ballots]
    judged = _judged(jury.labelled, member)
    claims = [Claim(ballot.confidence, verdict == label) for ballot, verdict, label in judged]
    return MemberReport(
        member,
        len(ballots),
        sum(ballot.verdict is None for ballot in ballots),
        wilson(sum(claim.is_right for claim in claims), len(claims), level),
        sum(is_unsafe_approval(verdict, label) for _, verdict, label in judged),
        sum(is_needless_hold(verdict, label) for _, verdict, label in judged),
        _confusion(jury.labelled, member),
        len({claim.confidence for claim in claims}),
        ece(claims),
        ece(claims, binning="mass"),
        brier(claims),
        reliability(claims, level=level),
        isotonic(claims),
        _chances(len(jury.labelled), claims),
    )


def errors(items: Sequence[JuryItem], member: str) -> dict[str, bool]:
    """Return per labelled item that the member voted on whether it was wrong."""
    return {
        item.item: ballot.verdict != item.label
        for item in items
        if item.label is not None and (ballot := item.ballots.get(member)) is not None and ballot.verdict is not None
    }


def _judged(items: Sequence[JuryItem], member: str) -> list[tuple[Ballot, Verdict, Verdict]]:
    found = []
    for item in items:
        ballot = item.ballots.get(member)
        if ballot is not None and ballot.verdict is not None and item.label is not None:
            found.append((ballot, ballot.verdict, item.label))
    return found


def _confusion(items: Sequence[JuryItem], member: str) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for item in items:
        if member in item.ballots and item.label is not None:
            found.setdefault(item.label, Counter())[item.ballots[member].verdict or ABSTAINED] += 1
    return {label: dict(votes) for label, votes in found.items()}


def _chances(labelled: int, claims: Sequence[Claim]) -> Chances | None:
    if not labelled:
        return None
    right = sum(claim.is_right for claim in claims)
    return Chances(
        Fraction(right, labelled), Fraction(len(claims) - right, labelled), Fraction(labelled - len(claims), labelled)
    )
