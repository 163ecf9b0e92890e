"""The review service over a real ledger: one request, one recorded verdict (S0-82, S0-88, S0-110, S0-116; I1, I2, I7)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from council.errors import DecisionPendingError, KeyConflictError, UnknownRealmError
from council.graph import build_graph
from council.ledger.opening import open_ledger
from council.ledger.port import Ledger, LedgerUnavailableError, NewRecord, StoredRecord
from council.replay import differences, replay
from council.service import CouncilService, Reviewed
from council.shelf import PolicyShelf
from council.verification import verify
from policies.contracts.answer import Answer
from policies.faults import InvalidInputError
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy, RealmPolicy
from tests.unit.requests import as_bytes, request_document, small_document

POLICY = load_policy(default_policy_path())


def service_on(ledger: Ledger, policy: Policy = POLICY) -> CouncilService:
    return CouncilService(ledger=ledger, current_policy=lambda: policy, graph=build_graph(lambda: policy))


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'council.db'}")
    yield opened
    await opened.close()


def answer_of(reviewed: Reviewed) -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads(reviewed.answer)
    Answer.model_validate(answer)
    return answer


async def records(ledger: Ledger) -> list[StoredRecord]:
    return [record async for record in ledger.scan()]


async def test_a_small_change_takes_the_fast_path_and_is_still_recorded(ledger: Ledger) -> None:
    """S0-50."""
    answer = answer_of(await service_on(ledger).review(as_bytes(small_document())))
    assert (answer["final_verdict"], answer["path"], answer["votes"]) == ("approve", "fast", [])
    assert answer["record"]["position"] == 1
    body = orjson.loads((await records(ledger))[0].body)
    assert "impact_score" in {signal["name"] for signal in body["evidence"]}


async def test_a_canon_break_is_vetoed_and_nobody_votes(ledger: Ledger) -> None:
    """S0-49, S0-62: the request opens a gate that a lock keeps sealed."""
    answer = answer_of(await service_on(ledger).review(as_bytes(request_document())))
    assert (answer["final_verdict"], answer["path"], answer["votes"]) == ("reject", "veto", [])
    assert "canon_lock" in [veto["rule"] for veto in answer["vetoes"]]
    assert answer["confidence"] == 1


async def test_the_same_key_and_body_get_the_stored_answer_byte_for_byte(ledger: Ledger) -> None:
    body = as_bytes(request_document(request_id="r-1"))
    first = await service_on(ledger).review(body)
    again = await service_on(ledger).review(body)
    assert (first.is_stored, again.is_stored) == (False, True)
    assert again.answer == first.answer
    assert len(await records(ledger)) == 1


async def test_the_key_may_come_as_a_header_and_means_the_same(ledger: Ledger) -> None:
    service = service_on(ledger)
    first = await service.review(as_bytes(small_document(request_id="r-1")))
    again = await service.review(as_bytes(small_document()), idempotency_key="r-1")
    assert again.answer == first.answer


@pytest.mark.parametrize("make", [small_document, request_document], ids=["fast path", "council"])
async def test_the_same_key_with_another_body_is_refused(ledger: Ledger, make: Any) -> None:
    service = service_on(ledger)
    await service.review(as_bytes(make(request_id="r-1")))
    other = make(request_id="r-1")
    other["proposed_change"]["summary"] = "Something else"
    with pytest.raises(KeyConflictError, match="new key"):
        await service.review(as_bytes(other))
    assert len(await records(ledger)) == 1


async def test_two_keys_that_disagree_are_refused(ledger: Ledger) -> None:
    with pytest.raises(InvalidInputError, match="Idempotency-Key"):
        await service_on(ledger).review(as_bytes(small_document(request_id="a")), idempotency_key="b")


@pytest.mark.parametrize("make", [small_document, request_document], ids=["fast path", "council"])
async def test_twenty_callers_with_one_key_get_one_verdict(ledger: Ledger, make: Any) -> None:
    """I2, across two services that share only the database."""
    services = [service_on(ledger), service_on(ledger)]
    body = as_bytes(make(request_id="r-1"))
    reviewed = await asyncio.gather(*[services[index % 2].review(body) for index in range(20)])
    assert len({one.answer for one in reviewed}) == 1
    assert len(await records(ledger)) == 1


async def test_requests_without_a_key_are_each_decided(ledger: Ledger) -> None:
    service = service_on(ledger)
    await asyncio.gather(*[service.review(as_bytes(small_document())) for _ in range(3)])
    assert len({record.decision_id for record in await records(ledger)}) == 3


async def test_a_caller_that_goes_away_leaves_the_next_one_a_verdict(ledger: Ledger) -> None:
    service = service_on(ledger)
    body = as_bytes(request_document(request_id="r-1"))
    leaver = asyncio.ensure_future(service.review(body))
    stayer = asyncio.ensure_future(service.review(body))
    await asyncio.sleep(0)
    leaver.cancel()
    assert answer_of(await stayer)["final_verdict"] == "reject"
    assert len(await records(ledger)) == 1


class SlowLedger:
    """A ledger whose disk takes its time."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def append(self, new: NewRecord) -> StoredRecord:
        await asyncio.sleep(0.2)
        return await self._ledger.append(new)


async def test_past_its_deadline_a_decision_goes_on_and_the_key_returns_it(ledger: Ledger) -> None:
    service = service_on(SlowLedger(ledger))
    body = as_bytes(small_document(request_id="r-1", deadline_ms=50))
    with pytest.raises(DecisionPendingError) as pending:
        await service.review(body)
    await service.close()
    assert [record.decision_id for record in await records(ledger)] == [pending.value.decision_id]
    again = await service_on(ledger).review(as_bytes(small_document(request_id="r-1")))
    assert again.is_stored


class BrokenLedger(SlowLedger):
    async def append(self, new: NewRecord) -> StoredRecord:
        raise LedgerUnavailableError("no space left on the device")


async def test_a_verdict_that_cannot_be_recorded_is_not_given(ledger: Ledger) -> None:
    body = as_bytes(request_document(request_id="r-1"))
    with pytest.raises(LedgerUnavailableError):
        await service_on(BrokenLedger(ledger)).review(body)
    assert await records(ledger) == []
    assert (await service_on(ledger).review(body)).is_stored is False


async def test_an_unknown_realm_is_refused(ledger: Ledger) -> None:
    with pytest.raises(UnknownRealmError, match="the policy knows"):
        await service_on(ledger).review(as_bytes(small_document(realm_id="realm-404")))


async def test_an_answer_on_record_outlives_its_realm_in_the_policy(ledger: Ledger) -> None:
    body = as_bytes(request_document(request_id="r-1"))
    first = await service_on(ledger).review(body)
    without = replace(POLICY, realms={"realm-9": RealmPolicy("enforce", 60)})
    assert (await service_on(ledger, without).review(body)).answer == first.answer


async def test_the_default_deadline_holds_for_requests_that_name_none(ledger: Ledger) -> None:
    service = CouncilService(
        ledger=SlowLedger(ledger),
        current_policy=lambda: POLICY,
        graph=build_graph(lambda: POLICY),
        default_deadline_ms=50,
    )
    with pytest.raises(DecisionPendingError):
        await service.review(as_bytes(small_document(request_id="r-1")))
    await service.close()
    assert len(await records(ledger)) == 1


async def reviewed_records(ledger: Ledger) -> list[StoredRecord]:
    service = service_on(ledger)
    for document in (request_document(), small_document(), request_document(lore_constraints=[], risk_flags=[])):
        await service.review(as_bytes(document))
    return await records(ledger)


async def test_every_record_replays_from_the_database_alone(ledger: Ledger) -> None:
    """S0-110: the policy too comes from the ledger, by its content hash."""
    shelf = PolicyShelf(ledger)
    for record in await reviewed_records(ledger):
        content_hash = orjson.loads(record.body)["policy"]["hash"]
        assert replay(record.body, await shelf.policy(content_hash)) == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("answer", "final_verdict"), "approve"),
        (("request", "realm_id"), "realm-2"),
        (("evidence", 0, "value"), 1),
        (("merge", "confidence"), "1/7"),
        (("seated",), ["lore"]),
        (("held",), True),
        (("council_verdict",), "modify"),
    ],
)
async def test_an_edited_record_does_not_replay(ledger: Ledger, path: tuple[Any, ...], value: Any) -> None:
    record = (await reviewed_records(ledger))[0]
    body = orjson.loads(record.body)
    node = body
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    edited = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    assert replay(edited, POLICY) != ()


async def test_a_damaged_record_is_a_difference_and_not_a_crash() -> None:
    found = replay(b"not json", POLICY)
    assert [difference.recorded for difference in found] == ["damaged"]


async def test_verification_passes_what_was_written(ledger: Ledger) -> None:
    await reviewed_records(ledger)
    assert [checked.reason for checked in [one async for one in verify(ledger)]] == ["", "", ""]


def test_differences_name_every_place() -> None:
    found = list(differences({"a": [1, 2], "b": {"c": 1}, "d": 1}, {"a": [1], "b": {"c": True}, "e": 1}))
    assert [difference.path for difference in found] == ["/a/1", "/b/c", "/d", "/e"]


async def test_the_outbox_carries_the_verdict_and_the_planners_brief(ledger: Ledger) -> None:
    await reviewed_records(ledger)
    events = await ledger.pending_events()
    assert len(events) == 3
    payload = orjson.loads(events[0].payload)
    assert payload["final_verdict"] == "reject"
    assert "world_context" in payload["brief"]


@pytest.mark.parametrize(
    ("mode", "verdict", "is_held"),
    [
        ("off", "approve", False),
        ("log_only", "approve", False),
        ("review_only", "approve", True),
        ("enforce", "reject", False),
    ],
)
async def test_the_realms_mode_says_whether_a_verdict_acts(
    ledger: Ledger, mode: str, verdict: str, is_held: bool
) -> None:
    """S0-103 to S0-105, S0-107."""
    policy = replace(POLICY, realms={"realm-1": RealmPolicy(mode, 60)})  # type: ignore[arg-type]  # from the table above
    answer = answer_of(await service_on(ledger, policy).review(as_bytes(request_document())))
    body = orjson.loads((await records(ledger))[0].body)
    assert (answer["final_verdict"], body["held"]) == (verdict, is_held)
    assert body["council_verdict"] == ("approve" if mode == "off" else "reject")
    if mode in ("log_only", "review_only"):
        assert {mode, "advisory:reject"} <= set(answer["audit_tags"])


class EditedLedger(SlowLedger):
    """A ledger whose second record was edited behind its back, hash and all but the link."""

    async def scan(self, realm_id: str | None = None, after: int = 0) -> AsyncIterator[StoredRecord]:
        async for record in self._ledger.scan(realm_id, after):
            yield (
                record._replace(body=record.body.replace(b'"held":false', b'"held":true '))
                if record.position == 2
                else record
            )


async def test_verification_names_the_first_bad_record_and_goes_no_further(ledger: Ledger) -> None:
    """S0-88: an edited record is found."""
    await reviewed_records(ledger)
    checked = [one async for one in verify(EditedLedger(ledger))]
    assert [(one.position, one.is_good) for one in checked] == [(1, True), (2, False)]
    assert "hash" in checked[-1].reason
