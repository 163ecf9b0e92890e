"""Which vote counts, what fails closed, and what a modified change must still pass (S0-56, S0-62 to S0-64; I6)."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from agents.roster import ROSTER, RuleMember
from council.docket import Docket
from council.graph import build_graph
from council.merge import Ballot, FiredRule, Seats, merge
from council.review import Review, deliberate
from policies.contracts.reading import validate_request
from policies.evidence import Evidence
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from policies.rules import RuleSet, compile_rule
from policies.verdicts import MEMBERS
from policies.votes import Modification, Vote
from tests.unit.requests import request_document
from world.case import Case, open_case

POLICY = load_policy(default_policy_path())


def sound_document() -> dict[str, Any]:
    """A sovereign action that no veto stops, with two effects."""
    document = request_document(lore_constraints=[], risk_flags=[])
    document["proposed_change"]["effects"] = [
        {"op": "faction_delta", "faction_id": "free_cities", "amount": 2},
        {"op": "meter_delta", "meter": "stability", "amount": 1},
    ]
    document["proposed_change"]["actor"]["faction_id"] = "free_cities"
    return document


def decided(document: dict[str, Any], policy: Policy = POLICY) -> Review:
    case = open_case(validate_request(document))
    realm = policy.realm(case.request.realm_id)
    assert realm is not None
    return deliberate(case, policy, realm)


@pytest.mark.parametrize(("outcome", "decided_by"), [("modify", "floor"), ("reject", "veto"), ("quarantine", "veto")])
def test_a_rule_as_strict_as_the_votes_decides(outcome: Any, decided_by: str) -> None:
    """`decided_by` is the rules' where their outcome is at least as strict as the votes' (council.md, the merge)."""
    seats = Seats(dict.fromkeys("abc", POLICY.quorum))
    merged = merge(seats, [Ballot(member, outcome) for member in "abc"], [FiredRule("r", outcome)])
    assert (merged.verdict, merged.decided_by) == (outcome, decided_by)


def test_a_member_that_finds_no_evidence_because_it_breaks_lets_nothing_pass(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Unknown is never safe: rules that miss its signals have fired, with outcome quarantine."""

    def breaks(case: Case) -> Evidence:
        raise ZeroDivisionError

    monkeypatch.setitem(ROSTER, "lore", RuleMember(breaks, ROSTER["lore"].judge))
    with caplog.at_level(logging.CRITICAL):
        review = decided(sound_document())
    assert review.concluded is not None
    assert review.concluded.final_verdict == "quarantine"
    assert any("rule_error:canon_lock" in reason for reason in review.concluded.reasons)


def test_a_member_whose_judge_breaks_abstains(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(case: Case, values: Any, thresholds: Any) -> Vote:
        raise KeyError("hhi")

    monkeypatch.setitem(ROSTER, "risk", RuleMember(ROSTER["risk"].find_evidence, breaks))
    with caplog.at_level(logging.CRITICAL):
        review = decided(sound_document())
    assert review.concluded is not None
    vote = next(vote for vote in review.concluded.votes if vote.member == "risk")
    assert (vote.verdict, vote.abstained) == (None, "unreachable")


def dropping_second(case: Case, values: Any, thresholds: Any) -> Vote:
    return Vote("governor", "modify", modifications=(Modification(1, drop=True, because="the second is too much"),))


@pytest.mark.parametrize(("outcome", "verdict"), [("reject", "reject"), ("quarantine", "quarantine")])
def test_the_modified_change_meets_the_rules_once_more(
    monkeypatch: pytest.MonkeyPatch, outcome: Any, verdict: str
) -> None:
    """The change as asked passes; what modifications leave of it (one effect) does not."""
    monkeypatch.setitem(ROSTER, "governor", RuleMember(ROSTER["governor"].find_evidence, dropping_second))
    asks_modify = compile_rule("floor", "effect_count == 2", outcome="modify")
    forbids_one = compile_rule("alone", "effect_count == 1", outcome=outcome, because="one effect alone")
    review = decided(sound_document(), replace(POLICY, rules=RuleSet([asks_modify, forbids_one])))
    assert review.concluded is not None
    assert review.concluded.final_verdict == verdict
    assert "modified_change_vetoed" in review.concluded.tags
    assert "alone (on the modified change): one effect alone" in review.concluded.reasons


def test_a_modify_that_drops_everything_applies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def dropping_all(case: Case, values: Any, thresholds: Any) -> Vote:
        return Vote("governor", "modify", modifications=(Modification(0, drop=True), Modification(1, drop=True)))

    monkeypatch.setitem(ROSTER, "governor", RuleMember(ROSTER["governor"].find_evidence, dropping_all))
    floor = compile_rule("floor", "effect_count == 2", outcome="modify")
    review = decided(sound_document(), replace(POLICY, rules=RuleSet([floor])))
    assert review.concluded is not None
    assert (review.concluded.final_verdict, "nothing_left" in review.concluded.tags) == ("modify", True)
    assert review.effects_to_apply() == ()


def test_a_floor_without_anything_to_modify_is_a_reject() -> None:
    floor = compile_rule("floor", "effect_count == 2", outcome="modify")
    review = decided(sound_document(), replace(POLICY, rules=RuleSet([floor])))
    assert review.concluded is not None
    assert (review.concluded.final_verdict, "nothing_to_modify" in review.concluded.tags) == ("reject", True)


@pytest.mark.parametrize(("mode", "is_held"), [("log_only", False), ("review_only", True)])
def test_a_rule_on_trial_changes_no_verdict_and_may_ask_a_person(mode: Any, is_held: bool) -> None:
    """S0-104: recorded, and with `review_only` a person is asked."""
    trial = compile_rule("trial", "effect_count == 2", outcome="reject", mode=mode)
    review = decided(sound_document(), replace(POLICY, rules=RuleSet([trial])))
    assert review.concluded is not None
    assert (review.concluded.final_verdict, review.concluded.is_held) == ("approve", is_held)


class BrokenReview(Review):
    """A case that breaks the node it passes through."""

    def assess(self) -> None:
        raise RuntimeError("this case is broken")


def opened(kind: type[Review]) -> Review:
    case = open_case(validate_request(sound_document()))
    realm = POLICY.realm("realm-1")
    assert realm is not None
    review = kind(case, POLICY, realm)
    review.open()
    return review


async def test_a_case_that_breaks_does_not_harm_the_others_of_its_docket() -> None:
    docket = Docket(build_graph(lambda: POLICY))
    reviews = [opened(Review), opened(BrokenReview), opened(Review)]
    outcomes = await asyncio.gather(*[docket.decide(review) for review in reviews], return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoneType", "RuntimeError", "NoneType"]
    assert reviews[0].concluded == reviews[2].concluded is not None
    assert reviews[0].concluded is not None
    assert {vote.member for vote in reviews[0].concluded.votes} == set(MEMBERS)
