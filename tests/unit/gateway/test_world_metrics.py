"""The world, counted at its commits and looked at ever again (S0-90 to S0-94, S0-96)."""

import asyncio
import io
import json
import logging
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from gateway.logs import JsonLines
from gateway.observed_world import ObservedWorld, observe_world
from tests.unit.gateway.scripted import CANARY
from tests.unit.world.living_realm import REALM, START, LivingRealm, ScriptedCouncil
from world.bus.memory import MemoryBus
from world.bus.port import DeadLetter, Message
from world.errors import LeaseLostError, MovedOnError, StoreUnavailableError, WorldError
from world.persistence.acts import Transition
from world.persistence.memory import MemoryStore
from world.persistence.port import Advance, Lease


class Observed:
    """A living realm over a store that is watched."""

    def __init__(self, store: MemoryStore | None = None, council: ScriptedCouncil | None = None) -> None:
        self.registry = CollectorRegistry()
        self.now = START
        self.world: ObservedWorld = observe_world(
            store or MemoryStore(), self.registry, tick_s=900, clock=lambda: self.now
        )
        self.living = LivingRealm(self.world.store, council)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def acts(self, state: str, kind: str = "none") -> float | None:
        return self.value("world_influence_acts_total", realm_id=REALM, state=state, kind=kind)


async def seeded(council: ScriptedCouncil | None = None) -> Observed:
    observed = Observed(council=council)
    await observed.living.seed()
    return observed


async def test_acts_are_counted_by_what_became_of_them_and_why() -> None:
    observed = await seeded()
    living = observed.living
    act = living.act("ana")
    await living.ingestion.submit([act, living.act("binh")])
    await living.ingestion.submit([act, living.act("chi").model_copy(update={"base_points": 999.0})])
    assert observed.acts("accepted") == 2
    assert observed.acts("rejected", "duplicate") == 1
    assert observed.acts("rejected", "foreign_points") == 1
    assert observed.value("world_influence_commit_duration_seconds_count") == 2
    # What was refused before it was scored has no anomaly.
    assert observed.value("world_influence_anomaly_score_count") == 2


async def a_dispute(living: LivingRealm) -> None:
    """Let one account do the same thing at a machine's pace until an act of it is held."""
    for _ in range(60):
        living.now += 1_000
        (taken,) = await living.ingestion.submit([living.act("bot")], "act-7")
        if taken.row.state == "in_review":
            return
    raise AssertionError("no act was held")


async def test_a_held_act_is_counted_when_it_comes_and_when_the_council_has_spoken() -> None:
    observed = await seeded(ScriptedCouncil("reject"))
    await a_dispute(observed.living)
    assert observed.acts("in_review") == 1
    await observed.living.verdicts.settle()
    assert observed.value("world_influence_transitions_total", realm_id=REALM, state="rejected") == 1
    assert observed.value("world_decisions_applied_total", realm_id=REALM, verdict="reject") == 1


async def test_a_tick_is_timed_from_its_lease_to_its_commit() -> None:
    observed = await seeded()
    await observed.living.ticks(2)
    assert observed.value("world_ticks_total", realm_id=REALM, outcome="committed") == 2
    assert observed.value("world_tick_duration_seconds_count", realm_id=REALM) == 2
    assert observed.value("world_tick_number", realm_id=REALM) == 2
    assert observed.value("world_tick_last_timestamp_seconds", realm_id=REALM) == observed.living.now / 1_000
    assert observed.value("world_tick_interval_seconds") == 900


class Failing(MemoryStore):
    """A store that takes no write, in the way that a test wants."""

    error: Exception | None = None

    async def advance(self, step: Advance, lease: Lease | None, now: int) -> None:
        if self.error is not None:
            raise self.error
        await super().advance(step, lease, now)

    async def submit(self, rows: Any, questions: Any) -> Any:
        if self.error is not None:
            raise self.error
        return await super().submit(rows, questions)

    async def move(self, realm_id: str, transitions: Any, now: int) -> None:
        if self.error is not None:
            raise self.error
        await super().move(realm_id, transitions, now)

    async def realms(self) -> tuple[str, ...]:
        if self.error is not None:
            raise self.error
        return await super().realms()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (LeaseLostError(REALM), "lease_lost"),
        (MovedOnError(REALM, "snap-0", "snap-0.1"), "moved_on"),
        (StoreUnavailableError("it is away"), "unavailable"),
    ],
)
async def test_a_tick_that_was_not_committed_is_counted_by_why(error: WorldError, outcome: str) -> None:
    store = Failing()
    observed = Observed(store)
    await observed.living.seed()
    store.error = error
    with pytest.raises(type(error)):
        await observed.living.ticker.run(REALM)
    assert observed.value("world_ticks_total", realm_id=REALM, outcome=outcome) == 1
    assert observed.value("world_tick_duration_seconds_count", realm_id=REALM) is None
    assert observed.value("world_store_unavailable_total", operation="advance") == (
        1 if outcome == "unavailable" else None
    )


async def test_acts_and_transitions_that_the_database_did_not_take_are_counted() -> None:
    store = Failing()
    observed = Observed(store)
    await observed.living.seed()
    store.error = StoreUnavailableError("it is away")
    with pytest.raises(StoreUnavailableError):
        await observed.living.ingestion.submit([observed.living.act()])
    with pytest.raises(StoreUnavailableError):
        await observed.world.store.move(REALM, [Transition(1, "rejected", "by hand")], START)
    assert observed.value("world_store_unavailable_total", operation="submit") == 1
    assert observed.value("world_store_unavailable_total", operation="move") == 1
    assert observed.acts("accepted") is None


async def test_a_look_shows_a_stalled_tick_although_another_process_ran_the_last_one() -> None:
    """S0-96. A decision is a later snapshot, and no tick: it must not hide that none comes."""
    store = MemoryStore()
    worker, watcher = Observed(store), Observed(store)
    await worker.living.seed()
    await worker.living.ticks(1)
    ticked_at = worker.living.now
    await a_dispute(worker.living)
    worker.living.now += 3_600_000
    await worker.living.verdicts.settle()
    assert (await store.latest(REALM)).revision == 1
    await watcher.world.watch.look()
    assert watcher.value("world_tick_last_timestamp_seconds", realm_id=REALM) == ticked_at / 1_000
    assert watcher.value("world_tick_number", realm_id=REALM) == 1


async def test_a_realm_that_never_ticked_counts_from_when_it_was_made_and_its_counters_begin_at_nothing() -> None:
    observed = await seeded()
    await observed.world.watch.look()
    assert observed.value("world_tick_last_timestamp_seconds", realm_id=REALM) == START / 1_000
    assert [observed.acts(state) for state in ("accepted", "in_review", "quarantined")] == [0, 0, 0]


async def test_a_look_shows_what_waits_for_the_council_and_for_the_bus() -> None:
    """S0-94: how long the oldest message has been waiting, whichever came after it."""
    observed = await seeded()
    await a_dispute(observed.living)
    watch, store = observed.world.watch, observed.world.store
    await watch.look()
    waiting = await store.pending(1_000)
    assert observed.value("world_questions_waiting", state="open") == 1
    assert observed.value("world_outbox_backlog") == len(waiting)
    assert observed.value("world_outbox_oldest_age_seconds") == 0
    observed.now += 40_000
    await watch.look()
    assert observed.value("world_outbox_oldest_age_seconds") == 40
    # The oldest went out: the next one is waited for from now on.
    await store.mark_published([waiting[0].number], observed.now)
    await watch.look()
    assert observed.value("world_outbox_oldest_age_seconds") == 0
    await store.mark_published([row.number for row in waiting], observed.now)
    await watch.look()
    assert observed.value("world_outbox_backlog") == 0
    assert observed.value("world_outbox_oldest_age_seconds") == 0


async def test_a_look_counts_dead_letters_where_there_is_a_bus() -> None:
    class OneLetter(MemoryBus):
        async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
            return (DeadLetter("1", "story", Message("world-1", "tick", REALM, b"{}"), 5, "ValueError", START),)

    observed = await seeded()
    observed.world.watch.follow(OneLetter())
    await observed.world.watch.look()
    assert observed.value("world_bus_dead_letters") == 1


@pytest.mark.parametrize("error", [StoreUnavailableError("it is away"), RuntimeError("a defect")])
async def test_the_watch_goes_on_after_a_look_that_failed(error: Exception) -> None:
    store = Failing()
    observed = Observed(store)
    await observed.living.seed()
    store.error = error
    running = asyncio.create_task(observed.world.watch.run(every_s=0))
    await _some_turns()
    assert (observed.value("world_watch_failures_total") or 0) > 0
    store.error = None
    await _some_turns()
    assert observed.value("world_tick_number", realm_id=REALM) == 0
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _some_turns() -> None:
    """Let other tasks run; looks of a watch that never rests need a few turns each."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_log_lines_of_the_world_hold_ids_and_numbers_and_no_players_words() -> None:
    """S0-89: the canary stands wherever a player's words can stand."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        observed = await seeded(ScriptedCouncil("reject", reasons=[CANARY]))
        living = observed.living
        await living.ingestion.submit([living.act("ana", evidence={"risk": 3, "stakes": "regional", "told": CANARY})])
        await living.ingestion.submit([living.act("ana", story_id=CANARY, chapter_id=CANARY)])
        await a_dispute(living)
        await living.ticks(1)
        await living.verdicts.settle()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert CANARY not in out.getvalue()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    ticked = next(line for line in lines if line["event"] == "tick committed")
    assert (ticked["realm_id"], ticked["tick_number"], ticked["snapshot_id"]) == (REALM, 1, "snap-1")
    applied = next(line for line in lines if line["event"] == "decision applied")
    assert applied["verdict"] == "reject"


def test_what_is_watched_is_the_port() -> None:
    """The wrapper names the methods that it counts; should the port rename one, it would count nothing and say nothing."""
    from gateway import observed_world
    from world.persistence.port import WorldStore

    wrapped = {name for name in vars(observed_world._ObservedStore) if not name.startswith("_")}
    assert wrapped == {"take_in", "submit", "move", "take_lease", "advance"}
    assert wrapped <= set(vars(WorldStore))
