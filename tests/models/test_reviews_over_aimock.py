"""Whole reviews over aimock, a model server that somebody else wrote: five members, the ladder of forms, and chaos."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from agents.reply_schema import reply_schema
from council.replay import replay
from policies.policy import Policy
from policies.verdicts import ABSTENTIONS, MEMBERS
from tests.models.aimock_server import Aimock
from tests.models.councils import council_document, council_with, open_council_of, verdict_of_approvals, votes_of

CHAOS = (
    {"dropRate": 0.5},
    {"malformedRate": 0.5},
    {"disconnectRate": 0.5},
    {"rateLimitRate": 0.3},
    {"latencyMs": 200},
    {"latencyMs": 3000},
    {"dropRate": 0.2, "malformedRate": 0.2, "disconnectRate": 0.2, "rateLimitRate": 0.1, "latencyMs": 20},
)


async def decided(policy: Policy, reviews: int = 1) -> list[dict[str, Any]]:
    """Return the answers of some reviews at once; each replays from its record alone."""
    async with open_council_of(policy) as council:
        answers = await asyncio.gather(*[council.decide() for _ in range(reviews)])
        for record in await council.records():
            assert replay(record.body, policy) == ()
    return list(answers)


async def test_five_members_are_asked_once_each_and_their_votes_decide(aimock: Aimock) -> None:
    (answer,) = await decided(council_with(aimock.base_url, default="mind"))
    assert {member: vote["verdict"] for member, vote in votes_of(answer).items()} == {
        "governor": "approve",
        "fairness": "approve",
        "lore": "reject",
        "narrative": "approve",
        "risk": "approve",
    }
    assert {vote["source"] for vote in answer["votes"]} == {"model"}
    assert votes_of(answer)["lore"]["reasons"][0]["text"] == "The harbor was sworn to the Veil until season 2"
    assert answer["final_verdict"] == "approve", "one of five is below the quota of a third"
    cost = answer["cost"]
    assert (cost["model_calls"], cost["tokens"], cost["unpriced_calls"]) == (5, 5 * 1290, 5)
    assert sorted(call["body"]["model"] for call in aimock.calls) == sorted(f"mind@{member}" for member in MEMBERS)


@pytest.mark.parametrize("member", MEMBERS)
async def test_a_member_is_asked_in_its_own_words_for_its_own_form(aimock: Aimock, member: Any) -> None:
    await decided(council_with(aimock.base_url, default="mind"))
    (body,) = [call["body"] for call in aimock.calls if call["body"]["model"] == f"mind@{member}"]
    form = body["response_format"]
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    assert form["json_schema"]["schema"] == json.loads(json.dumps(dict(reply_schema(member))))
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert not body.get("stream")


@pytest.mark.parametrize(("model", "calls", "last"), [("old", 2, "tools"), ("older", 3, "neither")])
async def test_an_endpoint_without_json_schema_is_asked_a_rung_lower(
    aimock: Aimock, model: str, calls: int, last: str
) -> None:
    """stack.md: json_schema, then function calling, then the prompt alone; what an endpoint knows is learnt once."""
    policy = council_with(aimock.base_url, default=model, structured="auto", timeout_s="4")
    async with open_council_of(policy) as council:
        first = await council.decide()
        learnt = len(aimock.calls)
        second = await council.decide()
    assert (first["final_verdict"], second["final_verdict"]) == ("approve", "approve")
    assert {vote["source"] for vote in second["votes"]} == {"model"}
    assert learnt <= calls * len(MEMBERS)
    assert len(aimock.calls) - learnt == len(MEMBERS), "the second review knows the rung"
    for call in aimock.calls[learnt:]:
        form = next((name for name in ("response_format", "tools") if name in call["body"]), "neither")
        assert form == last


@pytest.mark.parametrize("rates", CHAOS, ids=" ".join)
async def test_no_chaos_lets_an_exception_out(aimock: Aimock, rates: dict[str, float]) -> None:
    """I6, I9, I10: 20 reviews, five at a time."""
    aimock.chaos(**rates)
    policy = council_with(aimock.base_url, default="mind", timeout_s="1.5")
    answers = [answer for _ in range(4) for answer in await decided(policy, 5)]
    for answer in answers:
        for vote in answer["votes"]:
            assert (vote["verdict"] is None) == (vote.get("abstained") in ABSTENTIONS)
        assert answer["final_verdict"] == verdict_of_approvals(answer, rejecting=("lore",))
    calls = Counter(call["body"]["model"] for call in aimock.calls)
    assert all(count <= 20 * 2 for count in calls.values()), "I10"


async def test_a_total_outage_holds_every_case(aimock: Aimock) -> None:
    aimock.chaos(dropRate=1)
    policy = council_with(aimock.base_url, default="mind")
    async with open_council_of(policy) as council:
        reviewed = await council.service.review(json.dumps(council_document()))
    assert (reviewed.verdict, reviewed.path) == ("quarantine", "council")
    assert reviewed.retry_after_s is not None
