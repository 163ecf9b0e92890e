"""The scheduler on a clock that the test turns: on time, late once, never twice (S0-9; S12, S13)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.unit.world.living_realm import REALM, START, TICK_MS, LivingRealm
from world.errors import MovedOnError, StoreUnavailableError
from world.service.scheduling import Duty, Owed, Schedule, Scheduler, owed
from world.service.ticking import Ticked, Ticker

SCHEDULE = Schedule()


async def scheduled(living: LivingRealm, name: str = "worker-1", **keys: int) -> Scheduler:
    return Scheduler(living.store, living.worker(name), (), lambda: living.now, schedule=Schedule(**keys))


async def living_realm() -> LivingRealm:
    living = LivingRealm()
    await living.seed()
    return living


async def tick_number(living: LivingRealm) -> int:
    return (await living.store.latest(REALM)).tick_number


def test_periods_are_those_of_the_wall_clock() -> None:
    """2026-03-01T10:00:00Z is a multiple of 900 s since 1970: 1,772,359,200 = 1,969,288 * 900."""
    assert SCHEDULE.period(START) == 1_969_288
    assert SCHEDULE.next_at(START) == START + TICK_MS
    assert SCHEDULE.next_at(START + TICK_MS - 1) == START + TICK_MS


@pytest.mark.parametrize(
    ("behind", "catch_up", "expected"),
    [
        (0, 1, Owed(0, 0)),
        (1, 1, Owed(1, 0)),
        (2, 1, Owed(1, 1)),
        (9, 4, Owed(4, 5)),
        (3, 4, Owed(3, 0)),
        (-5, 1, Owed(0, 0)),
    ],
)
def test_what_is_owed_is_bounded_by_the_catch_up(behind: int, catch_up: int, expected: Owed) -> None:
    assert owed(100, (100 + behind) * TICK_MS, Schedule(catch_up=catch_up)) == expected


async def test_a_realm_ticks_once_in_every_period_however_often_it_is_looked_at() -> None:
    living = await living_realm()
    scheduler = await scheduled(living)
    for minute in range(1, 61):
        living.now = START + minute * 60_000
        await scheduler.look()
    assert await tick_number(living) == 4, "10:15, 10:30, 10:45 and 11:00"


async def test_a_realm_that_was_made_within_a_period_waits_for_the_next() -> None:
    living = await living_realm()
    scheduler = await scheduled(living)
    living.now = START + TICK_MS - 1
    assert await scheduler.look() == 0
    living.now += 1
    assert await scheduler.look() == 1


async def test_a_tick_that_outlasts_its_period_makes_the_next_one_late_once() -> None:
    """S13: a tick begun at 10:15 that is done at 10:37 is followed by one at once, and then by the one of 10:45."""
    living = await living_realm()
    scheduler = await scheduled(living)
    ticker = scheduler._ticker
    made: list[tuple[int, int]] = []
    run: Callable[..., Awaitable[Ticked | None]] = ticker.run

    async def slow(realm_id: str, *, after: int | None = None) -> Ticked | None:
        begun = living.now
        if len(made) == 0:
            living.now += 22 * 60_000
        found = await run(realm_id, after=after)
        made.append(((begun - START) // 60_000, (living.now - START) // 60_000))
        return found

    ticker.run = slow  # type: ignore[method-assign, assignment]
    living.now = START + 15 * 60_000
    while living.now < START + 50 * 60_000:
        await scheduler.look()
        living.now += 60_000
    # The tick of 10:15 is written at 10:37, in the period that began at 10:30: that period is done, 10:45 comes on time.
    assert made == [(15, 37), (45, 45)]


async def test_an_outage_of_hours_is_made_up_for_by_one_tick_or_by_as_many_as_are_wanted() -> None:
    living = await living_realm()
    living.now = START + 10 * TICK_MS
    assert await (await scheduled(living)).look() == 1
    living.now += 10 * TICK_MS
    assert await (await scheduled(living, catch_up=4)).look() == 4
    assert await tick_number(living) == 5


async def test_a_fresh_process_knows_from_the_store_that_the_period_is_done() -> None:
    living = await living_realm()
    living.now = START + TICK_MS
    assert await (await scheduled(living)).look() == 1
    living.now += 60_000
    assert await (await scheduled(living, "worker-2")).look() == 0


async def test_two_workers_run_each_tick_once() -> None:
    """S12: the one that looks while the other holds the lease, or just after it, runs nothing."""
    living = await living_realm()
    first, second = await scheduled(living, "worker-1"), await scheduled(living, "worker-2")
    ticks = 0
    for period in range(1, 6):
        living.now = START + period * TICK_MS
        ticks += sum(await asyncio.gather(first.look(), second.look()))
        living.now += 61_000  # past the lease of whoever had it
        ticks += sum(await asyncio.gather(second.look(), first.look()))
    assert (ticks, await tick_number(living)) == (5, 5)


async def test_a_tick_found_due_on_a_state_that_has_moved_on_is_not_run() -> None:
    """Without this a worker that was paused between looking and ticking would tick twice in one period."""
    living = await living_realm()
    living.now = START + TICK_MS
    assert await living.worker("worker-1").run(REALM, after=0) is not None
    living.now += 61_000
    assert await living.worker("worker-2").run(REALM, after=0) is None
    assert await tick_number(living) == 1


async def test_a_clock_that_goes_back_neither_doubles_a_tick_nor_stops_the_world() -> None:
    living = await living_realm()
    scheduler = await scheduled(living)
    living.now = START + 8 * TICK_MS
    await scheduler.look()
    living.now = START + 4 * TICK_MS + 1_000  # an hour back
    assert await scheduler.look() == 0
    living.now = START + 5 * TICK_MS
    assert await scheduler.look() == 1
    living.now = START + 6 * TICK_MS
    assert await scheduler.look() == 1
    assert await tick_number(living) == 3


async def test_decisions_applied_since_do_not_count_as_a_tick() -> None:
    """A revision is a snapshot of its own: its time must not make the period of the tick look done."""
    living = await living_realm()
    living.now = START + TICK_MS
    await (await scheduled(living)).look()
    living.now = START + 2 * TICK_MS
    await _revise(living)
    living.now += 1_000
    assert await (await scheduled(living)).look() == 1


async def test_a_realm_that_cannot_be_read_does_not_hold_the_others_up() -> None:
    living = await living_realm()
    await _also(living, "a-realm")
    damaged = living.store.latest

    async def latest(realm_id: str) -> object:
        if realm_id == "a-realm":
            raise StoreUnavailableError("a page is torn")
        return await damaged(realm_id)

    living.store.latest = latest  # type: ignore[method-assign, assignment]
    living.now = START + TICK_MS
    assert await (await scheduled(living)).look() == 1


async def test_a_tick_that_meets_a_decision_is_tried_again() -> None:
    living = await living_realm()
    ticker: Ticker = living.worker("worker-1")
    tries = 0
    run: Callable[..., Awaitable[Ticked | None]] = ticker.run

    async def contested(realm_id: str, *, after: int | None = None) -> Ticked | None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise MovedOnError(realm_id, "snap-0", "snap-0.1")
        return await run(realm_id, after=after)

    ticker.run = contested  # type: ignore[method-assign, assignment]
    living.now = START + TICK_MS
    assert await Scheduler(living.store, ticker, (), lambda: living.now).look() == 1


async def test_duties_are_followed_up_at_once_while_there_is_more_and_failures_end_none_of_them() -> None:
    living = await living_realm()
    stop, left, failures = asyncio.Event(), 3, 0

    async def settle() -> int:
        nonlocal left
        await asyncio.sleep(0)  # as every transaction does
        left -= 1
        if left == 0:
            stop.set()
        return left

    async def fail() -> int:
        nonlocal failures
        failures += 1
        raise StoreUnavailableError("away")

    duties = (Duty("settle", 3_600_000, settle), Duty("fail", 1, fail))
    scheduler = Scheduler(living.store, living.worker("w"), duties, lambda: living.now, look_ms=1)
    await asyncio.wait_for(scheduler.run(stop), 5)
    assert left == 0
    assert failures >= 1


async def test_a_stop_waits_for_what_is_under_way_and_gives_up_what_takes_too_long() -> None:
    """S5: what is under way may finish within the grace."""
    living = await living_realm()
    stop, done, begun = asyncio.Event(), [], asyncio.Event()

    async def quick() -> int:
        begun.set()
        await asyncio.sleep(0.05)
        done.append("quick")
        return 0

    async def endless() -> int:
        await asyncio.sleep(3_600)
        done.append("endless")
        return 0

    duties = (Duty("quick", 1, quick), Duty("endless", 1, endless))
    scheduler = Scheduler(living.store, living.worker("w"), duties, lambda: living.now)
    running = asyncio.create_task(scheduler.run(stop, grace_s=0.3))
    await begun.wait()
    stop.set()
    await asyncio.wait_for(running, 5)
    assert done == ["quick"]


async def test_a_worker_that_stops_lets_the_next_one_tick_at_once() -> None:
    living = await living_realm()
    living.now = START + TICK_MS
    await (await scheduled(living, "worker-1")).once()
    living.now += 1_000
    assert await living.worker("worker-2").run(REALM) is not None


async def _revise(living: LivingRealm) -> None:
    from world.persistence.port import Advance
    from world.realm.applying import revised
    from world.service.realms import snapshot_of

    realm = await living.realms.current(REALM)
    snapshot = snapshot_of(revised(realm, realm), b"{}", living.now)
    await living.store.advance(Advance(REALM, realm.snapshot_id, snapshot), None, living.now)


async def _also(living: LivingRealm, realm_id: str) -> None:
    from tests.unit.world.living_realm import WORLD
    from world.service.realms import first_snapshot

    await living.store.create(first_snapshot(WORLD.new_realm(realm_id), living.now))
