"""Results of cases from their records: what runs write, in the words of `evals.results`. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from evals.decisions import Axis
from evals.expectations import acting_rules, check, picodollars_of, required
from evals.results import CaseResult, VoteCast
from evals.suite import Expectations
from policies.verdicts import DecisionType, Verdict


class Subject(NamedTuple):
    """What a result is about: a case in one of its repeats."""

    case: str
    repeat: int
    decision_type: DecisionType
    axis: Axis | None
    tags: tuple[str, ...]
    label: Verdict | None
    expect: Expectations


def result_of(subject: Subject, record: Mapping[str, Any], latency_ms: int) -> CaseResult:
    """Return the result of a case that was decided.

    Args:
        record: document of its record.
        latency_ms: from intake to verdict.
    """
    answer, merge = record["answer"], record["merge"]
    cost = answer["cost"]
    return CaseResult(
        case=subject.case,
        repeat=subject.repeat,
        decision_type=subject.decision_type,
        axis=subject.axis,
        tags=subject.tags,
        label=subject.label,
        verdict=record["council_verdict"],
        path=record["path"],
        decided_by=merge["decided_by"] if merge is not None else None,
        confidence=answer["confidence"],
        vetoes=acting_rules(record),
        votes=tuple([_vote(vote) for vote in answer["votes"]]),
        reasons=tuple(answer["reasons"]),
        modifications=required(record),
        picodollars=picodollars_of(record),
        model_calls=cost["model_calls"],
        tokens=cost["tokens"],
        latency_ms=latency_ms,
        checks=check(subject.expect, record, subject.label, latency_ms),
        record=record,
    )


def unjudged(subject: Subject, error: str, record: Mapping[str, Any] | None = None, latency_ms: int = 0) -> CaseResult:
    """Return the result of a case that could not be judged.

    Args:
        error: why, in a sentence.
        record: what came of it all the same, where something did.
    """
    if record is not None:
        return result_of(subject, record, latency_ms)._replace(verdict=None, checks=(), error=error)
    return CaseResult(
        case=subject.case,
        repeat=subject.repeat,
        decision_type=subject.decision_type,
        axis=subject.axis,
        tags=subject.tags,
        label=subject.label,
        verdict=None,
        path=None,
        decided_by=None,
        confidence=0.0,
        vetoes=(),
        votes=(),
        reasons=(),
        modifications=(),
        picodollars=0,
        model_calls=0,
        tokens=0,
        latency_ms=latency_ms,
        checks=(),
        error=error,
    )


def _vote(vote: Mapping[str, Any]) -> VoteCast:
    return VoteCast(vote["member"], vote["verdict"], vote["confidence"], vote["source"], vote.get("abstained"))
