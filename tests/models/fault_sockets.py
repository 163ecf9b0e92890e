"""How the fault server breaks where one whole answer is not enough: no answer, half of one, byte by byte, a reset."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from tests.models.fault_replies import MODES, Answer, Ask

DRIP_S: Final = 0.05
"""Seconds between two bytes of a reply that drips."""
_MOST_UNREAD: Final = 1_048_576
"""Longest head of a request, bytes."""


class Ears(asyncio.StreamReader):
    """A reader that hears at once when the client hangs up, also while an answer is being sent."""

    def __init__(self) -> None:
        super().__init__(limit=_MOST_UNREAD)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        """See the client go."""
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        """See the connection break."""
        super().set_exception(exc)
        self.gone.set()


class Socket(NamedTuple):
    """One connection of a client."""

    reader: Ears
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes and wait until they are on their way."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection as a crash does: the client sees a reset."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def _slow(ask: Ask, peer: Socket) -> bool:
    seconds, _, verdict = ask.argument.partition(":")
    await asyncio.sleep(float(seconds or 0.2))
    await peer.send(MODES["ok"](ask._replace(argument=verdict)).wire)
    return True


async def _hang(ask: Ask, peer: Socket) -> bool:
    await asyncio.Event().wait()
    return False


async def _drip(ask: Ask, peer: Socket) -> bool:
    head, _, body = MODES["ok"](ask).wire.partition(b"\r\n\r\n")
    await peer.send(head + b"\r\n\r\n")
    return await _dripped(body, peer)


async def _drip_head(ask: Ask, peer: Socket) -> bool:
    return await _dripped(MODES["ok"](ask).wire, peer)


async def _sse_drip(ask: Ask, peer: Socket) -> bool:
    """Keep the connection alive with comments and never say anything, as proxies of streams do."""
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        await peer.send(b"8\r\n: ping\n\n\r\n")
        await asyncio.sleep(DRIP_S)


async def _trunc_http(ask: Ask, peer: Socket) -> bool:
    await peer.send(MODES["ok"](ask).wire[:-60])
    return False


async def _reset(ask: Ask, peer: Socket) -> bool:
    peer.reset()
    return False


async def _reset_mid(ask: Ask, peer: Socket) -> bool:
    await peer.send(MODES["ok"](ask).wire[:-60])
    await asyncio.sleep(0.02)  # so that the client has the first part before the reset destroys what is in flight
    peer.reset()
    return False


async def _close(ask: Ask, peer: Socket) -> bool:
    return False


async def _garbage(ask: Ask, peer: Socket) -> bool:
    await peer.send(b"220 smtp.example.org ready\r\n")
    return False


async def _long_head(ask: Ask, peer: Socket) -> bool:
    await peer.send(b"HTTP/1.1 200 OK\r\n" + b"x-more: " + b"a" * 2_000_000 + b"\r\n\r\n")
    return False


async def _redirect(ask: Ask, peer: Socket) -> bool:
    """Send the client to the same address for ever: whoever follows breaks the limit on calls (I10)."""
    await peer.send(Answer(307, b"", (("location", "completions"),)).wire)
    return True


Broken = Callable[[Ask, Socket], Awaitable[bool]]
BROKEN: Final[Mapping[str, Broken]] = {
    "slow": _slow,
    "hang": _hang,
    "drip": _drip,
    "drip_head": _drip_head,
    "sse_drip": _sse_drip,
    "trunc_http": _trunc_http,
    "reset": _reset,
    "reset_mid": _reset_mid,
    "close": _close,
    "garbage": _garbage,
    "long_head": _long_head,
    "redirect": _redirect,
}
"""Every mode that is more than one whole answer: each returns whether the connection lives on."""


async def _dripped(data: bytes, peer: Socket) -> bool:
    for byte in data:
        await peer.send(bytes([byte]))
        await asyncio.sleep(DRIP_S)
    return True
