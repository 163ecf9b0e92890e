"""Running a tick: under a lease, over what the ledger counted, written whole or not at all (S0-9, S0-20, S0-115; S11, S12)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from world.persistence.contributions import contributions_of
from world.persistence.port import Advance, NewEvent, NewQuestion, Snapshot, Totals, WorldStore
from world.realm.rules import WorldRules
from world.realm.sovereign import action_of
from world.realm.spreading import spread
from world.realm.state import Realm
from world.realm.tick import TickInput, TickResult, result_to_wire, tick
from world.service.clock import Clock
from world.service.expiry import NOTHING_DUE, Expiry
from world.service.petitions import Petitions, action_told
from world.service.realms import RealmReader, snapshot_of

LEASE_MS: Final = 60_000
TriggerQuestion = Callable[[Realm, str], NewQuestion]
"""Makes the council's question of a major trigger whose condition has held."""


class Ticked(NamedTuple):
    """One tick that was committed."""

    result: TickResult
    wire: dict[str, Any]
    """As 000 §5.2 has it."""


class Ticker:
    """Ticks realms.

    Args:
        store: where the world is.
        realms: reads the latest state.
        rules: the world's rules.
        question: makes the council's question of a major trigger.
        clock: milliseconds since 1970.
        holder: names this worker in its leases.
        petitions: brings before the council what a tick leaves to its word; None: nothing but triggers is asked about.
        expiry: finds acts that have been in review for too long; None: they wait for ever.
    """

    def __init__(
        self,
        store: WorldStore,
        realms: RealmReader,
        rules: WorldRules,
        question: TriggerQuestion,
        clock: Clock,
        *,
        holder: str,
        petitions: Petitions | None = None,
        expiry: Expiry | None = None,
    ) -> None:
        self._store = store
        self._realms = realms
        self._rules = rules
        self._question = question
        self._clock = clock
        self._holder = holder
        self._petitions = petitions
        self._expiry = expiry

    async def run(self, realm_id: str, correlation_id: str | None = None, *, after: int | None = None) -> Ticked | None:
        """Run one tick; None where another worker holds the realm.

        Args:
            correlation_id: follows what the tick itself makes happen; None: one of the tick's own. What a player is told
                of an own act carries the act's (register row S0-95).
            after: number of the tick that this one follows; None is returned where another was run since. None: the latest.

        Raises:
            LeaseLostError: where another worker has taken over meanwhile; nothing was written.
            MovedOnError: where a decision was applied meanwhile; run again.
        """
        lease = await self._store.take_lease(realm_id, self._holder, now=self._clock(), ttl_ms=LEASE_MS)
        if lease is None:
            return None
        before = await self._realms.current(realm_id)
        if after not in (None, before.tick_number):
            return None
        totals = await self._store.totals(realm_id)
        traces = await self._store.traces(realm_id, totals.watermark)
        result = tick(before, tick_input(totals, before), self._rules)
        asked = await self._petitions.of(result) if self._petitions is not None else ()
        expired = await self._expiry.due(result.realm) if self._expiry is not None else NOTHING_DUE
        wire, now = result_to_wire(result), self._clock()
        snapshot = snapshot_of(result.realm, orjson.dumps(wire), now)
        own = correlation_id or trace_of(snapshot)
        asked = (*[self._question(result.realm, trigger_id) for trigger_id in result.asked], *asked)
        events = (*events_of(result, wire, self._rules), *expired.events)
        step = Advance(
            realm_id=realm_id,
            expected=before.snapshot_id,
            snapshot=snapshot,
            events=traced(events, traces, own),
            told=contributions_of(result.gains, traces, own),
            questions=tuple([each._replace(correlation_id=each.correlation_id or own) for each in asked]),
            transitions=expired.transitions,
            consumed=totals.watermark,
            expired=expired.questions,
        )
        await self._store.advance(step, lease, now)
        return Ticked(result, wire)

    async def leave(self, realm_id: str) -> None:
        """Let others tick a realm at once, not only when this worker's lease has run out; nothing where another holds it."""
        lease = await self._store.take_lease(realm_id, self._holder, now=self._clock(), ttl_ms=LEASE_MS)
        if lease is not None:
            await self._store.give_lease(lease)


def trace_of(snapshot: Snapshot) -> str:
    """Return the correlation id of a tick that nobody gave one: its number, and enough of its hash to be one realm's."""
    return f"tick-{snapshot.tick_number}-{snapshot.hash[:16]}"


def traced(events: Sequence[NewEvent], traces: Mapping[str, str], own: str) -> tuple[NewEvent, ...]:
    """Let every event carry a correlation id: its own, else that of the player's act behind it, else the tick's."""
    return tuple(
        [each._replace(correlation_id=each.correlation_id or traces.get(each.user_id or "") or own) for each in events]
    )


def tick_input(totals: Totals, realm: Realm) -> TickInput:
    """Return what the ledger counted as a tick takes it."""
    return TickInput(
        gained=spread(totals.gained, realm),
        opposed=spread(totals.opposed, realm),
        cluster_of=totals.clusters,
        relics=frozenset([relic for relic, factions in totals.relics.items() if len(factions) > 1]),
        watermark=totals.watermark,
    )


def events_of(result: TickResult, wire: dict[str, Any], rules: WorldRules) -> list[NewEvent]:
    """Return what a tick made happen, in the order in which it is told; what accounts contributed comes behind it."""
    territories = result.realm.territories
    found = [NewEvent("tick", orjson.dumps(wire))]
    for move in result.moves:
        payload = {
            "territory_id": move.territory_id,
            "name": territories[move.territory_id].name,
            "from": move.old,
            "to": move.new,
        }
        found.append(NewEvent("territory_changed", orjson.dumps(payload)))
    for territory_id in result.began:
        territory = territories[territory_id]
        challenger = territory.conflict.challenger if territory.conflict is not None else None
        payload = {
            "territory_id": territory_id,
            "name": territory.name,
            "owner": territory.controller,
            "challenger": challenger,
        }
        found.append(NewEvent("conflict_began", orjson.dumps(payload)))
    for kind, ids in (("trigger_fired", result.fired), ("trigger_asked", result.asked)):
        for trigger_id in ids:
            trigger = rules.trigger(trigger_id)
            sentence = trigger.told if trigger is not None else ""
            found.append(NewEvent(kind, orjson.dumps({"trigger_id": trigger_id, "told": sentence})))
    found += [_told_of_action(result.realm, action_id) for action_id in result.closed]
    for territory_id in result.won:
        asked = {"territory_id": territory_id, "name": territories[territory_id].name}
        found += [NewEvent("conquest_asked", orjson.dumps(asked))]
    return found


def _told_of_action(realm: Realm, action_id: str) -> NewEvent:
    action = action_of(realm, action_id)
    assert action is not None
    return NewEvent("sovereign_asked", orjson.dumps(action_told(action)))
