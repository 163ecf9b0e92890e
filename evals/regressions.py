"""A run against a baseline: which cases fared well and no longer do. Pure.

What a difference is worth is a question for `council eval compare`; a regression is a fact about one case.
"""

from typing import NamedTuple

from evals.errors import NotEnoughError
from evals.results import CaseResult, Run
from policies.verdicts import Verdict


class Regression(NamedTuple):
    """A case that fared well in every repeat of the baseline, and does not in this run."""

    case: str
    before: Verdict | None
    now: Verdict | None
    why: str
    """What it fails now."""


class Measured(NamedTuple):
    """What a run is against its baseline."""

    regressions: tuple[Regression, ...]
    repaired: tuple[str, ...]
    """Cases that failed and fare well now."""
    compared: int
    """Cases that both runs judged."""
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]


def fares_well(result: CaseResult) -> bool:
    """Whether a result met every expectation and, where its case has a label, came to it."""
    return result.passed and (result.label is None or result.verdict == result.label)


def check_baseline(run: Run, path: str) -> None:
    """Refuse a run that cannot be a baseline.

    Raises:
        NotEnoughError: where it was cut off, holds cases that could not be judged, or was narrowed to a part.
    """
    judged = sum(not result.error for result in run.results)
    planned = len(run.header.cases) * run.header.repeats
    if not run.is_complete or judged < planned:
        told = f"{path!r} is a partial run: {judged} of {planned} results are judged"
        raise NotEnoughError(told, "finish it with the command that began it, then compare")
    if run.header.selection:
        told = f"{path!r} is a partial run: it was narrowed to {run.header.selection}"
        raise NotEnoughError(told, "make the baseline with the whole suite")


def measure(results: tuple[CaseResult, ...], baseline: Run) -> Measured:
    """Hold results against a baseline, case by case.

    Raises:
        NotEnoughError: where they have no case in common.
    """
    now, before = _by_case(results), _by_case(baseline.results)
    common = [case for case in now if case in before]
    if not common:
        told = f"the baseline, a run of {baseline.header.suite!r}, has no case in common with this run"
        raise NotEnoughError(told, "name a run of the same suite")
    was_well = [case for case in common if all(map(fares_well, before[case]))]
    regressions = [
        Regression(case, before[case][0].verdict, bad.verdict, why_not(bad))
        for case in was_well
        if (bad := next((each for each in now[case] if not fares_well(each)), None)) is not None
    ]
    repaired = [case for case in common if case not in was_well and all(map(fares_well, now[case]))]
    return Measured(
        tuple(regressions),
        tuple(repaired),
        len(common),
        tuple(case for case in now if case not in before),
        tuple(case for case in before if case not in now),
    )


def why_not(result: CaseResult) -> str:
    """Say what a result fails, in a line; "" where it fares well."""
    if result.error:
        return result.error
    failed = [each.expectation for each in result.checks if not each.passed]
    told = [f"fails {', '.join(failed)}"] if failed else []
    if result.label is not None and result.verdict != result.label:
        told.append(f"its label is {result.label}")
    return "; ".join(told)


def _by_case(results: tuple[CaseResult, ...]) -> dict[str, list[CaseResult]]:
    found: dict[str, list[CaseResult]] = {}
    for result in results:
        found.setdefault(result.case, []).append(result)
    return found
