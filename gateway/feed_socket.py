"""A realm's feed over WebSocket: the same events and notices, one JSON document a message."""

import asyncio
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from gateway.body import RequestRefusedError
from gateway.feed_callers import Asked, asked_of, opened
from gateway.feed_parts import FeedParts
from gateway.problems import MEDIA_TYPE, Problem
from world.feed.frames import TOLD
from world.feed.reader import Ended, Reader

TRY_AGAIN: Final = 1013
"""Close code "try again later" (IANA registry of RFC 6455): the reader may come back and go on."""


class SocketEndpoint:
    """Answers WebSockets at /api/world/{realm}/ws."""

    def __init__(self, parts: FeedParts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one reader until it goes or is dropped."""
        connection = HTTPConnection(scope)
        try:
            asked = await asked_of(connection, self._parts)
            reader = await opened(asked, self._parts, connection)
        except RequestRefusedError as error:
            await self._refuse(error.problem, scope, receive, send)
            return
        del connection
        await self._serve(asked, reader, receive, send)

    async def _serve(self, asked: Asked, reader: Reader, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_hung_up(receive, reader))
        self._parts.watch.came("websocket")
        ended: Ended = "gone"
        try:
            await send({"type": "websocket.accept"})
            ended = await self._write(reader, send)
        except OSError:
            return  # the peer has hung up meanwhile: there is nobody to tell
        finally:
            gone.cancel()
            self._parts.watch.went("websocket", ended)
            await self._parts.feeds.leave(asked.realm_id, reader)

    async def _write(self, reader: Reader, send: Send) -> Ended:
        monotonic = self._parts.feeds.monotonic
        while True:
            frames, ended = await reader.take()
            reader.writing_since = monotonic()
            for frame in frames:
                await send({"type": "websocket.send", "text": frame.text})
                del frame  # or each of thousands that wait would hold its own
            reader.writing_since = None
            del frames
            if ended is None:
                continue
            if ended != "gone":
                await send({"type": "websocket.close", "code": TRY_AGAIN, "reason": TOLD[ended]})
            return ended

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the handshake with a problem document, where the server can; else it closes with 403."""
        metrics = self._parts.metrics
        metrics.child(metrics.problems, problem.slug, str(problem.status)).inc()
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": TRY_AGAIN, "reason": problem.title})
            return
        headers: list[Any] = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        headers += [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
        await send({"type": "websocket.http.response.start", "status": problem.status, "headers": headers})
        body = problem.document(scope["council.correlation_id"])
        await send({"type": "websocket.http.response.body", "body": body, "more_body": False})


async def _hung_up(receive: Receive, reader: Reader) -> None:
    """Let a reader go once its connection has ended; what it sends means nothing here."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
    reader.end("gone")
