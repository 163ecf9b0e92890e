"""One id from the player's action to the record (S0-95), and one trace through all services (W3C trace context)."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from agents.models.calls import current_headers
from agents.tracing import current_correlation_id
from council.service import Reviewed
from gateway.correlation import correlation_of, trace_of
from tests.unit.gateway.scripted import JSON, ScriptedCouncil, application
from tests.unit.requests import as_bytes, request_document

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PARENT = (b"traceparent", TRACE)
LATER = b"cc" + TRACE[2:] + b"-what-the-future-will-be-like"


def test_the_callers_own_id_comes_first() -> None:
    assert correlation_of({b"x-correlation-id": b"tick-7:u-1", b"traceparent": TRACE}) == "tick-7:u-1"


def test_the_trace_id_serves_where_no_id_is_sent() -> None:
    assert correlation_of({b"traceparent": TRACE}) == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"x-correlation-id": b""},
        {b"x-correlation-id": b"a b"},
        {b"x-correlation-id": b'"}\n{"forged": 1'},
        {b"x-correlation-id": b"x" * 129},
        {b"x-correlation-id": b"\xff"},
        {b"traceparent": b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01"},
        {b"traceparent": b"00-4bf92f3577b34da6a3ce929d0e0e4736-" + b"0" * 16 + b"-01"},
        {b"traceparent": b"ff" + TRACE[2:]},
        {b"traceparent": TRACE + b"-more"},
        {b"traceparent": TRACE.upper()},
        {b"traceparent": b"nonsense"},
    ],
)
def test_anything_else_gets_a_new_id(headers: dict[bytes, bytes]) -> None:
    first, second = correlation_of(headers), correlation_of(headers)

    assert len(first) == 32
    assert first != second


@pytest.mark.parametrize(
    ("headers", "carried"),
    [
        ([], {}),
        ([PARENT], {"traceparent": TRACE.decode()}),
        ([(b"traceparent", LATER)], {"traceparent": LATER.decode()}),
        ([PARENT, (b"tracestate", b"a=1,b=2")], {"traceparent": TRACE.decode(), "tracestate": "a=1,b=2"}),
        ([(b"tracestate", b"a=1"), PARENT, (b"tracestate", b"b=2")], {"traceparent": TRACE.decode(), "tracestate": "a=1,b=2"}),
        ([PARENT, (b"tracestate", b"a=" + b"1" * 511)], {"traceparent": TRACE.decode()}),
        ([PARENT, (b"tracestate", b"a=\r\nforged: 1")], {"traceparent": TRACE.decode()}),
        ([PARENT, PARENT], {}),
        ([(b"tracestate", b"a=1")], {}),
        ([(b"traceparent", TRACE + b"-more"), (b"tracestate", b"a=1")], {}),
    ],
)  # fmt: skip
def test_a_callers_trace_is_carried_on_as_it_came_and_only_where_it_is_valid(
    headers: list[tuple[bytes, bytes]], carried: Mapping[str, str]
) -> None:
    assert trace_of(headers) == carried


async def test_every_request_is_served_within_its_own_ids() -> None:
    seen: list[Any] = []

    class Looking(ScriptedCouncil):
        async def review(self, raw: bytes | str, **how: Any) -> Reviewed:
            seen.append((current_correlation_id.get(), dict(current_headers.get())))
            return await super().review(raw, **how)

    transport = httpx.ASGITransport(application(Looking()))
    async with httpx.AsyncClient(transport=transport, base_url="http://council", headers=JSON) as client:
        for headers in ({"X-Correlation-Id": "tick-7", "traceparent": TRACE.decode()}, {"X-Correlation-Id": "tick-8"}):
            await client.post("/internal/council/review", content=as_bytes(request_document()), headers=headers)

    assert seen == [("tick-7", {"traceparent": TRACE.decode()}), ("tick-8", {})]
