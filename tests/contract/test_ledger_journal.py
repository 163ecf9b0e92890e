"""Reviews under way: every ledger keeps them from their opening to their record (reliability.md, measured fact 1, S1, S15)."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from council.ledger.opening import open_ledger
from council.ledger.port import (
    KeyTakenError,
    Ledger,
    LedgerUnavailableError,
    OpenReview,
    RecordRefusedError,
    UnknownPolicyError,
    decision_id_of,
)
from tests.contract.journal_samples import LATER, LEASED_UNTIL, NEW_LEASE, open_sample, spend_sample
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample
from tests.contract.raw_sql import run_sql


async def _opened(url: str) -> Ledger:
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    return ledger


async def test_an_opened_review_is_given_back_as_it_was(ledger: Ledger) -> None:
    review = open_sample(1, correlation_id="c-1", realm_id='làng "x"')
    assert await ledger.open_review(review) == review
    assert await ledger.find_open(review.decision_id) == review
    assert await ledger.find_open(open_sample(2).decision_id) is None
    assert await ledger.get(review.decision_id) is None


async def test_a_review_that_is_open_keeps_what_it_began_with_and_moves_its_lease(ledger: Ledger) -> None:
    """S15: whoever takes a review up goes on under the policy of the first."""
    await ledger.put_policy("b" * 64, b"{}")
    first = await ledger.open_review(open_sample(1))
    again = open_sample(1, policy_hash="b" * 64, request=b"{}", opened_at=LATER, leased_until=NEW_LEASE)
    kept = await ledger.open_review(again)
    assert kept == first._replace(leased_until=NEW_LEASE)
    assert await ledger.find_open(first.decision_id) == kept


async def test_of_reviews_opened_at_once_the_first_is_kept_with_the_lease_of_the_last(ledger: Ledger) -> None:
    leases = [f"2026-11-21T10:00:4{number}.000Z" for number in range(5)]
    reviews = [open_sample(1, request=b"%d" % number, leased_until=lease) for number, lease in enumerate(leases)]
    kept = await asyncio.gather(*[ledger.open_review(review) for review in [*reviews, open_sample(2)]])
    assert [review.request for review in kept] == [b"0"] * 5 + [b'{"number":2}']
    assert await ledger.find_open(reviews[0].decision_id) == reviews[0]._replace(leased_until=leases[-1])
    assert await ledger.find_open(open_sample(2).decision_id) == open_sample(2)


async def test_a_review_whose_policy_was_never_stored_is_refused(ledger: Ledger) -> None:
    with pytest.raises(UnknownPolicyError):
        await ledger.open_review(open_sample(1, policy_hash="b" * 64))
    assert await ledger.find_open(open_sample(1).decision_id) is None


async def test_replies_are_kept_by_slot_and_the_first_of_a_slot_stays(ledger: Ledger) -> None:
    decision_id = (await ledger.open_review(open_sample(1))).decision_id
    await ledger.journal_reply(decision_id, "risk/1/full", b"\x00risk")
    await asyncio.gather(*[ledger.journal_reply(decision_id, "lore/1/full", b"%d" % number) for number in range(5)])
    await ledger.journal_reply(decision_id, "lore/1/full", b"late")
    kept = await ledger.journalled(decision_id)
    assert kept == {"lore/1/full": b"0", "risk/1/full": b"\x00risk"}
    assert list(kept) == ["lore/1/full", "risk/1/full"]
    assert await ledger.journalled(open_sample(2).decision_id) == {}


async def test_a_reply_of_a_review_that_is_not_open_is_not_kept(ledger: Ledger) -> None:
    review = open_sample(1)
    await ledger.journal_reply(review.decision_id, "lore/1/full", b"before")
    await ledger.open_review(review)
    await ledger.append(sample(1, was_opened=True))
    await ledger.journal_reply(review.decision_id, "lore/1/full", b"after")
    assert await ledger.journalled(review.decision_id) == {}


async def test_opening_replies_and_record_of_one_turn_keep_their_order(ledger: Ledger) -> None:
    """All wait in one queue: handed in together, the record still closes what was opened before it."""
    news = [sample(number, was_opened=True) for number in range(40)]
    writes = [
        write
        for number, new in enumerate(news)
        for write in (
            ledger.open_review(open_sample(number)),
            ledger.journal_reply(new.decision_id, "lore/1/full", b"x"),
            ledger.append(new),
        )
    ]
    outcomes = await asyncio.gather(*writes)
    assert [outcome.decision_id for outcome in outcomes[2::3] if outcome] == [new.decision_id for new in news]
    assert await ledger.claim_orphans("9999", "99999", 100) == ()
    for new in news:
        assert await ledger.find_open(new.decision_id) is None
        assert await ledger.journalled(new.decision_id) == {}


async def test_a_record_closes_its_own_review_and_no_other(ledger: Ledger) -> None:
    for number in (1, 2):
        await ledger.open_review(open_sample(number))
        await ledger.journal_reply(open_sample(number).decision_id, "lore/1/full", b"%d" % number)
    await ledger.append(sample(1, was_opened=True))
    assert await ledger.find_open(open_sample(1).decision_id) is None
    assert await ledger.journalled(open_sample(1).decision_id) == {}
    assert await ledger.find_open(open_sample(2).decision_id) == open_sample(2)
    assert await ledger.journalled(open_sample(2).decision_id) == {"lore/1/full": b"2"}


async def test_a_record_that_is_refused_leaves_its_review_open(ledger: Ledger) -> None:
    """Record and close are one transaction: neither without the other."""
    await ledger.open_review(open_sample(1))
    await ledger.journal_reply(open_sample(1).decision_id, "lore/1/full", b"x")
    twice = (spend_sample(), spend_sample())
    with pytest.raises(RecordRefusedError):
        await ledger.append(sample(1, was_opened=True, spend=twice))
    with pytest.raises(UnknownPolicyError):
        await ledger.append(sample(1, was_opened=True, policy_hash="b" * 64))
    assert await ledger.find_open(open_sample(1).decision_id) == open_sample(1)
    assert await ledger.journalled(open_sample(1).decision_id) == {"lore/1/full": b"x"}


@pytest.mark.parametrize("fault", ["DELETE ON open_reviews", "INSERT ON spend"])
async def test_record_spending_and_close_are_one_transaction(database_url: str, fault: str) -> None:
    """Where one of them fails, none of them happened, and the review can be taken up again."""
    ledger = await _opened(database_url)
    await ledger.open_review(open_sample(1))
    await run_sql(database_url, _FAIL[database_url.partition(":")[0]].format(fault))
    with pytest.raises(RecordRefusedError):
        await ledger.append(sample(1, was_opened=True, spend=(spend_sample(),)))
    assert await ledger.get(open_sample(1).decision_id) is None
    assert await ledger.find_open(open_sample(1).decision_id) == open_sample(1)
    assert await ledger.spent("2026", "2027") == {}
    assert await ledger.pending_events() == ()
    await ledger.close()


_FAIL = {
    "sqlite": "CREATE TRIGGER fault BEFORE {} BEGIN SELECT RAISE(ABORT, 'seeded'); END",
    "postgresql": "CREATE TRIGGER fault BEFORE {} FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
}


async def test_a_review_whose_decision_is_on_record_is_not_opened(ledger: Ledger) -> None:
    await ledger.append(sample(1))
    assert await ledger.open_review(open_sample(1)) == open_sample(1)
    assert await ledger.find_open(open_sample(1).decision_id) is None
    assert await ledger.claim_orphans(LATER, NEW_LEASE) == ()


async def test_a_taken_key_closes_the_review_that_was_opened_for_it(ledger: Ledger) -> None:
    """Two processes decided one key: the second one's review must not be taken up once more."""
    await ledger.open_review(open_sample(1))
    await ledger.append(sample(1))
    with pytest.raises(KeyTakenError):
        await ledger.append(sample(1, was_opened=True))
    assert await ledger.find_open(open_sample(1).decision_id) is None


async def test_a_review_whose_decision_is_on_record_is_never_an_orphan(ledger: Ledger) -> None:
    """A process was killed between opening and its taken key: the row it left is swept, not decided again."""
    await ledger.open_review(open_sample(1))
    await ledger.journal_reply(open_sample(1).decision_id, "lore/1/full", b"x")
    await ledger.append(sample(1))
    await ledger.open_review(open_sample(2))
    assert await ledger.claim_orphans(LATER, NEW_LEASE) == (open_sample(2, leased_until=NEW_LEASE),)
    assert await ledger.find_open(open_sample(1).decision_id) is None
    assert await ledger.journalled(open_sample(1).decision_id) == {}


async def test_orphans_are_claimed_once_the_oldest_first_and_as_many_as_asked_for(ledger: Ledger) -> None:
    for number in range(5):
        await ledger.open_review(open_sample(number, opened_at=f"2026-11-21T09:00:0{9 - number}.000Z"))
    first = await ledger.claim_orphans(LATER, NEW_LEASE, 2)
    assert [review.request_key for review in first] == ["key-4", "key-3"]
    assert [review.leased_until for review in first] == [NEW_LEASE] * 2
    assert await ledger.find_open(first[0].decision_id) == first[0]
    assert [review.request_key for review in await ledger.claim_orphans(LATER, NEW_LEASE)] == [
        "key-2",
        "key-1",
        "key-0",
    ]
    assert await ledger.claim_orphans(LATER, NEW_LEASE) == ()


async def test_a_review_is_an_orphan_only_after_its_lease(ledger: Ledger) -> None:
    await ledger.open_review(open_sample(1))
    assert await ledger.claim_orphans(LEASED_UNTIL, NEW_LEASE) == ()
    await ledger.open_review(open_sample(1, leased_until=LATER))
    assert await ledger.claim_orphans("2026-11-21T10:00:30.001Z", NEW_LEASE) == ()
    assert await ledger.claim_orphans("2026-11-21T10:01:00.001Z", NEW_LEASE) == (
        open_sample(1, leased_until=NEW_LEASE),
    )


async def test_two_claimers_of_one_database_never_get_the_same_orphan(database_url: str) -> None:
    """Four connections claim by threes until nothing is left: each of 60 reviews is given once (S12's lesson)."""
    ledgers = [await _opened(database_url) for _ in range(4)]
    await asyncio.gather(*[ledgers[0].open_review(open_sample(number)) for number in range(60)])
    claimed: list[str] = []

    async def claim(ledger: Ledger) -> None:
        empty = 0
        while empty < 3:  # a claimer that met only locked rows comes back empty, and asks again
            orphans = await ledger.claim_orphans(LATER, NEW_LEASE, 3)
            claimed.extend(review.request_key for review in orphans)
            empty = 0 if orphans else empty + 1

    await asyncio.gather(*[claim(ledger) for ledger in ledgers])
    for ledger in ledgers:
        await ledger.close()
    assert sorted(claimed) == sorted(f"key-{number}" for number in range(60))


async def test_reviews_and_replies_survive_reopening_the_database(database_url: str) -> None:
    ledger = await _opened(database_url)
    await ledger.open_review(open_sample(1))
    await ledger.journal_reply(open_sample(1).decision_id, "lore/1/full", b"kept")
    await ledger.close()
    again = open_ledger(database_url)
    assert await again.find_open(open_sample(1).decision_id) == open_sample(1)
    assert await again.journalled(open_sample(1).decision_id) == {"lore/1/full": b"kept"}
    assert await again.claim_orphans(LATER, NEW_LEASE) == (open_sample(1, leased_until=NEW_LEASE),)
    await again.close()


async def test_two_processes_that_open_one_review_keep_one(database_url: str) -> None:
    ledgers = [await _opened(database_url) for _ in range(3)]
    leases = [f"2026-11-21T10:00:4{number}.000Z" for number in range(3)]
    kept = await asyncio.gather(
        *[
            ledger.open_review(open_sample(1, leased_until=lease))
            for ledger, lease in zip(ledgers, leases, strict=True)
            for _ in range(5)
        ]
    )
    assert {review._replace(leased_until="") for review in kept} == {open_sample(1, leased_until="")}
    assert await run_sql(database_url, "SELECT count(*) FROM open_reviews") == [(1,)]
    for ledger in ledgers:
        await ledger.close()


async def test_no_reply_is_left_behind_by_a_review_that_another_process_closes(database_url: str) -> None:
    """One process keeps replies while another records the decision: afterwards neither table holds anything of it."""
    writer, closer = [await _opened(database_url) for _ in range(2)]
    for number in range(12):
        decision_id = (await writer.open_review(open_sample(number))).decision_id
        replies = [writer.journal_reply(decision_id, f"lore/{round_number}/full", b"x") for round_number in range(8)]
        await asyncio.gather(*replies, closer.append(sample(number, was_opened=True)))
    left = "SELECT (SELECT count(*) FROM open_reviews), (SELECT count(*) FROM open_replies)"
    assert await run_sql(database_url, left) == [(0, 0)]
    await writer.close()
    await closer.close()


async def test_a_write_that_no_database_can_hold_spoils_nobody_elses(database_url: str) -> None:
    """Half a character (U+D800) has no UTF-8 form: its batch goes on without it."""
    ledger = await _opened(database_url)
    bad = open_sample(2, correlation_id="\ud800")
    outcomes = await asyncio.gather(
        ledger.open_review(open_sample(1)),
        ledger.open_review(bad),
        ledger.journal_reply(open_sample(1).decision_id, "\ud800", b"x"),
        ledger.journal_reply(open_sample(1).decision_id, "lore/1/full", b"x"),
        ledger.append(sample(3)),
        return_exceptions=True,
    )
    names = ["OpenReview", "RecordRefusedError", "RecordRefusedError", "NoneType", "StoredRecord"]
    assert [type(outcome).__name__ for outcome in outcomes] == names
    assert "this review" in str(outcomes[1])
    assert "this reply" in str(outcomes[2])
    assert await ledger.find_open(bad.decision_id) is None
    assert await ledger.journalled(open_sample(1).decision_id) == {"lore/1/full": b"x"}
    await ledger.close()


async def test_a_review_under_another_id_than_its_keys_is_refused(database_url: str) -> None:
    """Its record could never close it."""
    ledger = await _opened(database_url)
    with pytest.raises(RecordRefusedError, match="not the one of its request key"):
        await ledger.open_review(open_sample(1, decision_id=decision_id_of("other")))
    await ledger.close()


async def test_an_id_that_no_row_can_hold_is_not_open(ledger: Ledger) -> None:
    assert await ledger.find_open("half \ud800 \x00") is None
    assert await ledger.journalled("half \ud800 \x00") == {}


async def test_a_caller_that_gives_up_may_have_opened_its_review(ledger: Ledger) -> None:
    """What a cancelled caller handed in is kept whole or not at all, and the queue goes on."""
    task = asyncio.ensure_future(ledger.open_review(open_sample(1)))
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await ledger.open_review(open_sample(2)) == open_sample(2)
    assert await ledger.find_open(open_sample(1).decision_id) in (None, open_sample(1))


async def test_a_closed_ledger_keeps_no_reviews(ledger: Ledger) -> None:
    opening: asyncio.Future[OpenReview] = asyncio.ensure_future(ledger.open_review(open_sample(1)))
    await asyncio.sleep(0)
    await ledger.close()
    assert await opening == open_sample(1)
    for write in (
        ledger.open_review(open_sample(2)),
        ledger.journal_reply(open_sample(1).decision_id, "lore/1/full", b"x"),
        ledger.claim_orphans(LATER, NEW_LEASE),
    ):
        with pytest.raises(LedgerUnavailableError):
            await write


@pytest.mark.postgres
async def test_a_batch_locks_reviews_in_order_of_their_ids_whatever_it_writes_first(postgres_url: str) -> None:
    """So two processes never hold each one what the other waits for (S3): the batch waits for the first, and holds none yet."""
    ledger = await _opened(postgres_url)
    low, high = sorted([open_sample(1), open_sample(2)], key=lambda review: review.decision_id)
    await asyncio.gather(ledger.open_review(low), ledger.open_review(high))
    holder, prober = [await asyncpg.connect(postgres_url) for _ in range(2)]
    lock = holder.transaction()
    await lock.start()
    one = "SELECT 1 FROM open_reviews WHERE decision_id = $1 FOR UPDATE"
    await holder.execute(one, low.decision_id)
    batch = asyncio.gather(ledger.open_review(high), ledger.journal_reply(low.decision_id, "lore/1/full", b"x"))
    async with asyncio.timeout(1):
        while not await prober.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - another's state
            await asyncio.sleep(0.01)
    await prober.execute(one + " NOWAIT", high.decision_id)
    await lock.rollback()
    await batch
    await holder.close()
    await prober.close()
    await ledger.close()
