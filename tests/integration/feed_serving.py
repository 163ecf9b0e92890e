"""The feed's endpoints behind our edge and a real uvicorn, in the test's own process: tests set limits and make things happen."""

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from gateway.body import RequestRefusedError
from gateway.edge import Edge, Shortcut
from gateway.feed_parts import FeedParts, Transport
from gateway.feed_protocols import WiredHttp, WiredSocket
from gateway.feed_routes import FeedShortcut, feed_routes
from gateway.identity_opening import open_identities
from gateway.metrics import Metrics
from gateway.routes import problem_response
from gateway.settings import read_settings
from tests.unit.gateway.identity_samples import token, write_key_set
from tests.unit.gateway.scripted import TOKEN
from tests.unit.world.feed_samples import LIMITS, Happenings
from world.feed.limits import FeedLimits
from world.feed.reader import Ended
from world.feed.tickets import LocalTickets

BUFFER = 4_096
"""Small socket buffers: a reader that takes nothing is noticed after a few events, not after megabytes."""


class Watch:
    """Remembers who came and went."""

    def __init__(self) -> None:
        self.here: dict[str, int] = {"sse": 0, "websocket": 0}
        self.ended: list[Ended] = []

    def came(self, transport: Transport) -> None:
        self.here[transport] += 1

    def went(self, transport: Transport, reason: Ended) -> None:
        self.here[transport] -= 1
        self.ended.append(reason)


class Served(Happenings):
    """A realm in which things happen when a test says so, and its feed over HTTP."""

    port = 0

    def __init__(self, limits: FeedLimits) -> None:
        super().__init__(limits)
        self.watch = Watch()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def empty(self) -> None:
        """Wait until nobody reads."""
        while self.feeds.readers:  # noqa: ASYNC110 - the feed tells nobody, and need not for a test
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(folder: Path, limits: FeedLimits = LIMITS, *, deflates: bool = False) -> AsyncIterator[Served]:
    """Serve a realm's feed.

    Args:
        deflates: whether WebSockets may be compressed, which our own server never lets them be.
    """
    world = Served(limits)
    await world.begin()
    metrics = Metrics()
    parts = FeedParts(world.feeds, LocalTickets(time.monotonic), secrets.token_urlsafe, world.watch, metrics)
    environ = {"COUNCIL_SERVICE_TOKEN": TOKEN, "COUNCIL_JWT_KEYS": str(write_key_set(folder))}

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestRefusedError)
        return problem_response(error.problem, request, metrics)

    inner = Starlette(routes=feed_routes(parts), exception_handlers={RequestRefusedError: refused})
    app = FeedShortcut(inner, parts)
    identities = open_identities(read_settings(environ), metrics)
    edge = Edge(app, shortcut=Shortcut("POST", "/none", app), identities=identities, metrics=metrics)
    config = uvicorn.Config(
        edge, http=WiredHttp, ws=WiredSocket, ws_per_message_deflate=deflates, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        world.port = listener.getsockname()[1]
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield world
        finally:
            await world.feeds.close()
            server.should_exit = True
            await task


def player(user: str, *roles: str, **claims: Any) -> dict[str, str]:
    """Return the header of a user."""
    now = int(time.time())
    wanted = {"sub": user, "roles": list(roles or ("player",)), "iat": now - 10, "exp": now + 600, **claims}
    return {"Authorization": f"Bearer {token(claims=wanted).decode()}"}
