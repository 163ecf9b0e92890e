"""The parts of a policy document that hold conditions: vetoes and floors, reasons to convene, seating."""

import re
from difflib import get_close_matches
from typing import Any, Final

from policies.cursor import REQUIRED, Place
from policies.rules import Rule, RuleSyntaxError, compile_rule, placeholders
from policies.signals.catalogue import CATALOGUE, TRIAGE_NAMES
from policies.verdicts import MEMBERS, RULE_MODES, RULE_OUTCOMES

MAX_RULES: Final = 200
MAX_SENTENCE: Final = 500
_LIMIT: Final = 2**53 - 1
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ALL: Final = frozenset(CATALOGUE)
ALWAYS: Final = "true"


def vetoes_and_floors(place: Place) -> list[dict[str, Any]]:
    """Return the rules with every default written out."""
    taken: set[str] = set()
    return [_veto(item, taken) for item in _bounded(place)]


def conditions(place: Place) -> list[dict[str, Any]]:
    """Return the reasons to convene the council with every default written out."""
    taken: set[str] = set()
    return [_reason(item, taken) for item in _bounded(place)]


def seating(place: Place) -> dict[str, str]:
    """Return the seating condition of every member; one left out always sits."""
    given = place.fields(dict.fromkeys(MEMBERS, ALWAYS))
    return {member: _condition(item, TRIAGE_NAMES, None)[0] for member, item in given.items()}


def _bounded(place: Place) -> list[Place]:
    items = place.items()
    if len(items) > MAX_RULES:
        place.fault(f"more than {MAX_RULES} rules", "every rule costs time in every review")
    return items[:MAX_RULES]


def _veto(place: Place, taken: set[str]) -> dict[str, Any]:
    fields = place.fields(
        {
            "id": REQUIRED,
            "outcome": REQUIRED,
            "mode": "enforce",
            "threshold": None,
            "when": REQUIRED,
            "because": REQUIRED,
            "when_missing": "skip",
        }
    )
    if not fields:
        return {}
    threshold = None if fields["threshold"].value is None else fields["threshold"].integer(-_LIMIT, _LIMIT)
    when, rule = _condition(fields["when"], _ALL, threshold)
    if rule is not None and threshold is not None and not re.search(r"\bthreshold\b", when):
        fields["threshold"].fault("is never read", "name `threshold` in `when`, or remove it")
    return {
        "id": _name(fields["id"], taken),
        "outcome": fields["outcome"].choice(RULE_OUTCOMES),
        "mode": fields["mode"].choice(RULE_MODES),
        "threshold": threshold,
        "when": when,
        "because": _sentence(fields["because"], _ALL, threshold),
        "when_missing": fields["when_missing"].choice(["skip", "quarantine"]),
    }


def _reason(place: Place, taken: set[str]) -> dict[str, Any]:
    fields = place.fields({"id": REQUIRED, "when": REQUIRED, "because": REQUIRED, "when_missing": "skip"})
    if not fields:
        return {}
    return {
        "id": _name(fields["id"], taken),
        "when": _condition(fields["when"], TRIAGE_NAMES, None)[0],
        "because": _sentence(fields["because"], TRIAGE_NAMES, None),
        "when_missing": fields["when_missing"].choice(["skip", "convene"]),
    }


def _name(place: Place, taken: set[str]) -> str:
    name = place.text(64)
    if name and not _NAME.fullmatch(name):
        place.fault("not a name", "write lower-case letters, digits and underscores, a letter first")
    if name in taken:
        place.fault(f"the id {name!r} is taken", "give every rule an id of its own")
    taken.add(name)
    return name


def _condition(place: Place, known: frozenset[str], threshold: int | None) -> tuple[str, Rule | None]:
    """Return the expression, and the compiled rule where it is sound."""
    if isinstance(place.value, bool):
        return str(place.value).lower(), None
    when = place.text(2000)
    if not when:
        return when, None
    try:
        rule = compile_rule("probe", when, threshold=threshold)
    except RuleSyntaxError as error:
        place.fault(str(error), "docs/policy.md shows what a condition may say")
        return when, None
    if not _has_known_names(place, rule, known):
        return when, None
    _check_is_a_condition(place, rule)
    return when, rule


def _has_known_names(place: Place, rule: Rule, known: frozenset[str]) -> bool:
    if "threshold" in rule.signals:
        place.fault("names `threshold`, but has none", "write `threshold:` with a whole number beside it")
        return False
    unknown = [name for name in rule.signals if name not in known]
    if unknown and not place.complaints.is_recorded:
        place.fault(_unknown(unknown[0]), _nearest(unknown[0], known))
    return not unknown


def _check_is_a_condition(place: Place, rule: Rule) -> None:
    """Try the condition on a few cases: CEL finds out only then that numbers were used as conditions."""
    for values in _probes(rule):
        try:
            holds = rule.program.execute(values)
        except TypeError:
            place.fault("mixes numbers and conditions", "compare every signal with a number: is_major_trigger == 1")
            return
        except (ArithmeticError, RuntimeError, ValueError):
            continue
        if not isinstance(holds, bool):
            place.fault("is a number, not a condition", "compare it: ... > 0")
            return


def _probes(rule: Rule) -> list[dict[str, int]]:
    lows = {name: CATALOGUE[name].low for name in rule.signals}
    highs = {name: CATALOGUE[name].high for name in rule.signals}
    return [lows, highs, dict.fromkeys(rule.signals, 0), dict.fromkeys(rule.signals, 1)]


def _sentence(place: Place, known: frozenset[str], threshold: int | None) -> str:
    text = place.text(MAX_SENTENCE)
    names = placeholders(text)
    for name in names:
        if name == "threshold" and threshold is None:
            place.fault("shows {threshold}, but the rule has none", "write the number, or give the rule a threshold")
        elif name != "threshold" and name not in known and not place.complaints.is_recorded:
            place.fault(_unknown(name), _nearest(name, known))
    if text.count("{") != len(names) or text.count("}") != len(names):
        place.fault("has braces that hold no signal's name", "write {signal_name} or {threshold}, and no other braces")
    return text


def _unknown(name: str) -> str:
    if name in CATALOGUE:
        return f"the signal {name!r} is found only after the council has convened"
    return f"unknown signal {name!r}"


def _nearest(name: str, known: frozenset[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else "council policy signals lists them"
