"""Reading a realm's moment for its views: the latest state and what it was a tick and an hour ago, read once per snapshot."""

from typing import Final, NamedTuple

import orjson

from world.persistence.messages import Event
from world.persistence.port import Snapshot, WorldStore
from world.persistence.verdicts_told import VERDICT
from world.realm.state import Realm, realm_from
from world.views.history import MOST_TICKS, TickTold, history_view, tick_told
from world.views.moment import Earlier, Moment, ticks_per_hour

VERDICTS: Final = 5
"""Latest verdicts that are read."""


class Now(NamedTuple):
    """A realm's moment with its latest verdicts."""

    moment: Moment
    public: tuple[Event, ...]
    """Latest verdicts that everybody may read, newest first."""
    verdicts: tuple[Event, ...]
    """Latest verdicts, those over single acts among them, newest first: for game masters."""


class MomentReader:
    """Reads moments; what was read for the latest snapshot is kept until there is a newer one.

    Args:
        store: where the world is.
        tick_s: length of a tick, seconds.
    """

    def __init__(self, store: WorldStore, tick_s: int) -> None:
        self._store = store
        self._tick_s = tick_s
        self._known: dict[str, Now] = {}

    async def now(self, realm_id: str) -> Now:
        """Return the latest moment.

        Raises:
            UnknownRealmError: where there is no such realm.
        """
        snapshot = await self._store.latest(realm_id)
        known = self._known.get(realm_id)
        if known is not None and known.moment.hash == snapshot.hash:
            return known
        realm, number = _realm(snapshot), snapshot.tick_number
        moment = Moment(
            realm,
            snapshot.hash,
            snapshot.made_at,
            await self._ago(realm_id, number, 1),
            await self._ago(realm_id, number, ticks_per_hour(self._tick_s)),
            self._tick_s,
        )
        public = await self._store.public_verdicts(realm_id, VERDICTS)
        found = Now(moment, public, await self._store.latest_events(realm_id, VERDICT, VERDICTS))
        self._known[realm_id] = found
        return found

    async def history(
        self, realm_id: str, first: int, last: int, *, shows_disputes: bool = False
    ) -> list[dict[str, object]]:
        """Return one row per tick of a range, both ends included, at most `MOST_TICKS` of them.

        Args:
            shows_disputes: whether verdicts over single acts are shown: to game masters only.

        Raises:
            UnknownRealmError: where there is no such realm.
        """
        last = min(last, first + MOST_TICKS - 1)
        told = await self._told(realm_id, max(0, first - ticks_per_hour(self._tick_s)), last)
        return history_view(told, first, self._tick_s, shows_disputes=shows_disputes)

    async def _told(self, realm_id: str, first: int, last: int) -> list[TickTold]:
        """Read ticks one snapshot at a time: only the last state of a tick is kept, however many decisions followed it."""
        states: dict[int, Snapshot] = {}
        results: dict[int, list[bytes]] = {}
        async for each in self._store.snapshots(realm_id, first, last):
            states[each.tick_number] = each
            results.setdefault(each.tick_number, []).append(each.result)
        return [tick_told(snapshot, results[number]) for number, snapshot in states.items()]

    async def _ago(self, realm_id: str, number: int, ticks: int) -> Earlier | None:
        """Return the state in which an earlier tick ended, the decisions applied after it included."""
        back = min(number, ticks)
        if back == 0:
            return None
        found = None
        async for each in self._store.snapshots(realm_id, number - back, number - back):
            found = each
        return Earlier(_realm(found), back) if found is not None else None


def _realm(snapshot: Snapshot) -> Realm:
    return realm_from(orjson.loads(snapshot.state))
