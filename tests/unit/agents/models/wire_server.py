"""A real HTTP server for tests of the model client: says byte for byte what a test wants, and counts its sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import orjson

from agents.models.calls import Call, CallKey, Form
from policies.models import Endpoint

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes one reply. A connection is closed after a reply that does not state its length."""


class Received(NamedTuple):
    """One request."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any


class WireServer:
    """What a test knows about its server."""

    def __init__(self, *replies: Say) -> None:
        self._replies = list(replies)
        self.received: list[Received] = []
        self.opened = 0
        self.open = 0
        self.port = 0
        self.all_closed = asyncio.Event()

    def endpoint(self, **changes: Any) -> Endpoint:
        """Return where it listens, as a policy would say it."""
        return Endpoint(
            **{
                "name": "local",
                "base_url": f"http://127.0.0.1:{self.port}/v1",
                "key": None,
                "structured": "auto",
                "concurrency": 16,
                **changes,
            }
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: the replies in order, the last one again and again."""
        self.opened += 1
        self.open += 1
        self.all_closed.clear()
        try:
            while (received := await _request(reader)) is not None:
                say = self._replies[min(len(self.received), len(self._replies) - 1)]
                self.received.append(received)
                await _until_gone(say(writer), reader)
                if writer.is_closing():
                    return
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
            self.open -= 1
            if not self.open:
                self.all_closed.set()


@asynccontextmanager
async def serving(*replies: Say) -> AsyncIterator[WireServer]:
    """Run a server that gives these replies in order."""
    state = WireServer(*replies)
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        if state.open:
            async with asyncio.timeout(5):
                await state.all_closed.wait()


def answer(body: bytes, status: str = "200 OK", **headers: str) -> Say:
    """Say one whole reply; header names are written with underscores."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return say


def raw(data: bytes) -> Say:
    """Say exactly these bytes and hang up."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return say


def fault(status: str, code: str | None = None, message: str = "no", **headers: str) -> Say:
    """Say an error as the protocol has it."""
    document = {"error": {"message": message, "type": "some_error", "param": None, "code": code}}
    return answer(orjson.dumps(document), status, **headers)


def completion(content: str | None = '{"verdict":"approve"}', *, finish: str | None = "stop", **changes: Any) -> bytes:
    """Return the body of a completion; `message` and `usage` and any other part may be replaced."""
    message = {"role": "assistant", "content": content, **changes.pop("message", {})}
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "served-model",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 120, "completion_tokens": 30, "prompt_tokens_details": {"cached_tokens": 100}},
        **changes,
    }
    return orjson.dumps(document)


def a_call(form: Form = "json_schema", **changes: Any) -> Call:
    """Return a call that a member might make."""
    key = CallKey("lore", "0" * 64, "local/m", "{}", "1" * 64, 1, "full", 0, 0)
    call = Call(
        key=key,
        messages=({"role": "system", "content": "You judge."}, {"role": "user", "content": "A case."}),
        model="m",
        temperature=0.0,
        max_output_tokens=800,
        form=form,
        schema={"type": "object", "properties": {"verdict": {"type": "string"}}},
    )
    return call._replace(**changes)


async def _request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(head[0].split(" ")[1], headers, orjson.loads(body) if body else None)


async def _until_gone(saying: Awaitable[None], reader: asyncio.StreamReader) -> None:
    """Say a reply, but stop when the client has hung up: a client sends nothing while it waits."""
    work = asyncio.ensure_future(saying)
    gone = asyncio.ensure_future(_end_of(reader))
    await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
    for task in (work, gone):
        task.cancel()
    for result in await asyncio.gather(work, gone, return_exceptions=True):
        if isinstance(result, ConnectionError):
            raise result


async def _end_of(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():  # noqa: ASYNC110 - a stream has no event for its end; reading would eat the next request
        await asyncio.sleep(0.005)
