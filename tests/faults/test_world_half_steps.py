"""Half a tick, and acts out of order (reliability.md S9, S11)."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, cast

from tests.faults.living_world import REALM, START, TICK_MS, WORLD, Crowd, LivingWorld, opened, seed
from tests.faults.world_checks import checked
from tests.unit.world.living_realm import LivingRealm
from world.influence.scoring import score
from world.persistence import sql_steps, sql_told
from world.persistence.port import WorldStore
from world.persistence.sql_engine import Sql
from world.realm.state import state_hash
from world.realm.tick import Points, TickInput, tick

WINDOW = 1_000
PERMUTATIONS = 1_000


def rows_of(draw: Random) -> list[tuple[str, str, str, bool, int]]:
    """Return a window of accepted acts: territory, faction, account, whether against, milli-points."""
    territories, factions = list(WORLD.seed.territories), WORLD.seed.factions
    return [
        (
            draw.choice(territories),
            draw.choice(factions),
            f"u-{draw.randrange(60)}",
            draw.random() < 0.2,
            score(
                25_000, risk=draw.randrange(1, 6), stakes="regional", repeats=draw.randrange(5), trust=1_000
            ).normalized,
        )
        for _ in range(WINDOW)
    ]


def counted(rows: list[tuple[str, str, str, bool, int]]) -> TickInput:
    """Add a window up in the order in which it came."""
    sides: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for territory, faction, user, is_against, points in rows:
        users = sides[is_against].setdefault(territory, {}).setdefault(faction, {})
        users[user] = users.get(user, 0) + points
    gained: Points = sides[0]
    opposed: Points = sides[1]
    return TickInput(gained, opposed, {f"u-{number}": "u-0" for number in range(5)}, frozenset(), len(rows))


def test_a_thousand_orders_of_a_window_come_to_one_world() -> None:
    """S9: what was accepted counts the same, in whichever order it was delivered."""
    draw = Random(9)
    rows, realm = rows_of(draw), WORLD.new_realm(REALM)
    hashes = set()
    for _ in range(PERMUTATIONS):
        draw.shuffle(rows)
        hashes.add(state_hash(tick(realm, counted(rows), WORLD.rules).realm))
    assert len(hashes) == 1


async def test_acts_of_different_people_come_to_one_world_in_whichever_order_they_are_taken_in() -> None:
    """S9 through the whole pipeline, in other batches each time; what came too late for the tick is in the next one."""
    hashes, late = set(), set()
    for number in range(20):
        living = LivingRealm()
        await living.seed()
        acts = [
            living.act(f"u-{user}", WORLD.seed.factions[user % 4], target_id="far-wilds", action_type=action)
            for user in range(20)
            for action in ("faction_quest_complete", "chapter_complete", "caravan_guarded")
        ]
        draw = Random(number)
        draw.shuffle(acts)
        while acts:
            many = draw.randrange(1, 9)
            await living.ingestion.submit(acts[:many])
            acts = acts[many:]
        hashes.add(state_hash((await living.ticks(1))[0].result.realm))
        await living.ingestion.submit([living.act("straggler", "veil", target_id="far-wilds")])
        assert (await living.store.latest(REALM)).tick_number == 1
        late.add(state_hash((await living.ticks(1))[0].result.realm))
    assert (len(hashes), len(late)) == (1, 1)


class _CutError(Exception):
    """A process that ends at this statement."""


async def test_a_tick_that_is_cut_off_at_any_statement_leaves_nothing_and_is_run_once_afterwards(
    tmp_path: Path,
) -> None:
    """S11: readers see tick n or tick n+1, never a mix, whichever statement was the last."""
    databases = opened(f"sqlite:///{tmp_path / 'world.db'}")
    now = START

    def clock() -> int:
        return now

    await seed(databases.store, now)
    world, crowd = LivingWorld(databases, clock), Crowd(3)
    cuts = 0
    for number in range(1, 4):
        now += TICK_MS
        await world.ingestion.submit(crowd.acts(now, 6))
        before = await _seen(databases.store)
        for statement in range(1, 200):
            if not await _is_cut(world, statement):
                break
            cuts += 1
            assert await _seen(databases.store) == before
        assert (await databases.store.latest(REALM)).tick_number == number
    assert cuts > 15
    await checked(databases, acts={each.event_id for each in crowd.sent}, ticks=3)
    await databases.close()


async def test_what_a_tick_tells_is_told_whole_or_not_at_all_whichever_statement_was_the_last(tmp_path: Path) -> None:
    """S11: the tick stands, and whoever comes next tells all of it once."""
    databases = opened(f"sqlite:///{tmp_path / 'world.db'}")
    now = START + TICK_MS
    await seed(databases.store, START)
    world, crowd = LivingWorld(databases, lambda: now), Crowd(3)
    await world.ingestion.submit(crowd.acts(now, 20))
    assert await _is_cut(world, 1, sql_told, "tell")
    before, cuts = await _seen(databases.store), 1
    assert await databases.store.told(REALM) == 0
    for statement in range(2, 50):
        if not await _is_cut(world, statement, sql_told, "tell"):
            break
        cuts += 1
        assert await _seen(databases.store) == before
    assert cuts > 4
    assert await databases.store.told(REALM) == 1
    told = [event.user_id for event in await databases.store.all_events(REALM) if event.kind == "contributed"]
    assert told
    assert told == sorted(str(user) for user in told)
    assert await LivingWorld(databases, lambda: now).ticker.tell() == 0
    await checked(databases, acts={each.event_id for each in crowd.sent}, ticks=1)
    await databases.close()


async def _is_cut(world: LivingWorld, statement: int, module: ModuleType = sql_steps, work: str = "advance") -> bool:
    """Run a tick, or tell of the one that ran, where its write ends at a statement; False where it came to its end first."""
    found, whole = _Statements(statement), getattr(module, work)

    async def cut(sql: Any, *args: Any) -> Any:
        return await whole(cast(Sql, _Counting(sql, found)), *args)

    is_told_of = work == "tell" and (await world.store.latest(REALM)).tick_number == 1
    setattr(module, work, cut)
    try:
        await (world.ticker.tell() if is_told_of else world.ticker.run(REALM))
    except _CutError:
        return True
    finally:
        setattr(module, work, whole)
    return False


class _Statements:
    def __init__(self, last: int) -> None:
        self.left = last

    def one(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise _CutError


class _Counting:
    """A transaction that counts its statements and ends at one of them."""

    def __init__(self, inside: Any, statements: _Statements) -> None:
        self._inside = inside
        self._statements = statements

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inside, name)
        return self._counted(found) if name in ("rows", "row", "run", "many", "append") else found

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(*args: Any, **keys: Any) -> Any:
            self._statements.one()
            return await method(*args, **keys)

        return counted


async def _seen(store: WorldStore) -> tuple[object, ...]:
    """Return everything that a reader sees of a realm."""
    snapshots = [each.hash async for each in store.snapshots(REALM)]
    totals = await store.totals(REALM)
    return (
        snapshots,
        await store.events(REALM),
        await store.rows(REALM, limit=500),
        await store.questions(REALM),
        (totals.watermark, totals.gained, totals.opposed),
        len(await store.pending(500)),
    )
