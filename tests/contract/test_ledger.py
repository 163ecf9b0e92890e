"""What every ledger does: memory, SQLite and PostgreSQL run the same tests (S0-88, S0-110; reliability.md I1 to I4)."""

import asyncio
import hashlib

import orjson
import pytest

from council.ledger.chain import GENESIS, ChainCheck
from council.ledger.port import (
    Filters,
    Head,
    InvalidCursorError,
    KeyTakenError,
    Ledger,
    LedgerUnavailableError,
    StoredRecord,
    UnknownPolicyError,
    answer_bytes,
)
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample


async def _scanned(ledger: Ledger, realm_id: str | None = None, after: int = 0) -> list[StoredRecord]:
    return [record async for record in ledger.scan(realm_id, after)]


async def test_an_appended_record_is_given_back_as_it_was(ledger: Ledger) -> None:
    new = sample(1, correlation_id="c-1", held=True)
    stored = await ledger.append(new)
    assert stored._asdict() == {
        **{name: value for name, value in new._asdict().items() if name in StoredRecord._fields},
        "position": 1,
        "previous": GENESIS,
        "hash": stored.hash,
    }
    assert await ledger.get(new.decision_id) == stored
    assert await ledger.find_by_key(new.request_key) == stored
    assert await _scanned(ledger) == [stored]


async def test_a_hash_covers_the_canonical_document_of_body_position_previous_and_realm(ledger: Ledger) -> None:
    """The document is built here a second way: by its definition, not by splicing."""
    first, second = [await ledger.append(sample(number, realm_id='làng "x"')) for number in (1, 2)]
    document = {"realm_id": second.realm_id, "previous": first.hash, "position": 2, "body": orjson.loads(second.body)}
    expected = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert (second.hash, second.previous, second.position) == (expected, first.hash, 2)


async def test_each_realm_has_its_own_chain_without_gaps(ledger: Ledger) -> None:
    realms = ["north", "south", "east"]
    await asyncio.gather(*[ledger.append(sample(number, realm_id=realms[number % 3])) for number in range(30)])
    assert await ledger.realms() == ("east", "north", "south")
    for realm in realms:
        records = await _scanned(ledger, realm)
        check = ChainCheck(realm, await ledger.head(realm))
        assert [record.position for record in records] == list(range(1, 11))
        assert [check.step(record) for record in records] == [None] * 10
        assert check.finish(await ledger.head(realm)) is None
        assert await ledger.head(realm) == Head(realm, 10, records[-1].hash)
    assert [record.realm_id for record in await _scanned(ledger)] == ["east"] * 10 + ["north"] * 10 + ["south"] * 10


async def test_a_scan_starts_behind_a_position_and_passes_its_chunks(ledger: Ledger) -> None:
    """A chunk holds 64 records, so 150 take three."""
    await asyncio.gather(*[ledger.append(sample(number)) for number in range(150)])
    assert [record.position for record in await _scanned(ledger, "aelvyndor", 20)] == list(range(21, 151))
    assert await _scanned(ledger, "aelvyndor", 150) == []
    assert await _scanned(ledger, "nowhere") == []


async def test_a_taken_key_is_answered_with_the_record_that_took_it(ledger: Ledger) -> None:
    """S0-82: the caller compares fingerprints and gives the stored answer."""
    stored = await ledger.append(sample(1))
    with pytest.raises(KeyTakenError) as caught:
        await ledger.append(sample(1, verdict="reject", realm_id="another"))
    assert caught.value.stored == stored
    assert await ledger.realms() == ("aelvyndor",)
    assert len(await ledger.pending_events()) == 1


async def test_of_equal_keys_in_one_batch_the_first_wins_and_the_others_learn_of_it(ledger: Ledger) -> None:
    news = [sample(1), sample(2), sample(1, verdict="reject"), sample(3), sample(1, verdict="modify")]
    outcomes = await asyncio.gather(*[ledger.append(new) for new in news], return_exceptions=True)
    first = await ledger.find_by_key("key-1")
    assert first is not None
    assert first.verdict == "approve"
    assert [outcome.stored if isinstance(outcome, KeyTakenError) else outcome for outcome in outcomes] == [
        first,
        await ledger.find_by_key("key-2"),
        first,
        await ledger.find_by_key("key-3"),
        first,
    ]
    assert [record.request_key for record in await _scanned(ledger)] == ["key-1", "key-2", "key-3"]


async def test_a_record_whose_policy_was_never_stored_is_refused(ledger: Ledger) -> None:
    """A record that names an unknown policy could not be replayed (S0-110)."""
    with pytest.raises(UnknownPolicyError):
        await ledger.append(sample(1, policy_hash="b" * 64))
    assert await ledger.realms() == ()


async def test_policies_are_kept_by_their_hash_and_the_first_document_stays(ledger: Ledger) -> None:
    await ledger.put_policy(POLICY_HASH, b'{"id":"other"}')
    assert await ledger.policy(POLICY_HASH) == POLICY
    assert await ledger.policy("b" * 64) is None


async def test_a_stored_answer_is_the_same_bytes_for_ever(ledger: Ledger) -> None:
    stored = await ledger.append(sample(7))
    sent = answer_bytes(stored)
    again = await ledger.find_by_key("key-7")
    assert again is not None
    assert answer_bytes(again) == sent
    answer = orjson.loads(sent)
    assert answer.pop("record") == {"hash": stored.hash, "position": 1}
    assert answer == orjson.loads(sample(7).answer)


async def test_every_record_has_one_event_and_events_leave_when_published(ledger: Ledger) -> None:
    """Published is a part of committed (I4): the event is there as soon as its record is."""
    await asyncio.gather(*[ledger.append(sample(number)) for number in range(5)])
    events = await ledger.pending_events()
    records = await _scanned(ledger)
    assert [event.decision_id for event in events] == [record.decision_id for record in records]
    assert (events[0].realm_id, events[0].topic, events[0].payload) == ("aelvyndor", "council.decided", b'{"number":0}')
    assert await ledger.pending_events(2) == events[:2]
    await ledger.mark_published([events[0].event_id, events[2].event_id])
    await ledger.mark_published([events[0].event_id, 10**9])
    assert await ledger.pending_events() == (events[1], events[3], events[4])


async def test_a_listing_pages_newest_first_and_new_records_do_not_shift_it(ledger: Ledger) -> None:
    for number in range(5):
        await ledger.append(sample(number))
    first = await ledger.list(limit=2)
    await ledger.append(sample(59))
    second = await ledger.list(cursor=first.cursor, limit=2)
    third = await ledger.list(cursor=second.cursor, limit=2)
    shown = [[record.request_key for record in page.records] for page in (first, second, third)]
    assert shown == [["key-4", "key-3"], ["key-2", "key-1"], ["key-0"]]
    assert third.cursor is None


async def test_records_of_one_moment_are_listed_once_each(ledger: Ledger) -> None:
    moment = "2026-11-21T10:00:00.000Z"
    await asyncio.gather(*[ledger.append(sample(number, recorded_at=moment)) for number in range(7)])
    keys: list[str] = []
    cursor = None
    while True:
        page = await ledger.list(cursor=cursor, limit=3)
        keys += [record.request_key for record in page.records]
        if (cursor := page.cursor) is None:
            break
    assert keys == [f"key-{number}" for number in (6, 5, 4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (Filters(), [5, 4, 3, 2, 1]),
        (Filters(realm_id="north"), [2]),
        (Filters(decision_type="impact_dispute"), [3]),
        (Filters(verdict="reject"), [4, 3]),
        (Filters(verdict="reject", path="veto"), [4]),
        (Filters(held=True), [5]),
        (Filters(held=False), [4, 3, 2, 1]),
        (Filters(policy_hash="c" * 64), [1]),
        (Filters(since="2026-11-21T10:00:02.000Z", until="2026-11-21T10:00:04.000Z"), [3, 2]),
        (Filters(verdict="nothing"), []),
    ],
)
async def test_a_listing_keeps_what_its_filters_name(ledger: Ledger, filters: Filters, numbers: list[int]) -> None:
    await ledger.put_policy("c" * 64, b"{}")
    for new in (
        sample(1, policy_hash="c" * 64),
        sample(2, realm_id="north"),
        sample(3, decision_type="impact_dispute", verdict="reject"),
        sample(4, verdict="reject", path="veto"),
        sample(5, held=True),
    ):
        await ledger.append(new)
    page = await ledger.list(filters)
    assert [record.request_key for record in page.records] == [f"key-{number}" for number in numbers]


@pytest.mark.parametrize("cursor", ["", "x", "2026~", "~-1", "a~1.5", "t~" + "9" * 30, "z" * 70 + "~1"])
async def test_a_cursor_that_no_listing_returned_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        await ledger.list(cursor=cursor)


async def test_what_is_not_there_is_none(ledger: Ledger) -> None:
    assert await ledger.get("d-none") is None
    assert await ledger.get("half \ud800 \x00") is None
    assert await ledger.find_by_key("none") is None
    assert await ledger.head("none") is None
    assert (await ledger.list()).records == ()


async def test_a_caller_that_gives_up_loses_nobody_elses_record(ledger: Ledger) -> None:
    """The record of a cancelled caller may be committed; it is there once or not at all, and the chain holds."""
    tasks = [asyncio.ensure_future(ledger.append(sample(number))) for number in range(40)]
    await asyncio.sleep(0)
    for task in tasks[::4]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    kept = {outcome.decision_id for outcome in outcomes if isinstance(outcome, StoredRecord)}
    assert len(kept) >= 30
    records = await _scanned(ledger)
    assert kept <= {record.decision_id for record in records}
    check = ChainCheck("aelvyndor", await ledger.head("aelvyndor"))
    assert [check.step(record) for record in records] == [None] * len(records)


async def test_many_producers_wait_for_room_and_all_are_answered(ledger: Ledger) -> None:
    """6,000 appends at once are more than the queue of 4,096 holds."""
    stored = await asyncio.gather(*[ledger.append(sample(number)) for number in range(6000)])
    assert sorted(record.position for record in stored) == list(range(1, 6001))


async def test_a_closed_ledger_says_so(ledger: Ledger) -> None:
    await ledger.ready()
    appending = asyncio.ensure_future(ledger.append(sample(1)))
    await asyncio.sleep(0)
    await ledger.close()
    assert (await appending).position == 1
    await ledger.close()
    with pytest.raises(LedgerUnavailableError):
        await ledger.append(sample(2))
    with pytest.raises(LedgerUnavailableError):
        await ledger.ready()
