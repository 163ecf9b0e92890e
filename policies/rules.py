"""Rules over signals, written as data in CEL: vetoes, floors, invocation and seating conditions.

A rule is compiled once, when its policy is loaded, and evaluated against integers only. A rule that fails to evaluate
counts as fired with outcome quarantine (council.md, vetoes and floors): unknown is never safe.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cel

from policies.verdicts import RuleMode, RuleOutcome

MAX_EXPRESSION: Final = 500
"""Longest expression accepted, characters: CEL has no cost limit of its own."""
ALLOWED_FUNCTIONS: Final = frozenset(
    [
        "_&&_",
        "_||_",
        "!_",
        "_==_",
        "_!=_",
        "_<_",
        "_<=_",
        "_>_",
        "_>=_",
        "_+_",
        "_-_",
        "_*_",
        "_/_",
        "_%_",
        "-_",
        "_?_:_",
    ]
)
"""Comparison, logic and integer arithmetic: rules are total but for division by zero and overflow."""

WhenMissing = Literal["skip", "quarantine"]


class RuleSyntaxError(ValueError):
    """the expression is not a condition over signals"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition over signals and what follows where it holds.

    Attributes:
        rule_id: unique name.
        outcome: modify (a floor), reject or quarantine.
        mode: log_only, review_only or enforce.
        when: the condition, in CEL; `threshold` in it stands for the rule's own threshold.
        threshold: the number that designers tune; None where the condition names none.
        because: the sentence shown where it fires.
        when_missing: what happens where a signal that it names could not be computed.
        signals: names of the signals that it reads.
        program: the compiled condition.
    """

    rule_id: str
    outcome: RuleOutcome
    mode: RuleMode
    when: str
    threshold: int | None
    because: str
    when_missing: WhenMissing
    signals: tuple[str, ...]
    program: cel.Program


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule said about one case.

    Attributes:
        fired: whether it holds (or failed, which counts as holding).
        outcome: its outcome; quarantine where it failed.
        values: values of the signals that it read.
        missing: signals that it names and the evidence lacks.
        error: "rule_error:<id>" where its evaluation failed, else "".
    """

    rule: Rule
    fired: bool
    outcome: RuleOutcome
    values: Mapping[str, int]
    missing: tuple[str, ...] = ()
    error: str = ""


class RuleSet:
    """Rules evaluated together; one CEL environment serves them all.

    Not for use from several threads at once: a CEL context is single-threaded.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._values: Mapping[str, int] = {}
        self._context = cel.Context()
        self._context.set_variable_resolver(self._resolve)

    def evaluate(self, values: Mapping[str, int]) -> tuple[RuleResult, ...]:
        """Evaluate every rule against signal values, in the order of the policy file."""
        self._values = values
        return tuple([self._result(rule, values) for rule in self.rules])

    def _resolve(self, name: str) -> int | None:
        return self._values.get(name)

    def _result(self, rule: Rule, values: Mapping[str, int]) -> RuleResult:
        read = {name: values[name] for name in rule.signals if name in values}
        if len(read) < len(rule.signals):
            missing = tuple(name for name in rule.signals if name not in values)
            fired = rule.when_missing == "quarantine"
            return RuleResult(rule, fired, "quarantine" if fired else rule.outcome, read, missing)
        try:
            holds = rule.program.execute(self._context)
        except Exception:  # noqa: BLE001 - any failure of a guard is that guard's veto
            holds = None
        if holds is not True and holds is not False:
            return RuleResult(rule, True, "quarantine", read, (), f"rule_error:{rule.rule_id}")
        return RuleResult(rule, holds, rule.outcome, read)


def compile_rule(
    rule_id: str,
    when: str,
    *,
    outcome: RuleOutcome = "quarantine",
    mode: RuleMode = "enforce",
    threshold: int | None = None,
    because: str = "",
    when_missing: WhenMissing = "skip",
) -> Rule:
    """Compile one rule.

    Raises:
        RuleSyntaxError: where the expression is too long, does not parse, or calls anything but comparison, logic and
            arithmetic.
    """
    if len(when) > MAX_EXPRESSION:
        raise RuleSyntaxError(f"longer than {MAX_EXPRESSION} characters")
    source = re.sub(r"\bthreshold\b", str(threshold), when) if threshold is not None else when
    try:
        program = cel.compile(source)
    except Exception as error:
        raise RuleSyntaxError(f"not valid CEL: {str(error).splitlines()[0]}") from None
    unknown = sorted(set(program.functions()) - ALLOWED_FUNCTIONS)
    if unknown:
        raise RuleSyntaxError(f"uses {', '.join(unknown)}: rules may only compare, combine and calculate")
    names = tuple(program.variables())
    return Rule(rule_id, outcome, mode, when, threshold, because, when_missing, names, program)
