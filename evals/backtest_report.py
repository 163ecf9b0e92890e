"""What a backtest comes to: how often verdicts change, where, by what, and what that is worth by the labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.backtest import Flip, Judged, Unjudgeable
from evals.columns import DISPUTED, FAST, NONE, Columns
from evals.statistics.intervals import Interval, wilson
from evals.turning import CauseKind
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, STRICTNESS, Verdict

REPORT_SCHEMA: Final = "council.backtest/1"
FailOn = Literal["any", "milder", "unsafe"]

_REJECT: Final = STRICTNESS["reject"]
_MODIFY: Final = STRICTNESS["modify"]


class PolicyName(NamedTuple):
    """A policy as reports name it."""

    policy_id: str
    version: int
    hash: str


class Counts(NamedTuple):
    """How decisions of one kind fared."""

    name: str
    decisions: int
    judged: int
    changed: int
    milder: int
    stricter: int
    rate: Interval | None
    """Share of the judged that change; None where none was judged."""


class Transition(NamedTuple):
    """How often one verdict becomes another."""

    before: Verdict
    after: Verdict
    decisions: int


class CauseCount(NamedTuple):
    """How many verdicts one thing turned."""

    kind: CauseKind
    name: str
    flips: int
    milder: int
    stricter: int
    alone: int
    """Of them, those that it turns with everything else as before."""


class Labelled(NamedTuple):
    """How the judged decisions stand to what people hold to be right, before and after."""

    decisions: int
    """Judged, with a settled label."""
    disputed: int
    """Judged and labelled, but labellers do not agree: no truth to score against."""
    unsafe_before: int
    unsafe_after: int
    new_unsafe: int
    """Unsafe approvals that were none before."""
    needless_before: int
    needless_after: int
    right_before: Interval | None
    right_after: Interval | None


class BacktestReport(NamedTuple):
    """A whole backtest."""

    schema: str
    source: str
    policy: PolicyName
    decided_by: tuple[PolicyName, ...]
    """Policies that decided, in order of first appearance."""
    all: Counts
    by_type: tuple[Counts, ...]
    by_realm: tuple[Counts, ...]
    transitions: tuple[Transition, ...]
    causes: tuple[CauseCount, ...]
    """A flip counts for everything that turned it, so that the counts may sum to more than the flips."""
    labelled: Labelled
    unjudged_by_kind: Mapping[str, int]
    merged_anew: int
    judged_anew: int
    convened_before: int
    """Of the judged, those that did not take the fast path."""
    convened_after: int
    untried: tuple[tuple[str, str, int], ...]
    """Rule, signal, and in how many cases the rule did not act because the signal cannot be computed from the request."""
    flips: tuple[Flip, ...]
    unjudged: tuple[Unjudgeable, ...]

    def fails(self, fail_on: FailOn) -> bool:
        """Whether something changed that the caller does not want."""
        match fail_on:
            case "any":
                return self.all.changed > 0
            case "milder":
                return self.all.milder > 0
            case "unsafe":
                return self.labelled.new_unsafe > 0


def report_of(
    columns: Columns, judged: Judged, policies: Mapping[str, Policy], new: PolicyName, source: str
) -> BacktestReport:
    """Return what a backtest comes to.

    Args:
        policies: those that decided, by content hash.
        new: the policy that decided anew.
        source: where the decisions come from, as people know it.
    """
    arrays, rows = columns.arrays, judged.rows
    types = arrays.decision_types[rows]
    by_type = [_counts(name, columns, judged, rows[types == code]) for code, name in enumerate(DECISION_TYPES)]
    by_realm = [
        _counts(name, columns, judged, rows[arrays.realms[rows] == code]) for code, name in enumerate(columns.realms)
    ]
    known = rows[judged.verdicts[rows] != NONE]
    kinds = Counter(item.why for item in judged.unjudged)
    return BacktestReport(
        REPORT_SCHEMA,
        source,
        new,
        tuple([name_of(policies[content_hash]) for content_hash in columns.policies if content_hash in policies]),
        _counts("all", columns, judged, rows),
        tuple([counts for counts in by_type if counts.decisions]),
        tuple([counts for counts in by_realm if counts.decisions]),
        _transitions(judged.flips),
        _causes(judged.flips),
        _labelled(columns, judged, known),
        dict(kinds.most_common()),
        judged.merged_anew,
        judged.judged_anew,
        int((arrays.paths[known] != FAST).sum()),
        int((judged.paths[known] != FAST).sum()),
        tuple([(*pair, count) for pair, count in sorted(judged.untried.items())]),
        judged.flips,
        judged.unjudged,
    )


def name_of(policy: Policy) -> PolicyName:
    return PolicyName(policy.policy_id, policy.version, policy.content_hash)


def _counts(name: str, columns: Columns, judged: Judged, rows: NDArray[np.int64]) -> Counts:
    before, after = columns.arrays.council_verdicts[rows], judged.verdicts[rows]
    known = after != NONE
    milder, stricter = int((known & (after < before)).sum()), int((known & (after > before)).sum())
    n = int(known.sum())
    return Counts(name, len(rows), n, milder + stricter, milder, stricter, wilson(milder + stricter, n))


def _transitions(flips: Sequence[Flip]) -> tuple[Transition, ...]:
    counted = Counter((flip.before, flip.after) for flip in flips)
    return tuple([Transition(before, after, count) for (before, after), count in counted.items()])


def _causes(flips: Sequence[Flip]) -> tuple[CauseCount, ...]:
    counted: dict[tuple[CauseKind, str], list[int]] = {}
    for flip in flips:
        for kind, name, is_alone in {(cause.kind, cause.name, cause.how == "alone") for cause in flip.causes}:
            count = counted.setdefault((kind, name), [0, 0, 0, 0])
            count[0] += 1
            count[1 if flip.is_milder else 2] += 1
            count[3] += is_alone
    found = [CauseCount(*key, *count) for key, count in counted.items()]
    return tuple(sorted(found, key=lambda cause: (-cause.flips, cause.kind, cause.name)))


def _labelled(columns: Columns, judged: Judged, known: NDArray[np.int64]) -> Labelled:
    labels = columns.arrays.labels[known]
    disputed = int((labels == DISPUTED).sum())
    rows, labels = known[labels >= 0], labels[labels >= 0]
    before, after = columns.arrays.council_verdicts[rows], judged.verdicts[rows]
    unsafe_before, unsafe_after = [(side == 0) & (labels >= _REJECT) for side in (before, after)]
    needless_before, needless_after = [(side >= _REJECT) & (labels <= _MODIFY) for side in (before, after)]
    n = len(rows)
    return Labelled(
        n,
        disputed,
        int(unsafe_before.sum()),
        int(unsafe_after.sum()),
        int((unsafe_after & ~unsafe_before).sum()),
        int(needless_before.sum()),
        int(needless_after.sum()),
        wilson(int((before == labels).sum()), n),
        wilson(int((after == labels).sum()), n),
    )
