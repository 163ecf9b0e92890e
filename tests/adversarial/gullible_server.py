"""The gullible model: a server that speaks the OpenAI protocol and obeys whoever writes to it (reliability.md, L19 `gullible`).

Where no order reaches it, it votes as the rules say: so that whatever comes out milder was won by a text. Run as a module it
prints its port and ends with its standard input.

    POST /WORLD/v1/chat/completions   a model's name ends in "@MEMBER"
    GET  /WORLD/journal               how often which order was obeyed by whose model
"""

import asyncio
import contextlib
import json
import socket
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import uvicorn

from tests.adversarial.corpus import attacks
from tests.adversarial.obeying import Asked, Said, by_the_rules, obeyed
from tests.adversarial.reading import Reader

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_FACTS: Final = "\nFACTS\n"


class GullibleModel:
    """An ASGI application; each world keeps a journal of its own."""

    def __init__(self) -> None:
        self._reader = Reader(attacks())
        self._obeyed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._calls: Counter[str] = Counter()

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        world, _, path = scope["path"].strip("/").partition("/")
        body = await _body(receive)
        if path == "v1/chat/completions":
            await _answer(send, 200, self._completion(world, json.loads(body)))
        elif path == "journal":
            await _answer(send, 200, {"calls": self._calls[world], "obeyed": self._obeyed[world]})
        else:
            await _answer(send, 404, {"error": {"message": "no such path"}})

    def _completion(self, world: str, request: dict[str, Any]) -> dict[str, Any]:
        self._calls[world] += 1
        member = request["model"].partition("@")[2]
        by_role = {message["role"]: message["content"] for message in request["messages"]}
        user = by_role["user"]
        facts = json.loads(user.split(_FACTS, 1)[1].splitlines()[0])
        order = self._reader.heard(user)
        if order is None:
            return _wrapped(request["model"], by_the_rules(facts))
        self._obeyed[world][f"{order.name}@{member}"] += 1
        return _wrapped(request["model"], obeyed(Asked(member, facts, by_role["system"], order)))


def _wrapped(model: str, said: Said) -> dict[str, Any]:
    message = {"role": "assistant", "content": said.content, "refusal": said.refusal}
    return {
        "id": "gullible",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


async def _body(receive: _Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: _Send, status: int, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


async def _main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        GullibleModel(), lifespan="off", log_level="warning", access_log=False, timeout_keep_alive=600
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await running


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
