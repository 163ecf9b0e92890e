"""Juries: who voted what on which item, and what would have been right. The one shape that all jury statistics read.

Members are any names: the five of the council, or the judges of a published data set.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from evals.decisions import Decision
from policies.verdicts import MEMBERS, Verdict


class Ballot(NamedTuple):
    """One member's vote on one item."""

    verdict: Verdict | None
    """None where the member abstained."""
    confidence: int = 1000
    """Permille; what the member itself claimed."""


class JuryItem(NamedTuple):
    """One item that a jury voted on."""

    item: str
    decision_class: str
    """Decision type; "" where a foreign data set has no classes."""
    ballots: Mapping[str, Ballot]
    """Per member that was asked."""
    verdict: Verdict | None
    """What the council made of the votes; None where nobody merged them."""
    label: Verdict | None
    """What would have been right; None where that is not known, or disputed."""


class Jury(NamedTuple):
    """Items with the members that may vote on them, in seat order."""

    members: tuple[str, ...]
    items: tuple[JuryItem, ...]
    source: str
    """Where the votes come from, for reports: a file's name, a ledger."""

    @property
    def labelled(self) -> tuple[JuryItem, ...]:
        return tuple([item for item in self.items if item.label is not None])

    @property
    def classes(self) -> tuple[str, ...]:
        """Decision classes that occur, in order of first appearance."""
        return tuple(dict.fromkeys(item.decision_class for item in self.items))


COUNCIL: Final[tuple[str, ...]] = MEMBERS


def jury_of(decisions: Iterable[Decision], source: str) -> Jury:
    """Return the jury of recorded decisions: those that members voted on, with the votes that counted."""
    items = [item_of(decision) for decision in decisions if decision.record["answer"]["votes"]]
    return Jury(COUNCIL, tuple(items), source)


def item_of(decision: Decision) -> JuryItem:
    """Return one decision as a jury's item."""
    votes: Sequence[Mapping[str, Any]] = decision.record["answer"]["votes"]
    ballots = {str(vote["member"]): _ballot(vote) for vote in votes}
    return JuryItem(decision.decision_id, decision.decision_type, ballots, decision.verdict, decision.settled.verdict)


def _ballot(vote: Mapping[str, Any]) -> Ballot:
    return Ballot(vote["verdict"], vote["confidence"])
