"""The routes of the live feed (register row S0-78)."""

import re
from collections.abc import Awaitable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.body import RequestRefusedError
from gateway.edge import send_problem
from gateway.feed_parts import FeedParts
from gateway.feed_socket import SocketEndpoint
from gateway.feed_stream import StreamEndpoint
from gateway.feed_tickets import TicketEndpoint
from gateway.problems import Problem

STREAM = "/api/world/{realm}/stream"
SOCKET = "/api/world/{realm}/ws"
TICKET = "/api/world/{realm}/stream/ticket"
NO_HANDSHAKE: Final = Problem(
    "upgrade-required",
    426,
    "this is the address of a WebSocket",
    "connect to it as one, or read /api/world/{realm}/stream",
    {"Upgrade": "websocket", "Connection": "Upgrade"},
)
_STREAM: Final = re.compile(r"/api/world/([^/]+)/stream")
_SOCKET: Final = re.compile(r"/api/world/([^/]+)/ws")


class FeedShortcut:
    """Leads readers past the framework's layers, which would hold 5 KiB and more for each as long as it reads.

    Args:
        app: what everything else goes to.
    """

    def __init__(self, app: ASGIApp, parts: FeedParts) -> None:
        self._app = app
        self._stream = StreamEndpoint(parts)
        self._socket = SocketEndpoint(parts)
        self._metrics = parts.metrics

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        if scope["type"] == "websocket":
            found = _SOCKET.fullmatch(scope["path"])
        else:
            found = _STREAM.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            return self._app(scope, receive, send)
        scope["path_params"] = {"realm": found[1]}
        return (self._socket if scope["type"] == "websocket" else self._serve)(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._stream(scope, receive, send)
        except RequestRefusedError as error:
            await send_problem(error.problem, scope, send, self._metrics)


def feed_routes(parts: FeedParts) -> list[BaseRoute]:
    """Return the feed's routes."""
    return [
        Route(STREAM, StreamEndpoint(parts), methods=["GET"], name="stream"),
        Route(SOCKET, _no_handshake, methods=["GET"], name="no_socket"),
        WebSocketRoute(SOCKET, SocketEndpoint(parts), name="socket"),
        Route(TICKET, TicketEndpoint(parts).__call__, methods=["POST"], name="stream_ticket"),
    ]


async def _no_handshake(_: Request) -> Response:
    raise RequestRefusedError(NO_HANDSHAKE)
