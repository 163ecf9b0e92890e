"""Ids that follow a request: one through logs, records and events (register row S0-95), one through traces of all services."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Final

from agents.models.calls import current_headers
from agents.tracing import current_correlation_id

HEADER: Final = b"x-correlation-id"
TRACEPARENT: Final = b"traceparent"
TRACESTATE: Final = b"tracestate"
_ID = re.compile(rb"[A-Za-z0-9_.:@/+\-]{1,128}")
_TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace_id>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<later>-[!-~]{0,200})?"
)
"""W3C trace context: version ff and ids of zeros are invalid; only versions after 00 may carry more."""
_TRACESTATE = re.compile(rb"[ -~\t]{1,512}")
_NO_TRACE: Final[Mapping[str, str]] = {}


def follow(raw: Iterable[tuple[bytes, bytes]], headers: Mapping[bytes, bytes]) -> str:
    """Let a request's ids follow everything that is done for it from here on, and return its correlation id.

    Args:
        raw: its headers as they came.
        headers: the last of each name.
    """
    correlation_id = correlation_of(headers)
    current_correlation_id.set(correlation_id)
    current_headers.set(trace_of(raw) if TRACEPARENT in headers else _NO_TRACE)
    return correlation_id


def correlation_of(headers: Mapping[bytes, bytes]) -> str:
    """Return the caller's `X-Correlation-Id`, else the trace id of its `traceparent` (W3C), else a new id.

    A header that is no plain identifier is ignored: it would be written to logs.
    """
    sent = headers.get(HEADER)
    if sent is not None and _ID.fullmatch(sent):
        return sent.decode("ascii")
    found = _read(headers.get(TRACEPARENT))
    if found is not None:
        return found["trace_id"].decode("ascii")
    return os.urandom(16).hex()


def trace_of(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Return the `traceparent` and `tracestate` that a request's calls to models carry on.

    They are passed on unchanged: a service that draws no spans of its own must not put in an id that nobody will find (W3C
    trace context, 3.4, pass-through). A tracer replaces them by its own. Empty where the caller's are invalid; several lines of
    `tracestate` are one list.
    """
    parents = [value for name, value in raw if name == TRACEPARENT]
    if len(parents) != 1 or _read(parents[0]) is None:
        return _NO_TRACE
    carried = {"traceparent": parents[0].decode("ascii")}
    state = b",".join([value for name, value in raw if name == TRACESTATE])
    if _TRACESTATE.fullmatch(state):
        carried["tracestate"] = state.decode("ascii")
    return carried


def _read(traceparent: bytes | None) -> re.Match[bytes] | None:
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent is not None else None
    return None if found is not None and found["version"] == b"00" and found["later"] is not None else found
