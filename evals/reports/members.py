"""Members of the council in a run: how often each was right, sided with the council, and could have decided. Pure.

Only the first repeat of a case is read: its repeats are no further cases, and would make every interval look too narrow.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from evals.jury import COUNCIL, Ballot, Jury, JuryItem
from evals.jury_members import MemberReport, errors, member_report
from evals.results import CaseResult
from evals.statistics.agreement import krippendorff_alpha
from evals.statistics.calibration import Bin, Claim, ece, reliability
from evals.statistics.intervals import Interval, wilson
from evals.statistics.jury_theory import effective_votes, error_correlation
from policies.power import power
from policies.verdicts import STRICTNESS, VERDICTS, Verdict

_STOP: Verdict = "reject"
"""Power is told for the quota that stops a change."""


class MemberLine(NamedTuple):
    """One member in a run."""

    report: MemberReport
    agreement: Interval | None
    """Share of its votes that are the council's verdict."""
    power: Fraction | None
    """Its part of all swings at the quota that stops a change (normalised Banzhaf), among the seats met most often."""


class MemberFigures(NamedTuple):
    """All members together."""

    lines: tuple[MemberLine, ...]
    bins: tuple[Bin, ...]
    """Reliability of all labelled votes together."""
    ece: Fraction | None
    alpha: float | None
    """Krippendorff's alpha of the votes on the ordered scale."""
    correlation: float | None
    """Mean correlation of the errors of two members; None where no pair can be compared."""
    effective: float | None
    """Independent votes that the members are worth."""
    cases: int
    """Cases that members voted on."""


def member_figures(results: Sequence[CaseResult]) -> MemberFigures:
    """Return what a run says of its members; without a vote everything is empty or None."""
    first = [each for each in results if each.votes and each.repeat == 0 and each.verdict is not None]
    jury = Jury(COUNCIL, tuple(map(_item, first)), "")
    seated = [member for member in COUNCIL if any(member in item.ballots for item in jury.items)]
    powers = _powers(first)
    claims = _claims(jury)
    correlation = _correlation(jury, seated)
    return MemberFigures(
        tuple([MemberLine(member_report(jury, name), _agreement(jury, name), powers.get(name)) for name in seated]),
        reliability(claims),
        ece(claims),
        krippendorff_alpha(_ratings(jury, seated), len(VERDICTS), "ordinal") if len(seated) > 1 else None,
        correlation,
        None if correlation is None else effective_votes(len(seated), correlation),
        len(first),
    )


def _item(result: CaseResult) -> JuryItem:
    ballots = {vote.member: Ballot(vote.verdict, vote.confidence) for vote in result.votes}
    return JuryItem(result.case, result.decision_type, ballots, result.verdict, result.label)


def _agreement(jury: Jury, member: str) -> Interval | None:
    cast = [(item.ballots[member].verdict, item.verdict) for item in jury.items if member in item.ballots]
    voted = [(vote, verdict) for vote, verdict in cast if vote is not None]
    return wilson(sum(vote == verdict for vote, verdict in voted), len(voted))


def _claims(jury: Jury) -> list[Claim]:
    return [
        Claim(ballot.confidence, ballot.verdict == item.label)
        for item in jury.labelled
        for ballot in item.ballots.values()
        if ballot.verdict is not None
    ]


def _ratings(jury: Jury, members: Sequence[str]) -> list[list[int | None]]:
    rows = [[item.ballots.get(member) for member in members] for item in jury.items]
    return [
        [None if cast is None or cast.verdict is None else STRICTNESS[cast.verdict] for cast in row] for row in rows
    ]


def _correlation(jury: Jury, members: Sequence[str]) -> float | None:
    """Return the mean of phi over the pairs of members that have one."""
    wrong = {member: errors(jury.labelled, member) for member in members}
    found = []
    for one, other in combinations(members, 2):
        both = [item for item in wrong[one] if item in wrong[other]]
        phi = error_correlation([wrong[one][item] for item in both], [wrong[other][item] for item in both])
        if phi is not None:
            found.append(phi.estimate)
    return sum(found) / len(found) if found else None


def _powers(results: Sequence[CaseResult]) -> Mapping[str, Fraction]:
    """Return the members' power by the weights and the quota that most records were merged with."""
    games = [game for each in results if (game := _game(each.record)) is not None]
    if not games:
        return {}
    weights, quota = max(games, key=games.count)
    return {found.player: found.banzhaf_share for found in power(dict(weights), quota)}


def _game(record: Mapping[str, Any] | None) -> tuple[tuple[tuple[str, Fraction], ...], Fraction] | None:
    merged = record["merge"] if record else None
    if not merged or merged.get("rule", "quota") != "quota" or _STOP not in merged["quotas"]:
        return None
    weights = tuple([(term["member"], Fraction(term["weight"])) for term in merged["terms"]])
    return (weights, Fraction(merged["quotas"][_STOP])) if weights else None
