"""Runs for tests: results with only what a test speaks of."""

from collections.abc import Iterable, Mapping
from typing import Any

from evals.results import CaseResult, Check, Run, RunHeader, VoteCast
from policies.verdicts import Verdict

HEADER = RunHeader(
    "run-1", "harbors", "5" * 64, "rules", 1, "aelvyndor", 1, "a" * 64, {}, {}, "2026-03-01T10:00:00.000Z", "0.1.0"
)
_RIGHT: dict[str, Verdict] = {"+": "reject", "-": "approve", "~": "quarantine"}


def result(case: str, verdict: Verdict | None = "reject", label: Verdict | None = "reject", **other: Any) -> CaseResult:
    """Return one result; without a verdict it is in error."""
    fields: dict[str, Any] = {
        "repeat": 0, "decision_type": "sovereign_action", "axis": None, "tags": (), "path": "council", "decided_by": "votes",
        "confidence": 1.0, "vetoes": (), "votes": (), "reasons": (f"because of {verdict}",), "modifications": (),
        "picodollars": 0, "model_calls": 0, "tokens": 0, "latency_ms": 0, "checks": (),
        "error": "" if verdict is not None else "the model did not answer",
    }  # fmt: skip
    return CaseResult(case, label=label, verdict=verdict, **{**fields, **other})


def run_of(results: Iterable[CaseResult], *, is_complete: bool = True, **header: Any) -> Run:
    """Return a run of these results."""
    return Run(HEADER._replace(**header), tuple(results), (), is_complete)


def marked(marks: str, **header: Any) -> Run:
    """Return a run whose cases, all labelled reject, are right at "+", approved at "-" and held too hard at "~"."""
    return run_of([result(f"case-{place:03}", _RIGHT[mark]) for place, mark in enumerate(marks)], **header)


def vote(member: str, verdict: Verdict | None, abstained: str | None = None) -> VoteCast:
    """Return one vote."""
    return VoteCast(member, verdict, 900, "rules", abstained)


def check(expectation: str, passed: bool, found: Mapping[str, Any] | str = "") -> Check:
    """Return how one expectation fared."""
    return Check(expectation, passed, "as expected", found)
