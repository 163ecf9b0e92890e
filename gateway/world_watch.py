"""Looks at the world's store ever again for what no commit of this process says: ticks that do not come, messages that wait.

Every process looks, so that a stalled tick is seen although the worker that should have run it is gone (S0-96).
"""

import asyncio
import logging
from typing import Final

from gateway.world_metrics import NO_KIND, WorldMetrics
from world.bus.port import Bus
from world.errors import WorldError
from world.influence.judging import State
from world.persistence.messages import OutboxRow, QuestionState
from world.persistence.port import WorldStore
from world.service.clock import Clock

_log = logging.getLogger("gateway.world")
EVERY_S: Final = 15.0
"""Seconds between looks: as often as Prometheus asks."""
MOST_SEEN: Final = 1_000
"""Waiting messages and questions that one look counts at most."""
STATES: Final[tuple[State, ...]] = ("accepted", "in_review", "quarantined")
WAITING: Final[tuple[QuestionState, ...]] = ("open", "answered")


class WorldWatch:
    """Shows how the world stands, look by look.

    Args:
        store: the world's store.
        metrics: where it is shown.
        clock: milliseconds since 1970.
    """

    def __init__(self, store: WorldStore, metrics: WorldMetrics, clock: Clock) -> None:
        self._bus: Bus | None = None
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._oldest: tuple[int, int] | None = None
        """Number of the message that has waited longest, and when it was first seen waiting."""

    def follow(self, bus: Bus) -> None:
        """Count the bus's dead letters too."""
        self._bus = bus

    async def run(self, every_s: float = EVERY_S) -> None:
        """Look until cancelled; a look that fails is counted, and the next one is tried."""
        while True:
            try:
                await self.look()
            except WorldError as error:
                self._metrics.looks_failed.inc()
                _log.warning("world not looked at", extra={"error": type(error).__name__})
            except Exception:  # noqa: BLE001 - a watch that ended would leave old values standing, and alerts silent
                self._metrics.looks_failed.inc()
                _log.exception("world not looked at")
            await asyncio.sleep(every_s)

    async def look(self) -> None:
        """Look once.

        Raises:
            WorldError: where the store or the bus does not answer.
        """
        for realm_id in await self._store.realms():
            await self._look_at(realm_id)
        for state in WAITING:
            waiting = await self._store.questions(None, state, MOST_SEEN)
            self._metrics.child(self._metrics.questions, state).set(len(waiting))
        self._show_backlog(await self._store.pending(MOST_SEEN))
        if self._bus is not None:
            self._metrics.dead_letters.set(len(await self._bus.dead_letters(limit=MOST_SEEN)))

    async def _look_at(self, realm_id: str) -> None:
        latest = await self._store.latest(realm_id)
        # A decision makes a revision of its own: only the tick's own snapshot says when the realm ticked.
        tick = latest if latest.revision == 0 else await self._store.snapshot(realm_id, f"snap-{latest.tick_number}")
        metrics = self._metrics
        for state in STATES:
            # Counters that begin with their first act would hide it from every rate.
            metrics.child(metrics.acts, realm_id, state, NO_KIND)
        metrics.child(metrics.tick_number, realm_id).set(latest.tick_number)
        if tick is not None:
            metrics.child(metrics.last_tick, realm_id).set(tick.made_at / 1_000)

    def _show_backlog(self, waiting: tuple[OutboxRow, ...]) -> None:
        now = self._clock()
        number = waiting[0].number if waiting else None
        if number is None:
            self._oldest = None
        elif self._oldest is None or self._oldest[0] != number:
            self._oldest = (number, now)
        self._metrics.backlog.set(len(waiting))
        self._metrics.backlog_age.set((now - self._oldest[1]) / 1_000 if self._oldest is not None else 0)
