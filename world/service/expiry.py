"""Acts that nobody decided about in time: rejected, told to their players, and open to appeal (register row K17).

Expiry rides on the tick: row, event and question change in the transaction that writes the tick, so that a crash leaves either
all of it or nothing. The expired question stays with its request: it is the appeal, and a game master who grants it releases the
act (`is_open_to_appeal`). A verdict that comes later changes nothing and says so (`world.service.settlement`).
"""

from typing import Final, NamedTuple

import orjson

from world.persistence.acts import LedgerRow, Transition
from world.persistence.messages import NewEvent
from world.persistence.port import MAX_PAGE, WorldStore
from world.realm.state import Realm
from world.service.questions import dispute_key

PATIENCE: Final = 96
"""Ticks that an act waits for a verdict: a day."""
_EXPIRED: Final = "expired: "


class Due(NamedTuple):
    """What expires in a tick."""

    transitions: tuple[Transition, ...] = ()
    events: tuple[NewEvent, ...] = ()
    questions: tuple[str, ...] = ()


NOTHING_DUE: Final = Due()


class Expiry:
    """Finds acts that have been in review for too long.

    Args:
        store: where the ledger is.
        patience: ticks that an act waits.
    """

    def __init__(self, store: WorldStore, *, patience: int = PATIENCE) -> None:
        self._store = store
        self._patience = patience

    async def due(self, realm: Realm) -> Due:
        """Return what expires in a realm's newest tick, at most a page of it: the rest follows in the next."""
        waiting = await self._store.rows(realm.realm_id, state="in_review", limit=MAX_PAGE)
        old = [row for row in waiting if row.tick + self._patience < realm.tick_number]
        if not old:
            return NOTHING_DUE
        because = f"{_EXPIRED}no verdict within {self._patience} ticks; open to appeal"
        return Due(
            tuple([Transition(row.sequence, "rejected", because, expected="in_review") for row in old]),
            tuple([_told(row) for row in old]),
            tuple([dispute_key(row.realm_id, row.event_id) for row in old]),
        )


def is_open_to_appeal(row: LedgerRow) -> bool:
    """Return whether an act was rejected for want of a verdict alone, and nobody has ruled on it since."""
    return row.state == "rejected" and row.because.startswith(_EXPIRED)


def _told(row: LedgerRow) -> NewEvent:
    payload = {"event_id": row.event_id, "state": "rejected", "appeal": dispute_key(row.realm_id, row.event_id)}
    return NewEvent("review_expired", orjson.dumps(payload), row.user_id, row.correlation_id)
