"""Lints of conditions: rules that cannot fire, always fire, can fail, or name what does not exist.

A condition is tried on every combination of the values at which it could turn: each signal's least and greatest value, 0,
and every number of the condition, one less and one more. Where that is too many, the corners and an even part of the rest
are tried, and the finding says so.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from typing import Any, Final, NamedTuple

from policies.evidence import SignalSpec
from policies.findings import Finding
from policies.policy import Policy
from policies.rules import Rule, integers_of
from policies.signals.catalogue import CATALOGUE
from policies.verdicts import DECISION_TYPES, DecisionType

MOST_TRIED: Final = 20_000
"""Combinations tried per condition, some ten milliseconds."""
MOST_NUMBERS: Final = 8
"""Numbers of one condition, ends of ranges included, up to which their sums, differences and quotients are tried too."""
_STRIDE: Final = 7_368_787
"""A prime: steps of it visit a large product evenly."""


_TYPE_FLAGS: Final[Mapping[DecisionType, str]] = {kind: f"is_{kind}" for kind in DECISION_TYPES}
"""Triage's flag of each decision type."""


class Trial(NamedTuple):
    """What a condition said over the combinations tried."""

    holds: int
    fails: int
    """Combinations at which it could not be evaluated: division by zero, overflow."""
    tried: int
    is_sampled: bool
    """Whether only a part of the combinations was tried."""


def lint_rules(policy: Policy, catalogue: Mapping[str, SignalSpec] = CATALOGUE) -> Iterator[Finding]:
    """Yield what is found about rules, reasons to convene and seating conditions."""
    for rule in policy.rules.rules:
        place = f"rules.{rule.rule_id}"
        yield from _condition(rule, f"{place}.when", catalogue, "fires")
        yield from _threshold(rule, f"{place}.threshold", catalogue)
        yield from _certainly(rule, place)
    yield from _repeated(policy.rules.rules)
    for rule in policy.invocation.rules:
        yield from _condition(rule, f"invocation.{rule.rule_id}.when", catalogue, "convenes the council")
    if not policy.invocation.rules:
        yield Finding(
            "warning",
            "never_convenes",
            "invocation",
            "there is no reason to convene: every change takes the fast path",
            "copy the reasons of the shipped policy (000 §6.2)",
        )
    yield from _seating(policy, catalogue)


def try_condition(rule: Rule, catalogue: Mapping[str, SignalSpec] = CATALOGUE) -> Trial:
    """Try a condition on the combinations of values at which it could turn."""
    specs = [catalogue[name] for name in rule.signals]
    extremes = {bound for spec in specs for bound in (spec.low, spec.high)}
    values = [turning_values(spec, rule, extremes) for spec in specs]
    size = prod(len(choices) for choices in values)
    holds = fails = tried = 0
    for combination in _combinations(values, size):
        tried += 1
        try:
            result: Any = rule.program.execute(dict(zip(rule.signals, combination, strict=True)))
        except Exception:  # noqa: BLE001 - whatever breaks, the review would count the rule as failed
            fails += 1
            continue
        holds += result is True
    return Trial(holds, fails, tried, size > MOST_TRIED)


def always_seated(policy: Policy, decision_type: DecisionType) -> set[str]:
    """Return the members whose seating condition holds in every case of a decision type."""
    fixed = {
        name: replace(CATALOGUE[name], low=int(kind == decision_type), high=int(kind == decision_type))
        for kind, name in _TYPE_FLAGS.items()
    }
    catalogue = {**CATALOGUE, **fixed}
    seated = set()
    for rule in policy.seating.rules:
        if all(name in catalogue for name in rule.signals):
            trial = try_condition(rule, catalogue)
            if trial.holds + trial.fails == trial.tried:
                seated.add(rule.rule_id)
    return seated


def turning_values(spec: SignalSpec, rule: Rule, extremes: Collection[int] = ()) -> tuple[int, ...]:
    """Return the values of a signal at which a condition could turn, within the signal's range.

    Args:
        spec: the signal.
        rule: the condition.
        extremes: least and greatest values of the signals that the condition may add to this one.
    """
    numbers = {*integers_of(rule), *extremes}
    points = {spec.low, spec.high, 0, *numbers}
    if len(numbers) <= MOST_NUMBERS:
        points |= {point for a, b in product(numbers, repeat=2) for point in (a + b, a - b, a // b if b else a)}
    near = {point + step for point in points for step in (-1, 0, 1)}
    near |= {-point for point in near}
    return tuple(sorted(point for point in near if spec.low <= point <= spec.high))


def _combinations(values: Sequence[Sequence[int]], size: int) -> Iterator[Sequence[int]]:
    if size <= MOST_TRIED:
        yield from product(*values)
        return
    corners = product(*[(choices[0], choices[-1]) for choices in values])
    yield from islice(corners, MOST_TRIED // 2)
    for step in range(MOST_TRIED // 2):
        index, combination = step * _STRIDE % size, []
        for choices in values:
            index, at = divmod(index, len(choices))
            combination.append(choices[at])
        yield combination


def _condition(rule: Rule, place: str, catalogue: Mapping[str, SignalSpec], what: str) -> Iterator[Finding]:
    unknown = [name for name in rule.signals if name not in catalogue]
    if unknown:
        yield Finding(
            "error",
            "unknown_signal",
            place,
            f"names {', '.join(unknown)}, which nobody finds: it never {what}",
            "council policy signals lists what exists",
        )
        return
    trial = try_condition(rule, catalogue)
    part = f" in {trial.tried} combinations tried" if trial.is_sampled else ""
    if trial.fails:
        yield Finding(
            "warning",
            "condition_can_fail",
            place,
            f"cannot be evaluated for some values{part} (division by zero, or too large): that counts as fired",
            "guard the division: x > 0 && y / x > 2",
        )
    if trial.holds == 0:
        yield Finding("warning", "never_fires", place, f"never {what}{part}", _range_advice(rule, catalogue))
    elif trial.holds + trial.fails == trial.tried:
        yield Finding("warning", "always_fires", place, f"always {what}{part}", _range_advice(rule, catalogue))


def _range_advice(rule: Rule, catalogue: Mapping[str, SignalSpec]) -> str:
    if not rule.signals:
        return "name a signal: council policy signals lists them"
    return "; ".join(
        f"{name} runs from {catalogue[name].low} to {catalogue[name].high} {catalogue[name].unit}"
        for name in rule.signals
    )


def _threshold(rule: Rule, place: str, catalogue: Mapping[str, SignalSpec]) -> Iterator[Finding]:
    """Yield a threshold that no signal of its rule can have."""
    known = [catalogue[name] for name in rule.signals if name in catalogue]
    if rule.threshold is None or not known:
        return
    if all(not spec.low <= rule.threshold <= spec.high for spec in known):
        yield Finding(
            "warning",
            "threshold_out_of_range",
            place,
            f"{rule.threshold} lies outside the range of every signal that the rule reads",
            _range_advice(rule, catalogue),
        )


def _certainly(rule: Rule, place: str) -> Iterator[Finding]:
    """Yield a veto that a missing signal lets through."""
    if rule.mode == "enforce" and rule.outcome != "modify" and rule.when_missing == "skip" and len(rule.signals) > 1:
        yield Finding(
            "hint",
            "missing_lets_pass",
            f"{place}.when_missing",
            f"where one of {', '.join(rule.signals)} cannot be computed, this veto does not fire",
            "when_missing: quarantine, unless another rule covers that",
        )


def _repeated(rules: Sequence[Rule]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for rule in rules:
        source = rule.program.source
        if source in seen and rule.mode == "enforce":
            yield Finding(
                "hint",
                "repeated_condition",
                f"rules.{rule.rule_id}.when",
                f"is the condition of {seen[source]!r}: only the stricter outcome counts",
                "keep one of the two",
            )
        seen.setdefault(source, rule.rule_id)


def _seating(policy: Policy, catalogue: Mapping[str, SignalSpec]) -> Iterator[Finding]:
    for rule in policy.seating.rules:
        place = f"seating.{rule.rule_id}"
        unknown = [name for name in rule.signals if name not in catalogue]
        if unknown:
            yield Finding(
                "error",
                "unknown_signal",
                place,
                f"names {', '.join(unknown)}, which nobody finds: the member always sits",
                "council policy signals lists what exists",
            )
            continue
        if try_condition(rule, catalogue).holds:
            continue
        barred = [kind for kind, required in policy.required.items() if rule.rule_id not in required]
        if barred:
            yield Finding(
                "warning",
                "never_seated",
                place,
                f"the member never sits in {', '.join(barred)}",
                f"seating.{rule.rule_id}: true, or list it under required",
            )
