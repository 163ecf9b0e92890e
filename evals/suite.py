"""Suites: cases with what is expected of the council, as values. `evals.suite_document` reads them from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

from evals.decisions import Axis
from evals.gates import GateRule
from policies.contracts.reading import ReadRequest
from policies.verdicts import DecisionType, Verdict
from policies.verdicts import Path as DecisionPath

SUITE_SCHEMA: Final = "council.suite/1"


class Band(NamedTuple):
    """Where a number must lie, ends included."""

    least: Fraction | None = None
    most: Fraction | None = None

    def holds(self, value: Fraction) -> bool:
        """Whether a value lies in the band."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


class WantedVetoes(NamedTuple):
    """Rules that must have fired and acted."""

    rules: tuple[str, ...]
    is_exact: bool = False
    """Whether no other rule may have fired; with no rules: none at all."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """What must come of a case; None or empty where nothing is expected.

    Attributes:
        verdicts: verdicts of the council that are right.
        is_label: whether the verdict must be the label: of a case, or the settled one of a recorded decision.
        vetoes: rules that must have fired in enforce mode.
        path: how it must have been decided.
        evidence: signals that the rules and votes that decided must cite.
        modifications: conditions that must be among the required ones, each with at least these keys.
        confidence: of the decision, 0 to 1.
        cost_usd: of the case's model calls, dollars.
        latency_ms: from intake to verdict, milliseconds.
    """

    verdicts: tuple[Verdict, ...] = ()
    is_label: bool = False
    vetoes: WantedVetoes | None = None
    path: DecisionPath | None = None
    evidence: tuple[str, ...] = ()
    modifications: tuple[Mapping[str, Any], ...] = ()
    confidence: Band | None = None
    cost_usd: Band | None = None
    latency_ms: Band | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One request and what is right for it.

    Attributes:
        case_id: unique within the suite.
        about: what happens, one line.
        request: the request's document, edits applied.
        read: the same, validated.
        expect: what must come of it.
        label: the right verdict; None where nobody has said.
        reason: why the label is right.
        axis: what the case is about, of the three that the council exists for.
        tags: free words.
        file: where it stands.
        line: its line there.
    """

    case_id: str
    about: str
    request: Mapping[str, Any]
    read: ReadRequest
    expect: Expectations
    label: Verdict | None = None
    reason: str = ""
    axis: Axis | None = None
    tags: tuple[str, ...] = ()
    file: str = ""
    line: int = 0

    @property
    def decision_type(self) -> DecisionType:
        return self.read.request.decision_type


@dataclass(frozen=True, slots=True)
class Where:
    """Which recorded decisions a query takes; None takes all.

    Attributes:
        policy: content hash of the policy that decided, or its first digits.
        labelled: whether they must, or must not, have a settled label.
        since: recorded then or later, as the record writes times (ISO 8601, UTC, milliseconds).
        until: recorded before then.
    """

    realm: str | None = None
    decision_type: DecisionType | None = None
    verdict: Verdict | None = None
    path: DecisionPath | None = None
    policy: str | None = None
    labelled: bool | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Cases out of recorded decisions.

    Attributes:
        query_id: unique within the suite, among its cases too; its cases are named "query_id/decision_id".
        limit: most decisions taken, in the order of their chains; None: all.
    """

    query_id: str
    where: Where
    expect: Expectations
    about: str = ""
    axis: Axis | None = None
    tags: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite, whole and checked.

    Attributes:
        path: the file that it was read from.
        policy: file of the policy that it is written for; None: whichever decides.
        gates: what a run must reach, in the order of the file.
        content_hash: SHA-256 of the suite's canonical form: expectations, labels, gates and whole requests, wherever they
            stand; not the words about them.
    """

    suite_id: str
    version: int
    about: str
    path: Path
    policy: Path | None
    gates: tuple[GateRule, ...]
    cases: tuple[Case, ...]
    queries: tuple[Query, ...]
    content_hash: str

    def case(self, case_id: str) -> Case | None:
        """Return a case by its id, or None."""
        return next((case for case in self.cases if case.case_id == case_id), None)
