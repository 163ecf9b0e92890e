"""What follows a review through the process: its correlation id, the span that is open, and the port of whoever draws traces.

The ids travel in context variables: every task that a review starts takes them along, and what is logged within it names them.
"""

from contextlib import AbstractContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self


class SpanIds(NamedTuple):
    """A place in a trace (W3C trace context)."""

    trace_id: str
    """32 hex digits."""
    span_id: str
    """16 hex digits."""


current_correlation_id: Final[ContextVar[str | None]] = ContextVar("current_correlation_id", default=None)
"""Correlation id of the request under way (register row S0-95)."""
current_span: Final[ContextVar[SpanIds | None]] = ContextVar("current_span", default=None)
"""The innermost span that is open; None where nobody draws traces."""


class Workflow(Protocol):
    """A review as a trace shows it."""

    def concluded(self, verdict: str, path: str) -> None:
        """Note what was decided, and on which path."""
        ...


class Tracer(Protocol):
    """Draws reviews into a trace; must return at once and never raise."""

    def workflow(self, request_key: str, realm_id: str) -> AbstractContextManager[Workflow]:
        """Open the span of a review; whatever leaves it by an exception is shown as failed."""
        ...


class NoTracer:
    """Nobody draws traces: one object that does nothing, shared by all reviews."""

    def workflow(self, request_key: str, realm_id: str) -> Self:
        """Open nothing."""
        return self

    def concluded(self, verdict: str, path: str) -> None:
        """Note nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass
