"""The council's outbox as the bus's relay sees it: what was decided goes to the same bus as what happened in the world."""

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import orjson

from council.ledger.port import Ledger, LedgerUnavailableError, OutboxEvent
from council.moments import iso
from world.bus.port import Message
from world.bus.relay import Outgoing
from world.errors import StoreUnavailableError

T = TypeVar("T")


class DecisionOutbox:
    """An `Outbox` of a council's ledger; a decision's id is its message's."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def pending(self, limit: int) -> Sequence[Outgoing]:
        return [_outgoing(event) for event in await _asked(self._ledger.pending_events(limit))]

    async def published(self, since: int, after: int, limit: int) -> Sequence[Outgoing]:
        found = await _asked(self._ledger.published_events(_iso(since), after=after, limit=limit))
        return [_outgoing(event) for event in found]

    async def mark(self, numbers: Sequence[int], now: int) -> None:
        await _asked(self._ledger.mark_published(numbers, _iso(now)))


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except LedgerUnavailableError as error:
        raise StoreUnavailableError(error.reason, retry_after_s=error.retry_after_s) from error


def _outgoing(event: OutboxEvent) -> Outgoing:
    # The payload is ours, so its correlation id is there; the outbox row has no column for it.
    correlation_id = orjson.loads(event.payload).get("correlation_id")
    message = Message(event.decision_id, event.topic, event.realm_id, event.payload, correlation_id, event.decision_id)
    return Outgoing(event.event_id, message)


def _iso(ms: int) -> str:
    return iso(datetime.fromtimestamp(max(ms, 0) / 1_000, UTC))
