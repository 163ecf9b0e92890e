"""A realm's feed as server-sent events: plain ASGI, for thousands of these are open at once."""

import asyncio
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from gateway.feed_callers import asked_of, opened
from gateway.feed_parts import FeedParts
from world.feed.reader import Ended, Reader

HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
"""No proxy may keep events back: nginx is told by name, others by no-store."""


class StreamEndpoint:
    """Answers GET /api/world/{realm}/stream."""

    def __init__(self, parts: FeedParts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one reader until it goes or is dropped."""
        connection = HTTPConnection(scope)
        asked = await asked_of(connection, self._parts)
        reader = await opened(asked, self._parts, connection)
        del connection  # it lives as long as its reader otherwise
        gone = asyncio.create_task(_hung_up(receive, reader))
        self._parts.watch.came("sse")
        ended: Ended = "gone"
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            ended = await self._write(reader, send, is_head=scope["method"] == "HEAD")
        finally:
            gone.cancel()
            self._parts.watch.went("sse", ended)
            await self._parts.feeds.leave(asked.realm_id, reader)

    async def _write(self, reader: Reader, send: Send, *, is_head: bool) -> Ended:
        monotonic = self._parts.feeds.monotonic
        if is_head:
            await send(_body(b"", is_last=True))
            return "gone"
        while True:
            frames, ended = await reader.take()
            message = _body(b"".join([frame.sse for frame in frames]), is_last=ended is not None)
            reader.writing_since = monotonic()
            await send(message)
            reader.writing_since = None
            del frames, message  # or each of thousands that wait would hold its own
            if ended is not None:
                return ended


def _body(body: bytes, *, is_last: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": not is_last}


async def _hung_up(receive: Receive, reader: Reader) -> None:
    """Let a reader go once its connection has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.end("gone")
