"""Rules over signals, written as data in CEL: vetoes, floors, invocation and seating conditions.

A rule is compiled once, when its policy is loaded, and evaluated against integers only. A rule that fails to evaluate
counts as fired with outcome quarantine (council.md, vetoes and floors; register rows S0-62 to S0-64): unknown is never
safe. Rules that did not fire cost nothing but their condition: their result is made once, with the rule set.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import cel

from policies.verdicts import RuleMode, RuleOutcome

MAX_EXPRESSION: Final = 500
"""Longest expression accepted, characters: CEL has no cost limit of its own."""
ALLOWED_FUNCTIONS: Final = frozenset(
    [
        *["_&&_", "_||_", "!_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"],  # logic and comparison
        *["_+_", "_-_", "_*_", "_/_", "_%_", "-_", "_?_:_"],  # arithmetic and choice
    ]
)
"""Comparison, logic and integer arithmetic: rules are total but for division by zero and overflow."""

WhenMissing = Literal["skip", "quarantine"]

_TOKENS: Final = re.compile(r"\s*(?:[A-Za-z_]\w*|\d+(?![\w.])|&&|\|\||[=!<>]=|[-!<>+*/%?:()])", re.ASCII)
_INTEGER: Final = re.compile(r"(?<![\w.])\d+")
_CONSTANT: Final = re.compile(r"\b(?:true|false)\b")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_NO_VALUES: Final[Mapping[str, int]] = MappingProxyType({})


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
        because: the sentence shown where it fires; `{threshold}` and `{signal_name}` in it are filled in.
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


class RuleResult(NamedTuple):
    """What one rule said about one case."""

    rule: Rule
    fired: bool
    """Whether it holds (or failed, which counts as holding)."""
    outcome: RuleOutcome
    """Its outcome; quarantine where it failed or where a signal was missing that must not be."""
    values: Mapping[str, int] = _NO_VALUES
    """Values of the signals that it read, where it fired; `values_read` gives them for any rule."""
    missing: tuple[str, ...] = ()
    """Signals that it names and the evidence lacks."""
    error: str = ""
    """`rule_error:<id>` where its evaluation failed, else ""."""


class RuleSet:
    """Rules evaluated together, in the order of the policy file; safe to share between threads.

    Args:
        rules: the rules.
        remembered: how many different sets of values to remember the results of, where values repeat from case to case.
    """

    def __init__(self, rules: Sequence[Rule], *, remembered: int = 0) -> None:
        self.rules = tuple(rules)
        self._remembered = remembered
        self._known: dict[tuple[int | None, ...], tuple[RuleResult, ...]] = {}
        self._needed = frozenset([name for rule in self.rules for name in rule.signals])
        self._entries = [
            (rule.program.execute, RuleResult(rule, False, rule.outcome), frozenset(rule.signals))
            for rule in self.rules
        ]

    def evaluate(self, values: Mapping[str, int]) -> tuple[RuleResult, ...]:
        """Evaluate every rule against signal values."""
        if not self._remembered:
            return self._evaluated(values)
        key = tuple([values.get(name) for name in self._needed])
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._remembered:
                self._known.clear()
            found = self._known[key] = self._evaluated(values)
        return found

    def _evaluated(self, values: Mapping[str, int]) -> tuple[RuleResult, ...]:
        context = cel.Context()
        context.set_variable_resolver(values.get)
        missing = self._needed.difference(values)
        results: list[RuleResult] = []
        for execute, quiet, names in self._entries:
            if missing and not names.isdisjoint(missing):
                results.append(_unknown(quiet, values))
                continue
            try:
                holds = execute(context)
            except Exception:  # noqa: BLE001 - any failure of a guard is that guard's veto
                holds = None
            results.append(quiet if holds is False else _loud(quiet.rule, holds, values))
        return tuple(results)


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
        RuleSyntaxError: where the expression is too long, does not parse, or holds anything but names, whole numbers,
            comparison, logic and arithmetic.
    """
    if len(when) > MAX_EXPRESSION:
        raise RuleSyntaxError(f"longer than {MAX_EXPRESSION} characters")
    _check_tokens(when)
    try:
        program = cel.compile(with_threshold(when, threshold))
    except ValueError as error:
        raise RuleSyntaxError(f"not valid CEL: {_first_complaint(error)}") from None
    unknown = sorted(set(program.functions()) - ALLOWED_FUNCTIONS)
    if unknown:
        raise RuleSyntaxError(f"uses {', '.join(unknown)}: rules may only compare, combine and calculate")
    names = tuple(sorted(program.variables()))
    return Rule(rule_id, outcome, mode, when, threshold, because, when_missing, names, program)


def with_threshold(when: str, threshold: int | None) -> str:
    """Return a condition with `threshold` replaced by the rule's own number."""
    if threshold is None:
        return when
    return re.sub(r"\bthreshold\b", str(threshold) if threshold >= 0 else f"({threshold})", when)


def integers_of(rule: Rule) -> tuple[int, ...]:
    """Return the whole numbers that a rule's condition compares with, its threshold included."""
    return tuple(sorted({int(text) for text in _INTEGER.findall(with_threshold(rule.when, rule.threshold))}))


def values_read(rule: Rule, values: Mapping[str, int]) -> dict[str, int]:
    """Return the signals that a rule reads with their values, those that are missing left out."""
    return {name: values[name] for name in rule.signals if name in values}


def placeholders(because: str) -> tuple[str, ...]:
    """Return the names in braces of a rule's sentence.

    >>> placeholders("suspicion {exploit_suspicion} of {threshold}")
    ('exploit_suspicion', 'threshold')
    """
    return tuple(_PLACEHOLDER.findall(because))


def explanation(result: RuleResult, values: Mapping[str, int]) -> str:
    """Return why a rule fired, its sentence filled in with the numbers of the case.

    Args:
        result: what the rule said.
        values: signals of the case; one that is missing is shown as "unknown".
    """
    rule = result.rule
    if result.error:
        return f"{result.error}: the rule could not be evaluated, which counts as fired"
    if result.missing:
        return f"cannot be judged: {', '.join(result.missing)} could not be computed"

    def filled(match: re.Match[str]) -> str:
        name = match[1]
        return str(rule.threshold) if name == "threshold" else str(values.get(name, "unknown"))

    return _PLACEHOLDER.sub(filled, rule.because)


def as_error(result: RuleResult) -> RuleResult:
    """Return a result as that of a rule that failed: fired, quarantine, and named (fail closed)."""
    return result._replace(fired=True, outcome="quarantine", error=f"rule_error:{result.rule.rule_id}")


def _unknown(quiet: RuleResult, values: Mapping[str, int]) -> RuleResult:
    """Return what a rule says where a signal that it names is missing."""
    rule = quiet.rule
    missing = tuple([name for name in rule.signals if name not in values])
    if rule.when_missing == "skip":
        return RuleResult(rule, False, rule.outcome, _NO_VALUES, missing)
    return RuleResult(rule, True, "quarantine", values_read(rule, values), missing)


def _loud(rule: Rule, holds: Any, values: Mapping[str, int]) -> RuleResult:
    result = RuleResult(rule, True, rule.outcome, values_read(rule, values))
    return result if holds is True else as_error(result)


def _check_tokens(when: str) -> None:
    end, stop = 0, len(when.rstrip())
    while end < stop:
        match = _TOKENS.match(when, end)
        if match is None:
            at = end + len(when[end:]) - len(when[end:].lstrip())
            raise RuleSyntaxError(
                f"unexpected {when[at]!r} at character {at + 1}: signals are whole numbers, "
                "so write names, whole numbers and operators only"
            )
        end = match.end()
    if _CONSTANT.search(when) and when.strip() not in ("true", "false"):
        # CEL finds 1 == true false without a word: such a rule would never fire.
        raise RuleSyntaxError("compares with true or false: a flag is the number 1 or 0, so write == 1")


def _first_complaint(error: ValueError) -> str:
    """Return the parser's own words, without the source that it repeats."""
    text = str(error)
    found = re.search(r"ERROR: <input>:\d+:(\d+): (.*)", text)
    return f"{found[2]} (character {found[1]})" if found else text.splitlines()[0]
