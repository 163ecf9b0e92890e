"""Running a tick: under a lease, over what the ledger counted, written whole or not at all (S0-9, S0-20, S0-115; S11, S12)."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from world.persistence.port import Advance, NewEvent, NewQuestion, Totals, WorldStore
from world.realm.rules import WorldRules
from world.realm.spreading import spread
from world.realm.state import Realm
from world.realm.tick import TickInput, TickResult, result_to_wire, tick
from world.service.clock import Clock
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
    ) -> None:
        self._store = store
        self._realms = realms
        self._rules = rules
        self._question = question
        self._clock = clock
        self._holder = holder

    async def run(self, realm_id: str) -> Ticked | None:
        """Run one tick; None where another worker holds the realm.

        Raises:
            LeaseLostError: where another worker has taken over meanwhile; nothing was written.
            MovedOnError: where a decision was applied meanwhile; run again.
        """
        lease = await self._store.take_lease(realm_id, self._holder, now=self._clock(), ttl_ms=LEASE_MS)
        if lease is None:
            return None
        before = await self._realms.current(realm_id)
        totals = await self._store.totals(realm_id)
        result = tick(before, tick_input(totals, before), self._rules)
        wire, now = result_to_wire(result), self._clock()
        step = Advance(
            realm_id=realm_id,
            expected=before.snapshot_id,
            snapshot=snapshot_of(result.realm, orjson.dumps(wire), now),
            events=tuple(events_of(result, wire, self._rules)),
            questions=tuple([self._question(result.realm, trigger_id) for trigger_id in result.asked]),
            consumed=totals.watermark,
        )
        await self._store.advance(step, lease, now)
        return Ticked(result, wire)


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
    """Return what a tick made happen, in the order in which it is told."""
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
    for each in result.contributed:
        told = orjson.dumps(
            {"territory_id": each.territory_id, "faction_id": each.faction_id, "points": each.points / 1_000}
        )
        found.append(NewEvent("contributed", told, each.user_id))
    return found
