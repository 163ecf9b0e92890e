"""Metrics and gates of runs: known answers, and what has no value."""

from fractions import Fraction

import pytest

from evals.gates import GateError, judge_gates, read_gate
from evals.metrics import METRICS, confusion, latency_ms, right_cases, within
from evals.results import Gate
from policies.models import PICODOLLARS
from tests.unit.evals.case_results_made import result

# Labels against verdicts: right, unsafe (a reject approved), held without need (a modify rejected), stricter by one step.
RESULTS = [
    result("right", "approve", "approve", axis="balance", tags=("t",), latency_ms=1, votes=("approve", None)),
    result("unsafe", "approve", "reject", axis="exploit", latency_ms=2, picodollars=PICODOLLARS // 4),
    result("needless", "reject", "modify", axis="exploit", latency_ms=3, passed=False),
    result("stricter", "quarantine", "reject", axis="coherence", latency_ms=4, votes=("reject", "reject")),
    result("unlabelled", "modify", latency_ms=100),
    result("unjudged", None, "reject", error="nobody answered", latency_ms=0),
]


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("accuracy", Fraction(1, 4)),  # of four labelled and judged, one is right
        ("unsafe_approvals", 1),
        ("needless_holds", 1),
        ("passed", Fraction(4, 6)),  # one check failed, one was not judged
        ("errors", 1),
        ("cost_usd", Fraction(1, 4)),
        ("p50_latency_ms", 3),  # judged: 1 2 3 4 100; rank ceil(2.5) = 3
        ("p95_latency_ms", 100),  # rank ceil(4.75) = 5
        ("max_latency_ms", 100),
        ("abstention_rate", Fraction(1, 4)),
        ("stability", None),
    ],
)
def test_metrics_of_a_small_run_are_these(metric: str, value: Fraction | int | None) -> None:
    assert METRICS[metric].measure(RESULTS) == value


def test_what_was_not_measured_has_no_value() -> None:
    no_labels = [result("a")]
    for name in ("accuracy", "unsafe_approvals", "needless_holds", "abstention_rate", "stability"):
        assert METRICS[name].measure(no_labels) is None
    assert METRICS["passed"].measure([]) is None
    assert METRICS["p50_latency_ms"].measure([result("a", None, error="x")]) is None


def test_quantiles_are_values_that_occurred() -> None:
    """Nearest rank: of 1 to 20 the 95th of 100 is the 19th, ceil(0.95 * 20)."""
    results = [result(str(ms), latency_ms=ms) for ms in range(20, 0, -1)]
    assert [latency_ms(results, permille) for permille in (1, 50, 500, 950, 951, 1000)] == [1, 1, 10, 19, 20, 20]


def test_repeats_agree_or_do_not() -> None:
    runs = [
        result("a", "approve"),
        result("a", "approve", repeat=1),
        result("b", "approve"),
        result("b", "reject", repeat=1),
    ]
    assert METRICS["stability"].measure(runs) == Fraction(1, 2)


def test_for_intervals_a_case_counts_once_however_often_it_is_repeated() -> None:
    """Two of three right is right; one of two is not more than half."""
    runs = [result("a", verdict, "approve", repeat=at) for at, verdict in enumerate(("approve", "approve", "reject"))]  # type: ignore[arg-type]
    runs += [result("b", verdict, "approve", repeat=at) for at, verdict in enumerate(("approve", "reject"))]  # type: ignore[arg-type]
    assert right_cases(runs) == (1, 2)


def test_a_scope_is_an_axis_a_tag_or_a_decision_type() -> None:
    assert [each.case for each in within(RESULTS, "exploit")] == ["unsafe", "needless"]
    assert [each.case for each in within(RESULTS, "t")] == ["right"]
    assert within(RESULTS, "major_trigger") == []
    assert len(within(RESULTS, "sovereign_action")) == len(within(RESULTS, None)) == 6


def test_the_confusion_matrix_counts_labels_against_verdicts() -> None:
    found = confusion(RESULTS)
    assert found["reject"] == {"approve": 1, "modify": 0, "reject": 0, "quarantine": 1}
    assert sum(sum(row.values()) for row in found.values()) == 4


def gate(text: str, *, is_narrowed: bool = False) -> tuple[Gate, ...]:
    return judge_gates([read_gate(text, ["exploit", "balance", "t"])], RESULTS, is_narrowed=is_narrowed)


@pytest.mark.parametrize(
    ("text", "passed", "value"),
    [
        ("accuracy >= 0.25", True, 0.25),
        ("accuracy>0.25", False, 0.25),
        ("accuracy[exploit] == 0", True, 0.0),
        ("accuracy[ balance ] == 1", True, 1.0),
        ("unsafe_approvals <= 1", True, 1.0),
        ("unsafe_approvals != 1", False, 1.0),
        ("passed >= 2/3", True, 2 / 3),
        ("cost_usd <= 0.25", True, 0.25),
        ("p95_latency_ms < 100", False, 100.0),
        ("stability == 1", False, None),
    ],
)
def test_gates_are_compared_exactly(text: str, passed: bool, value: float | None) -> None:
    assert gate(text) == (Gate(text, passed, value),)


def test_a_narrowed_run_is_not_asked_what_it_cannot_know() -> None:
    assert gate("stability == 1", is_narrowed=True) == ()
    assert len(gate("accuracy == 1", is_narrowed=True)) == 1


def test_tenths_are_tenths() -> None:
    """Nine of ten is 0.9: a float of 0.9 lies below nine tenths of a fraction compared with it."""
    results = [result(str(at), "approve", "approve" if at else "reject") for at in range(10)]
    (found,) = judge_gates([read_gate("accuracy >= 0.9", [])], results)
    assert found.passed
    (found,) = judge_gates([read_gate("accuracy <= 0.9", [])], results)
    assert found.passed


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("accuracy", 'write a metric, a comparison and a number, such as "accuracy >= 0.9"'),
        ("accuracy = 0.9", 'write a metric, a comparison and a number, such as "accuracy >= 0.9"'),
        ("accuracy >= -1", 'write a metric, a comparison and a number, such as "accuracy >= 0.9"'),
        ("accuracy >= 1/0", 'write a metric, a comparison and a number, such as "accuracy >= 0.9"'),
        ("accurcy >= 0.9", "did you mean 'accuracy'?"),
        ("accuracy[exploits] >= 0.9", "did you mean 'exploit'?"),
        ("accuracy > 1", "write a number that it can reach"),
        ("passed < 0", "write a number that it can reach"),
    ],
)
def test_gates_that_cannot_be_read_or_reached_say_how_to_write_them(text: str, fix: str) -> None:
    with pytest.raises(GateError) as raised:
        read_gate(text, ["exploit"])
    assert raised.value.fix == fix
