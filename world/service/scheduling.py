"""The scheduler: a tick per realm and period of the wall clock, and what a world does between ticks (S0-9, S0-115; S5, S12, S13).

Periods are those of the clock (with 900 s: at :00, :15, :30, :45), whoever started the process when. A period in which a tick was
made is done. A tick that outlasts its period makes the next one late, once: two ticks never run at a time, and the world does
not hurry after the clock. How many missed ticks are made up for after an outage is the catch-up; one by default.

Several processes may run over one store: the lease lets one of them tick, its fencing token keeps a paused one from writing,
and a tick is only run on the state on which it was found due.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from world.errors import LeaseLostError, MovedOnError, WorldError
from world.persistence.port import Snapshot, WorldStore
from world.service.clock import Clock
from world.service.ticking import Ticked, Ticker

logger = logging.getLogger(__name__)
TICK_MS: Final = 900_000
TRIES: Final = 5
"""How often a tick is tried against decisions that are applied meanwhile."""
LONGEST_REST_MS: Final = 60_000


class Schedule(NamedTuple):
    """When realms tick."""

    tick_ms: int = TICK_MS
    catch_up: int = 1
    """Most ticks run at once for periods that went by without one; at least 1."""

    def period(self, moment: int) -> int:
        """Return the number of the period that a moment is in."""
        return moment // self.tick_ms

    def next_at(self, moment: int) -> int:
        """Return when the next period begins, milliseconds since 1970."""
        return (self.period(moment) + 1) * self.tick_ms


class Owed(NamedTuple):
    """What a realm is owed at a moment."""

    ticks: int
    """To be run now, 0 where the period is done."""
    missed: int
    """Periods without a tick that are not made up for."""


def owed(done: int, now: int, schedule: Schedule) -> Owed:
    """Return the ticks that a realm is owed.

    >>> owed(10, 10 * 900_000 + 5, Schedule()), owed(10, 11 * 900_000, Schedule())
    (Owed(ticks=0, missed=0), Owed(ticks=1, missed=0))
    >>> owed(10, 15 * 900_000, Schedule()), owed(10, 15 * 900_000, Schedule(catch_up=3))
    (Owed(ticks=1, missed=4), Owed(ticks=3, missed=2))

    Args:
        done: latest period that is done.
        now: milliseconds since 1970; where the clock went back behind `done`, nothing is owed.
    """
    behind = max(0, schedule.period(now) - done)
    ticks = min(behind, max(1, schedule.catch_up))
    return Owed(ticks, behind - ticks)


class Duty(NamedTuple):
    """Something that is done between ticks, again and again."""

    name: str
    every_ms: int
    """Pause after it has found nothing more to do."""
    run: Callable[[], Awaitable[int]]
    """Does a bounded piece of it and returns how much; more than 0 is followed up at once."""


Companion = Callable[[asyncio.Event], Awaitable[object]]
"""Something that runs beside the ticks until it is told to stop."""
Rest = Callable[[int], Awaitable[object]]
"""Waits for so many milliseconds, or until the scheduler is to stop."""
Seen = Callable[[Ticked, int], object]
"""Told of every tick with how long it took, milliseconds."""


def _unseen(_: Ticked, __: int) -> None:
    return None


class Scheduler:
    """Ticks every realm of a store on time, and does the duties in between.

    Args:
        store: where the world is; new realms are found there.
        ticker: runs a tick.
        duties: what else is to be done, each beside the others.
        clock: milliseconds since 1970.
        schedule: when realms tick.
        look_ms: how often the store is looked at for realms that are due.
        beside: what keeps its own time, such as the relay to the bus.
        seen: told of every tick.
    """

    def __init__(
        self,
        store: WorldStore,
        ticker: Ticker,
        duties: Sequence[Duty],
        clock: Clock,
        *,
        schedule: Schedule = Schedule(),  # noqa: B008 - immutable
        look_ms: int = 1_000,
        beside: Sequence[Companion] = (),
        seen: Seen = _unseen,
    ) -> None:
        self._store = store
        self._ticker = ticker
        self._duties = tuple(duties)
        self._clock = clock
        self._schedule = schedule
        self._look_ms = look_ms
        self._beside = tuple(beside)
        self._seen = seen
        self._done: dict[str, int] = {}
        """Latest period that is done, by realm, as far as this process knows."""

    async def run(self, stop: asyncio.Event, *, grace_s: float = 10) -> None:
        """Tick and do the duties until told to stop; what is under way then has so many seconds to finish.

        A tick that does not finish in time is lost whole, and is another process's to run (S5, S11).
        """

        async def rest(wait_ms: int) -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0, wait_ms) / 1_000)

        loops = [asyncio.create_task(self._ticking(stop, rest))]
        loops += [asyncio.create_task(_doing(duty, stop, rest)) for duty in self._duties]
        loops += [asyncio.create_task(_kept(each, stop)) for each in self._beside]
        stopped = asyncio.create_task(stop.wait())
        # None of the loops ends before it is told to, unless by a defect: then the others are told to as well.
        await asyncio.wait([stopped, *loops], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        _, late = await asyncio.wait(loops, timeout=grace_s)
        for task in late:
            task.cancel()
        for found in await asyncio.gather(*loops, return_exceptions=True):
            if isinstance(found, Exception):
                raise found
        if not late:
            await self._leave()

    async def once(self) -> None:
        """Run what is due now, and do every duty until there is nothing left of it."""
        await self.look()
        for duty in self._duties:
            while await duty.run():
                pass
        await self._leave()

    async def look(self) -> int:
        """Run what is due in every realm; return how many ticks were run."""
        return sum([await self._realm_ticks_or_none(realm_id) for realm_id in await self._store.realms()])

    async def _leave(self) -> None:
        """Give leases back, so that the next process need not wait for them to run out."""
        for realm_id in self._done:
            with suppress(WorldError):
                await self._ticker.leave(realm_id)

    async def _ticking(self, stop: asyncio.Event, rest: Rest) -> None:
        while not stop.is_set():
            try:
                await self.look()
            except WorldError as error:
                logger.warning("looking_failed", extra={"error": type(error).__name__})
            await rest(min(self._look_ms, self._schedule.next_at(self._clock()) - self._clock()))

    async def _realm_ticks_or_none(self, realm_id: str) -> int:
        try:
            return await self._realm_ticks(realm_id)
        except Exception:
            # One realm's damaged state, or a store that is away for a moment: the other realms must not wait for it.
            logger.exception("realm_failed", extra={"realm_id": realm_id})
            return 0

    async def _realm_ticks(self, realm_id: str) -> int:
        now = self._clock()
        done = self._done.get(realm_id)
        if done is not None and done >= self._schedule.period(now):
            # The clock went back: the period that it says is taken as done, so that ticks go on with the next one.
            self._done[realm_id] = self._schedule.period(now)
            return 0
        latest = await self._store.latest(realm_id)
        tick_number, made_in = latest.tick_number, self._schedule.period(await self._ticked_at(latest))
        if made_in > self._schedule.period(now):
            # Made by a clock that has gone back since: what this process saw last counts, or nothing before now.
            made_in = self._schedule.period(now) if done is None else done
        found = owed(made_in, now, self._schedule)
        if found.missed:
            logger.warning("ticks_missed", extra={"realm_id": realm_id, "missed": found.missed})
        for number in range(found.ticks):
            if not await self._tick(realm_id, tick_number + number):
                return number
        self._done[realm_id] = self._schedule.period(now)
        return found.ticks

    async def _ticked_at(self, latest: Snapshot) -> int:
        """Return when the latest tick was made: decisions applied since have snapshots of their own."""
        if latest.revision == 0:
            return latest.made_at
        made = await self._store.snapshot(latest.realm_id, f"snap-{latest.tick_number}")
        return made.made_at if made is not None else latest.made_at

    async def _tick(self, realm_id: str, after: int) -> bool:
        """Run one tick; False where another process has the realm, or did it meanwhile."""
        started = self._clock()
        for _ in range(TRIES):
            try:
                ticked = await self._ticker.run(realm_id, after=after)
            except MovedOnError:
                continue
            except LeaseLostError:
                logger.warning("lease_lost", extra={"realm_id": realm_id, "tick_number": after + 1})
                return False
            except WorldError as error:
                logger.warning("tick_failed", extra={"realm_id": realm_id, "error": type(error).__name__})
                return False
            if ticked is not None:
                self._seen(ticked, self._clock() - started)
            return ticked is not None
        return False


async def _kept(companion: Companion, stop: asyncio.Event) -> None:
    await companion(stop)


async def _doing(duty: Duty, stop: asyncio.Event, rest: Rest) -> None:
    """Do one duty for ever; what goes wrong is logged and tried again, later each time."""
    failures = 0
    while not stop.is_set():
        try:
            done = await duty.run()
            failures = 0
        except Exception:
            failures += 1
            done = 0
            logger.exception("duty_failed", extra={"duty": duty.name, "failures": failures})
        if done == 0:
            await rest(min(LONGEST_REST_MS, duty.every_ms << min(failures, 10)))
