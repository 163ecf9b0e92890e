"""A server that speaks the OpenAI protocol and breaks on request: the model's name says how (reliability.md, L1 to L20).

    http://127.0.0.1:PORT/WORLD/v1/chat/completions      model: "429s:1", "seq:500,500,ok:reject", "drip@lore"

A model is a mode with an argument; `seq:` gives one mode per call, the last for ever; what stands after `@` only keeps the
callers apart. A world is any name: each has its own journal, so tests that share a server do not see each other.

    GET    /WORLD/journal        every call, and how many sockets and calls are open now
    GET    /WORLD/v1/models      as endpoints list their models

`python -m tests.models.fault_server` runs it in a process of its own, which ends when its standard input does.
"""

import asyncio
import contextlib
import json
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Mapping
from typing import Any, Final, NamedTuple

from tests.models.fault_replies import MODES, Answer, Ask, limited
from tests.models.fault_sockets import BROKEN, Ears, Socket

_CHUNK: Final = 65_536


class Request(NamedTuple):
    """One HTTP request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class World:
    """What one test did to the server."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.sockets: set[asyncio.StreamWriter] = set()
        self.busy = 0
        self.most_busy = 0
        self.counts: Counter[str] = Counter()
        self.limited_until = 0.0

    def journal(self) -> dict[str, Any]:
        """Return the journal as it is served."""
        return {"calls": self.calls, "sockets": len(self.sockets), "busy": self.busy, "most_busy": self.most_busy}


class FaultServer:
    """The server: reads requests, keeps the journals, breaks as told."""

    def __init__(self) -> None:
        self._worlds: defaultdict[str, World] = defaultdict(World)

    def protocol(self) -> asyncio.StreamReaderProtocol:
        """Return what serves one connection."""
        ears = Ears()
        return asyncio.StreamReaderProtocol(ears, lambda _, writer: self._connected(Socket(ears, writer)))

    async def _connected(self, peer: Socket) -> None:
        world: World | None = None
        writer = peer.writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while (request := await _read(peer.reader)) is not None:
                name, _, path = request.path.strip("/").partition("/")
                if path == "journal":
                    await peer.send(Answer(200, json.dumps(self._worlds[name].journal()).encode()).wire)
                    break
                world = self._worlds[name]
                world.sockets.add(writer)
                if not await self._served(world, request, path, peer):
                    break
        if world is not None:
            world.sockets.discard(writer)
        writer.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            await writer.wait_closed()

    async def _served(self, world: World, request: Request, path: str, peer: Socket) -> bool:
        if path == "v1/models":
            listed = [{"id": mode, "object": "model"} for mode in (*MODES, *BROKEN)]
            await peer.send(Answer(200, json.dumps({"object": "list", "data": listed}).encode()).wire)
            return True
        if path != "v1/chat/completions" or request.method != "POST":
            await peer.send(Answer(404, b'{"error": {"message": "no such path"}}').wire)
            return True
        return await self._called(world, request, peer)

    async def _called(self, world: World, request: Request, peer: Socket) -> bool:
        body = json.loads(request.body)
        model = str(body.get("model"))
        mode, argument = _mode(model, world.counts[model])
        world.counts[model] += 1
        ask = Ask(body, argument, request.headers.get("authorization", ""))
        call = {"at": time.monotonic(), "until": None, "model": model, "mode": mode, "form": ask.form}
        world.calls.append({**call, "headers": dict(request.headers), "body": body})
        index = len(world.calls) - 1
        world.busy += 1
        world.most_busy = max(world.most_busy, world.busy)
        try:
            return await _until_gone(self._answered(world, mode, ask, peer), peer)
        finally:
            world.busy -= 1
            world.calls[index]["until"] = time.monotonic()

    async def _answered(self, world: World, mode: str, ask: Ask, peer: Socket) -> bool:
        """Answer one call; return whether the connection lives on."""
        if mode == "window":
            return await _window(world, ask, peer)
        if mode in BROKEN:
            return await BROKEN[mode](ask, peer)
        answer = MODES[mode](ask).wire
        for start in range(0, len(answer), _CHUNK):
            await peer.send(answer[start : start + _CHUNK])
        return True


async def _window(world: World, ask: Ask, peer: Socket) -> bool:
    """Refuse everybody for some seconds from the first call on, as one limit over a whole endpoint does (L3)."""
    now = time.monotonic()
    world.limited_until = world.limited_until or now + float(ask.argument or 1)
    left = world.limited_until - now
    answer = limited(str(math.ceil(left))) if left > 0 else MODES["ok"](ask._replace(argument=""))
    await peer.send(answer.wire)
    return True


async def _until_gone(answering: Awaitable[bool], peer: Socket) -> bool:
    """Answer until the client hangs up: a call that nobody waits for any more is not open."""
    answer = asyncio.ensure_future(answering)
    gone = asyncio.ensure_future(peer.reader.gone.wait())
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else False
    finally:
        for task in (answer, gone):
            task.cancel()
        await asyncio.gather(answer, gone, return_exceptions=True)


def _mode(model: str, count: int) -> tuple[str, str]:
    """Return mode and argument of a model's call by its number, from 0."""
    script = model.partition("@")[0]
    if script.startswith("seq:"):
        steps = script.removeprefix("seq:").split(",")
        script = steps[min(count, len(steps) - 1)]
    mode, _, argument = script.partition(":")
    known = mode in MODES or mode in BROKEN or mode == "window"
    return (mode, argument) if known else ("404", "")


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """Read one request; None where the client has gone."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _main() -> None:
    server = await asyncio.get_running_loop().create_server(FaultServer().protocol, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
