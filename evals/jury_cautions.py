"""Words of caution beside a jury's numbers: what they rest on, and what they cannot say. Pure."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from evals.jury import Jury
from evals.jury_members import MemberReport, errors
from evals.statistics.paired import mcnemar_exact
from policies.verdicts import VERDICTS, Verdict

FEW_VOTES: Final = 100
"""Votes below which a calibration error is mostly noise: ten bins of ten."""


def cautions(jury: Jury, reports: Sequence[MemberReport], level: float) -> tuple[str, ...]:
    """Return what a reader should know before believing the report, most important first; empty where all is well."""
    n = len(jury.labelled)
    if n == 0:
        return ("no labelled decision: nobody can say who is right, only who agrees with whom",)
    found = []
    if not tells_members_apart(jury, reports, level):
        found.append(f"{_decisions(n)}: no member can be told from another")
    found += _one_sided(jury)
    found += [_faultless(report) for report in reports if _is_faultless(report)]
    found += _confidence(reports)
    if len(jury.items) > n:
        rest = len(jury.items) - n
        found.append(f"{rest} of {len(jury.items)} decisions have no settled label and count for agreement only")
    return tuple(found)


def tells_members_apart(jury: Jury, reports: Sequence[MemberReport], level: float) -> bool:
    """Return whether any two members differ in accuracy beyond chance, all pairs taken together.

    Exact McNemar on the items that both voted on, each at (1 - level) / pairs (Bonferroni).
    """
    wrong = {report.member: errors(jury.labelled, report.member) for report in reports}
    pairs = list(combinations(wrong, 2))
    return any(_p_value(wrong[first], wrong[second]) <= (1 - level) / len(pairs) for first, second in pairs)


def _p_value(first: dict[str, bool], second: dict[str, bool]) -> float:
    common = [item for item in first if item in second]
    only_first = sum(first[item] and not second[item] for item in common)
    only_second = sum(second[item] and not first[item] for item in common)
    return mcnemar_exact(only_first, only_second)


def _decisions(n: int) -> str:
    return f"{n} labelled decision{'' if n == 1 else 's'}"


def _one_sided(jury: Jury) -> list[str]:
    labels = {item.label for item in jury.labelled}
    votes = {ballot.verdict for item in jury.items for ballot in item.ballots.values()}
    missing: list[Verdict] = [verdict for verdict in VERDICTS if verdict in votes and verdict not in labels]
    if not missing:
        return []
    return [f"no label says {' or '.join(missing)}, though members vote so: how well they do it cannot be known"]


def _is_faultless(report: MemberReport) -> bool:
    return report.accuracy is not None and report.accuracy.estimate == 1


def _faultless(report: MemberReport) -> str:
    assert report.accuracy is not None
    interval = report.accuracy
    return f"{report.member} was never wrong in {interval.n}: its accuracy lies above {interval.low:.2f}, not at 1"


def _confidence(reports: Sequence[MemberReport]) -> list[str]:
    found = []
    flat = [report.member for report in reports if _is_flat(report)]
    if flat:
        found.append(f"{', '.join(flat)}: confidence never differs, so it says nothing about single votes")
    few = [report for report in reports if report.accuracy is not None and report.accuracy.n < FEW_VOTES]
    if few:
        most = max(report.accuracy.n for report in few if report.accuracy is not None)
        found.append(f"calibration from at most {most} votes a member is mostly noise, {FEW_VOTES} are a start")
    return found


def _is_flat(report: MemberReport) -> bool:
    return report.confidences == 1
