"""Expectations against real records: each kind holds where it should, and fails as a value where it should not."""

from fractions import Fraction
from typing import Any

import pytest

from evals.decisions import Decision
from evals.expectations import acting_rules, check, cited, picodollars_of, required
from evals.suite import Band, Expectations, WantedVetoes
from tests.unit.evals.recorded import recorded

RECORDS: dict[str, Decision] = {decision.record["request_key"][:2]: decision for decision in recorded()}
FAST, VETO = RECORDS["01"], RECORDS["06"]
MODIFIED = next(decision for decision in RECORDS.values() if decision.verdict == "modify")
COUNCIL = next(each for each in RECORDS.values() if each.path == "council" and each.verdict == "approve")


def fares(expect: Expectations, decision: Decision, **more: Any) -> list[tuple[str, bool]]:
    checks = check(expect, decision.record, more.get("label"), more.get("latency_ms", 0))
    return [(each.expectation, each.passed) for each in checks]


def test_nothing_expected_is_nothing_checked() -> None:
    assert check(Expectations(), FAST.record, None, 0) == ()


def test_a_verdict_is_held_against_one_a_set_or_the_label() -> None:
    assert fares(Expectations(("approve",)), FAST) == [("verdict", True)]
    assert fares(Expectations(("reject", "quarantine")), FAST) == [("verdict", False)]
    assert fares(Expectations(is_label=True), FAST, label="approve") == [("verdict", True)]
    assert fares(Expectations(is_label=True), FAST, label="modify") == [("verdict", False)]
    assert fares(Expectations(is_label=True), FAST) == [("verdict", False)]


def test_the_verdict_is_the_councils_whatever_the_realm_lets_happen() -> None:
    """S0-107: in review_only nothing is blocked, and a suite still judges what the council said."""
    record = {**VETO.record, "answer": {**VETO.record["answer"], "final_verdict": "approve"}}
    (found,) = check(Expectations(("reject",)), record, None, 0)
    assert found.passed


def test_vetoes_are_those_that_acted() -> None:
    assert acting_rules(VETO.record) == ("canon_lock",)
    assert fares(Expectations(vetoes=WantedVetoes(("canon_lock",))), VETO) == [("vetoes", True)]
    assert fares(Expectations(vetoes=WantedVetoes(("exploit_suspicion",))), VETO) == [("vetoes", False)]
    assert fares(Expectations(vetoes=WantedVetoes((), is_exact=True)), FAST) == [("vetoes", True)]
    assert fares(Expectations(vetoes=WantedVetoes((), is_exact=True)), VETO) == [("vetoes", False)]
    quiet = {**VETO.record["answer"]["vetoes"][0], "mode": "log_only"}
    record = {**VETO.record, "answer": {**VETO.record["answer"], "vetoes": [quiet]}}
    assert acting_rules(record) == ()


def test_cited_evidence_is_that_of_those_who_decided() -> None:
    assert cited(FAST.record) == ()
    assert set(cited(VETO.record)) == set(VETO.record["answer"]["vetoes"][0]["evidence"])
    approving = [vote for vote in COUNCIL.record["answer"]["votes"] if vote["verdict"] == "approve"]
    assert set(cited(COUNCIL.record)) == {
        name for vote in approving for each in vote["reasons"] for name in each["evidence"]
    }
    assert fares(Expectations(evidence=(cited(COUNCIL.record)[0],)), COUNCIL) == [("evidence", True)]
    assert fares(Expectations(evidence=("canon_direct_violations",)), FAST) == [("evidence", False)]


def test_a_wanted_modification_must_be_among_the_required_ones_with_all_its_keys() -> None:
    first = {
        key: value
        for key, value in required(MODIFIED.record)[0].items()
        if key in ("effect", "drop", "field", "max", "min")
    }
    assert fares(Expectations(modifications=(first,)), MODIFIED) == [("modifications", True)]
    assert fares(Expectations(modifications=({"effect": first["effect"]},)), MODIFIED) == [("modifications", True)]
    assert fares(Expectations(modifications=({**first, "max": 12_345},)), MODIFIED) == [("modifications", False)]
    assert fares(Expectations(modifications=(first, {"effect": 99})), MODIFIED) == [("modifications", False)]
    assert fares(Expectations(modifications=(first,)), FAST) == [("modifications", False)]


@pytest.mark.parametrize(
    ("band", "latency_ms", "passed"),
    [(Band(None, Fraction(8)), 8, True), (Band(None, Fraction(8)), 9, False), (Band(Fraction(3), None), 2, False)],
)
def test_bands_include_their_ends(band: Band, latency_ms: int, passed: bool) -> None:
    assert fares(Expectations(latency_ms=band), FAST, latency_ms=latency_ms) == [("latency_ms", passed)]


def test_confidence_is_compared_as_the_decimal_that_is_shown() -> None:
    """0.6667 shown is within a band that ends at 0.6667: floats would say 0.66669999…"""
    record = {**FAST.record, "answer": {**FAST.record["answer"], "confidence": 0.6667}}
    (found,) = check(Expectations(confidence=Band(Fraction("0.6667"), Fraction("0.6667"))), record, None, 0)
    assert found.passed


def test_a_cost_that_leaves_calls_out_is_within_no_band() -> None:
    cost = {"model_calls": 2, "tokens": 10, "usd": "0.000002"}
    record = {**FAST.record, "answer": {**FAST.record["answer"], "cost": cost}}
    expect = Expectations(cost_usd=Band(None, Fraction("0.01")))
    assert check(expect, record, None, 0)[0].passed
    assert picodollars_of(record) == 2_000_000
    record["answer"]["cost"]["unpriced_calls"] = 1
    assert not check(expect, record, None, 0)[0].passed
