"""The running worker: one process that ticks realms on time, asks the council, applies its verdicts and relays messages.

It serves nothing and may run any number of times over one store: leases and fencing tokens let one process tick a realm. SIGTERM
and SIGINT end it alike: nothing new is begun, what is under way has the grace to finish, what does not is another process's to
take up (reliability.md, S5).
"""

import asyncio
import logging
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.bootstrap import Council, open_council
from gateway.decision_outbox import DecisionOutbox
from gateway.logs import configure_logging
from gateway.metrics_server import metrics_shown
from gateway.settings import Settings, unknown_variables
from gateway.story_bootstrap import open_story
from gateway.story_sending import sending
from gateway.world_bootstrap import LivingWorld, open_world
from world.bus.opening import open_bus
from world.bus.port import Bus
from world.bus.relay import Relay, WorldOutbox
from world.service.scheduling import Duty, Schedule, Scheduler

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger("gateway.working")
SETTLE_MS: Final = 1_000
"""Pause between looks for questions that the council is to be asked."""
TELL_MS: Final = 10_000
"""Pause between looks for contributions that the process which ran a tick did not come to tell."""
TIDY_MS: Final = 60_000
"""Pause between looks for sums that no tick and no cap looks back on any more."""
_STOPPING = (signal.SIGTERM, signal.SIGINT)
_CLOSING_S: Final = 1.0
"""Beside the grace, for closing connections."""


def work(settings: Settings, *, catch_up: int = 1, once: bool = False) -> None:
    """Tick until told to stop.

    Args:
        catch_up: most ticks run at once for periods that went by without one.
        once: run what is due now, settle what it raised, and return.

    Raises:
        InvalidPolicyError: where the policy or the world's file is not valid.
        LedgerError: where the record store cannot be opened.
        WorldError: where the world's store cannot be opened.
    """
    configure_logging(settings.log_level, settings.log_format)
    for line in unknown_variables():
        _log.warning("unknown variable", extra={"hint": line})
    asyncio.run(_work(settings, catch_up, once=once))


def duties_of(world: LivingWorld) -> "Sequence[Duty]":
    """Return what a worker does between ticks."""
    return (
        Duty("settle", SETTLE_MS, world.verdicts.settle),
        Duty("tell", TELL_MS, world.ticker.tell),
        Duty("tidy", TIDY_MS, world.store.tidy),
    )


async def _work(settings: Settings, catch_up: int, *, once: bool) -> None:
    council = await open_council(settings)
    world = await open_world(settings, council)
    story = open_story(settings, council, world)
    schedule = Schedule(settings.tick_s * 1_000, catch_up)
    bus = _bus(settings)
    world.watch.follow(bus)
    relay = Relay(bus, [WorldOutbox(world.store), DecisionOutbox(council.ledger)], world.clock)
    scheduler = Scheduler(
        world.store,
        world.ticker,
        [*duties_of(world), sending(story.sender, story.store, story.metrics)],
        world.clock,
        schedule=schedule,
        beside=[relay.run],
    )
    try:
        await world.store.ready()
        if once:
            await scheduler.once()
            while await relay.step():
                pass
        else:
            with metrics_shown(council.metrics.registry, settings.host, settings.metrics_port):
                await _run(scheduler, world, settings)
    finally:
        await story.close()
        await _close(world, bus, council, settings)


def _bus(settings: Settings) -> Bus:
    url = settings.bus_url.get_secret_value() if settings.bus_url is not None else None
    return open_bus(url, settings.database_url.get_secret_value())


async def _run(scheduler: Scheduler, world: LivingWorld, settings: Settings) -> None:
    stop, watching = asyncio.Event(), asyncio.create_task(world.watch.run())
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop.set)
    try:
        _log.info("working", extra={"tick_s": settings.tick_s})
        # Half of the grace is for what the scheduler does, half for the council's reviews.
        await scheduler.run(stop, grace_s=settings.shutdown_grace_s / 2)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        for number in _STOPPING:
            loop.remove_signal_handler(number)
    _log.info("stopped")


async def _close(world: LivingWorld, bus: Bus, council: Council, settings: Settings) -> None:
    try:
        async with asyncio.timeout(settings.shutdown_grace_s / 2 + _CLOSING_S):
            await bus.close()
            await world.close()
            await council.close()
    except TimeoutError:
        _log.warning("stopped with reviews under way")
