"""Labels and outcomes, as every ledger keeps them: beside the records, in order, all or none, and never changed."""

import asyncio
from typing import Any

import pytest

from council.ledger.chain import ChainCheck
from council.ledger.opening import open_ledger
from council.ledger.port import Ledger, LedgerUnavailableError, RecordRefusedError, Remark, UnknownDecisionError
from council.ledger.remark_rows import MAX_CHARACTERS, REMARK_CHUNK
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample
from tests.contract.raw_sql import WRITE_ONCE_ERRORS, run_sql

AT = "2026-11-21T12:00:00.000Z"
LATER = "2026-11-21T13:00:00.000Z"


def _label(number: int, said: str = "reject", author: str = "ana", said_at: str = AT) -> Remark:
    return Remark(sample(number).decision_id, "label", author, said, said_at, "exploit", "two hands, one device")


def _outcome(number: int) -> Remark:
    return Remark(sample(number).decision_id, "outcome", "support", "reverted", LATER)


async def _all(ledger: Ledger, realm_id: str | None = None) -> list[Remark]:
    return [remark async for remark in ledger.scan_remarks(realm_id)]


async def test_remarks_come_back_whole_and_in_the_order_in_which_they_were_kept(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        await ledger.append(sample(number))
    remarks = (_label(2), _outcome(1), _label(1, "approve", "ben"), _label(2, "modify"))
    await ledger.add_remarks(remarks[:3])
    await ledger.add_remarks(remarks[3:])
    assert await ledger.remarks_of([sample(1).decision_id, sample(2).decision_id]) == remarks
    assert await ledger.remarks_of([sample(2).decision_id]) == (remarks[0], remarks[3])
    assert await ledger.remarks_of([sample(3).decision_id]) == ()
    assert await ledger.remarks_of([]) == ()
    assert await _all(ledger) == list(remarks)


async def test_a_scan_takes_one_realm_or_all_of_them(ledger: Ledger) -> None:
    await ledger.append(sample(1))
    await ledger.append(sample(2, realm_id="north"))
    await ledger.add_remarks([_label(1), _label(2)])
    assert await _all(ledger, "north") == [_label(2)]
    assert await _all(ledger, "south") == []


async def test_a_scan_goes_on_past_what_it_fetches_at_once(ledger: Ledger) -> None:
    await ledger.append(sample(1))
    remarks = [_label(1, author=f"labeller {number}") for number in range(2 * REMARK_CHUNK + 1)]
    await ledger.add_remarks(remarks)
    assert await _all(ledger) == remarks
    assert await _all(ledger, "aelvyndor") == remarks


async def test_unknown_decisions_are_named_and_nothing_of_the_call_is_kept(ledger: Ledger) -> None:
    await ledger.append(sample(1))
    unknown = [Remark(name, "label", "ana", "reject", AT) for name in ("d-nobody", "d-none", "d-nobody")]
    with pytest.raises(UnknownDecisionError) as caught:
        await ledger.add_remarks([_label(1), *unknown])
    assert caught.value.decision_ids == ("d-nobody", "d-none")
    assert await _all(ledger) == []
    await ledger.add_remarks([_label(1)])
    assert await _all(ledger) == [_label(1)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "guess"},
        {"author": ""},
        {"said": ""},
        {"said": "aprove"},
        {"said_at": "2026-11-21T12:00:00Z"},
        {"said_at": "yesterday"},
        {"note": "a zero \x00 character"},
        {"note": "half a character \ud800"},
        {"author": "\ud800"},
        {"decision_id": "d-\x00"},
        {"note": "n" * (MAX_CHARACTERS + 1)},
    ],
    ids=repr,
)
async def test_a_remark_that_could_not_be_read_again_is_refused_whole(ledger: Ledger, wrong: dict[str, Any]) -> None:
    await ledger.append(sample(1))
    with pytest.raises(RecordRefusedError, match="the remark on"):
        await ledger.add_remarks([_label(1), _label(1)._replace(**wrong)])
    assert await _all(ledger) == []


async def test_an_id_that_no_row_can_hold_has_no_remarks_and_spoils_no_others(ledger: Ledger) -> None:
    await ledger.append(sample(1))
    await ledger.add_remarks([_label(1)])
    assert await ledger.remarks_of(["\ud800", "d-\x00", sample(1).decision_id]) == (_label(1),)


async def test_an_outcome_is_free_words(ledger: Ledger) -> None:
    await ledger.append(sample(1))
    kept = Remark(sample(1).decision_id, "outcome", "support", "upheld on appeal — “fair” 公平", AT)
    await ledger.add_remarks([kept])
    assert await ledger.remarks_of([kept.decision_id]) == (kept,)


async def test_remarks_leave_records_and_chain_as_they_were(ledger: Ledger) -> None:
    await ledger.append(sample(1))
    before, head = await ledger.get(sample(1).decision_id), await ledger.head("aelvyndor")
    await ledger.add_remarks([_label(1)])
    await ledger.append(sample(2))
    assert await ledger.get(sample(1).decision_id) == before
    assert head is not None
    check = ChainCheck("aelvyndor", await ledger.head("aelvyndor"))
    assert [check.step(record) async for record in ledger.scan("aelvyndor")] == [None, None]
    assert check.finish(await ledger.head("aelvyndor")) is None


async def test_remarks_of_many_writers_at_once_are_all_kept(ledger: Ledger) -> None:
    await ledger.append(sample(1))
    each = [_label(1, author=f"labeller {number}") for number in range(12)]
    await asyncio.gather(*[ledger.add_remarks([remark]) for remark in each])
    assert sorted(await _all(ledger)) == sorted(each)


async def test_remarks_survive_the_process(database_url: str) -> None:
    first = open_ledger(database_url)
    await first.put_policy(POLICY_HASH, POLICY)
    await first.append(sample(1))
    await first.add_remarks([_label(1), _outcome(1)])
    await first.close()
    second = open_ledger(database_url)
    assert await second.remarks_of([sample(1).decision_id]) == (_label(1), _outcome(1))
    await second.close()


async def test_a_closed_ledger_keeps_no_remarks(ledger: Ledger) -> None:
    await ledger.close()
    with pytest.raises(LedgerUnavailableError):
        await ledger.add_remarks([_label(1)])


async def _fill(url: str) -> None:
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    await ledger.append(sample(1))
    await ledger.add_remarks([_label(1)])
    await ledger.close()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE remarks SET said = 'approve'", "UPDATE remarks SET said = said", "DELETE FROM remarks"],
)
async def test_a_remark_once_kept_is_refused_any_change(database_url: str, statement: str) -> None:
    await _fill(database_url)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(database_url, statement)
    assert await run_sql(database_url, "SELECT said FROM remarks") == [("reject",)]


@pytest.mark.postgres
async def test_truncating_remarks_is_refused(postgres_url: str) -> None:
    await _fill(postgres_url)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(postgres_url, "TRUNCATE remarks")


@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"])
async def test_sqlite_refuses_to_replace_a_remark(tmp_path: object, verb: str) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    await _fill(url)
    columns = "seq, realm_id, decision_id, kind, author, 'approve', said_at, axis, note"
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(url, f"{verb} INTO remarks SELECT {columns} FROM remarks")
    assert await run_sql(url, "SELECT said FROM remarks") == [("reject",)]
