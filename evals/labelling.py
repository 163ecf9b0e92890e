"""Which decisions teach most when somebody labels them, and what labellers make of the same decision. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from evals.decisions import Decision, Label, Settled
from policies.verdicts import STRICTNESS


class Lesson(NamedTuple):
    """How much a label of a decision would teach; sorts the most teaching first."""

    alike: int
    """Minus the number of different verdicts among the members' votes and the shadow policies: the more, the earlier."""
    confidence: Fraction
    """The merge's margin, 0 to 1: the closer the decision was, the earlier. 1 where no votes were merged."""
    realm_id: str
    position: int
    decision_id: str


class Agreement(NamedTuple):
    """How far labellers agree."""

    decisions: int
    """Decisions that anybody labelled."""
    labels: int
    """Labels that count: the latest of each labeller of each decision."""
    labellers: int
    disputed: int
    """Decisions that labellers hold different verdicts of."""
    unsettled: int
    """Those of them where no verdict has more than half."""
    pairs: int
    """Pairs of labellers that labelled the same decision."""
    agreeing_pairs: int


def lesson_of(record: Mapping[str, Any], position: int) -> Lesson:
    """Return how much a label of a recorded decision would teach."""
    said = {vote["verdict"] for vote in record["answer"]["votes"] if vote["verdict"] is not None}
    said |= {shadow["verdict"] for shadow in record["shadows"]}
    said.add(record["council_verdict"])
    merge = record["merge"]
    confidence = Fraction(merge["confidence"]) if merge and record["answer"]["votes"] else Fraction(1)
    return Lesson(-len(said), confidence, record["realm_id"], position, record["decision_id"])


def latest_labels(labels: Sequence[Label]) -> dict[str, Label]:
    """Return the label of each labeller that counts: the latest."""
    found: dict[str, Label] = {}
    for label in labels:
        known = found.get(label.labeller)
        if known is None or label.labelled_at >= known.labelled_at:
            found[label.labeller] = label
    return found


def agreement_of(decisions: Iterable[Decision]) -> Agreement:
    """Return how far the labellers of some decisions agree."""
    labelled = [(latest_labels(decision.labels), decision.settled) for decision in decisions if decision.labels]
    pairs = agreeing = 0
    for latest, _ in labelled:
        for first, second in combinations(latest.values(), 2):
            pairs += 1
            agreeing += first.verdict == second.verdict
    return Agreement(
        len(labelled),
        sum(len(latest) for latest, _ in labelled),
        len({name for latest, _ in labelled for name in latest}),
        sum(settled.is_disputed for _, settled in labelled),
        sum(settled.verdict is None for _, settled in labelled),
        pairs,
        agreeing,
    )


def ratings_of(decisions: Iterable[Decision]) -> list[list[int]]:
    """Return what Krippendorff's alpha is computed from: per decision the ranks of the verdicts that its labellers hold."""
    return [[STRICTNESS[label.verdict] for label in latest_labels(decision.labels).values()] for decision in decisions]


def most_disputed_first(decisions: Iterable[Decision]) -> list[Decision]:
    """Return labelled decisions, those without a settled verdict first, then those with a minority, then the others."""
    return sorted(
        [decision for decision in decisions if decision.labels],
        key=lambda decision: (_standing(decision.settled), decision.realm_id, decision.position),
    )


def _standing(settled: Settled) -> int:
    return 0 if settled.verdict is None else 1 if settled.is_disputed else 2
