"""The load generator: raw sockets, one request per connection at a time, so that the server is what is measured."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

READ_BYTES = 262_144


class Load(NamedTuple):
    """What one run of the generator saw."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float


async def run_load(
    port: int, path: str, token: str, body: bytes, *, in_flight: int, requests: int, prefix: str
) -> Load:
    """Send requests with a fixed number in flight and a fresh idempotency key each; return rates.

    Raises:
        RuntimeError: for an answer other than 200.
    """
    numbers = iter(range(requests))
    took: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*[_connection(port, path, token, body, prefix, numbers, took) for _ in range(in_flight)])
    elapsed = time.perf_counter() - started
    took.sort()
    return Load(requests / elapsed, took[len(took) // 2] * 1e3, took[int(len(took) * 0.99)] * 1e3)


async def _connection(
    port: int, path: str, token: str, body: bytes, prefix: str, numbers: Iterator[int], took: list[float]
) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in numbers:
            head = (
                f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nIdempotency-Key: {prefix}-{number}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            started = time.perf_counter()
            await loop.sock_sendall(connection, head.encode() + body)
            await _answer(loop, connection)
            took.append(time.perf_counter() - started)


async def _answer(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    """Read one whole answer."""
    data = await loop.sock_recv(connection, READ_BYTES)
    while b"\r\n\r\n" not in data:
        data += await loop.sock_recv(connection, READ_BYTES)
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"the server answered {data[:300]!r}")
    lower = head.lower()
    at = lower.index(b"content-length:") + len(b"content-length:")
    left = int(lower[at : at + 12].split(b"\r")[0]) - len(rest)
    while left > 0:
        left -= len(await loop.sock_recv(connection, READ_BYTES))
