"""Reviews whose members think, over a real ledger: journal, resuming, replay (S0-88, S0-101; reliability.md 1, S15, I7)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.asking import Question, Reply, Slot
from agents.ports import Judge
from council.errors import DecisionPendingError, KeyConflictError
from council.graph import build_graph
from council.journal import JournallingJudge
from council.ledger.opening import open_ledger
from council.ledger.port import Ledger, decision_id_of
from council.replay import replay
from council.service import Clock, CouncilService
from council.shelf import PolicyShelf
from policies.contracts.answer import Answer
from policies.policy import Policy
from tests.unit.council.scripted import MODEL, Scripted, everyone, model_policy
from tests.unit.requests import as_bytes, request_document

POLICY = model_policy()
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class At:
    """A wall clock that tests move."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment


def sound_document(**changes: Any) -> dict[str, Any]:
    """A sovereign action that no veto stops and no player has written a word of."""
    document = request_document(lore_constraints=[], risk_flags=[], **changes)
    document["proposed_change"]["effects"] = [{"op": "faction_delta", "faction_id": "free_cities", "amount": 2}]
    document["proposed_change"]["actor"]["faction_id"] = "free_cities"
    document["proposed_change"].pop("narrative")
    for event in document["supporting_events"]:
        event.pop("note", None)
    return document


def service_on(ledger: Ledger, judge: Judge, policy: Policy = POLICY, now: At | None = None) -> CouncilService:
    return CouncilService(
        ledger=ledger,
        current_policy=lambda: policy,
        graph=build_graph(lambda: policy, JournallingJudge(judge, ledger)),
        clock=Clock(now=now) if now is not None else Clock(),
    )


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = open_ledger("memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'council.db'}")
    yield opened
    await opened.close()


class HangsAt:
    """A judge that never answers for one member, until it is let go."""

    def __init__(self, member: str) -> None:
        self.member = member
        self.script = Scripted(everyone("approve"))
        self.hanging = asyncio.Event()
        self.let_go = asyncio.Event()

    async def ask(self, question: Question) -> Reply:
        if question.slot.member == self.member and not self.let_go.is_set():
            self.hanging.set()
            await self.let_go.wait()
        return await self.script.ask(question)


async def settled(ledger: Ledger, decision_id: str, replies: int) -> None:
    """Wait until the journal holds so many replies."""
    async with asyncio.timeout(10):
        while len(await ledger.journalled(decision_id)) < replies:  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.01)


async def left_by_a_kill(
    ledger: Ledger, document: Mapping[str, Any], policy: Policy = POLICY, at: At | None = None
) -> str:
    """Leave a review as a killed process does: four replies have come, risk's has not."""
    judge = HangsAt("risk")
    task = asyncio.create_task(service_on(ledger, judge, policy, at).review(as_bytes(document)))
    decision_id = decision_id_of(str(document["request_id"]))
    await judge.hanging.wait()
    await settled(ledger, decision_id, 4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return decision_id


async def test_a_decision_by_models_is_recorded_with_everything_they_said(ledger: Ledger) -> None:
    script = {**everyone("approve"), "lore": "reject", "narrative": "refused"}
    reviewed = await service_on(ledger, Scripted(script)).review(as_bytes(sound_document(request_id="k-1")))
    answer = orjson.loads(reviewed.answer)
    Answer.model_validate(answer)
    stored = await ledger.get(reviewed.decision_id)
    assert stored is not None
    record = orjson.loads(stored.body)
    assert answer["cost"] == {"model_calls": 5, "tokens": 6400, "usd": "0.000005"}
    votes = {vote["member"]: vote for vote in answer["votes"]}
    assert (votes["lore"]["verdict"], votes["lore"]["source"]) == ("reject", "model")
    assert (votes["narrative"]["verdict"], votes["narrative"]["abstained"]) == (None, "refused")
    replies = {reply["member"]: reply for reply in record["models"]["replies"]}
    assert replies["lore"]["attempts"][0]["raw"].startswith('{"findings"')
    assert (replies["lore"]["prompt"], replies["lore"]["model"]) == ("lore/1", MODEL)
    opinions = {opinion["member"]: opinion for opinion in record["models"]["opinions"]}
    assert (opinions["lore"]["rule_vote"]["verdict"], opinions["lore"]["why"]) == ("approve", "model")
    assert opinions["narrative"]["why"] == "abstained"


async def test_a_decision_by_models_replays_from_its_record_without_any_model(ledger: Ledger) -> None:
    """I7: two rounds, an abstention, a broken reply; every byte again, from the ledger alone."""
    policy = model_policy(rebuttal_margin="1/1", on_failure="rules")

    def says(question: Question) -> str:
        return {"lore": "reject", "risk": "timeout", "fairness": "not json"}.get(question.slot.member, "approve")

    reviewed = await service_on(ledger, Scripted(says), policy).review(as_bytes(sound_document(request_id="k-1")))
    stored = await ledger.get(reviewed.decision_id)
    assert stored is not None
    assert len(orjson.loads(stored.body)["models"]["replies"]) == 10
    decided_by = await PolicyShelf(ledger).policy(stored.policy_hash)
    assert replay(stored.body, decided_by) == ()


async def test_an_edited_reply_is_found_by_replay(ledger: Ledger) -> None:
    reviewed = await service_on(ledger, Scripted(everyone("approve"))).review(
        as_bytes(sound_document(request_id="k-1"))
    )
    stored = await ledger.get(reviewed.decision_id)
    assert stored is not None
    edited = stored.body.replace(b'\\"verdict\\": \\"approve\\"', b'\\"verdict\\": \\"reject\\"', 1)
    assert edited != stored.body
    assert any("votes" in difference.path for difference in replay(edited, POLICY))


async def test_a_killed_review_asks_only_the_members_whose_reply_is_missing(ledger: Ledger) -> None:
    """Measured fact 1; the caller's retry takes it up at once."""
    document = sound_document(request_id="k-1")
    decision_id = await left_by_a_kill(ledger, document)
    judge = Scripted(everyone("approve"))
    reviewed = await service_on(ledger, judge).review(as_bytes(document))
    assert judge.slots == [Slot("risk", 1)]
    assert orjson.loads(reviewed.answer)["cost"]["model_calls"] == 5
    assert await ledger.find_open(decision_id) is None
    assert await ledger.journalled(decision_id) == {}


async def test_a_killed_review_that_nobody_asks_for_again_is_taken_up_when_its_lease_has_ended(ledger: Ledger) -> None:
    """I1: every acknowledged key ends with one verdict."""
    at, judge = At(), Scripted(everyone("approve"))
    decision_id = await left_by_a_kill(ledger, sound_document(request_id="k-1"), at=at)
    service = service_on(ledger, judge, now=at)
    assert await service.resume() == 0  # it may still be under way elsewhere
    at.moment += timedelta(minutes=2)
    assert await service.resume() == 1
    await service.close()
    assert judge.slots == [Slot("risk", 1)]
    stored = await ledger.get(decision_id)
    assert stored is not None
    assert await service.resume() == 0


async def test_a_review_keeps_the_policy_it_was_opened_with(ledger: Ledger) -> None:
    """S15: the policy was edited between the fourth vote and the fifth."""
    document = sound_document(request_id="k-1")
    await left_by_a_kill(ledger, document)
    edited = model_policy(on_failure="rules", retries=3)
    judge = Scripted(everyone("approve"))
    reviewed = await service_on(ledger, judge, edited).review(as_bytes(document))
    assert orjson.loads(reviewed.answer)["policy"]["hash"] == POLICY.content_hash
    assert [question.models.retries for question in judge.asked] == [1]


async def test_a_key_under_way_with_another_body_is_refused(ledger: Ledger) -> None:
    await left_by_a_kill(ledger, sound_document(request_id="k-1"))
    other = sound_document(request_id="k-1") | {"risk_flags": ["something else"]}
    with pytest.raises(KeyConflictError):
        await service_on(ledger, Scripted(everyone("approve"))).review(as_bytes(other))


async def test_past_its_deadline_a_review_is_on_disk_before_the_caller_is_told(ledger: Ledger) -> None:
    """Rule (c): the row is committed before the 202; the decision goes on behind it."""
    judge = HangsAt("risk")
    service = service_on(ledger, judge)
    with pytest.raises(DecisionPendingError) as told:
        await service.review(as_bytes(sound_document(request_id="k-1", deadline_ms=200)))
    assert await ledger.find_open(told.value.decision_id) is not None
    judge.let_go.set()
    await service.close()
    assert await ledger.get(told.value.decision_id) is not None


async def test_the_same_key_asked_twice_at_once_asks_every_model_once(ledger: Ledger) -> None:
    judge = Scripted(everyone("approve"), delay_s=0.1)
    service = service_on(ledger, judge)
    raw = as_bytes(sound_document(request_id="k-1"))
    first, second = await asyncio.gather(service.review(raw), service.review(raw))
    assert first.answer == second.answer
    assert len(judge.asked) == 5


async def test_an_outage_is_a_quarantine_that_says_when_to_ask_again(ledger: Ledger) -> None:
    """Fault table, rule b; docs/decisions/0009."""
    reviewed = await service_on(ledger, Scripted(everyone("unreachable"))).review(as_bytes(sound_document()))  # type: ignore[arg-type]  # a failure instead of a verdict
    assert (reviewed.verdict, reviewed.retry_after_s) == ("quarantine", 30)
    refused = await service_on(ledger, Scripted(everyone("refused"))).review(as_bytes(sound_document()))  # type: ignore[arg-type]  # as above
    assert (refused.verdict, refused.retry_after_s) == ("quarantine", None)  # asking again changes nothing


async def test_spending_of_a_decision_is_kept_with_it(ledger: Ledger) -> None:
    """S0-101."""
    await service_on(ledger, Scripted(everyone("approve"))).review(as_bytes(sound_document(request_id="k-1")))
    lines = await ledger.spending("2000", "3000")
    assert {(line.member, line.model, line.calls, line.picodollars) for line in lines} == {
        (member, MODEL, 1, 1_000_000) for member in ("governor", "fairness", "lore", "narrative", "risk")
    }


async def test_a_case_that_only_rules_decide_leaves_no_trace_in_the_journal(ledger: Ledger) -> None:
    judge = Scripted(everyone("approve"))
    reviewed = await service_on(ledger, judge).review(as_bytes(request_document(request_id="veto")))
    assert (reviewed.path, judge.asked) == ("veto", [])
    assert await ledger.find_open(reviewed.decision_id) is None
