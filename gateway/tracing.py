"""Traces as the composition root sees them: off, or OpenTelemetry's as the standard OTEL_ variables of the environment say.

They are drawn where OTEL_TRACES_EXPORTER or the address of a collector is set. The exporter, the sampler and the resource read
their own variables (https://opentelemetry.io/docs/languages/sdk-configuration).
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

from agents.tracing import NoTracer, Tracer
from gateway.errors import SettingsError
from policies.faults import did_you_mean

if TYPE_CHECKING:
    import httpx2

    from agents.ports import Judge
    from gateway.story_parts import Teller
    from world.persistence.port import WorldStore
    from world.service.ingestion import Ingestion
    from world.service.ticking import Ticker

OTLP: Final = "otlp"
CONSOLE: Final = "console"
_NONE: Final = "none"
_EXPORTER: Final = "OTEL_TRACES_EXPORTER"
_COLLECTORS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"


class Tracing(Protocol):
    """Draws reviews, what members are asked, the calls to models, and what the world does."""

    @property
    def tracer(self) -> Tracer:
        """What the service opens the span of each review with."""
        ...

    def judge(self, judge: "Judge") -> "Judge":
        """Wrap a judge: each question becomes a span."""
        ...

    def around(self, transport: "httpx2.AsyncBaseTransport") -> "httpx2.AsyncBaseTransport":
        """Wrap the transport of a client: each call to a model becomes a span, and carries its place in the trace on."""
        ...

    def store(self, store: "WorldStore") -> "WorldStore":
        """Wrap the world's store: each decision that is applied becomes a span, and links to the act behind it."""
        ...

    def ingestion(self, ingestion: "Ingestion") -> "Ingestion":
        """Wrap the world's ingestion: each batch of acts becomes a span."""
        ...

    def ticker(self, ticker: "Ticker") -> "Ticker":
        """Wrap what ticks: each tick becomes a span."""
        ...

    def teller(self, teller: "Teller") -> "Teller":
        """Wrap what tells stories: each chapter that is planned or closed becomes a span."""
        ...

    async def close(self) -> None:
        """Send what is still to be sent."""
        ...


class NoTracing:
    """Draws nothing and wraps nothing."""

    def __init__(self) -> None:
        self.tracer = NoTracer()

    def judge(self, judge: "Judge") -> "Judge":
        """Return the judge itself."""
        return judge

    def around(self, transport: "httpx2.AsyncBaseTransport") -> "httpx2.AsyncBaseTransport":
        """Return the transport itself."""
        return transport

    def store(self, store: "WorldStore") -> "WorldStore":
        """Return the store itself."""
        return store

    def ingestion(self, ingestion: "Ingestion") -> "Ingestion":
        """Return the ingestion itself."""
        return ingestion

    def ticker(self, ticker: "Ticker") -> "Ticker":
        """Return the ticker itself."""
        return ticker

    def teller(self, teller: "Teller") -> "Teller":
        """Return the teller itself."""
        return teller

    async def close(self) -> None:
        """Send nothing."""


def open_tracing(environ: Mapping[str, str] = os.environ) -> Tracing:
    """Draw traces where the environment asks for them.

    Raises:
        SettingsError: where they are asked for, and the extra `otel` is not installed or a variable cannot be used.
    """
    exporters = exporters_of(environ)
    if not exporters:
        return NoTracing()
    try:
        from gateway.exporting import open_exported  # noqa: PLC0415 - an extra, and a tenth of a second
    except ImportError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        asking = next(name for name in (_EXPORTER, *_COLLECTORS) if _value(environ, name))
        fix = "install world-council[otel], or unset it"
        raise SettingsError([f"{asking} asks for traces, and OpenTelemetry is not installed; {fix}"]) from error
    return open_exported(exporters)


def exporters_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return where traces go: `otlp`, `console`, both, or nowhere.

    Raises:
        SettingsError: for an exporter or a protocol that is not here.
    """
    if _value(environ, "OTEL_SDK_DISABLED").lower() == "true":
        return ()
    asked = [name.strip().lower() for name in _value(environ, _EXPORTER).split(",") if name.strip()]
    if not asked and any(_value(environ, name) for name in _COLLECTORS):
        asked = [OTLP]
    known = (OTLP, CONSOLE, _NONE)
    faults = [
        f"{_EXPORTER}: unknown exporter {name!r}; {did_you_mean(name, known)}" for name in asked if name not in known
    ]
    if OTLP in asked:
        protocol = next(((name, _value(environ, name)) for name in _PROTOCOLS if _value(environ, name)), None)
        if protocol is not None and protocol[1].lower() != _PROTOCOL:
            faults.append(
                f"{protocol[0]}={protocol[1]!r}: only {_PROTOCOL} is spoken; unset it, or set it to {_PROTOCOL}"
            )
    if faults:
        raise SettingsError(faults)
    return tuple(name for name in dict.fromkeys(asked) if name != _NONE)


def _value(environ: Mapping[str, str], name: str) -> str:
    # An empty variable is as good as none (OpenTelemetry specification, environment variables).
    return environ.get(name, "").strip()
