"""Points of a sweep: valid policies that differ in what was asked for and in nothing else."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import EvalsError
from evals.sweep_points import MOST_POINTS, Dimension, changed, read_dimension, sweep_points
from policies.comparison import compare
from tests.unit.evals.recorded import shipped

SHIPPED = shipped()


def test_a_grid_holds_every_combination_in_the_order_written() -> None:
    dimensions = [
        read_dimension("members.lore.weight=1,3/2", SHIPPED),
        read_dimension("rules.exploit_suspicion.threshold=400,600", SHIPPED),
    ]
    found = sweep_points(SHIPPED, dimensions)
    assert [point.name for point in found.points] == [
        "members.lore.weight=1, rules.exploit_suspicion.threshold=400",
        "members.lore.weight=1, rules.exploit_suspicion.threshold=600",
        "members.lore.weight=3/2, rules.exploit_suspicion.threshold=400",
        "members.lore.weight=3/2, rules.exploit_suspicion.threshold=600",
    ]
    last = compare(SHIPPED, found.points[-1].policy)
    assert {change.key: change.new for change in last.changes} == {
        "members.lore.weight": "3/2",
        "rules.exploit_suspicion.threshold": 600,
    }


def test_combinations_that_are_no_policy_are_named_with_their_fault() -> None:
    dimensions = [read_dimension("merge.quotas.modify=1/5,1/2", SHIPPED)]
    found = sweep_points(SHIPPED, dimensions)
    assert [point.changes for point in found.points] == [{"merge.quotas.modify": "1/5"}]
    assert found.invalid == (
        "merge.quotas.modify=1/2: is below the quota of modify, 1/2: quotas never fall with strictness",
    )


@given(st.integers(0, 2**32))
def test_the_same_seed_draws_the_same_points_inside_their_range(seed: int) -> None:
    dimensions = [
        read_dimension("members.risk.weight=1/2..3", SHIPPED),
        read_dimension("members.risk.thresholds.review_score=390..410", SHIPPED),
    ]
    found = sweep_points(SHIPPED, dimensions, draws=3, seed=seed)
    again = sweep_points(SHIPPED, dimensions, draws=3, seed=seed)
    assert [point.name for point in found.points] == [point.name for point in again.points]
    for point in found.points:
        assert Fraction(1, 2) <= point.policy.members["risk"].weight <= 3
        assert 390 <= point.policy.members["risk"].thresholds["review_score"] <= 410


def test_an_override_by_decision_type_may_be_new() -> None:
    dimension = read_dimension("weights.impact_dispute.fairness=2", SHIPPED)
    point = sweep_points(SHIPPED, [dimension]).points[0]
    assert point.policy.weights["impact_dispute"]["fairness"] == 2
    assert point.policy.weights["major_trigger"]["fairness"] == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("merge.quotas.reject", "is no key with values"),
        ("merge.quotas.rejekt=1/3", "did you mean 'reject'?"),
        ("rules.canonlock.threshold=1", "did you mean 'canon_lock'?"),
        ("merge.quotas=1/3", "is no single value; name one of: modify, reject, quarantine"),
        ("rules.exploit_suspicion.threshold=1/2", "is no whole number"),
        ("merge.quotas.reject=1/2..1/3", "holds nothing; write the lower end first"),
        ("members.lore.weight=a..b", "must be an integer"),
    ],
)
def test_what_cannot_be_varied_is_refused_with_the_way_out(text: str, told: str) -> None:
    with pytest.raises(EvalsError, match=told.replace("?", r"\?")):
        read_dimension(text, SHIPPED)


def test_a_grid_needs_values_and_an_end() -> None:
    with pytest.raises(EvalsError, match="draw with --random N"):
        sweep_points(SHIPPED, [Dimension("merge.quorum", (), Fraction(0), Fraction(1))])
    many = Dimension("rules.exploit_suspicion.threshold", tuple(range(MOST_POINTS + 1)))
    with pytest.raises(EvalsError, match="more than 5000"):
        sweep_points(SHIPPED, [many])
    with pytest.raises(EvalsError, match="nothing is varied"):
        sweep_points(SHIPPED, [])


def test_changing_nothing_changes_nothing() -> None:
    assert changed(SHIPPED, {}).content_hash == SHIPPED.content_hash
