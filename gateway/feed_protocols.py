"""uvicorn's protocols with one addition: an endpoint can end its connection at once.

uvicorn lets an application close a connection only behind what still waits to be written; a peer that takes nothing holds that
up for as long as it likes, and with it the memory of what waits.
"""

from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.feed_parts import CUT

WS_MAX_BYTES = 4_096
"""Largest message that a reader may send; none of them means anything."""


class CuttableHttp(HttpToolsProtocol):
    """HTTP/1.1 whose scopes hold `CUT`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[CUT] = self.transport.abort


class CuttableSocket(WebSocketsSansIOProtocol):
    """WebSocket whose scopes hold `CUT`."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        # The application runs in a task of its own, which begins after this; a handshake that failed has no scope.
        if (scope := getattr(self, "scope", None)) is not None:
            scope[CUT] = self.transport.abort

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # uvicorn would log an error for a handshake that was answered with a problem document.
            self.handshake_complete = True
