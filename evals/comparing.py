"""Comparing two runs over the same cases: what flipped, whether it got worse, and whether that can be known. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, get_args

from evals.decisions import is_needless_hold, is_unsafe_approval
from evals.errors import NotEnoughError
from evals.flips import Flip, flip_of, most_dangerous_first
from evals.pairing import Pairing, changed, pair
from evals.results import CaseResult, Run, RunHeader
from evals.statistics.intervals import LEVEL, Interval, newcombe_paired, wilson
from evals.statistics.paired import detectable, mcnemar_exact, paired_bootstrap
from evals.statistics.resampling import RESAMPLES, SEED

Metric = Literal["accuracy", "unsafe_approvals", "needless_holds", "passed"]
METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
GOOD: Final[Mapping[Metric, str]] = {
    "accuracy": "right",
    "unsafe_approvals": "without an unsafe approval",
    "needless_holds": "without a needless hold",
    "passed": "passed",
}
"""What counts as good per metric: every share told is one of good cases, so that more is better."""
MIN_EFFECT: Final = 0.02
Judgement = Literal["regression", "small_loss", "no_evidence", "improvement", "unjudged"]


class Change(NamedTuple):
    """A share of good cases in both runs, over the same cases."""

    group: str
    """"all", or an axis."""
    old: Interval
    new: Interval
    difference: Interval
    """New less old, with the paired interval."""
    lost: int
    """Cases good in the first run only."""
    gained: int
    """Cases good in the second run only."""
    p_value: float
    """Exact McNemar."""


class Score(NamedTuple):
    """A number per case in both runs."""

    name: str
    unit: str
    old_mean: float
    new_mean: float
    old_total: float
    new_total: float
    difference: Interval
    """Mean of the cases' differences, new less old, with its bootstrap interval."""


class Comparison(NamedTuple):
    """Two runs, compared."""

    old: RunHeader
    new: RunHeader
    changed: tuple[str, ...]
    """What differs between the runs: policy, mode, models, prompts."""
    pairing: Pairing
    flips: tuple[Flip, ...]
    newly_failing: tuple[str, ...]
    """Cases whose expectations held in the first run and fail in the second, with the expectations."""
    lost_gates: tuple[str, ...]
    """Gates of the suite that the first run passes and the second fails. They speak of these cases, not beyond chance."""
    metric: Metric
    level: float
    min_effect: float
    change: Change | None
    """None where no case says what would have been good."""
    by_axis: tuple[Change, ...]
    spread: Interval | None
    """Difference with its bootstrap interval over cases, repeats averaged; None without repeats."""
    detectable: float | None
    """Smallest difference that these cases would have shown four times in five."""
    scores: tuple[Score, ...]
    judgement: Judgement
    told: str
    """The judgement in a sentence."""


def compare(
    old: Run,
    new: Run,
    *,
    metric: Metric = "accuracy",
    min_effect: float = MIN_EFFECT,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Comparison:
    """Compare two runs, paired by case and repeat.

    Where cases were repeated, a case counts once: it is good where more than half of its repeats are. Repeats of one case are
    no further evidence about other cases.

    Args:
        min_effect: least loss of the share of good cases that is called a regression, in [0, 1].
        level: of every interval; 1 - level is the largest p-value that counts as evidence.

    Raises:
        NotEnoughError: where the runs have no judged case in common.
    """
    pairing = pair(old.results, new.results)
    if not pairing.pairs:
        raise NotEnoughError("the runs have no judged case in common", "compare two runs of one suite")
    units = _units(pairing.pairs, metric)
    change = _change("all", units, level)
    told = _judged(change, metric, min_effect, level)
    axes = dict.fromkeys(unit.axis for unit in units if unit.axis)
    changes = [_change(axis, [unit for unit in units if unit.axis == axis], level) for axis in axes]
    is_repeated = any(unit.repeats > 1 for unit in units)
    spread = [unit.new_share - unit.old_share for unit in units]
    return Comparison(
        old.header,
        new.header,
        changed(old.header, new.header),
        pairing,
        most_dangerous_first(flip for each in pairing.pairs if (flip := flip_of(*each)) is not None),
        _newly_failing(pairing.pairs),
        _lost_gates(old, new),
        metric,
        level,
        min_effect,
        change,
        tuple([each for each in changes if each is not None]),
        paired_bootstrap(spread, level, resamples, seed) if is_repeated else None,
        _detectable(change, level),
        _scores(pairing.pairs, level, resamples, seed),
        *told,
    )


class _Unit(NamedTuple):
    """One case with what its repeats come to in both runs."""

    axis: str | None
    repeats: int
    old_share: float
    new_share: float

    @property
    def was_good(self) -> bool:
        return self.old_share > 0.5

    @property
    def is_good(self) -> bool:
        return self.new_share > 0.5


def is_good(result: CaseResult, metric: Metric) -> bool | None:
    """Return whether a result is good by a metric; None where nothing says what would be."""
    if metric == "passed":
        return result.passed if result.checks else None
    if result.label is None or result.verdict is None:
        return None
    match metric:
        case "accuracy":
            return result.verdict == result.label
        case "unsafe_approvals":
            return not is_unsafe_approval(result.verdict, result.label)
        case "needless_holds":
            return not is_needless_hold(result.verdict, result.label)


def _units(pairs: Sequence[tuple[CaseResult, CaseResult]], metric: Metric) -> list[_Unit]:
    by_case: dict[str, list[tuple[bool, bool]]] = {}
    axes: dict[str, str | None] = {}
    for old, new in pairs:
        was, now = is_good(old, metric), is_good(new, metric)
        if was is not None and now is not None:
            by_case.setdefault(new.case, []).append((was, now))
            axes[new.case] = new.axis
    return [
        _Unit(
            axes[case], len(found), sum(was for was, _ in found) / len(found), sum(now for _, now in found) / len(found)
        )
        for case, found in by_case.items()
    ]


def _change(group: str, units: Sequence[_Unit], level: float) -> Change | None:
    both = sum(unit.was_good and unit.is_good for unit in units)
    lost = sum(unit.was_good and not unit.is_good for unit in units)
    gained = sum(unit.is_good and not unit.was_good for unit in units)
    old, new = wilson(both + lost, len(units), level), wilson(both + gained, len(units), level)
    difference = newcombe_paired(both, lost, gained, len(units) - both - lost - gained, level)
    if old is None or new is None or difference is None:
        return None
    return Change(group, old, new, difference, lost, gained, mcnemar_exact(lost, gained))


def _judged(change: Change | None, metric: Metric, min_effect: float, level: float) -> tuple[Judgement, str]:
    if change is None:
        needs = "has an expectation" if metric == "passed" else "is labelled"
        return "unjudged", f"no case in common {needs}: nobody can say which run is better"
    effect = change.difference.estimate
    told = f"{GOOD[metric]}: {change.old.estimate:.1%} → {change.new.estimate:.1%} of {change.old.n} cases"
    if change.p_value > 1 - level:
        return "no_evidence", f"no evidence of a difference; {told}"
    if effect > 0:
        return "improvement", f"better; {told}"
    # Shares are sums of thousandths in people's minds: a loss of 2 in 100 is one of 0.02, whatever floats make of it.
    if -effect < min_effect - 1e-9:
        return "small_loss", f"worse, by less than the minimum effect of {min_effect:g}; {told}"
    return "regression", f"worse; {told}"


def _detectable(change: Change | None, level: float) -> float | None:
    if change is None:
        return None
    background = min(change.lost, change.gained) / change.old.n
    return detectable(change.old.n, min(background, 0.49), level)


_SCORES: Final[tuple[tuple[str, str, Callable[[CaseResult], float]], ...]] = (
    ("confidence", "", lambda result: result.confidence),
    ("cost", "USD", lambda result: result.picodollars / 1e12),
    ("latency", "ms", lambda result: float(result.latency_ms)),
    ("model calls", "", lambda result: float(result.model_calls)),
    ("tokens", "", lambda result: float(result.tokens)),
)


def _scores(
    pairs: Sequence[tuple[CaseResult, CaseResult]], level: float, resamples: int, seed: int
) -> tuple[Score, ...]:
    found = []
    for name, unit, of in _SCORES:
        befores, afters = [of(old) for old, _ in pairs], [of(new) for _, new in pairs]
        if not any(befores) and not any(afters):
            continue
        by_case: dict[str, list[float]] = {}
        for (_, new), was, now in zip(pairs, befores, afters, strict=True):
            by_case.setdefault(new.case, []).append(now - was)
        difference = paired_bootstrap([sum(each) / len(each) for each in by_case.values()], level, resamples, seed)
        assert difference is not None
        n, before, after = len(pairs), sum(befores), sum(afters)
        found.append(Score(name, unit, before / n, after / n, before, after, difference))
    return tuple(found)


def _lost_gates(old: Run, new: Run) -> tuple[str, ...]:
    held = {gate.gate for gate in old.gates if gate.passed}
    return tuple([gate.gate for gate in new.gates if gate.gate in held and not gate.passed])


def _newly_failing(pairs: Sequence[tuple[CaseResult, CaseResult]]) -> tuple[str, ...]:
    found = [(new, [check.expectation for check in new.checks if not check.passed]) for old, new in pairs if old.passed]
    return tuple([f"{new.case}: {', '.join(failed)}" for new, failed in found if failed])
