"""What models cost, as every ledger records and adds it up (000 §13; S0-98, S0-101)."""

import asyncio

import pytest

from council.ledger.accounts import MAX_AMOUNT
from council.ledger.opening import open_ledger
from council.ledger.port import Decided, KeyTakenError, Ledger, RecordRefusedError, SpendLine
from tests.contract.journal_samples import open_sample, spend_sample
from tests.contract.ledger_samples import POLICY, POLICY_HASH, sample
from tests.contract.raw_sql import WRITE_ONCE_ERRORS, run_sql

DAY = "2026-11-21"
NEXT_DAY = "2026-11-22"


def _line(realm_id: str, decision_type: str, member: str, model: str, decisions: int, scale: int) -> SpendLine:
    """The sum of `decisions` samples whose scales add up to `scale`."""
    amounts = {
        name: amount for name, amount in spend_sample(scale=scale)._asdict().items() if name not in ("member", "model")
    }
    return SpendLine(realm_id, decision_type, member, model, decisions, **amounts)


async def _fill(ledger: Ledger) -> None:
    """Five decisions on two days: two of the third realm's without any model."""
    dispute = "impact_dispute"
    for new in (
        sample(1, spend=(spend_sample("risk", "large", scale=7), spend_sample("lore", "small"))),
        sample(2, spend=(spend_sample("lore", "small", scale=2),)),
        sample(3, spend=(spend_sample("lore", "small", scale=3),), decision_type=dispute, path="veto"),
        sample(4, spend=(spend_sample("lore", "small", scale=4),), realm_id="north"),
        sample(5, spend=(spend_sample("lore", "small", scale=5),), recorded_at=f"{NEXT_DAY}T00:00:00.000Z"),
        sample(6, realm_id="south"),
        sample(7, realm_id="south"),
    ):
        await ledger.append(new)


async def test_spending_is_added_up_by_realm_type_member_and_model_and_sorted_by_them(ledger: Ledger) -> None:
    await _fill(ledger)
    assert await ledger.spending(DAY, NEXT_DAY) == (
        _line("aelvyndor", "impact_dispute", "lore", "small", 1, 3),
        _line("aelvyndor", "sovereign_action", "lore", "small", 2, 1 + 2),
        _line("aelvyndor", "sovereign_action", "risk", "large", 1, 7),
        _line("north", "sovereign_action", "lore", "small", 1, 4),
    )
    assert await ledger.spending(DAY, NEXT_DAY, "north") == (_line("north", "sovereign_action", "lore", "small", 1, 4),)
    assert await ledger.spending(DAY, NEXT_DAY, "south") == ()


async def test_amounts_stand_under_their_own_names(ledger: Ledger) -> None:
    """Every amount of the sample differs from every other, so an exchanged column would show."""
    await ledger.append(sample(1, spend=(spend_sample(),)))
    assert [line._asdict() for line in await ledger.spending(DAY, NEXT_DAY)] == [
        {
            "realm_id": "aelvyndor",
            "decision_type": "sovereign_action",
            "member": "lore",
            "model": "small",
            "decisions": 1,
            "replies": 3,
            "calls": 2,
            "input_tokens": 1000,
            "cached_tokens": 600,
            "output_tokens": 70,
            "picodollars": 5_000_000,
            "unpriced_calls": 1,
        }
    ]


async def test_a_period_includes_its_start_and_leaves_out_its_end(ledger: Ledger) -> None:
    await _fill(ledger)
    third, fourth = (sample(number).recorded_at for number in (3, 4))
    assert [line.picodollars for line in await ledger.spending(third, fourth)] == [3 * 5_000_000]
    assert await ledger.spent(third, fourth) == {"aelvyndor": 3 * 5_000_000}
    assert await ledger.spent_by_day(third, fourth) == {DAY: 3 * 5_000_000}
    assert await ledger.decided(third, fourth) == (Decided("aelvyndor", "impact_dispute", "veto", 1),)
    assert await ledger.spending("2027", "2028") == ()
    assert await ledger.spent("2027", "2028") == {}


async def test_picodollars_are_added_up_by_realm_and_by_day(ledger: Ledger) -> None:
    await _fill(ledger)
    assert await ledger.spent(DAY, "2026-11-23") == {"aelvyndor": (7 + 1 + 2 + 3 + 5) * 5_000_000, "north": 20_000_000}
    assert await ledger.spent_by_day(DAY, "2026-11-23") == {DAY: 17 * 5_000_000, NEXT_DAY: 5 * 5_000_000}
    assert await ledger.spent_by_day(DAY, "2026-11-23", "north") == {DAY: 20_000_000}
    days = await ledger.spent_by_day(DAY, "2026-11-23")
    assert list(days) == sorted(days)
    sums = [*(await ledger.spent(DAY, "2026-11-23")).values(), *days.values()]
    assert {type(amount) for amount in sums} == {int}


async def test_decisions_are_counted_with_and_without_models(ledger: Ledger) -> None:
    await _fill(ledger)
    assert await ledger.decided(DAY, NEXT_DAY) == (
        Decided("aelvyndor", "impact_dispute", "veto", 1),
        Decided("aelvyndor", "sovereign_action", "fast", 2),
        Decided("north", "sovereign_action", "fast", 1),
        Decided("south", "sovereign_action", "fast", 2),
    )
    assert await ledger.decided(DAY, NEXT_DAY, "south") == (Decided("south", "sovereign_action", "fast", 2),)


async def test_an_amount_of_64_bits_is_kept_to_the_last_unit(ledger: Ledger) -> None:
    amount = MAX_AMOUNT - 1_000_000_000_000
    await ledger.append(sample(1, spend=(spend_sample()._replace(picodollars=amount),)))
    await ledger.append(sample(2, spend=(spend_sample()._replace(picodollars=1_000_000_000_000),)))
    assert await ledger.spent(DAY, NEXT_DAY) == {"aelvyndor": MAX_AMOUNT}


@pytest.mark.parametrize(
    "spend",
    [
        (spend_sample(), spend_sample(scale=2)),
        (spend_sample()._replace(picodollars=MAX_AMOUNT + 1),),
        (spend_sample()._replace(cached_tokens=-1),),
    ],
    ids=["a model twice", "past 64 bits", "negative"],
)
async def test_spending_that_no_row_can_hold_is_refused_with_its_record(ledger: Ledger, spend: object) -> None:
    outcomes = await asyncio.gather(
        ledger.append(sample(1)),
        ledger.append(sample(2, spend=spend)),
        ledger.append(sample(3)),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], RecordRefusedError)
    assert await ledger.find_by_key("key-2") is None
    assert [await ledger.find_by_key(f"key-{number}") for number in (1, 3)] == [outcomes[0], outcomes[2]]
    assert await ledger.spent(DAY, NEXT_DAY) == {}


async def test_a_decision_is_paid_for_once_however_often_its_key_comes(ledger: Ledger) -> None:
    await ledger.append(sample(1, spend=(spend_sample(),)))
    with pytest.raises(KeyTakenError):
        await ledger.append(sample(1, spend=(spend_sample("risk"),)))
    assert [line.member for line in await ledger.spending(DAY, NEXT_DAY)] == ["lore"]


async def test_many_decisions_of_one_turn_are_each_paid_for(ledger: Ledger) -> None:
    """400 decisions with two models each are more than one batch and one statement hold."""
    spend = (spend_sample(), spend_sample("risk", "large", scale=2))
    await asyncio.gather(*[ledger.append(sample(number, spend=spend)) for number in range(400)])
    assert await ledger.spending(DAY, NEXT_DAY) == (
        _line("aelvyndor", "sovereign_action", "lore", "small", 400, 400),
        _line("aelvyndor", "sovereign_action", "risk", "large", 400, 800),
    )


async def _filled(url: str) -> None:
    ledger = open_ledger(url)
    await ledger.put_policy(POLICY_HASH, POLICY)
    await ledger.open_review(open_sample(1))
    await ledger.append(sample(1, spend=(spend_sample(),)))
    await ledger.close()


async def _refused(url: str, statement: str) -> None:
    await _filled(url)
    before = await run_sql(url, "SELECT * FROM spend")
    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(url, statement)
    assert await run_sql(url, "SELECT * FROM spend") == before != []


@pytest.mark.parametrize(
    "statement", ["UPDATE spend SET picodollars = 0", "UPDATE spend SET model = model", "DELETE FROM spend"]
)
async def test_spending_once_written_is_refused_any_change(database_url: str, statement: str) -> None:
    await _refused(database_url, statement)


@pytest.mark.postgres
async def test_truncating_spending_is_refused(postgres_url: str) -> None:
    await _refused(postgres_url, "TRUNCATE spend")


@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE", "UPDATE OR REPLACE"])
async def test_sqlite_refuses_to_replace_spending(tmp_path: object, verb: str) -> None:
    """REPLACE deletes the row in its way without firing DELETE triggers."""
    rest = "spend SET model = 'other'" if verb.startswith("UPDATE") else "INTO spend SELECT * FROM spend"
    await _refused(f"sqlite:///{tmp_path}/council.db", f"{verb} {rest}")


async def test_sqlite_adds_up_a_period_by_keys_and_counts_decisions_from_the_listings_index(tmp_path: object) -> None:
    """Neither reads the whole table: no body is fetched to count, and a period is one stretch of the spending's key."""
    from council.ledger.account_queries import decided_query, spending_query

    url = f"sqlite:///{tmp_path}/council.db"
    await _filled(url)
    queries = [make(DAY, NEXT_DAY, None, lambda _: "'2026'") for make in (spending_query, decided_query)]
    rows = [await run_sql(url, f"EXPLAIN QUERY PLAN {query.sql}") for query in queries]
    plans = [str(plan[0][3]) for plan in rows]
    assert plans[0].startswith("SEARCH spend USING PRIMARY KEY (recorded_at>? AND recorded_at<?)")
    assert plans[1].startswith("SEARCH records USING COVERING INDEX records_listing (recorded_at>? AND recorded_at<?)")
