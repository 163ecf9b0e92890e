"""Expectations held against a record: a check that fails is a value, never an exception. Pure."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from evals.results import Check
from evals.suite import Band, Expectations, WantedVetoes
from policies.models import PICODOLLARS
from policies.verdicts import STRICTNESS, Verdict

Record = Mapping[str, Any]


def check(expect: Expectations, record: Record, label: Verdict | None, latency_ms: int) -> tuple[Check, ...]:
    """Hold a record against everything that is expected of it, in the order of docs/evals/suites.md.

    Args:
        record: document of the decision's record.
        label: what `verdict: label` stands for; None fails it.
        latency_ms: from intake to verdict.
    """
    return tuple(_checks(expect, record, label, latency_ms))


def acting_rules(record: Record) -> tuple[str, ...]:
    """Return the ids of rules that fired in enforce mode, on the change as asked or on the modified one."""
    acted = [veto["rule"] for veto in record["answer"]["vetoes"] if veto["mode"] == "enforce"]
    return tuple(dict.fromkeys(acted))


def cited(record: Record) -> tuple[str, ...]:
    """Return the signals that the rules and votes that decided cite, sorted; none on the fast path.

    Votes decided that stand at the votes' outcome or stricter, or the approvals of an approve; where rules were at least as
    strict, the rules that acted did.
    """
    merge = record["merge"]
    if merge is None:
        return ()
    found = {name for veto in record["answer"]["vetoes"] if veto["mode"] == "enforce" for name in veto["evidence"]}
    outcome = merge["rules_outcome"] if merge["decided_by"] == "floor" else merge["votes_outcome"]
    if merge["decided_by"] != "veto" and outcome is not None:
        for vote in record["answer"]["votes"]:
            if vote["verdict"] is not None and _carried(vote["verdict"], outcome):
                found |= {name for reason in vote["reasons"] for name in reason["evidence"]}
    return tuple(sorted(found))


def required(record: Record) -> tuple[Mapping[str, Any], ...]:
    """Return the modifications that the council requires; none unless its verdict is modify."""
    if record["council_verdict"] != "modify" or record["modifications"] is None:
        return ()
    return tuple(record["modifications"]["required"])


def picodollars_of(record: Record) -> int:
    """Return what the decision's model calls cost."""
    return int(Fraction(record["answer"]["cost"]["usd"]) * PICODOLLARS)


def _checks(expect: Expectations, record: Record, label: Verdict | None, latency_ms: int) -> Iterator[Check]:
    verdict: Verdict = record["council_verdict"]
    if expect.is_label:
        yield Check("verdict", label is not None and verdict == label, label, verdict)
    elif expect.verdicts:
        wanted = expect.verdicts[0] if len(expect.verdicts) == 1 else list(expect.verdicts)
        yield Check("verdict", verdict in expect.verdicts, wanted, verdict)
    if expect.vetoes is not None:
        yield _vetoes(expect.vetoes, acting_rules(record))
    if expect.path is not None:
        yield Check("path", record["path"] == expect.path, expect.path, record["path"])
    if expect.evidence:
        found = cited(record)
        yield Check("evidence", set(expect.evidence) <= set(found), list(expect.evidence), list(found))
    if expect.modifications:
        yield _modifications(expect.modifications, required(record))
    if expect.confidence is not None:
        yield _in_band("confidence", expect.confidence, Fraction(str(record["answer"]["confidence"])))
    if expect.cost_usd is not None:
        yield _cost(expect.cost_usd, record)
    if expect.latency_ms is not None:
        yield _in_band("latency_ms", expect.latency_ms, Fraction(latency_ms))


def _vetoes(wanted: WantedVetoes, found: tuple[str, ...]) -> Check:
    if wanted.is_exact:
        shown = {"exactly": list(wanted.rules)} if wanted.rules else {"none": True}
        return Check("vetoes", set(found) == set(wanted.rules), shown, list(found))
    return Check("vetoes", set(wanted.rules) <= set(found), list(wanted.rules), list(found))


def _modifications(wanted: tuple[Mapping[str, Any], ...], found: tuple[Mapping[str, Any], ...]) -> Check:
    is_met = all(any(_is_among(each, condition) for condition in found) for each in wanted)
    shown = [{key: value for key, value in each.items() if key not in ("asked_by", "because")} for each in found]
    return Check("modifications", is_met, [dict(each) for each in wanted], shown)


def _is_among(wanted: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    return all(key in condition and condition[key] == value for key, value in wanted.items())


def _in_band(name: str, band: Band, value: Fraction) -> Check:
    return Check(name, band.holds(value), _shown(band), _plain(value))


def _cost(band: Band, record: Record) -> Check:
    """A cost that leaves calls out is not known, so it is not within any band."""
    unpriced = record["answer"]["cost"].get("unpriced_calls", 0)
    if unpriced:
        return Check("cost_usd", False, _shown(band), f"{unpriced} calls without a price")
    return Check("cost_usd", band.holds(value := _usd(record)), _shown(band), _plain(value))


def _usd(record: Record) -> Fraction:
    return Fraction(record["answer"]["cost"]["usd"])


def _shown(band: Band) -> dict[str, int | float]:
    found = {"min": band.least, "max": band.most}
    return {key: _plain(value) for key, value in found.items() if value is not None}


def _plain(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def _carried(verdict: Verdict, outcome: Verdict) -> bool:
    return verdict == "approve" if outcome == "approve" else STRICTNESS[verdict] >= STRICTNESS[outcome]
