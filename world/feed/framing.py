"""How events are put on the wire: as a chunk of an HTTP/1.1 response, or as messages of a WebSocket. Pure."""

from collections.abc import Sequence
from typing import Final

from world.feed.frames import Frame

_TEXT: Final = 0x81
"""First octet of a whole text message (RFC 6455, 5.2): FIN, opcode 1."""
_SHORT: Final = 126
"""Lengths from here on stand in two octets of their own."""
_LONG: Final = 65_536
"""Lengths from here on stand in eight."""


def as_chunk(frames: Sequence[Frame]) -> bytes:
    """Return server-sent events as one chunk (RFC 9112, 7.1); empty without any: an empty chunk would end the response."""
    body = b"".join([frame.sse for frame in frames])
    return b"%x\r\n%b\r\n" % (len(body), body) if body else b""


def as_messages(frames: Sequence[Frame]) -> bytes:
    """Return one text message a frame, as servers send them: unmasked, and without extensions (RFC 6455, 5.1)."""
    return b"".join([_message(frame.text.encode()) for frame in frames])


def _message(text: bytes) -> bytes:
    size = len(text)
    if size < _SHORT:
        return bytes((_TEXT, size)) + text
    if size < _LONG:
        return bytes((_TEXT, 126)) + size.to_bytes(2) + text
    return bytes((_TEXT, 127)) + size.to_bytes(8) + text
