"""Expectations from a suite's file, and those of them that can never hold: found before a run, not by it."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, get_args

from evals.suite import Band, Expectations, WantedVetoes
from policies.contracts.effects import BOUNDED_FIELDS, VALUED_FIELDS
from policies.cursor import REQUIRED, Place
from policies.faults import did_you_mean
from policies.policy import Policy
from policies.signals.catalogue import CATALOGUE
from policies.verdicts import STRICTNESS, VERDICTS, Path, Verdict

EXPECT_KEYS: Final = (
    "verdict", "vetoes", "path", "evidence", "modifications", "confidence", "cost_usd", "latency_ms",
)  # fmt: skip
PATHS: Final[tuple[Path, ...]] = get_args(Path)
LABEL: Final = "label"
FIELDS: Final = tuple(
    dict.fromkeys([*BOUNDED_FIELDS.values(), *[name for each in VALUED_FIELDS.values() for name in each]])
)


def read_expectations(place: Place, policy: Policy) -> Expectations:
    """Read what is expected of a case; its faults are kept by the place.

    Args:
        policy: the one whose rules the suite names.
    """
    given = place.entries(EXPECT_KEYS)
    verdicts, is_label = _verdicts(given["verdict"]) if "verdict" in given else ((), False)
    expect = Expectations(
        verdicts,
        is_label,
        _vetoes(given["vetoes"], policy) if "vetoes" in given else None,
        given["path"].choice(PATHS) if "path" in given else None,
        _signals(given["evidence"]) if "evidence" in given else (),
        _modifications(given["modifications"]) if "modifications" in given else (),
        _band(given["confidence"], Fraction(1)) if "confidence" in given else None,
        _band(given["cost_usd"], None) if "cost_usd" in given else None,
        _band(given["latency_ms"], None) if "latency_ms" in given else None,
    )
    _refuse_impossible(given, expect, policy)
    return expect


def _verdicts(place: Place) -> tuple[tuple[Verdict, ...], bool]:
    if place.value == LABEL:
        return (), True
    if not isinstance(place.value, list):
        return (place.choice(VERDICTS),), False
    if not place.value:
        place.fault("names no verdict", "write at least one")
    return tuple(dict.fromkeys([item.choice(VERDICTS) for item in place.items()])), False


def _vetoes(place: Place, policy: Policy) -> WantedVetoes:
    if not isinstance(place.value, Mapping):
        return WantedVetoes(_rules(place, policy))
    given = place.entries(("exactly", "none"))
    if len(given) != 1:
        place.fault("needs exactly one of exactly and none", "write a list of rules, {exactly: [...]} or {none: true}")
        return WantedVetoes(())
    if "none" in given:
        if given["none"].value is not True:
            given["none"].fault("must be true", "leave vetoes out where they do not matter")
        return WantedVetoes((), is_exact=True)
    return WantedVetoes(_rules(given["exactly"], policy), is_exact=True)


def _rules(place: Place, policy: Policy) -> tuple[str, ...]:
    known = {rule.rule_id: rule for rule in policy.rules.rules}
    found: list[str] = []
    for item in place.items():
        name = item.text(80)
        if name and name not in known:
            item.fault(f"the policy {policy.policy_id!r} has no rule {name!r}", did_you_mean(name, list(known)))
        elif name and known[name].mode != "enforce":
            told = f"the rule is {known[name].mode} in {policy.policy_id!r} and never acts"
            item.fault(told, "expect rules that are enforced")
        elif name:
            found.append(name)
    return tuple(found)


def _signals(place: Place) -> tuple[str, ...]:
    found = []
    for item in place.items():
        name = item.text(80)
        if name and name not in CATALOGUE:
            item.fault(f"there is no signal {name!r}", f"{did_you_mean(name, list(CATALOGUE))[:200]}")
        found.append(name)
    return tuple(found)


def _modifications(place: Place) -> tuple[Mapping[str, Any], ...]:
    found = []
    for item in place.items():
        fields = item.fields({"effect": REQUIRED, "drop": None, "field": None, "max": None, "min": None, "value": None})
        if not fields:
            continue
        wanted: dict[str, Any] = {"effect": fields["effect"].integer(0, 1_000)}
        if fields["drop"].value is not None and fields["drop"].value is not True:
            fields["drop"].fault("must be true", "leave it out where the effect is not dropped")
        if fields["drop"].value is True:
            wanted["drop"] = True
        if fields["field"].value is not None:
            wanted["field"] = fields["field"].choice(FIELDS)
        for bound in ("max", "min"):
            if fields[bound].value is not None:
                wanted[bound] = _number(fields[bound])
        if fields["value"].value is not None:
            wanted["value"] = fields["value"].value
        _check_modification(item, wanted)
        found.append(wanted)
    return tuple(found)


def _check_modification(item: Place, wanted: Mapping[str, Any]) -> None:
    if "drop" in wanted and len(wanted) > 2:
        item.fault("an effect that is dropped has no field left to bound", "keep drop, or the field")
    if "max" in wanted and "min" in wanted and wanted["min"] > wanted["max"]:
        item.fault("can never hold: min is above max", "swap them")


def _number(place: Place) -> float:
    if isinstance(place.value, int | float) and not isinstance(place.value, bool):
        return place.value
    place.fault("must be a number", "write it in the field's own unit: 12.5")
    return 0.0


def _band(place: Place, top: Fraction | None) -> Band:
    """Read {min: …, max: …}; a band that no value can lie in is a fault.

    Args:
        top: the largest value that there is; None: none.
    """
    given = place.entries(("min", "max"))
    if isinstance(place.value, Mapping) and not given:
        place.fault("has neither min nor max", 'write {min: "0.5"} or {max: 8000}')
    least = given["min"].fraction(lambda _: True, "") if "min" in given else None
    most = given["max"].fraction(lambda _: True, "") if "max" in given else None
    if least is not None and most is not None and least > most:
        place.fault("can never hold: min is above max", "swap them")
    if most is not None and most < 0:
        given["max"].fault("can never hold: the value is never below 0", "write 0 or more")
    if least is not None and top is not None and least > top:
        given["min"].fault(f"can never hold: the value is never above {top}", f"write at most {top}")
    return Band(least, most)


def _refuse_impossible(given: Mapping[str, Place], expect: Expectations, policy: Policy) -> None:
    """Name expectations that contradict each other: no decision could meet them together."""
    for key, told, fix in _contradictions(expect, policy):
        if key in given:
            given[key].fault(f"can never hold: {told}", fix)


def _contradictions(expect: Expectations, policy: Policy) -> Sequence[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    verdicts: tuple[Verdict, ...] = expect.verdicts or VERDICTS
    if expect.path == "fast":
        found += _on_the_fast_path(expect, verdicts)
    if expect.path == "veto":
        found += _on_the_veto_path(expect, verdicts)
    if expect.modifications and "modify" not in verdicts:
        found.append(
            ("modifications", f"a verdict of {' or '.join(verdicts)} requires no modification", "expect modify")
        )
    named = set(expect.vetoes.rules if expect.vetoes else ())
    floors = [rule for rule in policy.rules.rules if rule.rule_id in named]
    for rule in floors:
        if all(STRICTNESS[verdict] < STRICTNESS[rule.outcome] for verdict in verdicts):
            told = f"where {rule.rule_id!r} fires the verdict is {rule.outcome} or stricter"
            found.append(("verdict", told, f"expect {rule.outcome}, or leave the veto out"))
    return found


def _on_the_fast_path(expect: Expectations, verdicts: Sequence[Verdict]) -> list[tuple[str, str, str]]:
    found = []
    if "approve" not in verdicts:
        found.append(("verdict", "the fast path only approves", "expect the path council or veto"))
    if expect.vetoes is not None and expect.vetoes.rules:
        found.append(("vetoes", "no rule is asked on the fast path", "expect the path veto"))
    if expect.evidence:
        found.append(("evidence", "nobody cites evidence on the fast path", "expect the path council"))
    if expect.modifications:
        found.append(("modifications", "nobody asks for modifications on the fast path", "expect the path council"))
    return found + _certain(expect, "the fast path")


def _on_the_veto_path(expect: Expectations, verdicts: Sequence[Verdict]) -> list[tuple[str, str, str]]:
    found = []
    if "reject" not in verdicts and "quarantine" not in verdicts:
        found.append(("verdict", "a veto rejects or quarantines", "expect the path council"))
    if expect.vetoes is not None and expect.vetoes.is_exact and not expect.vetoes.rules:
        found.append(("vetoes", "the path veto needs a rule that fires", "expect the path council"))
    if expect.modifications:
        found.append(("modifications", "a veto asks for no modification", "expect the path council"))
    return found + _certain(expect, "a veto")


def _certain(expect: Expectations, what: str) -> list[tuple[str, str, str]]:
    if expect.confidence is None or expect.confidence.holds(Fraction(1)):
        return []
    return [("confidence", f"{what} has confidence 1", 'write {max: "1"}, or leave it out')]
