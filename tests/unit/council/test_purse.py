"""Budgets per review, realm and day, day and month (S0-101; 000 §13)."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from agents.asking import Question, Slot
from council.ledger.port import Ledger
from council.purse import LedgerPurse
from policies.contracts.reading import validate_request
from policies.models import PICODOLLARS, Budgets
from policies.policy import Policy
from policies.votes import Vote
from tests.unit.council.scripted import model_policy
from tests.unit.requests import request_document
from world.case import open_case

USD = PICODOLLARS
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Spent:
    """A ledger that knows what has been spent, by realm and day."""

    def __init__(self, **by_day: dict[str, int]) -> None:
        self.by_day = {day.removeprefix("d").replace("_", "-"): realms for day, realms in by_day.items()}
        self.reads = 0

    async def spent(self, since: str, until: str) -> dict[str, int]:
        self.reads += 1
        sums: dict[str, int] = {}
        for day, realms in self.by_day.items():
            if since <= day < until:
                for realm, amount in realms.items():
                    sums[realm] = sums.get(realm, 0) + amount
        return sums


class At:
    """A wall clock that tests move."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


def policy_with(**budgets: Any) -> Policy:
    none: dict[str, Any] = {"review_usd": None, "realm_day_usd": None, "day_usd": None, "month_usd": None}
    return model_policy(budgets={**none, "when_spent": "rules", **budgets})


def question(policy: Policy, decision_id: str = "d-1", realm: str = "realm-1") -> Question:
    case = open_case(validate_request(request_document(realm_id=realm, lore_constraints=[])))
    use = policy.members["lore"].model
    assert use is not None
    return Question(Slot("lore", 1), case, (), Vote("lore", "approve"), (), use, policy.models, decision_id)


def purse_over(ledger: Spent, at: At) -> LedgerPurse:
    return LedgerPurse(cast(Ledger, ledger), at)


@pytest.mark.parametrize(
    ("budgets", "told"),
    [
        (
            {"review_usd": "1"},
            "the budget of this review does not bear the call: it may cost 0.3 USD, and 0.2 of 1 are left",
        ),
        (
            {"realm_day_usd": "3"},
            "the budget of realm 'realm-1' for today does not bear the call: it may cost 0.3 USD, and 0.2 of 3 are left",
        ),
        ({"day_usd": "4"}, "the budget for today does not bear the call: it may cost 0.3 USD, and 0.2 of 4 are left"),
        (
            {"month_usd": "9"},
            "the budget for this month does not bear the call: it may cost 0.3 USD, and 0.2 of 9 are left",
        ),
    ],
    ids=["review", "realm", "day", "month"],
)
async def test_a_call_that_would_overrun_a_budget_is_refused_by_name(budgets: dict[str, str], told: str) -> None:
    """On record: two dollars in this realm today, one in another, five earlier this month, and a lot last month."""
    ledger = Spent(
        d2026_11_21={"realm-1": 2 * USD, "realm-2": USD},
        d2026_11_02={"realm-1": 5 * USD},
        d2026_10_31={"realm-1": 900 * USD},
    )
    purse, policy = purse_over(ledger, At()), policy_with(**budgets)
    asked = question(policy)
    assert await purse.reserve(asked, 8 * USD // 10) is None
    assert await purse.reserve(asked, 3 * USD // 10) == told
    assert await purse.reserve(asked, 2 * USD // 10) is None  # what still fits is let through


async def test_calls_in_flight_together_cannot_overrun_a_budget() -> None:
    purse, policy = purse_over(Spent(), At()), policy_with(day_usd="1")
    let_through = 0
    for number in range(20):
        refused = await purse.reserve(question(policy, f"d-{number}"), USD // 10)
        let_through += refused is None
    assert let_through == 10


async def test_what_a_call_did_not_use_is_free_again() -> None:
    purse, policy = purse_over(Spent(), At()), policy_with(review_usd="1")
    asked = question(policy)
    assert await purse.reserve(asked, USD) is None
    purse.settle(asked, USD, USD // 4)
    assert await purse.reserve(asked, 3 * USD // 4) is None
    assert await purse.reserve(asked, 1) is not None


async def test_spending_of_recorded_decisions_is_remembered_and_counted_once() -> None:
    """Between two readings of the ledger this process's own records count; after the next one they are part of it."""
    ledger, at = Spent(), At()
    purse, policy = purse_over(ledger, at), policy_with(day_usd="1")
    asked = question(policy)
    assert await purse.reserve(asked, USD) is None
    purse.settle(asked, USD, USD // 2)
    purse.closed(asked.decision_id, USD // 2)
    assert await purse.reserve(question(policy, "d-2"), USD // 2 + 1) is not None
    ledger.by_day = {"2026-11-21": {"realm-1": USD // 2}}
    at.moment += timedelta(seconds=31)
    assert await purse.reserve(question(policy, "d-2"), USD // 2) is None
    assert ledger.reads == 4  # two readings, of the day and of the month


async def test_a_new_day_has_a_new_budget() -> None:
    ledger, at = Spent(d2026_11_21={"realm-1": USD}), At()
    purse, policy = purse_over(ledger, at), policy_with(day_usd="1")
    assert await purse.reserve(question(policy), 1) is not None
    at.moment = datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC)
    assert await purse.reserve(question(policy), USD) is None


async def test_without_budgets_everything_may_be_spent() -> None:
    policy = policy_with()
    assert policy.models.budgets == Budgets(None, None, None, None, "rules")
    assert await purse_over(Spent(), At()).reserve(question(policy), 10**9 * USD) is None
