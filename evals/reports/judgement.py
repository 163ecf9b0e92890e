"""Whether a run says that a change is safe to ship, in words, with the evidence for it. Pure.

The words never claim more than the cases show: no failure in 30 cases still allows one in ten.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from evals.comparing import Comparison
from evals.decisions import is_needless_hold, is_unsafe_approval
from evals.metrics import right_cases
from evals.results import CaseResult, Run
from evals.statistics.intervals import Interval, wilson
from policies.verdicts import STRICTNESS

Answer = Literal["ship", "hold", "unknown"]


class Evidence(NamedTuple):
    """One fact that the judgement rests on."""

    kind: Literal["for", "against", "missing", "note"]
    told: str


class Judgement(NamedTuple):
    """The answer and what it rests on."""

    answer: Answer
    headline: str
    evidence: tuple[Evidence, ...]
    accuracy: Interval | None
    """Over cases; repeats of a case count as one answer."""
    unsafe: Interval | None
    """Share of unsafe approvals among the results whose label is reject or quarantine."""
    needless: Interval | None
    """Share of needless holds among the results whose label is approve or modify."""


_HEADLINES: dict[Answer, str] = {
    "ship": "Nothing here speaks against shipping.",
    "hold": "Do not ship this yet.",
    "unknown": "This run cannot say whether it is safe to ship.",
}


def judge(run: Run, comparison: Comparison | None) -> Judgement:
    """Return what a run says, with its baseline's comparison where there is one."""
    unsafe, needless = _unsafe(run.results), _needless(run.results)
    accuracy = wilson(*right_cases(run.results))
    found = [*_of_log(run), *_of_gates(run), *_of_labels(run, accuracy, unsafe, needless), *_of_changes(comparison)]
    kinds = {each.kind for each in found}
    answer: Answer = "hold" if "against" in kinds else "unknown" if "missing" in kinds else "ship"
    order = ("against", "missing", "for", "note")
    return Judgement(
        answer,
        _HEADLINES[answer],
        tuple(sorted(found, key=lambda each: order.index(each.kind))),
        accuracy,
        unsafe,
        needless,
    )


def _of_log(run: Run) -> list[Evidence]:
    found = []
    if not run.results:
        found.append(Evidence("missing", "The run has no results."))
    elif not run.is_complete:
        found.append(
            Evidence(
                "missing", "The run is not complete: its log was never closed. Run the same command again to go on."
            )
        )
    errors = sum(bool(each.error) for each in run.results)
    if errors:
        found.append(Evidence("missing", f"{_count(errors, 'result')} of {len(run.results)} could not be judged."))
    return found


def _of_gates(run: Run) -> list[Evidence]:
    found = [
        Evidence("against", f"Gate “{gate.gate}” fails: {_value(gate.value)}.")
        for gate in run.gates if not gate.passed
    ]  # fmt: skip
    if run.gates and not found:
        found.append(
            Evidence("for", f"All {_count(len(run.gates), 'gate')} pass." if len(run.gates) > 1 else "Its gate passes.")
        )
    unmet = [each for each in run.results if not each.passed and not each.error]
    if unmet:
        found.append(
            Evidence(
                "against",
                f"{_count(len(unmet), 'result')} of {len(run.results)} {_do(len(unmet))} not meet what is expected.",
            )
        )
    elif any(each.checks for each in run.results):
        found.append(Evidence("for", "Every expectation of every judged case is met."))
    return found


def _of_labels(
    run: Run, accuracy: Interval | None, unsafe: Interval | None, needless: Interval | None
) -> list[Evidence]:
    if accuracy is None:
        return [Evidence("missing", "No case is labelled, so nothing says which verdicts are right.")]
    found = [Evidence("note", f"Right verdicts: {accuracy.told} labelled cases.")]
    if unsafe is None:
        found.append(Evidence("missing", "No labelled case should be stopped, so unsafe approvals cannot show."))
    elif unsafe.estimate:
        count = round(unsafe.estimate * unsafe.n)
        found.append(
            Evidence("against", f"{_count(count, 'unsafe approval')} among {unsafe.n} results that should be stopped.")
        )
    else:
        most = f"that allows a true share of up to {unsafe.high:.1%} (95% interval)"
        found.append(Evidence("for", f"No unsafe approval among {unsafe.n} results that should be stopped; {most}."))
    if needless is not None:
        count = round(needless.estimate * needless.n)
        found.append(
            Evidence("note", f"{_count(count, 'needless hold')} among {needless.n} results that should happen.")
        )
    return found


def _of_changes(found: Comparison | None) -> list[Evidence]:
    if found is None:
        return [Evidence("note", "There is no baseline, so nothing says what changed.")]
    evidence = []
    if found.newly_failing:
        told = f"{_count(len(found.newly_failing), 'result')} passed in the baseline and {_do(len(found.newly_failing))} not now."
        evidence.append(Evidence("against", told))
    newly = sum(flip.is_unsafe for flip in found.flips)
    if newly:
        evidence.append(Evidence("against", f"{_count(newly, 'unsafe approval')} that the baseline did not make."))
    milder, paired = sum(flip.steps < 0 for flip in found.flips), len(found.pairing.pairs)
    told = f"{_count(len(found.flips), 'verdict')} of {paired} turned, {milder} towards milder."
    evidence.append(Evidence("note", told if found.flips else f"No verdict of {paired} turned."))
    seen = f"; these cases would have shown a difference of {found.detectable:.0%} or more" if found.detectable else ""
    hint = seen if found.judgement == "no_evidence" else ""
    is_worse = found.judgement == "regression"
    evidence.append(Evidence("against" if is_worse else "note", f"Against the baseline: {found.told}{hint}."))
    lost = len(found.pairing.only_old) + len(found.pairing.lost)
    if lost:
        evidence.append(
            Evidence(
                "missing", f"{_count(lost, 'case')} of the baseline {_do(lost, 'is', 'are')} not judged in this run."
            )
        )
    return evidence


def _unsafe(results: Sequence[CaseResult]) -> Interval | None:
    pairs = [(each.verdict, each.label) for each in results if each.verdict is not None and each.label is not None]
    stopped = [(verdict, label) for verdict, label in pairs if STRICTNESS[label] >= STRICTNESS["reject"]]
    return wilson(sum(is_unsafe_approval(*pair) for pair in stopped), len(stopped))


def _needless(results: Sequence[CaseResult]) -> Interval | None:
    pairs = [(each.verdict, each.label) for each in results if each.verdict is not None and each.label is not None]
    let = [(verdict, label) for verdict, label in pairs if STRICTNESS[label] <= STRICTNESS["modify"]]
    return wilson(sum(is_needless_hold(*pair) for pair in let), len(let))


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _do(count: int, one: str = "does", many: str = "do") -> str:
    return one if count == 1 else many


def _value(value: float | None) -> str:
    return "it has no value" if value is None else f"it is {value:.4g}"
