"""Reading bodies: capped while they stream, in time, declared as JSON (reliability.md, fact 4)."""

import asyncio
from typing import Any

import pytest

from gateway.body import GoneError, RequestRefusedError, read_body

JSON = {b"content-type": b"application/json"}


class Sender:
    """Sends parts of a body and counts how many were taken."""

    def __init__(self, *parts: bytes, is_endless: bool = False, hangs_up: bool = False) -> None:
        self.parts = list(parts)
        self.is_endless = is_endless
        self.hangs_up = hangs_up
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        self.taken += 1
        if self.is_endless:
            return {"type": "http.request", "body": self.parts[0], "more_body": True}
        if not self.parts and self.hangs_up:
            return {"type": "http.disconnect"}
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts) or self.hangs_up}


async def silent() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def read(sender: Any, headers: dict[bytes, bytes] = JSON, timeout_s: float = 5) -> bytes:
    return await read_body(headers, sender, max_bytes=1000, timeout_s=timeout_s)


async def status_of(sender: Any, headers: dict[bytes, bytes] = JSON, timeout_s: float = 5) -> int:
    with pytest.raises(RequestRefusedError) as caught:
        await read(sender, headers, timeout_s)
    return caught.value.problem.status


async def test_a_body_in_parts_comes_back_whole() -> None:
    assert await read(Sender(b"{", b"", b"}")) == b"{}"
    assert await read(Sender(b"x" * 1000)) == b"x" * 1000


async def test_a_body_one_byte_over_the_cap_is_refused_in_one_part_or_many() -> None:
    assert await status_of(Sender(b"x" * 1001)) == 413
    assert await status_of(Sender(*[b"x" * 7] * 143)) == 413


async def test_a_content_length_over_the_cap_is_refused_and_drained() -> None:
    sender = Sender(b"x" * 900, b"x" * 900)
    assert await status_of(sender, {**JSON, b"content-length": b"1800"}) == 413
    assert sender.parts == []


async def test_a_sender_that_asks_first_is_refused_before_it_sends() -> None:
    sender = Sender(b"x" * 1800)
    headers = {**JSON, b"content-length": b"1800", b"expect": b"100-continue"}
    assert await status_of(sender, headers) == 413
    assert sender.taken == 0


async def test_a_content_length_that_lies_does_not_lift_the_cap() -> None:
    assert await status_of(Sender(b"x" * 2000), {**JSON, b"content-length": b"2"}) == 413


async def test_an_endless_body_is_drained_to_a_bound_and_no_further() -> None:
    sender = Sender(b"x" * 1_048_576, is_endless=True)
    assert await status_of(sender) == 413
    assert sender.taken <= 18  # 16 MiB are drained, in parts of 1 MiB


async def test_a_silent_sender_is_refused_in_time() -> None:
    assert await status_of(silent, timeout_s=0.01) == 408


async def test_a_caller_that_hangs_up_is_not_answered() -> None:
    with pytest.raises(GoneError):
        await read(Sender(b"{", hangs_up=True))


@pytest.mark.parametrize(
    "media_type", [b"application/json", b"Application/JSON; charset=UTF-8", b'application/json;charset="utf-8"']
)
async def test_json_is_taken_however_it_is_written(media_type: bytes) -> None:
    assert await read(Sender(b"{}"), {b"content-type": media_type}) == b"{}"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"content-type": b"text/plain"},
        {b"content-type": b"application/json; charset=latin-1"},
        {b"content-type": b"application/jsonx"},
        {**JSON, b"content-encoding": b"gzip"},
    ],
)
async def test_anything_not_declared_as_plain_json_is_refused_unread(headers: dict[bytes, bytes]) -> None:
    sender = Sender(b"{}")
    assert await status_of(sender, headers) == 415
    assert sender.taken == 0
