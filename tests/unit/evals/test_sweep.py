"""A sweep counts what judging every decision anew under every point would count."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from evals.backtest import Anew
from evals.columns import Columns, columns_of
from evals.decisions import Decision, is_needless_hold, is_unsafe_approval
from evals.rejudging import Rejudged, rejudge
from evals.sweep import Outcome, Sweep, labelled_only, sweep_to_wire, try_point
from evals.sweep_points import Point, Points, read_dimension, sweep_points
from policies.policy import Policy
from policies.verdicts import Verdict
from tests.unit.evals.recorded import example_requests, label, recorded, shipped

SHIPPED = shipped()
TRUTH: dict[str, Verdict] = dict(
    zip(example_requests(), ["approve", "reject", "modify", "quarantine", "reject", "approve"] * 3, strict=True)
)
DECISIONS = recorded(labels={key: (label(verdict),) for key, verdict in list(TRUTH.items())[:15]})
COLUMNS = columns_of(DECISIONS, {SHIPPED.content_hash: SHIPPED.document})
GRID = ["merge.quotas.modify=1/5,1/3", "members.fairness.weight=1/2,1,3", "rules.exploit_suspicion.threshold=100,600"]


def _anew(decisions: list[Decision], new: Policy, rows: NDArray[np.int64]) -> Iterator[Anew]:
    for row in rows.tolist():
        found = rejudge(decisions[row], SHIPPED, new)
        if isinstance(found, Rejudged):
            yield Anew(found.verdict, found.path, "", "", (), (), ())
        else:
            yield Anew(None, None, found.why, found.told, (), (), ())


def _tried(columns: Columns, decisions: list[Decision], point: Point) -> Outcome:
    return try_point(columns, {SHIPPED.content_hash: SHIPPED}, point, lambda rows: _anew(decisions, point.policy, rows))


def _points() -> Points:
    return sweep_points(SHIPPED, [read_dimension(text, SHIPPED) for text in GRID])


@pytest.mark.parametrize("point", [_points().current, *_points().points], ids=lambda point: point.name)
def test_every_point_counts_what_judging_anew_counts(point: Point) -> None:
    found = _tried(COLUMNS, DECISIONS, point)
    verdicts = []
    for decision in DECISIONS:
        anew = rejudge(decision, SHIPPED, point.policy)
        assert isinstance(anew, Rejudged)
        verdicts.append((anew.verdict, decision.verdict, decision.settled.verdict))
    labelled = [(verdict, truth) for verdict, _, truth in verdicts if truth is not None]
    assert (found.judged, found.unjudged, found.labelled) == (len(DECISIONS), 0, 15)
    assert found.changed == sum(verdict != recorded for verdict, recorded, _ in verdicts)
    assert found.right == sum(verdict == truth for verdict, truth in labelled)
    assert found.unsafe_approvals == sum(is_unsafe_approval(verdict, truth) for verdict, truth in labelled)
    assert found.needless_holds == sum(is_needless_hold(verdict, truth) for verdict, truth in labelled)


def test_the_sweep_reaches_policies_that_change_verdicts() -> None:
    """Else the test above would compare nothing."""
    assert any(_tried(COLUMNS, DECISIONS, point).changed for point in _points().points)


def test_only_labelled_decisions_are_kept_to_count_errors_on() -> None:
    assert len(labelled_only(COLUMNS)) == 15


def test_a_decision_of_a_realm_that_the_policy_does_not_know_is_counted_as_unjudged() -> None:
    narrow = sweep_points(SHIPPED, [read_dimension("merge.quorum=3/5", SHIPPED)]).points[0]
    from policies.loading import policy_from_document

    elsewhere = policy_from_document(
        {**SHIPPED.document, "realms": {"elsewhere": {"mode": "enforce", "impact_threshold": 60}}}
    )
    found = _tried(COLUMNS, DECISIONS, narrow._replace(policy=elsewhere))
    assert (found.judged, found.unjudged, found.changed) == (0, len(DECISIONS), 0)


def test_the_file_names_the_front_and_the_policy_as_it_is() -> None:
    points = _points()
    outcomes = tuple([_tried(COLUMNS, DECISIONS, point) for point in (points.current, *points.points)])
    wire = sweep_to_wire(Sweep(outcomes, points.invalid))
    assert (wire["schema"], wire["current"], wire["labelled"]) == ("council.sweep/1", 0, 15)
    assert wire["points"][0]["name"] == "current"
    front = [(each["needless_holds"], each["unsafe_approvals"]) for each in wire["points"] if each["is_front"]]
    for each in wire["points"]:
        beaten = [
            other
            for other in front
            if other[0] <= each["needless_holds"]
            and other[1] <= each["unsafe_approvals"]
            and other != (each["needless_holds"], each["unsafe_approvals"])
        ]
        assert bool(beaten) is ((each["needless_holds"], each["unsafe_approvals"]) not in front)
