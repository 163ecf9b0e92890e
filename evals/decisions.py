"""Recorded decisions as data: the record as it was written, and what people said of it later.

Everything in `evals` reads decisions in this form, whether they come from a ledger, an export or a test.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

from policies.verdicts import STRICTNESS, DecisionType, Path, Verdict

Axis = Literal["balance", "exploit", "coherence"]
"""What the council exists to stop (000 §6.1; register row S0-45): imbalance, unfair exploits, narrative incoherence."""
AXES: Final[tuple[Axis, ...]] = get_args(Axis)


class Label(NamedTuple):
    """What one person holds to be the right verdict of a decision."""

    labeller: str
    verdict: Verdict
    labelled_at: str
    """ISO 8601 UTC with milliseconds and "Z"; the latest label of a labeller is the one that counts."""
    axis: Axis | None = None
    """The axis that the case is about, where the labeller says so."""
    note: str = ""


class Outcome(NamedTuple):
    """What became of a decision later, as somebody saw it: free words, kept and shown, never read as a label."""

    reporter: str
    outcome: str
    """Such as "reverted" or "upheld on appeal"."""
    reported_at: str
    note: str = ""


class Settled(NamedTuple):
    """What several labellers come to: the verdict that more than half of them hold, with their votes."""

    verdict: Verdict | None
    """None where nobody labelled, or no verdict has more than half: a disputed decision has no truth to score against."""
    votes: Mapping[Verdict, int]
    """Labellers per verdict, by the latest label of each."""

    @property
    def is_disputed(self) -> bool:
        """Whether labellers differ, settled or not."""
        return len(self.votes) > 1


@dataclass(frozen=True, slots=True)
class Decision:
    """One recorded decision.

    Attributes:
        record: the record's document (`docs/schemas/record.schema.json`).
        position: place in its realm's chain.
        hash: hash of its link, 64 hex digits.
        previous: hash of the link before.
        labels: what people hold to be right, oldest first.
        outcomes: what became of it, oldest first.
        is_redacted: whether names and texts were replaced, so that the hash no longer proves the record.
    """

    record: Mapping[str, Any]
    position: int = 0
    hash: str = ""
    previous: str = ""
    labels: tuple[Label, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    is_redacted: bool = False

    @property
    def decision_id(self) -> str:
        found: str = self.record["decision_id"]
        return found

    @property
    def realm_id(self) -> str:
        found: str = self.record["realm_id"]
        return found

    @property
    def decision_type(self) -> DecisionType:
        found: DecisionType = self.record["decision_type"]
        return found

    @property
    def path(self) -> Path:
        found: Path = self.record["path"]
        return found

    @property
    def verdict(self) -> Verdict:
        """What the council decided, whatever the realm's mode let happen."""
        found: Verdict = self.record["council_verdict"]
        return found

    @property
    def policy_hash(self) -> str:
        found: str = self.record["policy"]["hash"]
        return found

    @property
    def settled(self) -> Settled:
        return settle(self.labels)


def settle(labels: Sequence[Label]) -> Settled:
    """Return what labels come to: the latest of every labeller counts once.

    >>> settle([Label("ana", "reject", "2026-01-01T00:00:00.000Z")]).verdict
    'reject'
    """
    latest: dict[str, Label] = {}
    for label in labels:
        known = latest.get(label.labeller)
        if known is None or label.labelled_at >= known.labelled_at:
            latest[label.labeller] = label
    votes: Counter[Verdict] = Counter(label.verdict for label in latest.values())
    ranked = dict(sorted(votes.items(), key=lambda item: STRICTNESS[item[0]]))
    top = max(ranked, key=ranked.__getitem__, default=None)
    has_majority = top is not None and 2 * ranked[top] > len(latest)
    return Settled(top if has_majority else None, ranked)


def is_unsafe_approval(verdict: Verdict, label: Verdict) -> bool:
    """Whether a change was let through whole that should have been stopped."""
    return verdict == "approve" and STRICTNESS[label] >= STRICTNESS["reject"]


def is_needless_hold(verdict: Verdict, label: Verdict) -> bool:
    """Whether a change was stopped that should have happened, whole or in part."""
    return STRICTNESS[verdict] >= STRICTNESS["reject"] and STRICTNESS[label] <= STRICTNESS["modify"]
