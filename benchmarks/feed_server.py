"""Servers that `feed_readers` loads: the whole council with its feed, the usual ways to serve one, and bare sockets.

python -m benchmarks.feed_server ours|peer|floor PORT
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from typing import Any, cast

import orjson
import uvicorn
import uvloop
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.app import build_app
from gateway.bootstrap import open_council
from gateway.feed_protocols import WiredHttp, WiredSocket
from gateway.settings import read_settings
from gateway.world_bootstrap import open_world
from world.feed.frames import event_frame
from world.feed.framing import as_chunk
from world.persistence.messages import Event, NewEvent
from world.persistence.port import Advance, WorldStore

REALM = "realm-1"
EVENTS_PER_S = 10
TEXT = "the free cities have taken the harbour of Ostrel from the pale court; the next tick settles who keeps it"


def payload() -> dict[str, Any]:
    """Return an event's payload, with the time of its commit in nanoseconds since 1970: the kernel's clock for what arrives."""
    return {
        "at_ns": time.time_ns(),
        "territory_id": "ostrel",
        "from": "pale_court",
        "to": "free_cities",
        "told": TEXT,
    }


async def beats() -> AsyncIterator[int]:
    """Yield 1, 2, ... each at its time: a server that is busy then is late for the next one, but makes as many."""
    begun = time.monotonic()
    for number in count(1):
        await asyncio.sleep(begun + number / EVENTS_PER_S - time.monotonic())
        yield number


async def publish(store: WorldStore) -> None:
    """Commit events, one a step, as a tick does."""
    latest = await store.latest(REALM)
    async for number in beats():
        snapshot = latest._replace(snapshot_id=f"snap-0.{number}", revision=number, previous=latest.hash)
        event = NewEvent("territory_changed", orjson.dumps(payload()))
        await store.advance(Advance(REALM, latest.snapshot_id, snapshot, (event,)), None, time.time_ns() // 1_000_000)
        latest = snapshot


async def ours(port: int) -> None:
    """Serve the council with a world in memory."""
    environ = {"COUNCIL_SERVICE_TOKEN": "benchmark-token-of-32-characters", "COUNCIL_DATABASE_URL": "memory://"}
    settings = read_settings(environ)
    council = await open_council(settings)
    world = await open_world(settings, council)
    await world.seed(REALM)
    app = build_app(replace(council.parts(), world=world.parts()), settings)
    async with _beside(publish(world.store)):
        await _serve(app, port, WiredHttp, WiredSocket)


async def peer(port: int) -> None:
    """Serve a queue a reader, filled by the publisher, through `EventSourceResponse` or a WebSocket's `send_json`."""
    queues: set[asyncio.Queue[dict[str, Any]]] = set()

    async def events(queue: asyncio.Queue[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
        try:
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)

    async def stream(_: Request) -> EventSourceResponse:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1_024)
        queues.add(queue)
        return EventSourceResponse(events(queue))

    async def socket(connection: WebSocket) -> None:
        await connection.accept()
        await connection.send_text("hello")
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1_024)
        queues.add(queue)
        with contextlib.suppress(WebSocketDisconnect):
            async for event in events(queue):
                await connection.send_text(event["data"])

    async def fill() -> None:
        async for number in beats():
            document = {"sequence": number, "kind": "territory_changed", "payload": payload()}
            event = {"id": str(number), "event": "territory_changed", "data": json.dumps(document)}
            for queue in queues:
                queue.put_nowait(event)

    app = Starlette(
        routes=[Route("/api/world/{realm}/stream", stream), WebSocketRoute("/api/world/{realm}/ws", socket)]
    )
    async with _beside(fill()):
        await _serve(app, port, "httptools", "websockets-sansio")


async def floor(port: int) -> None:
    """Write to every connection what ours writes: what the system alone takes."""
    connections: set[asyncio.Transport] = set()

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.Transport", transport)

        def data_received(self, _: bytes) -> None:
            self.transport.write(b"hello\n")
            connections.add(self.transport)

        def connection_lost(self, _: Exception | None) -> None:
            connections.discard(self.transport)

    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=4_096)
    async with server:
        async for number in beats():
            made = orjson.dumps(payload())
            event = Event(REALM, number, 0, "territory_changed", made, None, time.time_ns() // 1_000_000, None)
            chunk = as_chunk([event_frame(event)])
            for transport in connections:
                transport.write(chunk)


@contextlib.asynccontextmanager
async def _beside(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()


async def _serve(app: Any, port: int, http: Any, ws: Any) -> None:
    config = uvicorn.Config(
        app,
        port=port,
        http=http,
        ws=ws,
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        backlog=4_096,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run({"ours": ours, "peer": peer, "floor": floor}[sys.argv[1]](int(sys.argv[2])))
