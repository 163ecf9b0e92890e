"""A model's server for benchmarks: speaks just enough of the OpenAI protocol, says the same every time, counts connections.

python -m benchmarks.model_server [PORT [DELAY_MS]]    prints the port it listens on
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import orjson

REPLY = {
    "findings": [
        {"evidence": "impact_score", "says": "the change is large enough to need a council"},
        {"evidence": "event_count", "says": "several acts stand behind it"},
    ],
    "reasoning": "The change moves two points at once, which is within what one quest has earned in this realm before.",
    "modifications": [],
    "claims": [],
    "verdict": "approve",
    "confidence": 0.82,
}
_COMPLETION = {
    "id": "chatcmpl-benchmark",
    "object": "chat.completion",
    "created": 1760000000,
    "model": "benchmark-model",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": orjson.dumps(REPLY).decode(), "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 1240,
        "completion_tokens": 96,
        "total_tokens": 1336,
        "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    },
    "system_fingerprint": "fp_benchmark",
}


class ModelServer:
    """What is shared by the connections of one server."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.opened = 0
        self.requests = 0

    def connection(self) -> "_Connection":
        """Serve one more connection."""
        return _Connection(self)


class _Connection(asyncio.Protocol):
    def __init__(self, server: ModelServer) -> None:
        self._server = server
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head = self._pending[:end].lower()
            _, found, length = head.partition(b"content-length:")
            total = end + 4 + (int(length.split(b"\r\n")[0]) if found else 0)
            if len(self._pending) < total:
                return
            self._pending = self._pending[total:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        server = self._server
        if head.startswith(b"get "):
            self._send(orjson.dumps({"connections": server.opened, "requests": server.requests}))
            return
        # Counted here, so that asking for the counts is not counted.
        server.opened += not hasattr(self, "_is_counted")
        self._is_counted = True
        server.requests += 1
        if server.delay_s:
            asyncio.get_running_loop().call_later(server.delay_s, self._send, _BODY)
        else:
            self._send(_BODY)

    def _send(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )


_BODY = orjson.dumps(_COMPLETION)


async def serve(port: int, delay_s: float) -> None:
    """Serve until killed."""
    state = ModelServer(delay_s)
    server = await asyncio.get_running_loop().create_server(state.connection, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running(*, delay_ms: int = 0) -> Iterator[str]:
    """Run a server in a process of its own; yields its base URL, such as http://127.0.0.1:9/v1."""
    command = [sys.executable, "-m", "benchmarks.model_server", "0", str(delay_ms)]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


def connections(base_url: str) -> int:
    """Return how many connections have carried a model call so far."""
    with urlopen(f"{base_url}/stats", timeout=5) as reply:
        count: int = orjson.loads(reply.read())["connections"]
        return count


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(serve(arguments[0] if arguments else 0, arguments[1] / 1000 if len(arguments) > 1 else 0.0))
