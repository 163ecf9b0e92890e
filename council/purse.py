"""The purse: keeps what models cost within the policy's budgets, per review, realm and day, day and month.

Before a call the most it may cost is set aside, so that calls in flight together cannot overrun a budget; afterwards the real
price is booked (000 §13; register row S0-101). What is on record is read from the ledger again every so often, so that several
processes over one ledger see each other's spending, and a restart forgets nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from agents.asking import Question
from council.ledger.port import Ledger
from policies.models import dollars

REFRESH_S: Final = 30.0
"""Seconds after which the totals are read from the ledger again."""


@dataclass(slots=True)
class _UnderWay:
    realm_id: str
    spent: int = 0
    reserved: int = 0


@dataclass(slots=True)
class _Totals:
    """Picodollars on record, as last read, and those recorded since by this process."""

    day: str
    read_at: datetime
    by_realm: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    month: int = 0


class LedgerPurse:
    """A purse over one ledger.

    Args:
        ledger: where spending is recorded.
        now: the wall clock, aware.
    """

    def __init__(self, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._now = now
        self._totals: _Totals | None = None
        self._under_way: dict[str, _UnderWay] = {}
        self._reading = asyncio.Lock()

    async def reserve(self, question: Question, picodollars: int) -> str | None:
        """Set the most that a call may cost aside; where a budget would be overrun, say which."""
        totals = await self._current()
        realm_id, budgets = question.case.request.realm_id, question.models.budgets
        mine = self._under_way.setdefault(question.decision_id, _UnderWay(realm_id))
        realm, everywhere = totals.by_realm[realm_id], sum(totals.by_realm.values())
        for each in self._under_way.values():
            amount = each.spent + each.reserved
            everywhere += amount
            realm += amount if each.realm_id == realm_id else 0
        open_amount = sum(each.spent + each.reserved for each in self._under_way.values())
        limits = (
            ("of this review", budgets.review, mine.spent + mine.reserved),
            (f"of realm {realm_id!r} for today", budgets.realm_day, realm),
            ("for today", budgets.day, everywhere),
            ("for this month", budgets.month, totals.month + open_amount),
        )
        for name, limit, used in limits:
            if limit is not None and used + picodollars > limit:
                left, most = dollars(max(0, limit - used)), dollars(picodollars)
                told = f"the budget {name} does not bear the call"
                return f"{told}: it may cost {most} USD, and {left} of {dollars(limit)} are left"
        mine.reserved += picodollars
        return None

    def settle(self, question: Question, reserved: int, spent: int) -> None:
        """Give a reservation back and book what was really spent."""
        mine = self._under_way.setdefault(question.decision_id, _UnderWay(question.case.request.realm_id))
        mine.reserved -= reserved
        mine.spent += spent

    def closed(self, decision_id: str, recorded: int | None = None) -> None:
        """Take a decision off the list of those under way.

        Args:
            recorded: picodollars that its record holds; None where it left none.
        """
        mine = self._under_way.pop(decision_id, None)
        if mine is None or self._totals is None:
            return
        amount = mine.spent if recorded is None else recorded
        self._totals.by_realm[mine.realm_id] += amount
        self._totals.month += amount

    async def _current(self) -> _Totals:
        now = self._now().astimezone(UTC)
        async with self._reading:
            totals = self._totals
            is_fresh = totals is not None and totals.day == now.date().isoformat()
            if totals is None or not is_fresh or now - totals.read_at > timedelta(seconds=REFRESH_S):
                totals = self._totals = await self._read(now)
        return totals

    async def _read(self, now: datetime) -> _Totals:
        day = now.date()
        tomorrow = (day + timedelta(days=1)).isoformat()
        today = await self._ledger.spent(day.isoformat(), tomorrow)
        month = await self._ledger.spent(day.replace(day=1).isoformat(), tomorrow)
        return _Totals(day.isoformat(), now, defaultdict(int, today), sum(month.values()))
