"""Reading a request's body: JSON, in time, and never more than the cap, whatever its headers promise."""

import asyncio
import time
from typing import Final

from starlette.types import Receive

from gateway.problems import ENCODED, NOT_JSON, SLOW_BODY, Problem, too_large

DRAIN_BYTES: Final = 16 * 1_048_576
"""How much of a body that is too large is still read and thrown away, bytes: a sender learns of the refusal only once it
has finished sending."""
DRAIN_S: Final = 2.0


class GoneError(Exception):
    """the caller hung up before its body was complete"""


class RequestRefusedError(Exception):
    """the request is refused before the council sees it"""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.title)


class _TooLargeError(Exception):
    """the body grew past the cap"""

    def __init__(self, is_unfinished: bool) -> None:
        self.is_unfinished = is_unfinished
        super().__init__()


async def read_body(headers: dict[bytes, bytes], receive: Receive, *, max_bytes: int, timeout_s: float) -> bytes:
    """Return the body.

    Args:
        headers: the request's, names in lower case.
        max_bytes: largest body accepted.
        timeout_s: how long the sender may take, seconds.

    Raises:
        RequestRefusedError: for a body not declared as JSON, compressed, too large or too slow.
        GoneError: where the caller hung up.
    """
    _check_declared(headers)
    declared = headers.get(b"content-length")
    if declared is not None and int(declared) > max_bytes:
        # A sender that asks first (Expect: 100-continue) has sent nothing yet: there is nothing to drain.
        if headers.get(b"expect") is None:
            await _drain(receive)
        raise RequestRefusedError(too_large(max_bytes))
    try:
        async with asyncio.timeout(timeout_s):
            return await _received(receive, max_bytes)
    except TimeoutError:
        raise RequestRefusedError(SLOW_BODY) from None
    except _TooLargeError as error:
        if error.is_unfinished:
            await _drain(receive)
        raise RequestRefusedError(too_large(max_bytes)) from None


def _check_declared(headers: dict[bytes, bytes]) -> None:
    media_type = headers.get(b"content-type", b"")
    if media_type != b"application/json" and not _is_json(media_type):
        raise RequestRefusedError(NOT_JSON)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise RequestRefusedError(ENCODED)


def _is_json(media_type: bytes) -> bool:
    kind, _, parameters = media_type.partition(b";")
    charset = parameters.strip().lower().replace(b'"', b"")
    return kind.strip().lower() == b"application/json" and charset in (b"", b"charset=utf-8")


async def _received(receive: Receive, max_bytes: int) -> bytes:
    """Return the body, or raise as soon as it grows past the cap."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part: bytes = message.get("body", b"")
        is_unfinished = message.get("more_body", False)
        size += len(part)
        if size > max_bytes:
            raise _TooLargeError(is_unfinished)
        if not is_unfinished:
            return b"".join([*parts, part]) if parts else part
        parts.append(part)


async def _drain(receive: Receive) -> None:
    size, until = 0, time.monotonic() + DRAIN_S
    try:
        async with asyncio.timeout(DRAIN_S):
            while size < DRAIN_BYTES and time.monotonic() < until:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
