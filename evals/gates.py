"""Gates: what a run must reach, as one comparison of a metric with a number. Pure.

    gate := metric [ "[" axis | tag | decision type "]" ] op number      op := == != <= >= < >

Compared exactly: 9 of 10 right is `accuracy >= 0.9`.
"""

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from evals.metrics import METRICS, within
from evals.results import CaseResult, Gate
from policies.faults import did_you_mean

OPERATORS: Final[Mapping[str, Callable[[Fraction, Fraction], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_GATE: Final = re.compile(
    r"\s*(?P<metric>[a-z]\w*)\s*(?:\[\s*(?P<scope>[^\[\]]*?)\s*\])?\s*(?P<op>[=!<>]=?)\s*"
    r"(?P<number>[0-9]+(?:\.[0-9]+)?(?:/[1-9][0-9]*)?)\s*"
)


class GateError(ValueError):
    """the gate cannot be read

    Attributes:
        fix: what to write instead.
    """

    def __init__(self, what: str, fix: str) -> None:
        self.fix = fix
        super().__init__(what)


class GateRule(NamedTuple):
    """One comparison that must hold."""

    text: str
    """As written."""
    metric: str
    scope: str | None
    """An axis, a tag or a decision type; None: all results."""
    op: str
    bound: Fraction


def read_gate(text: str, scopes: Collection[str] | None) -> GateRule:
    """Read one gate.

    Args:
        scopes: axes, tags and decision types that occur, so that a gate over nothing is found before a run;
            None where that is not known.

    Raises:
        GateError: for a comparison that cannot be read, an unknown metric, or a scope without a case.
    """
    found = _GATE.fullmatch(text)
    if found is None or found["op"] not in OPERATORS:
        raise GateError("is not a gate", 'write a metric, a comparison and a number, such as "accuracy >= 0.9"')
    if found["metric"] not in METRICS:
        raise GateError(f"there is no metric {found['metric']!r}", did_you_mean(found["metric"], list(METRICS)))
    if found["scope"] is not None and scopes is not None and found["scope"] not in scopes:
        raise GateError(
            f"no case has the axis, tag or type {found['scope']!r}", did_you_mean(found["scope"], [*scopes])
        )
    rule = GateRule(text.strip(), found["metric"], found["scope"], found["op"], _number(found["number"]))
    if METRICS[rule.metric].unit == "share" and _never_holds(rule):
        raise GateError("can never hold: a share lies between 0 and 1", "write a number that it can reach")
    return rule


def judge_gates(
    rules: Iterable[GateRule], results: Sequence[CaseResult], *, is_narrowed: bool = False
) -> tuple[Gate, ...]:
    """Return how every gate fares; one whose metric has no value has not passed.

    Args:
        is_narrowed: whether only a part of the suite was run: gates that this part says nothing about are left out.
    """
    judged = [_judged(rule, results) for rule in rules]
    return tuple([gate for gate in judged if gate.value is not None or not is_narrowed])


def _judged(rule: GateRule, results: Sequence[CaseResult]) -> Gate:
    part = within(results, rule.scope)
    value = METRICS[rule.metric].measure(part) if part else None
    if value is None:
        return Gate(rule.text, False, None)
    return Gate(rule.text, OPERATORS[rule.op](value, rule.bound), float(value))


def _never_holds(rule: GateRule) -> bool:
    match rule.op:
        case "==" | ">=":
            return rule.bound > 1
        case ">":
            return rule.bound >= 1
        case "<":
            return rule.bound <= 0
    return False


def _number(text: str) -> Fraction:
    """Read "0.9", "9/10" or "3"."""
    above, _, below = text.partition("/")
    return Fraction(above) / Fraction(below or "1")
