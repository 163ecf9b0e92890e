"""uvicorn's protocols with two additions: an endpoint can end its connection at once, and others may write to it meanwhile.

uvicorn lets an application close a connection only behind what still waits to be written; a peer that takes nothing holds that
up for as long as it likes, and with it the memory of what waits. And it is written to only by the task that serves it: where
thousands are sent the same bytes, waking each of their tasks costs more than all the writing.
"""

from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.feed_parts import WIRE
from world.feed.framing import as_chunk, as_messages
from world.feed.wire import Wire

WS_MAX_BYTES = 4_096
"""Largest message that a reader may send; none of them means anything."""


class WiredHttp(HttpToolsProtocol):
    """HTTP/1.1 whose scopes hold their `Wire`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # INVARIANT: a reader who waits has a response without a length under way, which uvicorn sends in chunks.
        cast("dict[str, Any]", self.scope)[WIRE] = Wire(self.transport, as_chunk)


class WiredSocket(WebSocketsSansIOProtocol):
    """WebSocket whose scopes hold their `Wire`."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        # The application runs in a task of its own, which begins after this; a handshake that failed has no scope.
        if (scope := getattr(self, "scope", None)) is not None:
            # An extension, such as compression, would have messages written otherwise: then only the task writes them.
            scope[WIRE] = Wire(self.transport, None if self.conn.extensions else as_messages)

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # uvicorn would log an error for a handshake that was answered with a problem document.
            self.handshake_complete = True
