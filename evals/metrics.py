"""Metrics of a run: numbers that gates, tables and reports read. Exact fractions; None where there is nothing to measure.

Every metric is a function of results alone, may be asked of any part of a run (an axis, a tag, a decision type), and counts
every repeat of a case as a result of its own.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from evals.decisions import AXES, is_needless_hold, is_unsafe_approval
from evals.results import CaseResult
from policies.models import PICODOLLARS
from policies.verdicts import DECISION_TYPES, VERDICTS, Verdict

Results = Sequence[CaseResult]
Value = Fraction | None


class Metric(NamedTuple):
    """One number about results."""

    measure: Callable[[Results], Value]
    unit: Literal["share", "count", "usd", "ms"]
    about: str
    """One sentence: what it is, of what, and when it has no value."""


def accuracy(results: Results) -> Value:
    """Return the share of labelled results whose verdict is the label.

    0 all wrong, 1 all right; None where nothing labelled was judged.
    """
    judged = _labelled(results)
    return _share(sum(each.verdict == each.label for each in judged), len(judged))


def unsafe_approvals(results: Results) -> Value:
    """Return how many labelled results approve whole what should have been stopped (reject or quarantine).

    0 is best; None where nothing labelled was judged.
    """
    return _count(results, is_unsafe_approval)


def needless_holds(results: Results) -> Value:
    """Return how many labelled results stop what should have happened, whole or in part (approve or modify).

    0 is best; None where nothing labelled was judged.
    """
    return _count(results, is_needless_hold)


def passed(results: Results) -> Value:
    """Return the share of results that were judged and met every expectation, 0 to 1; None where there are none."""
    return _share(sum(each.passed for each in results), len(results))


def errors(results: Results) -> Value:
    """Return how many results could not be judged; 0 is best."""
    return Fraction(sum(bool(each.error) for each in results))


def cost_usd(results: Results) -> Value:
    """Return what all model calls cost, dollars; calls without a price count nothing. 0 where no model was asked."""
    return Fraction(sum(each.picodollars for each in results), PICODOLLARS)


def abstention_rate(results: Results) -> Value:
    """Return the share of votes that were abstentions, 0 to 1; None where nobody was to vote."""
    votes = [vote for each in results for vote in each.votes]
    return _share(sum(vote.verdict is None for vote in votes), len(votes))


def stability(results: Results) -> Value:
    """Return the share of cases whose repeats all came to one verdict, 0 to 1; None where no case was repeated."""
    verdicts: dict[str, list[Verdict]] = {}
    for each in results:
        if each.verdict is not None:
            verdicts.setdefault(each.case, []).append(each.verdict)
    repeated = [found for found in verdicts.values() if len(found) > 1]
    return _share(sum(len(set(found)) == 1 for found in repeated), len(repeated))


def latency_ms(results: Results, permille: int) -> Value:
    """Return a quantile of latency by nearest rank, milliseconds: the least value that so many permille do not exceed.

    None where nothing was judged. Of 1 to 20 ms the 950th permille is 19 ms.
    """
    found = sorted(each.latency_ms for each in results if not each.error)
    if not found:
        return None
    rank = -(-len(found) * permille // 1000)  # rounded up
    return Fraction(found[max(rank, 1) - 1])


METRICS: Final[Mapping[str, Metric]] = {
    "accuracy": Metric(accuracy, "share", "labelled cases whose verdict is the label"),
    "unsafe_approvals": Metric(unsafe_approvals, "count", "labelled reject or quarantine, and approved"),
    "needless_holds": Metric(needless_holds, "count", "labelled approve or modify, and rejected or held"),
    "passed": Metric(passed, "share", "cases that met every expectation"),
    "errors": Metric(errors, "count", "cases that could not be judged"),
    "cost_usd": Metric(cost_usd, "usd", "what all model calls cost"),
    "p50_latency_ms": Metric(lambda found: latency_ms(found, 500), "ms", "half of the cases took no longer"),
    "p95_latency_ms": Metric(lambda found: latency_ms(found, 950), "ms", "95 of 100 cases took no longer"),
    "p99_latency_ms": Metric(lambda found: latency_ms(found, 990), "ms", "99 of 100 cases took no longer"),
    "max_latency_ms": Metric(lambda found: latency_ms(found, 1000), "ms", "the slowest case"),
    "abstention_rate": Metric(abstention_rate, "share", "votes that were abstentions"),
    "stability": Metric(stability, "share", "repeated cases whose repeats all agree"),
}
"""Every metric by the name that gates call it."""


def within(results: Iterable[CaseResult], scope: str | None) -> list[CaseResult]:
    """Return the results of an axis, a tag or a decision type; all of them where the scope is None.

    An axis or a decision type goes before a tag of the same name.
    """
    if scope is None:
        return list(results)
    if scope in AXES:
        return [each for each in results if each.axis == scope]
    if scope in DECISION_TYPES:
        return [each for each in results if each.decision_type == scope]
    return [each for each in results if scope in each.tags]


def confusion(results: Results) -> dict[Verdict, dict[Verdict, int]]:
    """Return how often each label met each verdict: label → verdict → results, every verdict present."""
    found: dict[Verdict, dict[Verdict, int]] = {label: dict.fromkeys(VERDICTS, 0) for label in VERDICTS}
    for label, verdict in _pairs(results):
        found[label][verdict] += 1
    return found


def right_cases(results: Results) -> tuple[int, int]:
    """Return labelled cases that are right, and all labelled cases, for an interval over cases.

    Repeats of one case are not independent of each other, so they count as one answer, right where more than half are.
    """
    tally: dict[str, Counter[bool]] = {}
    for each in _labelled(results):
        tally.setdefault(each.case, Counter())[each.verdict == each.label] += 1
    return sum(found[True] > found[False] for found in tally.values()), len(tally)


def _labelled(results: Results) -> list[CaseResult]:
    return [each for each in results if each.label is not None and each.verdict is not None]


def _pairs(results: Results) -> list[tuple[Verdict, Verdict]]:
    """Return label and verdict of every labelled result that was judged."""
    return [(each.label, each.verdict) for each in results if each.label is not None and each.verdict is not None]


def _count(results: Results, is_counted: Callable[[Verdict, Verdict], bool]) -> Value:
    pairs = _pairs(results)
    return Fraction(sum(is_counted(verdict, label) for label, verdict in pairs)) if pairs else None


def _share(part: int, whole: int) -> Value:
    return Fraction(part, whole) if whole else None
