"""Labels and outcomes between the ledger, which keeps remarks, and evals, which reads them as labels and outcomes. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple, cast

from council.ledger.remarks import Remark
from evals.decisions import Axis, Label, Outcome
from policies.verdicts import Verdict


class Said(NamedTuple):
    """What people said of one decision, oldest first."""

    labels: tuple[Label, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


NOTHING: Final = Said()


def by_decision(remarks: Iterable[Remark]) -> dict[str, Said]:
    """Return what was said of each decision; one that nobody spoke of is left out."""
    found: dict[str, Said] = {}
    for remark in remarks:
        said = found.get(remark.decision_id, NOTHING)
        if remark.kind == "label":
            said = said._replace(labels=(*said.labels, _label(remark)))
        else:
            said = said._replace(outcomes=(*said.outcomes, _outcome(remark)))
        found[remark.decision_id] = said
    return found


def label_remark(decision_id: str, label: Label) -> Remark:
    """Return a label as the ledger keeps it."""
    return Remark(decision_id, "label", label.labeller, label.verdict, label.labelled_at, label.axis, label.note)


def outcome_remark(decision_id: str, outcome: Outcome) -> Remark:
    """Return an outcome as the ledger keeps it."""
    return Remark(decision_id, "outcome", outcome.reporter, outcome.outcome, outcome.reported_at, None, outcome.note)


def _label(remark: Remark) -> Label:
    verdict, axis = cast("Verdict", remark.said), cast("Axis | None", remark.axis)
    return Label(remark.author, verdict, remark.said_at, axis, remark.note)


def _outcome(remark: Remark) -> Outcome:
    return Outcome(remark.author, remark.said, remark.said_at, remark.note)
