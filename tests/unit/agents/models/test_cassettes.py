"""Cassettes: what was recorded comes back byte for byte, and nothing else ever does (issue 3, point 7)."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.asking import Usage
from agents.models.calls import CallError, CallKey, Completion, current_call
from agents.models.cassette_file import ERRORS, SCHEMA, Answered, Exchange, Failed, exchange_to_line, read_cassette
from agents.models.cassette_match import CassetteMissError, body_difference
from agents.models.cassettes import Cassette
from tests.unit.agents.models.taping import (
    NoNetwork,
    no_network,
    opened,
    outcome_of,
    plain,
    record,
    recording,
    replayed,
)
from tests.unit.agents.models.wire_server import Say, a_call, answer, completion, fault, raw, serving

CANARY = "sk-canary-7f3a-and-longer"
KEY = a_call().key
HEADER = orjson.dumps({"schema": SCHEMA}) + b"\n"
DRIPPED = 0.05
"""How long a test waits for a reply that never ends, seconds."""


# --- What is recorded comes back ---


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":  1,\r\n"b":"Th\xe1\xba\xbf gi\xe1\xbb\x9bi \\u0041 \xe2\x80\xa8"}\n\n',
        b"\xff\xfe\x00 no text \x80",
        b"",
        b"\xef\xbb\xbf{}",
        "\U0001f409 \x00".encode(),
    ],
)
async def test_a_body_passes_and_replays_byte_for_byte(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "a.jsonl"
    with recording(path) as cassette:
        async with (
            serving(
                raw(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nx-request-id: r-1\r\n\r\n" % len(body) + body)
            ) as server,
            plain(cassette.around(httpx2.AsyncHTTPTransport())) as client,
        ):
            first = await client.post(f"http://127.0.0.1:{server.port}/v1", json={"n": 1})
    cassette = Cassette.replaying(path)
    async with plain(cassette.around(no_network())) as client:
        again = await client.post("http://elsewhere.invalid/", json={"n": 1})

    assert (first.content, again.content) == (body, body)
    assert (again.status_code, again.headers.raw) == (first.status_code, first.headers.raw)
    assert first.headers["x-request-id"] == "r-1"


async def test_a_compressed_reply_is_kept_as_it_went_over_the_wire(tmp_path: Path) -> None:
    path, packed = tmp_path / "a.jsonl", gzip.compress(b"hello")
    with recording(path) as cassette:
        async with (
            serving(answer(packed, content_encoding="gzip")) as server,
            plain(cassette.around(httpx2.AsyncHTTPTransport())) as client,
        ):
            first = await client.get(f"http://127.0.0.1:{server.port}/")
    async with plain(Cassette.replaying(path).around(no_network())) as client:
        again = await client.get("http://elsewhere.invalid/")

    assert (first.content, again.content) == (b"hello", b"hello")
    (exchange,) = read_cassette(path)
    assert isinstance(exchange.outcome, Answered)
    assert exchange.outcome.body == packed


async def test_a_call_of_the_real_client_replays_without_any_network(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with recording(path) as cassette:
        async with serving(answer(completion())) as server, opened(server.endpoint(), cassette) as client:
            first = await client.complete(a_call())
            sent = server.received[0].body
    cassette = Cassette.replaying(path)

    assert first == Completion('{"verdict":"approve"}', Usage(120, 100, 30))
    assert [await replayed(cassette, a_call()) for _ in range(3)] == [first] * 3
    assert (cassette.misses, cassette.unused) == (0, ())
    (exchange,) = read_cassette(path)
    assert exchange.key == KEY
    assert orjson.loads(exchange.request) == sent
    assert exchange.outcome == Answered(200, (), completion())


FAULTS: dict[str, Say] = {
    "L3": fault("429 Too Many", retry_after="7", date="Mon, 02 Mar 2026 10:00:00 GMT"),
    "L3 date": fault("429 x", date="Mon, 02 Mar 2026 10:00:00 GMT", retry_after="Mon, 02 Mar 2026 10:00:30 GMT"),
    "L5": fault("429 x", "insufficient_quota"),
    "L6": answer(b"<html>", "502 Bad Gateway"),
    "L7": fault("401 No", "invalid_api_key"),
    "L9": answer(b"{"),
    "L16": answer(b"x" * 400_000),
    "compressed": answer(gzip.compress(b"{}"), content_encoding="gzip"),
}


@pytest.mark.parametrize("row", FAULTS)
async def test_a_recorded_failure_replays_as_that_failure(tmp_path: Path, row: str) -> None:
    path = tmp_path / "a.jsonl"
    with recording(path) as cassette:
        async with serving(FAULTS[row]) as server, opened(server.endpoint(), cassette) as client:
            first = await outcome_of(client, a_call())

    again = await replayed(Cassette.replaying(path), a_call())

    assert isinstance(first, CallError)
    assert vars(again) == vars(first)


@pytest.mark.parametrize(
    ("reply", "error"),
    [(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"), "ReadError"), (raw(b""), "ReadError")],
)
async def test_a_broken_connection_replays_as_one(tmp_path: Path, reply: Say, error: str) -> None:
    path = tmp_path / "a.jsonl"  # L8
    await record(path, a_call(), replies=(reply,))

    again = await replayed(Cassette.replaying(path), a_call())

    assert [exchange.outcome.error for exchange in read_cassette(path) if isinstance(exchange.outcome, Failed)] == [
        error
    ]
    assert isinstance(again, CallError)
    assert (again.kind, again.is_retryable, again.is_endpoint_fault) == ("unreachable", True, True)


async def test_a_refused_connection_replays_as_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"  # L20
    async with serving() as server:
        endpoint = server.endpoint()
    with recording(path) as cassette:
        async with opened(endpoint, cassette) as client:
            first = await outcome_of(client, a_call())

    again = await replayed(Cassette.replaying(path), a_call())

    assert isinstance(first, CallError)
    assert first.because.startswith("no connection to endpoint 'local'")
    assert vars(again) == vars(first)


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(DRIPPED / 10)


async def test_a_call_that_was_given_up_replays_as_a_timeout_that_nobody_tries_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"  # L2
    with recording(path) as cassette:
        async with serving(dripping) as server, opened(server.endpoint(), cassette) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(DRIPPED):
                    await client.complete(a_call())

    again = await replayed(Cassette.replaying(path), a_call())
    async with plain(Cassette.replaying(path).around(no_network())) as client_of_others:
        token = current_call.set(KEY)
        with pytest.raises(httpx2.ReadTimeout):
            await client_of_others.post("http://x.invalid/", content=read_cassette(path)[0].request)
        current_call.reset(token)

    assert isinstance(again, CallError)
    assert (again.kind, again.is_retryable, again.is_endpoint_fault) == ("timeout", False, True)


@pytest.mark.parametrize("name", ERRORS)
async def test_every_error_of_a_transport_replays_as_its_class(tmp_path: Path, name: str) -> None:
    class Failing(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            raise ERRORS[name]("it broke", request=request)

    path = tmp_path / "a.jsonl"
    with recording(path) as cassette:
        async with plain(cassette.around(Failing())) as client:
            with pytest.raises(ERRORS[name]):
                await client.get("http://x.invalid/")

    async with plain(Cassette.replaying(path).around(no_network())) as client:
        with pytest.raises(ERRORS[name], match="it broke") as caught:
            await client.get("http://x.invalid/")
    assert type(caught.value) is ERRORS[name]


async def test_what_is_recorded_again_replaces_what_was(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    await record(path, a_call(), replies=(fault("500 Oops"),))
    await record(path, a_call(), a_call(key=KEY._replace(repeat=1)))

    cassette = Cassette.replaying(path)

    assert isinstance(await replayed(cassette, a_call()), Completion)
    assert [exchange.key.repeat for exchange in cassette.unused if exchange.key] == [1]


async def test_repeats_and_attempts_of_one_request_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    keys = [KEY, KEY._replace(attempt=1), KEY._replace(repeat=1)]
    replies = [fault("503 Busy"), answer(completion("one")), answer(completion("two"))]
    await record(path, *[a_call(key=key) for key in keys], replies=tuple(replies))
    cassette = Cassette.replaying(path)

    found = [await replayed(cassette, a_call(key=key)) for key in reversed(keys)]

    assert [one.text if isinstance(one, Completion) else one.kind for one in found] == ["two", "one", "unreachable"]


# --- What is not recorded is refused ---

OTHER: dict[str, Any] = {
    "member": "risk",
    "prompt_hash": "f" * 64,
    "model": "local/other",
    "parameters": '{"temperature":1}',
    "request_hash": "e" * 64,
    "round": 2,
    "variant": "twin",
    "repeat": 7,
    "attempt": 1,
}


def test_every_field_of_the_key_is_tried() -> None:
    assert tuple(OTHER) == CallKey._fields


@pytest.mark.parametrize("at", range(len(OTHER)), ids=list(OTHER))
async def test_a_miss_names_the_first_field_that_differs_and_calls_nobody(tmp_path: Path, at: int) -> None:
    path = tmp_path / "a.jsonl"
    await record(path, a_call())
    cassette = Cassette.replaying(path)
    later = dict(list(OTHER.items())[at : at + 2])

    missed = await replayed(cassette, a_call(key=KEY._replace(**later)))

    assert isinstance(missed, CassetteMissError)
    assert (missed.first_difference, missed.pointer, missed.nearest) == (next(iter(later)), None, 2)
    assert (missed.kind, missed.is_retryable, missed.is_endpoint_fault) == ("unreachable", False, False)
    assert (cassette.misses, [exchange.line for exchange in cassette.unused]) == (1, [2])


async def test_a_miss_points_into_the_request_and_shows_none_of_its_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    texts = ["Another case altogether.", f"A case of {CANARY} one.", "A case"]
    calls = [a_call(messages=({"role": "user", "content": text},)) for text in texts]
    await record(path, *calls)
    cassette = Cassette.replaying(path)

    missed = await replayed(cassette, a_call(messages=({"role": "user", "content": f"A case of {CANARY} two."},)))

    assert isinstance(missed, CassetteMissError)
    assert (missed.first_difference, missed.pointer, missed.nearest) == (
        "/messages/0/content",
        "/messages/0/content",
        3,
    )
    assert missed.because == (
        f"no recording of lore's call (round 1, full, repeat 0, attempt 0) in {str(path)!r}: unlike line 3, "
        f"the requests first differ at /messages/0/content, character {len(f'A case of {CANARY} ')}; record it again"
    )


async def test_the_recording_whose_key_is_nearest_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    near, far = KEY._replace(prompt_hash="f" * 64), KEY._replace(member="risk", model="local/other", round=2)
    other = a_call(key=near, messages=({"role": "system", "content": "You judge otherwise."},))
    await record(path, a_call(key=far), other)

    missed = await replayed(Cassette.replaying(path), a_call())

    assert isinstance(missed, CassetteMissError)
    assert (missed.first_difference, missed.pointer, missed.nearest) == ("prompt_hash", "/messages/0/content", 3)
    assert f"unlike line 3, prompt_hash is '{'0' * 64}', recorded '{'f' * 64}'; the requests" in missed.because


async def test_a_request_that_says_the_same_in_other_bytes_is_a_miss(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(HEADER + exchange_to_line(Exchange(None, (), b'{"a":1}', Answered(200, (), b""))))
    async with plain(Cassette.replaying(path).around(no_network())) as client:
        with pytest.raises(CassetteMissError, match="the requests first differ at byte 5; record it again") as caught:
            await client.post("http://x.invalid/", content=b'{"a": 1}')

    assert caught.value.first_difference == ""


async def test_an_empty_cassette_misses_everything(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    Cassette.recording(path).close()
    cassette = Cassette.replaying(path)

    missed = await replayed(cassette, a_call())

    assert isinstance(missed, CassetteMissError)
    assert missed.because.endswith("nothing is recorded there; record it first")
    assert (missed.first_difference, cassette.misses) == ("", 1)


async def test_closing_the_client_closes_what_is_wrapped(tmp_path: Path) -> None:
    path, wrapped = tmp_path / "a.jsonl", [NoNetwork(), NoNetwork()]
    with recording(path) as cassette:
        await cassette.around(wrapped[0]).aclose()
    await Cassette.replaying(path).around(wrapped[1]).aclose()

    assert [each.is_closed for each in wrapped] == [True, True]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_a_difference_is_pointed_to_where_there_is_one(one: Any, other: Any) -> None:
    place = body_difference(orjson.dumps(one), orjson.dumps(other))

    if orjson.dumps(one) == orjson.dumps(other):
        assert place == ""
    elif place:
        assert found(one, place) != found(other, place)


def found(document: Any, place: str) -> bytes | None:
    """Look a JSON pointer up, by the words of RFC 6901; None where it leads nowhere."""
    for segment in place.split("/")[1:]:
        name = segment.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and int(name) < len(document):
            document = document[int(name)]
        elif isinstance(document, dict) and name in document:
            document = document[name]
        else:
            return None
    return orjson.dumps(document)


# --- Secrets ---


async def test_no_key_and_no_cookie_gets_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"  # L7: endpoints repeat the key in their error
    reply = fault("401 No", message=f"Incorrect API key: {CANARY}", x_request_id=CANARY, set_cookie=f"a={CANARY}")
    sent = {"Authorization": f"Bearer {CANARY}", "Cookie": CANARY, "api-key": CANARY, "X-Goog-Api-Key": CANARY}
    with recording(path) as cassette:
        async with serving(reply) as server, plain(cassette.around(httpx2.AsyncHTTPTransport())) as client:
            answered = await client.post(f"http://127.0.0.1:{server.port}/?key={CANARY}", headers=sent, json={"n": 1})
            assert server.received[0].headers["authorization"] == f"Bearer {CANARY}"

    assert CANARY.encode() not in path.read_bytes()
    assert CANARY not in answered.text
    (exchange,) = read_cassette(path)
    assert exchange.headers == (("content-type", "application/json"),)
    assert isinstance(exchange.outcome, Answered)
    assert exchange.outcome.body == answered.content


async def test_the_real_clients_key_stays_out_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with recording(path) as cassette:
        async with (
            serving(answer(completion(CANARY))) as server,
            opened(server.endpoint(key="A_KEY"), cassette, key=CANARY) as client,
        ):
            await client.complete(a_call())

    assert CANARY.encode() not in path.read_bytes()


async def test_an_error_that_quotes_the_key_is_recorded_without_it(tmp_path: Path) -> None:
    class Quoting(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            raise httpx2.LocalProtocolError(f"illegal header value {request.headers['authorization']}")

    path = tmp_path / "a.jsonl"
    with recording(path) as cassette:
        async with plain(cassette.around(Quoting())) as client:
            with pytest.raises(httpx2.LocalProtocolError):
                await client.get("http://x.invalid/", headers={"authorization": f"Bearer {CANARY}"})

    assert CANARY.encode() not in path.read_bytes()
    assert read_cassette(path)[0].outcome == Failed(
        "LocalProtocolError", f"illegal header value Bearer {'*' * len(CANARY)}"
    )
