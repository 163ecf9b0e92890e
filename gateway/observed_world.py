"""The world's store, watched: every commit is counted and told once, whoever asked for it (S0-90 to S0-93).

Telling at the commit counts an act once whether it came over HTTP, from the bus or from a simulation in this process.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import orjson
from prometheus_client import CollectorRegistry

from gateway.world_metrics import NO_KIND, WorldMetrics
from gateway.world_watch import WorldWatch
from world.errors import LeaseLostError, MovedOnError, StoreUnavailableError
from world.persistence.acts import Asked, Judge, Judgement, Known, LedgerRow, NewRow, Transition
from world.persistence.messages import NewQuestion
from world.persistence.port import Advance, Lease, WorldStore
from world.service.clock import Clock

_log = logging.getLogger("gateway.world")
_OUTCOMES: Final[Mapping[type[Exception], str]] = {
    LeaseLostError: "lease_lost",
    MovedOnError: "moved_on",
    StoreUnavailableError: "unavailable",
}


class ObservedWorld(NamedTuple):
    """A store that is counted, and what looks at it."""

    store: WorldStore
    """To build services over."""
    metrics: WorldMetrics
    watch: WorldWatch
    """To run beside the services for as long as the process lives."""


def observe_world(store: WorldStore, registry: CollectorRegistry, *, tick_s: float, clock: Clock) -> ObservedWorld:
    """Count what a store commits, and prepare to look at it: all that a composition root needs.

    Args:
        store: the world's store.
        registry: of the process's other metrics (`Metrics.registry`).
        tick_s: seconds between ticks, as set: a stalled tick is measured by it.
        clock: milliseconds since 1970.
    """
    metrics = WorldMetrics(registry)
    metrics.tick_interval.set(tick_s)
    return ObservedWorld(cast("WorldStore", _ObservedStore(store, metrics)), metrics, WorldWatch(store, metrics, clock))


class _ObservedStore:
    """Stands before a store; everything but what writes acts and steps goes straight through."""

    def __init__(self, store: WorldStore, metrics: WorldMetrics) -> None:
        self._store = store
        self._metrics = metrics
        self._began: dict[str, float] = {}
        """When this process took the lease of each realm."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def take_in(
        self, realm_id: str, asked: Sequence[Asked], judge: Judge, *, since: int, tick: int
    ) -> tuple[LedgerRow, ...]:
        rows: Sequence[NewRow] = ()

        def observed(known: Sequence[Known]) -> Judgement:
            nonlocal rows
            found = judge(known)  # again where the database asks for another try: the last one is what was entered
            rows = found.rows
            return found

        started = time.perf_counter()
        try:
            entered = await self._store.take_in(realm_id, asked, observed, since=since, tick=tick)
        except StoreUnavailableError:
            self._tell_unavailable("submit", realm_id)
            raise
        self._metrics.submit_seconds.observe(time.perf_counter() - started)
        for new in rows:
            self._count_act(new)
        return entered

    async def submit(self, rows: Sequence[NewRow], questions: Mapping[str, NewQuestion]) -> tuple[LedgerRow, ...]:
        started = time.perf_counter()
        try:
            entered = await self._store.submit(rows, questions)
        except StoreUnavailableError:
            self._tell_unavailable("submit", rows[0].realm_id if rows else None)
            raise
        self._metrics.submit_seconds.observe(time.perf_counter() - started)
        for new in rows:
            self._count_act(new)
        return entered

    async def move(self, realm_id: str, transitions: Sequence[Transition], now: int) -> None:
        try:
            await self._store.move(realm_id, transitions, now)
        except StoreUnavailableError:
            self._tell_unavailable("move", realm_id)
            raise
        self._count_moves(realm_id, transitions)

    async def take_lease(self, realm_id: str, holder: str, *, now: int, ttl_ms: int) -> Lease | None:
        started = time.perf_counter()
        lease = await self._store.take_lease(realm_id, holder, now=now, ttl_ms=ttl_ms)
        if lease is not None:
            self._began[realm_id] = started
        return lease

    async def advance(self, step: Advance, lease: Lease | None, now: int) -> None:
        try:
            await self._store.advance(step, lease, now)
        except (LeaseLostError, MovedOnError, StoreUnavailableError) as error:
            self._tell_failed(step, lease, error)
            raise
        self._count_moves(step.realm_id, step.transitions)
        if lease is not None:
            self._tell_tick(step, now)
        if step.decision_id is not None:
            self._tell_decision(step)

    def _count_act(self, new: NewRow) -> None:
        metrics, judged = self._metrics, new.judged
        kind = judged.rejected.kind if judged.rejected is not None else NO_KIND
        metrics.child(metrics.acts, new.realm_id, judged.state, kind).inc()
        if judged.terms:
            metrics.anomaly.observe(judged.anomaly)

    def _count_moves(self, realm_id: str, transitions: Sequence[Transition]) -> None:
        for transition in transitions:
            self._metrics.child(self._metrics.moves, realm_id, transition.state).inc()

    def _tell_tick(self, step: Advance, now: int) -> None:
        metrics, realm_id = self._metrics, step.realm_id
        seconds = time.perf_counter() - self._began.pop(realm_id, time.perf_counter())
        metrics.child(metrics.tick_seconds, realm_id).observe(seconds)
        metrics.child(metrics.ticks, realm_id, "committed").inc()
        metrics.child(metrics.last_tick, realm_id).set(now / 1_000)
        metrics.child(metrics.tick_number, realm_id).set(step.snapshot.tick_number)
        if _log.isEnabledFor(logging.INFO):
            _log.info("tick committed", extra=_tick_line(step, seconds))

    def _tell_decision(self, step: Advance) -> None:
        metrics, said = self._metrics, orjson.loads(step.snapshot.result)
        verdict, dropped = str(said.get("verdict", NO_KIND)), said.get("dropped", ())
        metrics.child(metrics.applied, step.realm_id, verdict).inc()
        if dropped:
            metrics.child(metrics.dropped, step.realm_id).inc(len(dropped))
        ids = {"realm_id": step.realm_id, "decision_id": step.decision_id, "snapshot_id": step.snapshot.snapshot_id}
        _log.info("decision applied", extra={**ids, "verdict": verdict})

    def _tell_failed(self, step: Advance, lease: Lease | None, error: Exception) -> None:
        if isinstance(error, StoreUnavailableError):
            self._tell_unavailable("advance", step.realm_id)
        if lease is not None:
            self._began.pop(step.realm_id, None)
            outcome = _OUTCOMES[type(error)]
            self._metrics.child(self._metrics.ticks, step.realm_id, outcome).inc()
            _log.warning("tick not committed", extra={"realm_id": step.realm_id, "kind": outcome})

    def _tell_unavailable(self, operation: str, realm_id: str | None) -> None:
        self._metrics.child(self._metrics.unavailable, operation).inc()
        _log.warning("world store unavailable", extra={"realm_id": realm_id, "action": operation})


def _tick_line(step: Advance, seconds: float) -> dict[str, Any]:
    """Return the canonical line of one tick: ids and numbers."""
    return {
        "realm_id": step.realm_id,
        "snapshot_id": step.snapshot.snapshot_id,
        "tick_number": step.snapshot.tick_number,
        "events": len(step.events),
        "questions": len(step.questions),
        "duration_ms": round(seconds * 1_000),
    }
