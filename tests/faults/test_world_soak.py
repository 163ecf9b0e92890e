"""Seven days of a realm with everything going wrong that reliability.md names, in seconds (S0-111, S0-112; I1 to I8)."""

import asyncio
from pathlib import Path
from random import Random

from policies.contracts.answer import Answer
from tests.faults.living_world import (
    FACTIONS,
    REALM,
    START,
    TERRITORIES,
    TICK_MS,
    WORLD,
    Crowd,
    Databases,
    LivingWorld,
    opened,
    seed,
)
from tests.faults.world_checks import checked
from world.errors import LeaseLostError, MovedOnError, StoreUnavailableError
from world.persistence.messages import NewQuestion
from world.realm.sovereign import Proposal

WEEK = 672
KINDS = tuple(WORLD.rules.sovereign.kinds)


class Week:
    """A realm that two workers keep for a while, by seed; what goes wrong is spread over its length.

    Args:
        databases: what outlives the workers.
        ticks: how long.
    """

    def __init__(self, databases: Databases, ticks: int, seed: int) -> None:
        self.databases = databases
        self.ticks = ticks
        self.draw = Random(seed)
        self.crowd = Crowd(seed)
        self.now = START
        self.skew = 0
        self.has_faults = True
        self.is_council_away = False
        self.answered: list[str] = []
        self.cut = 0
        self.begin()

    def clock(self) -> int:
        return self.now + self.skew

    def begin(self) -> None:
        """Start both workers, from nothing but the databases."""
        self.workers = [
            LivingWorld(
                self.databases,
                self.clock,
                f"worker-{number}",
                store_fails=self.store_fails,
                council_fails=self.council_fails,
            )
            for number in range(2)
        ]

    def store_fails(self) -> str:
        return self._fault(0.03)

    def council_fails(self) -> str:
        return "before" if self.is_council_away else self._fault(0.05)

    def _fault(self, chance: float) -> str:
        found = self.draw.random()
        if not self.has_faults or found >= chance:
            return ""
        self.cut += 1
        return "before" if found < chance / 2 else "after"

    async def live(self) -> None:
        """Live until the ticks are made; more periods than that go by, for a few are lost to the faults."""
        made = period = 0
        while made < self.ticks:
            period += 1
            assert period < 2 * self.ticks, "the world stands still"
            await self._period(period)
            made = (await self.databases.store.latest(REALM)).tick_number

    async def _period(self, period: int) -> None:
        at = self.ticks // 10
        self.now += TICK_MS
        jumps = {3 * at: 3_600_000, 4 * at: -3_600_000, 5 * at: 600_000, 5 * at + 1: -600_000}
        self.skew = jumps.get(period, 0)
        self.is_council_away = at <= period < at + 20
        if period % at == 0:
            self.begin()
        await self._submit()
        if period % 10 == 0:
            await self._play_sovereign(period)
        if period == 2 * at:
            poison = NewQuestion("poison", "trigger:veil_fracture", b'{"decision_type": "doom"}')
            await self.databases.store.ask(REALM, poison, period)
        # Both workers look at the same time; each settles too.
        await asyncio.gather(*[self._work(worker) for worker in self.workers])

    async def _submit(self) -> None:
        """Send a batch as a patient client does: again, until it is answered; the first half comes once more, out of order."""
        batch = self.crowd.acts(self.clock())
        for sent in (batch, batch[: len(batch) // 2][::-1]):
            worker = self.draw.choice(self.workers)
            while True:
                try:
                    taken = await worker.ingestion.submit(sent)
                except StoreUnavailableError:
                    continue
                self.answered += [each.row.event_id for each in taken]
                break

    async def _play_sovereign(self, period: int) -> None:
        """Let a leader propose, what breaks canon among it, and another faction object."""
        kind = WORLD.rules.sovereign.kinds[self.draw.choice(KINDS)]
        targets = {"none": None, "faction": self.draw.choice(FACTIONS), "territory": self.draw.choice(TERRITORIES)}
        faction = "empire" if kind.factions else self.draw.choice(FACTIONS)
        proposal = Proposal(f"a-{period}", kind.kind, faction, "leader", targets[kind.target])
        sovereignty = self.workers[0].sovereignty
        try:
            await sovereignty.propose(REALM, proposal)
            await sovereignty.object_to(REALM, f"a-{period}", faction_id=self.draw.choice(FACTIONS), user_id="other")
        except StoreUnavailableError:
            return

    async def _work(self, worker: LivingWorld) -> None:
        try:
            await worker.scheduler.look()
            await worker.verdicts.settle(REALM)
        except (StoreUnavailableError, MovedOnError, LeaseLostError):
            return


async def lived(databases: Databases, ticks: int, number: int) -> Week:
    """Live through the faults, then let everything that was asked be settled."""
    await seed(databases.store, START)
    week = Week(databases, ticks, number)
    await week.live()
    week.has_faults = week.is_council_away = False
    week.now += 3_600_000
    for _ in range(3):
        await week.workers[0].verdicts.settle(REALM)
    return week


async def test_a_week_of_faults_loses_doubles_and_bends_nothing() -> None:
    """S0-111, S0-112: two workers, lost writes, lost answers, doubles, poison, a council that is away, clocks that jump."""
    databases = opened("memory://")
    week = await lived(databases, WEEK, 1)
    assert week.cut > 50, "the faults did happen"
    assert await checked(databases, acts=set(week.answered), ticks=WEEK) == WEEK
    store = databases.store
    settled = await store.questions(REALM, "applied", 5_000)
    assert {each.state for each in await store.questions(REALM, limit=5_000)} <= {"applied", "expired"}
    verdicts = {each.question_id: Answer.model_validate_json(each.answer or b"").final_verdict for each in settled}
    calls = [each.question_id for each in settled if b"Vorn into the flesh" in each.request]
    assert calls, "somebody did try to break canon"
    assert {verdicts[name] for name in calls} <= {"reject", "quarantine"}
    assert "approve" in verdicts.values(), "the council does let something happen"
    assert len({each.subject.partition(":")[0] for each in settled}) >= 2


async def test_a_day_of_faults_over_a_file_loses_doubles_and_bends_nothing(tmp_path: Path) -> None:
    databases = opened(f"sqlite:///{tmp_path / 'world.db'}")
    try:
        week = await lived(databases, 96, 2)
        assert week.cut > 10
        assert await checked(databases, acts=set(week.answered), ticks=96) == 96
    finally:
        await databases.close()
