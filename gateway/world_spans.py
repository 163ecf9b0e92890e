"""The world in a trace: `influence.submit`, `world.tick`, `world.apply_decision`, and links between them (register row S0-95).

A tick belongs to no act and an act to no tick, so they are traces of their own: a tick links to the acts that it tells players
of, a decision to the act that it is about. A link is drawn where this process has seen the act; in every case all of them carry
`council.correlation_id`. Attributes are ids, numbers and words of closed sets, never what a player wrote.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

import orjson
from opentelemetry import trace
from opentelemetry.trace import SpanContext, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agents.models.calls import current_headers
from gateway.spans import OpenSpan
from policies.contracts.request import ImpactCandidate
from world.persistence.contributions import Contributions
from world.persistence.port import Advance, Lease, WorldStore
from world.service.ingestion import Ingestion, Taken
from world.service.ticking import Ticked, Ticker

MOST_ACTS: Final = 4_096
"""Acts whose place in a trace is remembered until something links to it; the oldest are forgotten first."""
MOST_LINKS: Final = 128
"""Links of one span (the default limit of OpenTelemetry's SDK)."""
_W3C: Final = TraceContextTextMapPropagator()


class WorldSpans:
    """Wraps the world's services and store so that what they do is drawn.

    Args:
        tracer: OpenTelemetry's.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._acts: OrderedDict[str, SpanContext] = OrderedDict()

    def ingestion(self, ingestion: Ingestion) -> Ingestion:
        """Draw each batch of acts."""
        return cast("Ingestion", _TracedIngestion(ingestion, self))

    def ticker(self, ticker: Ticker) -> Ticker:
        """Draw each tick."""
        return cast("Ticker", _TracedTicker(ticker, self))

    def store(self, store: WorldStore) -> WorldStore:
        """Draw each decision that is applied, and let it and ticks link to the acts behind them."""
        return cast("WorldStore", _TracedStore(store, self))

    def opened(self, name: str, realm_id: str, **attributes: str | int | None) -> OpenSpan:
        """Open a span; it continues the trace of whoever asked this process."""
        is_inside = trace.get_current_span().get_span_context().is_valid
        parent = None if is_inside else _W3C.extract(current_headers.get())
        span = OpenSpan(self._tracer.start_span(name, parent))
        span.set({"council.realm_id": realm_id, **{f"council.{key}": value for key, value in attributes.items()}})
        return span

    def remember(self, correlation_id: str | None) -> None:
        """Keep the place of the open span under the correlation id of the acts in it."""
        found = trace.get_current_span().get_span_context()
        if correlation_id is None or not found.is_valid:
            return
        self._acts[correlation_id] = found
        self._acts.move_to_end(correlation_id)
        if len(self._acts) > MOST_ACTS:
            self._acts.popitem(last=False)

    def tick(self, step: Advance) -> None:
        """Note in the open span what a tick writes; its first event tells of the tick itself."""
        following = step.events[0].correlation_id if step.events else None
        if following is not None:
            trace.get_current_span().set_attribute("council.correlation_id", following)
        self.link([event.correlation_id for event in step.events])

    def link(self, told: Iterable[str | None]) -> None:
        """Let the open span link to the acts whose correlation ids follow what is told."""
        span = trace.get_current_span()
        linked = [each.context for each in getattr(span, "links", ())]
        following = dict.fromkeys(each for each in told if each is not None)
        places = [self._acts[each] for each in following if each in self._acts]
        for place in [each for each in places if each not in linked][: MOST_LINKS - len(linked)]:
            span.add_link(place)


class _TracedIngestion:
    def __init__(self, ingestion: Ingestion, spans: WorldSpans) -> None:
        self._ingestion = ingestion
        self._spans = spans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ingestion, name)

    async def submit(self, candidates: Sequence[ImpactCandidate], correlation_id: str | None = None) -> list[Taken]:
        realm_id = candidates[0].realm_id if candidates else ""
        opened = self._spans.opened("influence.submit", realm_id, correlation_id=correlation_id, acts=len(candidates))
        with opened as span:
            self._spans.remember(correlation_id)
            taken = await self._ingestion.submit(candidates, correlation_id)
            counted = Counter(each.row.state for each in taken)
            span.set({f"council.acts.{state}": number for state, number in counted.items()})
        return taken


class _TracedTicker:
    def __init__(self, ticker: Ticker, spans: WorldSpans) -> None:
        self._ticker = ticker
        self._spans = spans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ticker, name)

    async def run(self, realm_id: str, correlation_id: str | None = None, *, after: int | None = None) -> Ticked | None:
        with self._spans.opened("world.tick", realm_id, correlation_id=correlation_id) as span:
            ticked = await self._ticker.run(realm_id, correlation_id, after=after)
            if ticked is not None:
                span.set({"council.snapshot_id": ticked.result.realm.snapshot_id})
        return ticked


class _TracedStore:
    def __init__(self, store: WorldStore, spans: WorldSpans) -> None:
        self._store = store
        self._spans = spans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def advance(self, step: Advance, lease: Lease | None, now: int) -> None:
        if step.decision_id is None:
            if lease is not None:
                self._spans.tick(step)
            await self._store.advance(step, lease, now)
            return
        following = next((event.correlation_id for event in step.events if event.correlation_id is not None), None)
        opened = self._spans.opened(
            "world.apply_decision",
            step.realm_id,
            correlation_id=following,
            decision_id=step.decision_id,
            snapshot_id=step.snapshot.snapshot_id,
            verdict=orjson.loads(step.snapshot.result).get("verdict"),
        )
        with opened:
            self._spans.link([event.correlation_id for event in step.events])
            await self._store.advance(step, lease, now)

    async def tell(self, realm_id: str, tick_number: int, told: Contributions, now: int) -> bool:
        is_told = await self._store.tell(realm_id, tick_number, told, now)
        if is_told:
            self._spans.link(told.traces)
        return is_told
