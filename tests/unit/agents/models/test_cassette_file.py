"""The cassette's file: whole lines whatever happens to the process, and a plain word about every file that is not one."""

import asyncio
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models.calls import CallError, CallKey
from agents.models.cassette_file import (
    CANCELLED,
    ERRORS,
    SCHEMA,
    Answered,
    CassetteError,
    Exchange,
    Failed,
    exchange_to_line,
    read_cassette,
)
from agents.models.cassettes import Cassette
from tests.unit.agents.models.taping import opened, outcome_of, record, recording
from tests.unit.agents.models.wire_server import a_call, answer, completion, serving

KEY = a_call().key
HEADER = orjson.dumps({"schema": SCHEMA}) + b"\n"

PAIRS = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple)
KEYS = st.builds(
    CallKey,
    st.sampled_from(["governor", "fairness", "lore", "narrative", "risk"]),
    *[st.text(max_size=8)] * 4,
    st.integers(1, 2),
    st.sampled_from(["full", "twin"]),
    st.integers(0, 99),
    st.integers(0, 9),
)
BODIES = st.binary() | st.text().map(str.encode)
OUTCOMES = st.builds(Answered, st.integers(100, 999), PAIRS, BODIES) | st.builds(
    Failed, st.sampled_from([*ERRORS, CANCELLED]), st.text()
)


@given(st.lists(st.builds(Exchange, st.none() | KEYS, PAIRS, BODIES, OUTCOMES), max_size=4))
def test_every_exchange_survives_the_file(tmp_path_factory: pytest.TempPathFactory, exchanges: list[Exchange]) -> None:
    path = tmp_path_factory.mktemp("cassette") / "a.jsonl"
    path.write_bytes(HEADER + b"".join([exchange_to_line(exchange) for exchange in exchanges]))

    assert read_cassette(path) == tuple([one._replace(line=at) for at, one in enumerate(exchanges, start=2)])


GOOD = orjson.loads(exchange_to_line(Exchange(KEY, (), b"{}", Answered(200, (), b"{}"))))


@dataclass(frozen=True)
class Bad:
    """A file that is no cassette, and what is said about it."""

    id: str
    content: bytes
    line: int
    field: str
    said: str


def edited(part: str, **changes: Any) -> bytes:
    return HEADER + orjson.dumps({**GOOD, part: {**GOOD[part], **changes}}) + b"\n"


BAD = [
    Bad("empty", b"", 1, "/schema", "is no cassette"),
    Bad("another file", b"hello\nworld\n", 1, "/schema", "is no cassette"),
    Bad("a list", b"[1]\n", 1, "/schema", "is no cassette"),
    Bad("another version", b'{"schema":"council.cassette/9"}\n', 1, "/schema", "is not 'council.cassette/1'"),
    Bad("no JSON", HEADER + b"{}}\n", 2, "", "invalid JSON"),
    Bad(
        "no request",
        HEADER + b'{"key":null,"error":{"name":"ReadError","message":""}}\n',
        2,
        "/request",
        "field required",
    ),
    Bad("a member", edited("key", member="loki"), 2, "/key/member", "input should be 'governor'"),
    Bad("a round", edited("key", round="1"), 2, "/key/round", "input should be a valid integer"),
    Bad("unknown", edited("key", colour="red"), 2, "/key/colour", "extra inputs are not permitted"),
    Bad("both", edited("response", base64=""), 2, "/response", "holds not exactly one of text and base64"),
    Bad("no base64", edited("response", text=None, base64="?"), 2, "/response", "holds a base64 that is none"),
    Bad("status", edited("response", status=20), 2, "/response/status", "input should be greater"),
    Bad("changed", edited("request", text="{ }"), 2, "/request/sha256", "is not that of the body"),
    Bad(
        "no end",
        HEADER + orjson.dumps({**GOOD, "response": None}) + b"\n",
        2,
        "",
        "holds not exactly one of response and",
    ),
    Bad(
        "an error",
        HEADER + orjson.dumps({**GOOD, "response": None, "error": {"name": "ReedError", "message": ""}}) + b"\n",
        2,
        "/error/name",
        "unknown error 'ReedError': did you mean 'ReadError'?",
    ),
    Bad("torn", HEADER + orjson.dumps(GOOD) + b'\n{"key":', 3, "", "the last line is torn"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.id)
def test_a_bad_file_is_refused_with_its_line_its_field_and_a_fix(tmp_path: Path, bad: Bad) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(bad.content)

    with pytest.raises(CassetteError) as caught:
        Cassette.replaying(path)

    assert (caught.value.path, caught.value.line, caught.value.field) == (path, bad.line, bad.field)
    assert str(caught.value).startswith(f"{path}:{bad.line}: {bad.field}{': ' if bad.field else ''}{bad.said}")
    assert str(caught.value).endswith(f"; {caught.value.fix}")
    assert "\n" not in str(caught.value)


def test_a_cassette_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CassetteError, match=r"a\.jsonl: cannot be read: no such file or directory; check the path, or record"
    ):
        Cassette.replaying(tmp_path / "a.jsonl")
    with pytest.raises(CassetteError, match="cannot be opened: no such file or directory; name a file in a directory"):
        Cassette.recording(tmp_path / "nowhere" / "a.jsonl")


@pytest.mark.parametrize("content", [b"notes of mine\nwithout an end", b'{"schema":"council.cassette/9"}\n'])
def test_recording_leaves_a_file_that_is_no_cassette_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)

    with pytest.raises(CassetteError, match=":1: /schema: "):
        Cassette.recording(path)

    assert path.read_bytes() == content


@pytest.mark.parametrize("kept", [0, 7, len(HEADER) - 1])
async def test_a_first_line_torn_by_a_crash_is_written_again(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(HEADER[:kept])

    await record(path, a_call())

    assert len(read_cassette(path)) == 1
    assert path.read_bytes().startswith(HEADER)


async def test_recording_drops_a_torn_line_and_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.jsonl"
    await record(path, a_call())
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[1][:-9])

    await record(path, a_call(key=KEY._replace(attempt=1)))

    assert [exchange.key.attempt for exchange in read_cassette(path) if exchange.key] == [0, 1]
    assert path.read_bytes().startswith(whole)
    assert [(line.msg, line.__dict__["hint"]) for line in caplog.records] == [
        ("cassette_line_torn", f"{path}:3: a torn line was dropped; its call is to be recorded again")
    ]


async def test_a_last_line_that_lacks_only_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    await record(path, a_call())
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert len(read_cassette(path)) == 1

    await record(path, a_call())

    assert len(read_cassette(path)) == 2


def test_two_recordings_into_one_file_at_once_are_refused(tmp_path: Path) -> None:
    with (
        recording(tmp_path / "a.jsonl"),
        pytest.raises(CassetteError, match="it is being recorded into already; record into another file"),
    ):
        Cassette.recording(tmp_path / "a.jsonl")
    Cassette.recording(tmp_path / "a.jsonl").close()


async def test_calls_at_once_are_recorded_each_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    calls = [a_call(key=KEY._replace(repeat=at)) for at in range(64)]
    with recording(path) as cassette:
        async with serving(answer(completion("x" * 20_000))) as server, opened(server.endpoint(), cassette) as client:
            await asyncio.gather(*[client.complete(call) for call in calls])

    assert sorted([exchange.key.repeat for exchange in read_cassette(path) if exchange.key]) == list(range(64))


def test_threads_record_each_on_a_line_of_its_own(tmp_path: Path) -> None:
    path, body = tmp_path / "a.jsonl", b"x" * 300_000

    async def calls(transport: httpx2.AsyncBaseTransport) -> None:
        for _ in range(20):
            await transport.handle_async_request(httpx2.Request("POST", "http://x.invalid/", content=body))

    class Echo(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, content=request.content)

    with recording(path) as cassette:
        threads = [threading.Thread(target=asyncio.run, args=(calls(cassette.around(Echo())),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(read_cassette(path)) == 80


RECORD_FOR_EVER = """
import sys
from agents.models.cassette_file import Answered, Exchange
from agents.models.cassette_tape import Tape
from pathlib import Path
tape = Tape(Path(sys.argv[1]))
for at in range(10**9):
    tape.append(Exchange(None, (), b"%s %d" % (sys.argv[2].encode(), at), Answered(200, (), b"x" * 100_000)))
    print(at, flush=True)
"""


def test_a_killed_recording_keeps_every_exchange_that_was_told_of(tmp_path: Path) -> None:
    path, told = tmp_path / "a.jsonl", []
    for run in ("first", "second"):
        command = [sys.executable, "-c", RECORD_FOR_EVER, str(path), run]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            told += [f"{run} {int(process.stdout.readline())}".encode() for _ in range(20)]
            process.send_signal(signal.SIGKILL)
    Cassette.recording(path).close()

    recorded = [exchange.request for exchange in read_cassette(path)]
    assert [request for request in recorded if request in told] == told


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let files of this process grow no larger: what a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_told_of_and_never_leaves_two_calls_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    cassette = Cassette.recording(path)
    async with serving(answer(completion("x" * 3000))) as server, opened(server.endpoint(), cassette) as client:
        with largest_file(6000):
            found = [await outcome_of(client, a_call(key=KEY._replace(repeat=at))) for at in range(3)]
        found.append(await outcome_of(client, a_call()))
    with pytest.raises(CassetteError, match=r"cannot be written: .*; make room on the disk, then record again"):
        cassette.close()

    assert [isinstance(each, CallError) for each in found] == [False, True, True, True]
    assert isinstance(found[1], CallError)
    assert found[1].because.startswith(f"{path}: cannot be written: ")
    with pytest.raises(CassetteError, match=":3: the last line is torn"):
        read_cassette(path)
    await record(path, a_call())
    assert len(read_cassette(path)) == 2


async def test_a_call_after_the_end_of_the_recording_is_told_so(tmp_path: Path) -> None:
    cassette = Cassette.recording(tmp_path / "a.jsonl")
    cassette.close()
    async with serving(answer(completion())) as server, opened(server.endpoint(), cassette) as client:
        found = await outcome_of(client, a_call())

    assert isinstance(found, CallError)
    assert found.because.endswith("is closed already; close it after the last call")
