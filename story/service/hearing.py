"""What the story hears of its realm since the last chapter: two states, the events between them, own deeds (S0-70 to S0-73)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from story.context.items import HeardVerdict
from story.context.map import REACH
from story.context.own import Own
from story.context.reasons import reason_of
from story.tale.tale import Tale
from world.persistence.acts import LedgerRow
from world.persistence.messages import Event
from world.persistence.port import MAX_PAGE, WorldStore
from world.realm.state import Realm, realm_from
from world.realm.telling import subject_of
from world.service.realms import RealmReader
from world.service.since import before_tick

VERDICT: Final = "decision_applied"
SETTLED: Final = "review_settled"


class Heard(NamedTuple):
    """Everything that the world told."""

    before: Realm
    now: Realm
    verdicts: tuple[HeardVerdict, ...]
    own: Own
    events: tuple[Event, ...]


class Listener:
    """Reads what a story may know of its realm.

    Args:
        store: the world's.
        realms: reads the latest state.
    """

    def __init__(self, store: WorldStore, realms: RealmReader) -> None:
        self._store = store
        self._realms = realms

    async def realm(self, realm_id: str) -> Realm:
        """Return a realm as it stands.

        Raises:
            UnknownRealmError: where there is no such realm.
        """
        return await self._realms.current(realm_id)

    async def hear(self, tale: Tale, since_ms: int | None) -> Heard:
        """Return what happened since the last chapter; before the first one the realm as it stands is news to nobody.

        Args:
            since_ms: when the last chapter was planned, milliseconds since 1970; None before the first.

        Raises:
            UnknownRealmError: where the tale's realm does not exist.
        """
        now = await self._realms.current(tale.realm_id)
        before = now if since_ms is None else await self._at(tale.realm_id, tale.tick, now)
        events = await self._events(tale, before.tick_number - REACH + 1)
        own = await self._own(tale, before.tick_number, since_ms, events)
        return Heard(before, now, verdicts_of(events, tale.decisions), own, events)

    async def _at(self, realm_id: str, tick: int, now: Realm) -> Realm:
        """Return the realm after a tick and what was decided in it; the present one where that tick is not kept."""
        found = [snapshot async for snapshot in self._store.snapshots(realm_id, tick, tick)]
        return realm_from(orjson.loads(found[-1].state)) if found else now

    async def _events(self, tale: Tale, first_tick: int) -> tuple[Event, ...]:
        after = await before_tick(self._store, tale.realm_id, first_tick, tale.user_id)
        found: list[Event] = []
        while page := await self._store.events(tale.realm_id, after, MAX_PAGE, tale.user_id):
            found += page
            after = page[-1].sequence
        return tuple(found)

    async def _own(self, tale: Tale, since_tick: int, since_ms: int | None, events: Iterable[Event]) -> Own:
        points = await self._store.contribution(tale.realm_id, tale.user_id)
        rows = await self._rows(tale, since_tick) if since_ms is not None else []
        new = [row for row in rows if row.received_at >= (since_ms or 0)]
        before = points if since_ms is None else _less(points, new)
        points = _with(before, new)
        return Own(
            user_id=tale.user_id,
            faction_id=tale.faction_id,
            points=points,
            points_before=before,
            decisions=_own_decisions(events),
            correlation_id=new[-1].correlation_id if new else None,
        )

    async def _rows(self, tale: Tale, since_tick: int) -> list[LedgerRow]:
        found: list[LedgerRow] = []
        after = 0
        while page := await self._store.rows(
            tale.realm_id, state="accepted", user_id=tale.user_id, after=after, since_tick=since_tick, limit=MAX_PAGE
        ):
            found += page
            after = page[-1].sequence
        return found


def verdicts_of(events: Sequence[Event], known: Sequence[str]) -> tuple[HeardVerdict, ...]:
    """Return the verdicts among a realm's events, oldest first; those that the story has heard are left out."""
    found = []
    for event in events:
        if event.kind == VERDICT and event.user_id is None:
            heard = _verdict(event, orjson.loads(event.payload))
            if heard.decision_id not in known:
                found.append(heard)
    return tuple(found)


def _verdict(event: Event, told: Mapping[str, Any]) -> HeardVerdict:
    rule = told.get("stood_against", "")
    return HeardVerdict(
        decision_id=told["decision_id"],
        verdict=told["verdict"],
        decision_type=told["decision_type"],
        subject=subject_of(told["effects"]) or told.get("asked_of") or told.get("faction_id") or "",
        faction_id=told.get("faction_id"),
        tick=event.tick_number,
        modifications=tuple(told.get("conditions", ())),
        reason=reason_of(rule),
        effects=tuple(told["effects"]),
    )


def _own_decisions(events: Iterable[Event]) -> frozenset[str]:
    settled = [orjson.loads(event.payload) for event in events if event.kind == SETTLED and event.user_id is not None]
    return frozenset([each["decision_id"] for each in settled if each.get("decision_id")])


def _with(points: Mapping[str, Mapping[str, int]], rows: Iterable[LedgerRow]) -> dict[str, dict[str, int]]:
    """Return a contribution with some acts, those against their faction with a minus: a total knows no side."""
    found = {faction: dict(places) for faction, places in points.items()}
    for row in rows:
        if row.score is not None and row.faction_id is not None:
            places, where = found.setdefault(row.faction_id, {}), row.territory_id or ""
            places[where] = places.get(where, 0) + row.score.normalized * (-1 if row.is_against else 1)
    return found


def _less(points: Mapping[str, Mapping[str, int]], rows: Iterable[LedgerRow]) -> dict[str, dict[str, int]]:
    """Return a contribution without some of its acts."""
    left = {faction: dict(places) for faction, places in points.items()}
    for row in rows:
        places = left.get(row.faction_id or "")
        if places is not None and row.score is not None:
            where = row.territory_id or ""
            places[where] = places.get(where, 0) - row.score.normalized
    return left
