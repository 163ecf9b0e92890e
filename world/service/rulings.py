"""What a person says of a held act: it counts after all, or it does not (reliability.md, S18; K17).

A ruling is a transition of the act alone, with who said it and why: decisions of the council and their records are not touched.
"""

from typing import Final, Literal, NamedTuple

from world.influence.judging import State
from world.persistence.acts import LedgerRow, Transition
from world.persistence.port import MAX_PAGE, WorldStore
from world.service.clock import Clock
from world.service.expiry import is_open_to_appeal

MOST_PAGES: Final = 20
"""Pages of rejected acts that one call looks through for expired ones: ten thousand acts."""
Word = Literal["release", "reject"]
"""release: it counts in the next tick, and an appeal is granted; reject: it does not count."""
HeldState = Literal["quarantined", "in_review", "expired"]
"""quarantined: waits for a person; in_review: waits for the council; expired: got no verdict in time, open to appeal."""
_TOLD: Final[dict[Word, tuple[State, str]]] = {
    "release": ("accepted", "released"),
    "reject": ("rejected", "rejected"),
}


class Ruling(NamedTuple):
    """What somebody says of one act."""

    realm_id: str
    event_id: str
    word: Word
    by: str
    """Who says it, as it stands in the ledger."""
    because: str


class Unruled(NamedTuple):
    """Why a ruling changes nothing."""

    kind: Literal["no_act", "in_review", "already_ruled"]
    """already_ruled: it does not wait for a person, or somebody was first."""
    row: LedgerRow | None
    """The act as it stands; None where there is none."""


class HeldPage(NamedTuple):
    """One page of held acts, in order of arrival."""

    acts: tuple[LedgerRow, ...]
    next: int
    """Sequence behind which the next page begins."""
    has_more: bool


class Rulings:
    """Lists held acts and rules on them.

    Args:
        store: where the ledger is.
        clock: milliseconds since 1970.
    """

    def __init__(self, store: WorldStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def rule(self, ruling: Ruling) -> LedgerRow | Unruled:
        """Return the act after a ruling, or why it stays as it is; the same ruling again returns the act as it stands.

        Raises:
            UnknownRealmError: where there is no such realm.
        """
        state, told = _TOLD[ruling.word]
        because = f"{told} by {ruling.by}: {ruling.because}"
        row = await self._store.row(ruling.realm_id, ruling.event_id)
        if row is None:
            return Unruled("no_act", None)
        if row.state == "in_review":
            return Unruled("in_review", row)
        # An appeal can be granted, and not refused: the act is rejected as it is. So of two rulings the first changes the state.
        if row.state == "quarantined" or (state == "accepted" and is_open_to_appeal(row)):
            transition = Transition(row.sequence, state, because, expected=row.state)
            await self._store.move(ruling.realm_id, [transition], self._clock())
            row = await self._store.row(ruling.realm_id, ruling.event_id)
            assert row is not None
        return row if (row.state, row.because) == (state, because) else Unruled("already_ruled", row)

    async def held(self, realm_id: str, state: HeldState, *, after: int = 0, limit: int = 100) -> HeldPage:
        """Return acts that are held.

        Args:
            after: sequence behind which they are taken.

        Raises:
            UnknownRealmError: where there is no such realm.
        """
        if state == "expired":
            return await self._appealed(realm_id, after, limit)
        found = await self._store.rows(realm_id, state=state, after=after, limit=limit + 1)
        page = found[:limit]
        return HeldPage(page, page[-1].sequence if page else after, len(found) > len(page))

    async def _appealed(self, realm_id: str, after: int, limit: int) -> HeldPage:
        """Look for expired acts among the rejected ones: so many in one call, and the next call goes on behind them."""
        found: list[LedgerRow] = []
        for _ in range(MOST_PAGES):
            page = await self._store.rows(realm_id, state="rejected", after=after, limit=MAX_PAGE)
            for row in page:
                if len(found) == limit:
                    return HeldPage(tuple(found), after, True)
                after = row.sequence
                found += [row] if is_open_to_appeal(row) else []
            if len(page) < MAX_PAGE:
                return HeldPage(tuple(found), after, False)
        return HeldPage(tuple(found), after, True)
