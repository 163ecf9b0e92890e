"""Running a tick: under a lease, over what the ledger counted, written whole or not at all (S0-9, S0-20, S0-115; S11, S12)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from world.persistence.acts import Totals
from world.persistence.messages import NewEvent, NewQuestion
from world.persistence.port import Advance, WorldStore
from world.realm.rules import WorldRules
from world.realm.sovereign import action_of
from world.realm.state import Realm
from world.realm.tick import TickResult, result_to_wire, tick
from world.service.clock import Clock
from world.service.expiry import NOTHING_DUE, Expiry
from world.service.petitions import Petitions, action_told
from world.service.realms import RealmReader, snapshot_of
from world.service.tellings import Teller, Untold, tick_input, trace_of

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
        self._teller = Teller(store)

    async def run(self, realm_id: str, correlation_id: str | None = None, *, after: int | None = None) -> Ticked | None:
        """Run one tick, then tell each account what it contributed; None where another worker holds the realm.

        Args:
            correlation_id: follows what the tick itself makes happen; None: one of the tick's own. What a player is told
                of an own act carries the act's, what becomes of a sovereign action the proposal's (register row S0-95).
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
        await self._teller.rest(realm_id, before.tick_number)
        totals = await self._store.totals(realm_id)
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
            events=traced(events, await self._traces(events, before, totals), own),
            questions=tuple([each._replace(correlation_id=each.correlation_id or own) for each in asked]),
            transitions=expired.transitions,
            consumed=totals.watermark,
            expired=expired.questions,
        )
        await self._store.advance(step, lease, now)
        number = snapshot.tick_number
        await self._teller.tell(
            Untold(realm_id, number, result.gains, before.watermark, totals.watermark, own, snapshot.made_at)
        )
        return Ticked(result, wire)

    async def tell(self) -> int:
        """Tell what the latest tick of any realm left untold; return how many contributions that were."""
        return await self._teller.rests()

    async def _traces(self, events: Sequence[NewEvent], before: Realm, totals: Totals) -> Mapping[str, str]:
        """Return correlation ids of accounts' acts where a player's event has none of its own."""
        if all(each.user_id is None or each.correlation_id is not None for each in events):
            return {}
        return await self._store.traces(before.realm_id, before.watermark, totals.watermark)

    async def leave(self, realm_id: str) -> None:
        """Let others tick a realm at once, not only when this worker's lease has run out; nothing where another holds it."""
        lease = await self._store.take_lease(realm_id, self._holder, now=self._clock(), ttl_ms=LEASE_MS)
        if lease is not None:
            await self._store.give_lease(lease)


def traced(events: Sequence[NewEvent], traces: Mapping[str, str], own: str) -> tuple[NewEvent, ...]:
    """Let every event carry a correlation id: its own, else that of the player's act behind it, else the tick's."""
    return tuple(
        [each._replace(correlation_id=each.correlation_id or traces.get(each.user_id or "") or own) for each in events]
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
    return NewEvent("sovereign_asked", orjson.dumps(action_told(action)), correlation_id=action.correlation_id)
