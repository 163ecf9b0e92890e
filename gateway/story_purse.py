"""The purse of those who write stories: one budget a day for every process of a database (S0-101: money fails closed).

Before a call the most that it may cost is booked in the story ledger, in one step with the look at the day's total, so that calls
in flight together cannot overrun it, whoever makes them; afterwards the rest is given back. A process that is killed between
the two leaves the reservation booked: the day then bears less, and never more.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from policies.models import dollars
from story.ledger.port import Booked

logger = logging.getLogger(__name__)


class Spending(Protocol):
    """Where a day's costs are kept (`story.ledger.port.StoryStore`)."""

    async def book(self, day: str, picodollars: int, limit: int | None = None) -> Booked:
        """Add an amount to a day's total, unless that overran the limit."""
        ...


class Reserved(NamedTuple):
    """What was set aside for a call."""

    day: str
    """UTC, such as 2026-11-21: what is given back after midnight is given back to the day that it was taken from."""
    picodollars: int
    refused: str | None = None
    """Why nothing was; None where the call may be made."""


class DayPurse:
    """Keeps what writing costs within a budget per day (UTC).

    Args:
        limit: picodollars.
        spending: where the day's total is kept.
        now: the wall clock, aware.
    """

    def __init__(self, limit: int, spending: Spending, now: Callable[[], datetime]) -> None:
        self._limit = limit
        self._spending = spending
        self._now = now

    async def reserve(self, picodollars: int) -> Reserved:
        """Set aside the most that a call may cost; where the budget would be overrun or cannot be read, say so."""
        today = self._now().astimezone(UTC).date().isoformat()
        if not picodollars:  # a call without a price cannot be held to a budget
            return Reserved(today, 0)
        try:
            booked = await self._spending.book(today, picodollars, self._limit)
        except Exception as error:  # noqa: BLE001 - whatever the database does: money fails closed
            logger.warning("story_purse_unread", extra={"error": type(error).__qualname__})
            return Reserved(today, 0, f"what writing cost today could not be read ({type(error).__name__})")
        if booked.is_booked:
            return Reserved(today, picodollars)
        left = dollars(max(0, self._limit - booked.total))
        told = f"the day's budget for writing does not bear the call: {left} of {dollars(self._limit)} USD are left"
        return Reserved(today, 0, told)

    async def settle(self, reserved: Reserved, spent: int) -> None:
        """Give a reservation back and book what was really spent; where that fails, the reservation stays booked."""
        if spent == reserved.picodollars:
            return
        try:
            await self._spending.book(reserved.day, spent - reserved.picodollars)
        except Exception as error:  # noqa: BLE001 - the chapter's text is there; the day bears less instead
            logger.warning("story_purse_unsettled", extra={"error": type(error).__qualname__})
