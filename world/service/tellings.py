"""Telling accounts what they contributed, behind the tick that counted it (S0-95, S0-108; decision 0020).

The world moves first: a tick is committed without a word to anybody, and thousands of tellings are put together and written
after that, while acts come in again. A process that ends in between has told nobody. So before the next tick, and whenever a
worker looks, what the latest tick left untold is worked out from the same sums once more: a tick is a pure function.
"""

import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from world.errors import StoreUnavailableError
from world.persistence.acts import Totals
from world.persistence.contributions import contributions_of
from world.persistence.port import Snapshot, WorldStore
from world.realm.spreading import spread
from world.realm.state import Realm, realm_from
from world.realm.tick import Gains, TickInput, gains_of

logger: Final = logging.getLogger(__name__)


class Untold(NamedTuple):
    """What a committed tick has to tell."""

    realm_id: str
    tick_number: int
    gains: Sequence[Gains]
    after: int
    """Watermark of the tick before."""
    upto: int
    own: str
    """Correlation id of the tick, for accounts none of whose acts has one."""
    made_at: int
    """When the tick was made, milliseconds since 1970."""


class Teller:
    """Tells what ticks have to tell, once each and in their order.

    Args:
        store: where the world is.
    """

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        self._told: dict[str, int] = {}
        """Newest tick of each realm that is known to have nothing left to tell."""

    async def tell(self, untold: Untold) -> None:
        """Tell what a tick has to tell; where the store fails it is left to `rest`, since the tick itself is committed."""
        try:
            await self._tell(untold)
        except StoreUnavailableError:
            ids = {"realm_id": untold.realm_id, "tick_number": untold.tick_number}
            logger.warning("contributions not told yet", extra=ids)

    async def rest(self, realm_id: str, number: int) -> int:
        """Tell what the latest tick of a realm left untold; return how many contributions that were.

        Args:
            number: of that tick.

        Raises:
            StoreUnavailableError: where the store cannot be asked now.
        """
        if number <= self._told.get(realm_id, 0):
            return 0
        if number <= await self._store.told(realm_id):
            self._told[realm_id] = number
            return 0
        untold = await self._again(realm_id, number)
        return await self._tell(untold) if untold is not None else 0

    async def rests(self) -> int:
        """Do so for every realm."""
        latest = [await self._store.latest(realm_id) for realm_id in await self._store.realms()]
        return sum([await self.rest(each.realm_id, each.tick_number) for each in latest])

    async def _tell(self, untold: Untold) -> int:
        realm_id, number = untold.realm_id, untold.tick_number
        count, is_told = sum([len(each.by_user) for each in untold.gains]), False
        if count:
            traces = await self._store.traces(realm_id, untold.after, untold.upto)
            told = contributions_of(untold.gains, traces, untold.own)
            is_told = await self._store.tell(realm_id, number, told, untold.made_at)
        self._told[realm_id] = max(number, self._told.get(realm_id, 0))
        return count if is_told else 0

    async def _again(self, realm_id: str, number: int) -> Untold | None:
        """Work out what a realm's latest tick had to tell; None for one that begins with it."""
        chain = [each async for each in self._store.snapshots(realm_id, number - 1, number)]
        made = next(each for each in chain if each.tick_number == number)
        before = next((each for each in chain if each.hash == made.previous), None)
        if before is None:
            return None
        realm, after = realm_from(orjson.loads(before.state)), realm_from(orjson.loads(made.state))
        totals = await self._store.taken(realm_id, realm.watermark, after.watermark)
        gains = gains_of(realm, tick_input(totals, realm))
        ticks = await self._store.latest_events(realm_id, "tick", 1)
        following = next((each.correlation_id for each in ticks if each.tick_number == number), None)
        own = following or trace_of(made)
        return Untold(realm_id, number, gains, realm.watermark, after.watermark, own, made.made_at)


def tick_input(totals: Totals, realm: Realm) -> TickInput:
    """Return what the ledger counted as a tick takes it."""
    return TickInput(
        gained=spread(totals.gained, realm),
        opposed=spread(totals.opposed, realm),
        cluster_of=totals.clusters,
        relics=frozenset([relic for relic, factions in totals.relics.items() if len(factions) > 1]),
        watermark=totals.watermark,
    )


def trace_of(snapshot: Snapshot) -> str:
    """Return the correlation id of a tick that nobody gave one: its number, and enough of its hash to be one realm's."""
    return f"tick-{snapshot.tick_number}-{snapshot.hash[:16]}"
