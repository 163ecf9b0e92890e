"""kill -9 while reviews are opened, replies kept and decisions recorded (reliability.md, measured fact 1, S1; I1 to I4)."""

import pytest

from council.ledger.port import decision_id_of
from tests.contract.raw_sql import run_sql
from tests.faults.ledger_checks import all_gone, checked_journal
from tests.faults.started import answered_until_killed, started


def _told(lines: list[str], verb: str) -> list[tuple[str, ...]]:
    """Return what stands behind a verb in a program's answers."""
    return [tuple(line.split()[1:]) for line in lines if line.split()[0] == verb]


def _ids(lines: list[str], verb: str) -> set[str]:
    return {words[0] for words in _told(lines, verb)}


async def test_after_kill_9_an_answered_opening_is_under_way_or_on_record_and_never_lost(database_url: str) -> None:
    """Checked while dead, after each of eight kills; then two processes take up what is left, each review once."""
    lines: list[str] = []
    for kill in range(8):
        process = started("decide", database_url, kill * 100_000, 100_000, 24)
        lines += answered_until_killed(process, answers=1 + 83 * kill, delay_s=kill * 0.0007)
        await all_gone(database_url)
        held = await checked_journal(database_url)
        assert _ids(lines, "opened") <= held.under_way | held.recorded
        assert _ids(lines, "recorded") <= held.recorded
        replied = {(decision_id, slot) for decision_id, slot in _told(lines, "replied")}
        assert {reply for reply in replied if reply[0] in held.under_way} <= held.replies
    assert held.under_way, "no kill met a review under way: the test proved nothing"
    resumers = [started("resume", database_url) for _ in range(2)]
    resumed = [line for process in resumers for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in resumers] == [0, 0]
    assert sorted(_told(resumed, "claimed")) == sorted((decision_id,) for decision_id in held.under_way)
    assert _ids(resumed, "recorded") == held.under_way
    after = await checked_journal(database_url)
    assert (after.under_way, after.replies) == (set(), set())
    assert after.recorded == held.recorded | held.under_way


async def test_processes_that_decide_the_same_keys_leave_nothing_under_way(database_url: str) -> None:
    """Three processes open and record the same 200 decisions at once: each is recorded by one, and no review stays open."""
    processes = [started("decide", database_url, 0, 200, 12) for _ in range(3)]
    lines = [line for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0] * 3
    expected = {decision_id_of(f"key-{number}") for number in range(200)}
    assert sorted(_told(lines, "recorded")) == sorted((decision_id,) for decision_id in expected)
    assert len(_told(lines, "taken")) == 400
    assert await checked_journal(database_url) == (expected, set(), set())


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM open_reviews",
        "UPDATE open_reviews SET decision_id = (SELECT min(decision_id) FROM records)",
        "INSERT INTO spend SELECT recorded_at, 'd-other', member, model, realm_id, decision_type, 1, 1, 1, 1, 1, 1, 1"
        " FROM spend WHERE decision_id = (SELECT min(decision_id) FROM spend)",
    ],
    ids=["a lost opening", "a review that its record did not close", "a decision paid for without its record"],
)
async def test_the_journals_kill_test_can_fail(database_url: str, damage: str) -> None:
    """What it would see if opening, record, spending or close were transactions of their own (measured fact 8)."""
    started("decide", database_url, 1, 4, 2).communicate()
    await run_sql(database_url, _OPEN_ONE)
    opened = {"d-open"}
    held = await checked_journal(database_url)
    assert (len(held.recorded), held.under_way) == (4, opened)
    await run_sql(database_url, damage)
    with pytest.raises(AssertionError):
        held = await checked_journal(database_url)
        assert opened <= held.under_way | held.recorded


_OPEN_ONE = (
    "INSERT INTO open_reviews (decision_id, request_key, fingerprint, realm_id, policy_hash, opened_at, leased_until, request)"
    " SELECT 'd-open', 'k', 'f', 'r', 'p', 'o', 'l', body FROM records WHERE position = 1"
)
