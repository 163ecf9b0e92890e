"""Results of a run: one per case and repeat, each with what was expected of it. What runs write, and compare and reports read."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from evals.decisions import Axis
from policies.verdicts import DecisionType, Path, Verdict

RUN_SCHEMA = "council.run/1"
Mode = Literal["recorded", "rules", "cassette", "live"]
"""Where votes come from: the record, the rule judges, a cassette of model calls, models."""


class VoteCast(NamedTuple):
    """One vote as it counted."""

    member: str
    verdict: Verdict | None
    confidence: int
    """Permille."""
    source: str
    """rules or model."""
    abstained: str | None = None


class Check(NamedTuple):
    """One expectation of a case, and how it fared."""

    expectation: str
    """Its key: verdict, vetoes, path, evidence, modifications, confidence, cost_usd, latency_ms."""
    passed: bool
    expected: Any
    found: Any


class CaseResult(NamedTuple):
    """What became of one case in one repeat."""

    case: str
    repeat: int
    """From 0."""
    decision_type: DecisionType
    axis: Axis | None
    tags: tuple[str, ...]
    label: Verdict | None
    """The right verdict; None where the case has none."""
    verdict: Verdict | None
    """None where the case could not be judged: `error` says why."""
    path: Path | None
    decided_by: str | None
    confidence: float
    vetoes: tuple[str, ...]
    """Ids of the rules that fired in enforce mode."""
    votes: tuple[VoteCast, ...]
    reasons: tuple[str, ...]
    modifications: tuple[Mapping[str, Any], ...]
    picodollars: int
    model_calls: int
    tokens: int
    latency_ms: int
    checks: tuple[Check, ...]
    error: str = ""
    record: Mapping[str, Any] | None = None
    """The whole record's document: the run log keeps everything."""

    @property
    def passed(self) -> bool:
        """Whether it was judged, and every expectation held."""
        return not self.error and all(check.passed for check in self.checks)


class RunHeader(NamedTuple):
    """What a run was made of: with the suite and the policy at hand it can be made again."""

    run_id: str
    suite: str
    suite_hash: str
    """SHA-256 of the suite's canonical form, its cases included."""
    mode: Mode
    repeats: int
    policy_id: str
    policy_version: int
    policy_hash: str
    models: Mapping[str, str]
    """Per member its model; empty in modes that ask none."""
    prompts: Mapping[str, str]
    """Per member the hash of its prompt; empty in modes that ask none."""
    started_at: str
    version: str
    """Version of this product."""
    cases: tuple[str, ...] = ()
    """Every case that the run is to judge, in the order of the suite."""
    selection: str = ""
    """What the run was narrowed to: "tag=empire case=x"; "" is the whole suite."""


class Gate(NamedTuple):
    """One gate of a suite, and how it fared."""

    gate: str
    """As written: "unsafe_approvals == 0"."""
    passed: bool
    value: float | None
    """None where the metric has no value: no labels, nothing judged."""


class Run(NamedTuple):
    """A run as its log says it."""

    header: RunHeader
    results: tuple[CaseResult, ...]
    gates: tuple[Gate, ...]
    is_complete: bool
    """Whether the log is closed: only then may it be a baseline."""
