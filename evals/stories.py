"""Why a case failed, in lines that a person reads: in the terminal and in the report of a failed test. Pure.

Lines hold text of requests and models as it is; whoever shows them makes them safe.
"""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from evals.results import CaseResult, VoteCast
from evals.suite import Case, Suite

MOST_REASONS: Final = 3
_BETWEEN: Final = {"verdict": " or "}
"""What stands between several names where it is not a comma: one of the verdicts is enough, of the others all are wanted."""
_LONGEST: Final = 300
"""Most characters of a value that is shown."""


def story(result: CaseResult, suite: Suite) -> tuple[str, ...]:
    """Return what happens in a case, what was expected and found, what is right and why, the votes and the reasons."""
    return tuple(_lines(result, suite.case(result.case)))


def _lines(result: CaseResult, case: Case | None) -> Iterator[str]:
    if case is not None:
        yield case.about
    if result.error:
        yield f"could not be judged: {result.error}"
    yield from _differences(result)
    if case is not None and case.reason and not result.error:
        yield f"why {result.label}: {case.reason}"
    yield from _heard(result)
    if case is not None:
        yield f"{case.file}:{case.line}"


def _differences(result: CaseResult) -> Iterator[str]:
    failed = [check for check in result.checks if not check.passed]
    for check in failed:
        wanted = _plain(check.expected, _BETWEEN.get(check.expectation, ", "))
        yield f"{check.expectation}: expected {wanted}, found {_plain(check.found, ', ')}"
    is_told = any(check.expectation == "verdict" and check.expected == result.label for check in failed)
    if result.label is not None and result.verdict not in (None, result.label) and not is_told:
        yield f"the label is {result.label}, the verdict {result.verdict}"


def _heard(result: CaseResult) -> Iterator[str]:
    """Yield what led to the verdict."""
    if result.votes:
        yield "votes: " + ", ".join(map(_vote, result.votes))
    if result.vetoes:
        yield f"rules that acted: {', '.join(result.vetoes)}"
    for reason in result.reasons[:MOST_REASONS]:
        yield f"council: {reason}"
    left = len(result.reasons) - MOST_REASONS
    if left > 0:
        yield f"council: and {left} more {'reason' if left == 1 else 'reasons'}"


def _vote(vote: VoteCast) -> str:
    return f"{vote.member} {vote.verdict or f'abstained ({vote.abstained})'}"


def _plain(value: Any, between: str) -> str:
    """Return a value of a check as people say it: lists of names in words, bands by their ends."""
    match value:
        case {"exactly": names}:
            text = f"exactly {_plain(names, ' and ')}"
        case {"none": True} | []:
            text = "none"
        case {"min": least, "max": most}:
            text = f"{least} to {most}"
        case {"min": least}:
            text = f"at least {least}"
        case {"max": most}:
            text = f"at most {most}"
        case list() if all(isinstance(item, str) for item in value):
            text = between.join(value)
        case _:
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
