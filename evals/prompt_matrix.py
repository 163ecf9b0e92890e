"""A matrix of prompt versions and models over one suite: how each combination fares, and whether it differs from the first.

Pure. Every combination is a run of its own over the same cases, so that they are compared in pairs; p-values are corrected for
how many comparisons were made (Holm 1979, Scand. J. Statist. 6, 65-70), or the best of many would look better than it is.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from evals.comparing import Change, compare
from evals.decisions import AXES, Axis
from evals.errors import NotEnoughError
from evals.metrics import cost_usd, latency_ms, needless_holds, right_cases, unsafe_approvals, within
from evals.results import CaseResult, Run
from evals.statistics.intervals import LEVEL, Interval, wilson

UNREADABLE: Final = ("off_schema", "unparsed")
"""Abstentions that a prompt can be blamed for: the reply came, and was no vote."""


class Cell(NamedTuple):
    """One combination, run."""

    prompts: str
    models: str
    run: Run


class Figures(NamedTuple):
    """How one combination fared."""

    prompts: str
    models: str
    cases: int
    """Results, every repeat counted."""
    unjudged: int
    accuracy: Interval | None
    """Of labelled cases; None where none was judged."""
    by_axis: Mapping[Axis, Interval | None]
    unsafe: int
    needless: int
    unreadable: int
    """Votes missing because a reply was off schema or did not parse."""
    silent: int
    """Votes missing for any other reason: timeouts, refusals, spent budgets."""
    votes: int
    """Votes that were due from seated members."""
    model_calls: int
    cost_usd: Fraction
    """Calls without a price count nothing."""
    p50_ms: int | None
    p95_ms: int | None


class Standing(NamedTuple):
    """A combination against the first one."""

    prompts: str
    models: str
    change: Change | None
    """None where the two share no labelled case that both judged."""
    corrected: float | None
    """p-value of the exact McNemar test after Holm's correction for all combinations compared."""
    is_different: bool
    """Whether the corrected p-value is evidence at the level."""


class Matrix(NamedTuple):
    """The whole comparison."""

    figures: tuple[Figures, ...]
    """In the order in which they were run; the first is the baseline."""
    standings: tuple[Standing, ...]
    """Every combination but the first, in the same order."""
    best: int
    """Index into `figures`: fewest unsafe approvals, then most accurate, fewest unreadable votes, cheapest, first."""
    level: float


def matrix_of(cells: Sequence[Cell], level: float = LEVEL) -> Matrix:
    """Compare combinations.

    Raises:
        NotEnoughError: where there is none.
    """
    if not cells:
        raise NotEnoughError("there is no combination to compare", "name prompts and models")
    figures = tuple([_figures(cell, level) for cell in cells])
    changes = [_change(cells[0].run, cell.run, level) for cell in cells[1:]]
    corrected = _holm([change.p_value if change else None for change in changes])
    standings = tuple(
        [
            Standing(cell.prompts, cell.models, change, p, p is not None and p <= 1 - level)
            for cell, change, p in zip(cells[1:], changes, corrected, strict=True)
        ]
    )
    best = min(range(len(figures)), key=lambda at: (*_merit(figures[at]), at))
    return Matrix(figures, standings, best, level)


def _figures(cell: Cell, level: float) -> Figures:
    results = cell.run.results
    votes = [vote for each in results if not each.error for vote in each.votes]
    missing = [vote.abstained for vote in votes if vote.verdict is None]
    unreadable = sum(kind in UNREADABLE for kind in missing)
    return Figures(
        prompts=cell.prompts,
        models=cell.models,
        cases=len(results),
        unjudged=sum(bool(each.error) for each in results),
        accuracy=_accuracy(results, level),
        by_axis={axis: _accuracy(within(results, axis), level) for axis in AXES},
        unsafe=int(unsafe_approvals(results) or 0),
        needless=int(needless_holds(results) or 0),
        unreadable=unreadable,
        silent=len(missing) - unreadable,
        votes=len(votes),
        model_calls=sum(each.model_calls for each in results),
        cost_usd=cost_usd(results) or Fraction(0),
        p50_ms=_whole(latency_ms(results, 500)),
        p95_ms=_whole(latency_ms(results, 950)),
    )


def _accuracy(results: Sequence[CaseResult], level: float) -> Interval | None:
    right, labelled = right_cases(results)
    return wilson(right, labelled, level) if labelled else None


def _whole(value: Fraction | None) -> int | None:
    return None if value is None else int(value)


def _change(baseline: Run, other: Run, level: float) -> Change | None:
    try:
        return compare(baseline, other, level=level).change
    except NotEnoughError:
        return None


def _merit(figures: Figures) -> tuple[float, ...]:
    """Return what a combination is ranked by, less being better; one that judged nothing comes last."""
    accuracy = figures.accuracy
    if accuracy is None:
        return (1, 0, 0, 0, 0)
    return (0, figures.unsafe, -accuracy.estimate, figures.unreadable, float(figures.cost_usd))


def _holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected by Holm's step-down method; None where there is none.

    The smallest of m is multiplied by m, the next by m - 1, and so on, none below the one before and none above 1. Worked: 0.01,
    0.04, 0.03 become 0.03, 0.06, 0.06.
    """
    ranked = sorted((p, at) for at, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, at) in enumerate(ranked):
        least = max(least, min(1.0, p * (len(ranked) - rank)))
        corrected[at] = least
    return corrected
