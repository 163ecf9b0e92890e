"""One id from the player's action to the record (S0-95)."""

import pytest

from gateway.correlation import correlation_of

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


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
        {b"traceparent": b"nonsense"},
    ],
)
def test_anything_else_gets_a_new_id(headers: dict[bytes, bytes]) -> None:
    first, second = correlation_of(headers), correlation_of(headers)

    assert len(first) == 32
    assert first != second
