"""OpenTelemetry's provider of this process, and its end. Importing this room needs the extra `otel`."""

import asyncio
import logging
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import httpx2
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from agents.ports import Judge
from gateway.spans import ReviewTracer, TracedJudge, TracedTransport
from gateway.story_parts import Teller
from gateway.story_spans import TracedTeller
from gateway.tracing import CONSOLE
from gateway.world_spans import WorldSpans
from world.persistence.port import WorldStore
from world.service.ingestion import Ingestion
from world.service.ticking import Ticker

logger = logging.getLogger(__name__)

SERVICE: Final = "world-council"
"""Name of the service where OTEL_SERVICE_NAME gives none."""
CLOSE_S: Final = 5.0
"""How long the end of the process waits for a collector, seconds."""


class ExportedTracing:
    """Draws with a provider, and sends what is left when the process ends.

    Args:
        provider: where spans go.
        close_s: how long the end waits for a collector, seconds.
    """

    def __init__(self, provider: TracerProvider, *, close_s: float = CLOSE_S) -> None:
        self._provider = provider
        self._close_s = close_s
        self._tracer = provider.get_tracer("world-council")
        self.tracer = ReviewTracer(self._tracer)
        self._world = WorldSpans(self._tracer)

    def judge(self, judge: Judge) -> Judge:
        """Wrap a judge."""
        return TracedJudge(judge, self._tracer)

    def around(self, transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncBaseTransport:
        """Wrap a client's transport."""
        return TracedTransport(transport, self._tracer)

    def store(self, store: WorldStore) -> WorldStore:
        """Wrap the world's store."""
        return self._world.store(store)

    def ingestion(self, ingestion: Ingestion) -> Ingestion:
        """Wrap the world's ingestion."""
        return self._world.ingestion(ingestion)

    def ticker(self, ticker: Ticker) -> Ticker:
        """Wrap what ticks."""
        return self._world.ticker(ticker)

    def teller(self, teller: Teller) -> Teller:
        """Wrap what tells stories."""
        return TracedTeller(teller, self._world)

    async def close(self) -> None:
        """Send what is still to be sent, unless the collector takes too long."""
        loop = asyncio.get_running_loop()
        finished = asyncio.Event()

        def finish() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop did not wait, and is closed
                loop.call_soon_threadsafe(finished.set)

        # A daemon: the interpreter waits for the threads of its pools, and a collector may hang for half a minute.
        threading.Thread(target=finish, name="traces-end", daemon=True).start()
        try:
            async with asyncio.timeout(self._close_s):
                await finished.wait()
        except TimeoutError:
            logger.warning("traces_not_sent", extra={"hint": f"the collector took nothing within {self._close_s} s"})


def open_exported(exporters: Iterable[str]) -> ExportedTracing:
    """Open a provider with these exporters, in batches: no review waits for one."""
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    for name in exporters:
        # Standard output belongs to the commands' own answers.
        exporter: SpanExporter = ConsoleSpanExporter(out=sys.stderr) if name == CONSOLE else OTLPSpanExporter()
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return ExportedTracing(provider)


def _resource() -> Resource:
    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
    return resource
