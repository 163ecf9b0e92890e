"""Rejudging: the same policy gives the same verdict, another gives its own, and what nobody asked is never guessed."""

import pytest

from agents.asking import Reply, Slot
from council.review import deliberate
from evals.decisions import Decision
from evals.rejudging import Rejudged, Unjudged, rejudge
from policies.contracts.reading import ReadRequest
from policies.policy import Policy
from policies.verdicts import MEMBERS
from tests.unit.council.scripted import model_policy, raw_vote, reply_with, with_member
from tests.unit.evals.recorded import recorded, shipped
from world.case import open_case

RULES = recorded()


def _heard(policy: Policy, verdict: str = "approve") -> list[Decision]:
    def said(read: ReadRequest) -> dict[Slot, Reply]:
        return {slot: reply_with(slot, raw_vote(verdict)) for slot in _slots(policy, read)}

    return recorded(policy=policy, said=said)


def _slots(policy: Policy, read: ReadRequest) -> list[Slot]:
    realm = policy.realm(read.request.realm_id)
    assert realm is not None
    review = deliberate(open_case(read.request), policy, realm)
    return (
        [question.slot for member in review.asked for question in review.questions(member)]
        if not review.is_fast
        else []
    )


@pytest.mark.parametrize("decision", RULES, ids=lambda decision: decision.record["request_key"])
def test_the_policy_that_decided_decides_the_same(decision: Decision) -> None:
    again = rejudge(decision, shipped(), shipped())
    assert isinstance(again, Rejudged)
    assert (again.verdict, again.path) == (decision.verdict, decision.path)


def test_decisions_with_models_are_judged_from_what_the_models_said() -> None:
    policy = model_policy()
    for decision in _heard(policy):
        again = rejudge(decision, policy, policy)
        assert isinstance(again, Rejudged), again
        assert again.verdict == decision.verdict


def test_another_model_than_the_recorded_one_cannot_be_judged() -> None:
    policy = model_policy()
    other = with_member(policy, "risk", model="lmstudio/another")
    found = [rejudge(decision, policy, other) for decision in _heard(policy) if "models" in decision.record]
    kinds = {item.why for item in found if isinstance(item, Unjudged)}
    assert kinds == {"other_model"}


def test_a_member_whose_model_was_not_asked_cannot_be_judged() -> None:
    policy = model_policy(("governor", "fairness", "lore", "narrative"))
    more = model_policy(MEMBERS)
    found = [rejudge(decision, policy, more) for decision in _heard(policy) if "models" in decision.record]
    assert found
    assert {item.told for item in found if isinstance(item, Unjudged)} == {"nobody asked the model of risk/1/full"}


def test_a_vetoed_case_that_models_would_have_judged_cannot_be_judged_without_its_veto() -> None:
    policy = model_policy()
    document = {**policy.document, "rules": []}
    from policies.loading import policy_from_document

    milder = policy_from_document(document)
    vetoed = [decision for decision in _heard(policy) if decision.path == "veto"]
    assert vetoed
    assert {type(rejudge(decision, policy, milder)) for decision in vetoed} == {Unjudged}


def test_without_the_policy_that_decided_a_vetoed_case_is_not_guessed() -> None:
    from policies.loading import policy_from_document

    milder = policy_from_document({**shipped().document, "rules": []})
    vetoed = next(decision for decision in RULES if decision.path == "veto")
    found = rejudge(vetoed, None, milder)
    assert isinstance(found, Unjudged)
    assert found.why == "unknown_policy"
    assert isinstance(rejudge(vetoed, shipped(), milder), Rejudged)
