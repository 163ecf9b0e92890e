"""A report of a run as one value: everything that the page, the terminal and the JSON show. Pure."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from evals.comparing import Comparison, compare
from evals.decisions import AXES, Axis
from evals.metrics import METRICS, right_cases
from evals.plots.figures import Estimate, Length, Matrix, matrix_of
from evals.reports.inputs import Backtest, Sweep
from evals.reports.judgement import Judgement, judge
from evals.reports.members import MemberFigures, member_figures
from evals.reports.stories import Story, failures, story_of, usd
from evals.results import CaseResult, Gate, Run, RunHeader
from evals.statistics.intervals import Interval, wilson
from policies.verdicts import DECISION_TYPES

REPORT_SCHEMA: Final = "council.report/1"
MOST_STORIES: Final = 200
"""Cases told at length; the rest are counted, and stand in the run log."""
_QUANTILES: Final = (
    ("half within", "p50_latency_ms"),
    ("95 of 100 within", "p95_latency_ms"),
    ("slowest", "max_latency_ms"),
)


class GroupLine(NamedTuple):
    """Results of one axis or decision type."""

    name: str
    cases: int
    accuracy: Interval | None
    """Over labelled cases; repeats of a case count as one answer."""
    unsafe_approvals: int
    needless_holds: int
    labelled: int
    """Labelled results, each repeat counted."""
    passed: int
    results: int


class Spending(NamedTuple):
    """What a run cost and how long it took."""

    picodollars: int
    model_calls: int
    tokens: int
    latency: tuple[Length, ...]
    cost_by_type: tuple[Length, ...]
    """Empty where nothing cost anything."""


class Report(NamedTuple):
    """One run, told."""

    run: RunHeader
    is_complete: bool
    results: int
    cases: int
    scorer: str
    """Version of the product that scored it, which may be later than the one that ran it."""
    baseline: RunHeader | None
    judgement: Judgement
    gates: tuple[Gate, ...]
    matrix: Matrix
    axes: tuple[GroupLine, ...]
    unplaced: int
    """Cases of no axis."""
    types: tuple[GroupLine, ...]
    comparison: Comparison | None
    turned: Matrix | None
    """Old verdicts against new ones; None without a baseline."""
    flips: tuple[Story, ...]
    failures: tuple[Story, ...]
    untold: int
    """Flips and failures beyond `MOST_STORIES` of each."""
    members: MemberFigures
    spending: Spending
    sweep: Sweep | None
    backtest: Backtest | None


def report_of(
    run: Run,
    baseline: Run | None = None,
    *,
    scorer: str = "",
    sweep: Sweep | None = None,
    backtest: Backtest | None = None,
) -> Report:
    """Return the report of a run.

    Args:
        baseline: an earlier run of the same suite; whoever calls has checked that they may be compared.
        scorer: version of the product that scores.

    Raises:
        NotEnoughError: where the runs have no judged case in common.
    """
    comparison = compare(baseline, run) if baseline is not None else None
    pairs = {} if comparison is None else {(new.case, new.repeat): old for old, new in comparison.pairing.pairs}
    after = {(each.case, each.repeat): each for each in run.results}
    flips = [] if comparison is None else [(flip.case, flip.repeat) for flip in comparison.flips]
    failed = failures(run.results)
    return Report(
        run.header,
        run.is_complete,
        len(run.results),
        len({each.case for each in run.results}),
        scorer,
        baseline.header if baseline is not None else None,
        judge(run, comparison),
        run.gates,
        matrix_of([(each.label, each.verdict) for each in run.results if each.label and each.verdict]),
        tuple([_group(axis, [each for each in run.results if each.axis == axis]) for axis in AXES]),
        len({each.case for each in run.results if each.axis is None}),
        tuple([line for kind in DECISION_TYPES if (line := _group(kind, _of_type(run.results, kind))).results]),
        comparison,
        None if comparison is None else _turned(comparison),
        tuple([story_of(after[key], pairs[key]) for key in flips[:MOST_STORIES]]),
        tuple([story_of(each) for each in failed[:MOST_STORIES]]),
        max(0, len(flips) - MOST_STORIES) + max(0, len(failed) - MOST_STORIES),
        member_figures(run.results),
        _spending(run.results),
        sweep,
        backtest,
    )


def estimates(lines: Sequence[GroupLine]) -> tuple[Estimate, ...]:
    """Return the accuracies of groups as rows of a plot."""
    return tuple([Estimate(line.name.replace("_", " "), line.accuracy) for line in lines])


def _of_type(results: Sequence[CaseResult], kind: str) -> list[CaseResult]:
    return [each for each in results if each.decision_type == kind]


def _group(name: Axis | str, results: Sequence[CaseResult]) -> GroupLine:
    return GroupLine(
        name,
        len({each.case for each in results}),
        wilson(*right_cases(results)),
        _whole("unsafe_approvals", results),
        _whole("needless_holds", results),
        sum(each.label is not None and each.verdict is not None for each in results),
        sum(each.passed for each in results),
        len(results),
    )


def _turned(found: Comparison) -> Matrix:
    pairs = [(old.verdict, new.verdict) for old, new in found.pairing.pairs if old.verdict and new.verdict]
    return matrix_of(pairs, is_turn=True)


def _spending(results: Sequence[CaseResult]) -> Spending:
    quantiles = [(name, METRICS[metric].measure(results)) for name, metric in _QUANTILES]
    by_type = [(kind, sum(each.picodollars for each in _of_type(results, kind))) for kind in DECISION_TYPES]
    return Spending(
        sum(each.picodollars for each in results),
        sum(each.model_calls for each in results),
        sum(each.tokens for each in results),
        tuple([Length(name, float(value), _milliseconds(value)) for name, value in quantiles if value is not None]),
        tuple([Length(kind.replace("_", " "), float(cost), usd(cost)) for kind, cost in by_type if cost]),
    )


def _milliseconds(value: Fraction) -> str:
    return f"{int(value):,} ms" if value < 10_000 else f"{float(value) / 1000:,.1f} s"


def _whole(metric: str, results: Sequence[CaseResult]) -> int:
    return int(METRICS[metric].measure(results) or 0)
