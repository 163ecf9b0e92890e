"""Records cannot be edited through the database, and an edit by force is found (S0-88; stack.md, others)."""

import pytest

from council.ledger.chain import Broken, ChainCheck
from council.ledger.opening import open_ledger
from council.ledger.port import Ledger
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample
from tests.contract.raw_sql import WRITE_ONCE_ERRORS, run_sql, tamper

_COPY = "SELECT seq, realm_id, position, previous, hash, decision_id, request_key, 'x', recorded_at, decision_type,"
_COPY += " verdict, path, held, policy_hash, correlation_id, body, answer FROM records WHERE position = 2"
_OTHER_KEYS = "SELECT {seq}, realm_id, {position}, previous, hash, {decision_id}, request_key, 'x', recorded_at,"
_OTHER_KEYS += (
    " decision_type, verdict, path, held, policy_hash, correlation_id, body, answer FROM records WHERE position = 2"
)


async def _fill(url: str, count: int = 5) -> None:
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    for number in range(1, count + 1):
        await ledger.append(sample(number))
    await ledger.close()


async def _first_broken(url: str) -> Broken | None:
    ledger = open_ledger(url)
    try:
        return await _checked(ledger, "aelvyndor")
    finally:
        await ledger.close()


async def _checked(ledger: Ledger, realm_id: str) -> Broken | None:
    check = ChainCheck(realm_id, await ledger.head(realm_id))
    async for record in ledger.scan(realm_id):
        if (broken := check.step(record)) is not None:
            return broken
    return check.finish(await ledger.head(realm_id))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET verdict = 'approve'",
        "UPDATE records SET correlation_id = correlation_id",
        "DELETE FROM records",
        "DELETE FROM records WHERE position = 5",
        "UPDATE heads SET position = position - 1",
        "UPDATE heads SET hash = ''",
        "UPDATE heads SET realm_id = 'other'",
        "DELETE FROM heads",
        "UPDATE outbox SET topic = 'other'",
        "UPDATE outbox SET published_at = NULL",
        "UPDATE outbox SET published_at = 'now', payload = topic",
        "DELETE FROM outbox",
        "UPDATE policies SET document = NULL",
        "DELETE FROM policies",
    ],
)
async def test_a_row_once_written_is_refused_any_change(database_url: str, statement: str) -> None:
    if database_url.startswith("postgres"):
        statement = statement.replace("payload = topic", "payload = ''")
    await _fill(database_url)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(database_url, statement)
    assert await _first_broken(database_url) is None


async def test_an_event_is_published_once_and_stays_so(database_url: str) -> None:
    await _fill(database_url)
    await run_sql(database_url, "UPDATE outbox SET published_at = 'now' WHERE event_id = 1")
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(database_url, "UPDATE outbox SET published_at = 'later' WHERE event_id = 1")


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["records", "heads", "outbox", "policies"])
async def test_truncate_is_refused(postgres_url: str, table: str) -> None:
    await _fill(postgres_url)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(postgres_url, f"TRUNCATE {table}")


@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"])
@pytest.mark.parametrize(
    "source",
    [
        _COPY,
        _OTHER_KEYS.format(seq="NULL", position="2", decision_id="'d-other'"),
        _OTHER_KEYS.format(seq="NULL", position="99", decision_id="decision_id"),
        _OTHER_KEYS.format(seq="seq", position="99", decision_id="'d-other'"),
    ],
    ids=["the same row", "the same place", "the same decision", "the same row number"],
)
async def test_sqlite_refuses_to_replace_a_record(tmp_path: object, verb: str, source: str) -> None:
    """REPLACE deletes the row in its way without firing DELETE triggers: each way to meet a row is refused."""
    url = f"sqlite:///{tmp_path}/council.db"
    await _fill(url)
    before = await run_sql(url, "SELECT * FROM records ORDER BY seq")
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(url, f"{verb} INTO records {source}")
    assert await run_sql(url, "SELECT * FROM records ORDER BY seq") == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO heads VALUES ('aelvyndor', 1, '')",
        "INSERT OR REPLACE INTO outbox SELECT event_id, realm_id, decision_id, 'other', payload, NULL FROM outbox",
        "INSERT OR REPLACE INTO policies SELECT hash, x'00' FROM policies",
    ],
)
async def test_sqlite_refuses_to_replace_the_other_rows(tmp_path: object, statement: str) -> None:
    url = f"sqlite:///{tmp_path}/council.db"
    await _fill(url)
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(url, statement)


_BODY = "UPDATE records SET body = (SELECT body FROM records WHERE position = 4) WHERE position = 3"


@pytest.mark.parametrize(
    ("statements", "position", "reason"),
    [
        ([_BODY], 3, "hash does not match"),
        (
            ["UPDATE records SET answer = (SELECT answer FROM records WHERE position = 4) WHERE position = 3"],
            3,
            "answer",
        ),
        (["UPDATE records SET hash = previous WHERE position = 3"], 3, "hash does not match"),
        (["UPDATE records SET previous = hash WHERE position = 3"], 3, "hash of the record before"),
        (["DELETE FROM records WHERE position = 3"], 4, "position 4 where 3 must follow"),
        (["DELETE FROM records WHERE position = 1"], 2, "position 2 where 1 must follow"),
        (["DELETE FROM records WHERE position > 3"], 4, "head names: records are missing"),
        (["DELETE FROM records"], 1, "head names: records are missing"),
        (
            [
                "UPDATE records SET position = -3 WHERE position = 3",
                "UPDATE records SET position = 3 WHERE position = 4",
                "UPDATE records SET position = 4 WHERE position = -3",
            ],
            3,
            "hash of the record before",
        ),
        *(
            ([f"UPDATE records SET {column} = 'x' WHERE position = 2"], 2, f"column '{column}'")
            for column in (
                *("decision_id", "request_key", "fingerprint", "recorded_at", "decision_type"),
                *("verdict", "path", "policy_hash", "correlation_id"),
            )
        ),
        (["UPDATE records SET held = {true} WHERE position = 2"], 2, "column 'held'"),
    ],
)
async def test_an_edit_by_force_is_found_and_the_first_bad_record_named(
    database_url: str, statements: list[str], position: int, reason: str
) -> None:
    """With the triggers taken away: edited, lost, moved and relabelled records (never may: an edit that is not found)."""
    await _fill(database_url)
    true = "1" if database_url.startswith("sqlite") else "true"
    await tamper(database_url, *[statement.replace("{true}", true) for statement in statements])
    broken = await _first_broken(database_url)
    assert broken is not None
    assert broken.position == position
    assert reason in broken.reason


async def test_a_record_moved_to_another_realm_is_found(database_url: str) -> None:
    await _fill(database_url, 1)
    await tamper(database_url, "UPDATE records SET realm_id = 'other'")
    ledger = open_ledger(database_url)
    other, own = await _checked(ledger, "other"), await _checked(ledger, "aelvyndor")
    await ledger.close()
    assert other is not None
    assert "hash does not match" in other.reason
    assert own is not None
    assert "records are missing" in own.reason


async def test_a_tail_that_was_rewritten_with_good_hashes_contradicts_the_head(database_url: str) -> None:
    """Somebody who recomputes the last record's hash must move the head too, and the head only moves on."""
    await _fill(database_url)
    ledger = open_ledger(database_url)
    records = [record async for record in ledger.scan("aelvyndor")]
    head = await ledger.head("aelvyndor")
    await ledger.close()
    check = ChainCheck("aelvyndor", head._replace(hash="f" * 64) if head else None)
    broken = [check.step(record) for record in records]
    assert broken[:4] == [None] * 4
    assert broken[4] is not None
    assert "head names" in broken[4].reason


async def test_a_record_added_past_the_head_is_found(database_url: str) -> None:
    await _fill(database_url)
    ledger = open_ledger(database_url)
    records = [record async for record in ledger.scan("aelvyndor")]
    await ledger.close()
    check = ChainCheck("aelvyndor", None)
    assert [check.step(record) for record in records] == [None] * 5
    broken = check.finish(None)
    assert broken is not None
    assert "behind its head" in broken.reason
