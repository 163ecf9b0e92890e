"""The live feed over real sockets: order, resuming, tickets, slow readers, limits (register rows S0-19, S0-78, S0-84, S0-108)."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import websockets

from tests.integration.feed_serving import BUFFER, Served, player, serving
from tests.unit.world.feed_samples import LIMITS
from tests.unit.world.living_realm import REALM
from world.feed.framing import as_chunk, as_messages
from world.feed.reader import Reader
from world.feed.seating import Row

STREAM = f"/api/world/{REALM}/stream"
SOCKET = f"/api/world/{REALM}/ws"
TICKET = f"{STREAM}/ticket"
SLOW = LIMITS._replace(write_timeout_s=1.5, ring=64, page=16)
BIG = "x" * 20_000


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as world:
        yield world


async def stream(world: Served, count: int, path: str = STREAM, **keys: Any) -> list[dict[str, Any]]:
    """Read so many events and notices, with the id that a browser would keep under `id`."""
    found: list[dict[str, Any]] = []
    async with (
        httpx.AsyncClient(base_url=world.url, timeout=10, trust_env=False) as client,
        client.stream("GET", path, **keys) as response,
    ):
        assert response.status_code == 200
        last_id = None
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                last_id = int(value)
            if name == "data":
                found.append({**orjson.loads(value), "id": last_id})
            if len(found) == count:
                break
    return found


async def messages(world: Served, count: int, path: str = SOCKET, **headers: str) -> list[dict[str, Any]]:
    """Read so many events and notices over a WebSocket."""
    async with websockets.connect(world.ws + path, proxy=None, additional_headers=headers) as connection:
        return [orjson.loads(await connection.recv()) for _ in range(count)]


async def answer(world: Served, method: str, path: str, **keys: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=world.url, timeout=10, trust_env=False) as client:
        return await client.request(method, path, **keys)


async def here(world: Served, readers: int) -> None:
    while world.feeds.readers < readers:  # noqa: ASYNC110 - the feed tells nobody, and need not for a test
        await asyncio.sleep(0.005)


def readers(world: Served) -> list[Reader]:
    return [*world.feeds._feeds[REALM].readers]


async def seated(world: Served, count: int) -> set[Row]:
    """Wait until so many readers have seen everything, and return the rows that they sit in."""
    async with asyncio.timeout(5):
        await here(world, count)
        while True:
            rows = [reader.row for reader in readers(world) if isinstance(reader.row, Row)]
            if len(rows) == count:
                return set(rows)
            await asyncio.sleep(0.005)


async def test_clients_of_both_transports_see_the_same_changes_in_the_same_order(served: Served) -> None:
    reading = [asyncio.create_task(stream(served, 8)), asyncio.create_task(stream(served, 8))]
    reading.append(asyncio.create_task(messages(served, 8)))
    await here(served, 3)
    for _ in range(7):
        await served.happen()

    one, two, three = [[found["sequence"] for found in await task] for task in reading]

    assert one == two == three == [0, 1, 2, 3, 4, 5, 6, 7]


async def test_headers_keep_proxies_from_holding_events_back(served: Served) -> None:
    async with (
        httpx.AsyncClient(base_url=served.url, trust_env=False) as client,
        client.stream("GET", STREAM, headers={"X-Correlation-Id": "c-9"}) as response,
    ):
        headers = response.headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert headers["x-correlation-id"] == "c-9"


async def test_the_header_of_a_browser_that_comes_back_wins_over_the_address_it_began_with(served: Served) -> None:
    await served.happen(6)

    found = await stream(served, 3, f"{STREAM}?after=1", headers={"Last-Event-ID": "4"})

    assert [each["sequence"] for each in found] == [4, 5, 6]
    assert [each["sequence"] for each in await messages(served, 3, f"{SOCKET}?after=4")] == [4, 5, 6]


async def test_a_place_that_is_too_old_gets_one_notice_and_then_what_happens(served: Served) -> None:
    await served.happen(40)
    reading = asyncio.create_task(stream(served, 2, headers={"Last-Event-ID": "1"}))
    await here(served, 1)
    await served.happen()

    stale, event = await reading

    assert (stale["kind"], stale["summary"], stale["id"]) == ("stale", f"/api/world/{REALM}/summary", 40)
    assert (event["kind"], event["id"]) == ("tick", 41)


async def test_personal_events_take_a_token_and_reach_only_their_user(served: Served) -> None:
    await served.happen(1, "ana", "contributed")
    await served.happen(1)

    kinds = [
        [each["kind"] for each in await stream(served, count, f"{STREAM}?after=0", headers=headers)]
        for count, headers in ((3, player("ana")), (2, player("bo")), (2, {}))
    ]

    assert kinds == [["hello", "contributed", "tick"], ["hello", "tick"], ["hello", "tick"]]


async def test_all_who_wait_are_written_to_past_their_tasks_and_see_what_is_theirs(served: Served) -> None:
    """Both transports in rows of their own; a designer alone sees the verdict over a player's act."""
    who = [player("ana"), player("bo"), {}, player("dee", "designer")]
    due = ["contributed tick", "tick", "tick", "decision_applied tick"]
    tasks = [
        asyncio.create_task(stream(served, len(f"hello {kinds}".split()), headers=sent))
        for sent, kinds in zip(who, due, strict=True)
    ]
    tasks += [
        asyncio.create_task(messages(served, len(f"hello {kinds}".split()), **sent))
        for sent, kinds in zip(who, due, strict=True)
    ]
    rows = await seated(served, 8)
    await served.happen(1, "ana", "contributed")
    await served.happen(1, kind="decision_applied", decision_type="impact_dispute")
    await served.happen(1)

    found = [" ".join([each["kind"] for each in await task]) for task in tasks]

    assert found == [f"hello {kinds}" for kinds in due * 2]
    assert {row.framing for row in rows} == {as_chunk, as_messages}


async def test_messages_that_are_compressed_are_written_by_the_task_alone(tmp_path: Path) -> None:
    """What all others share would be no message of such a connection (RFC 7692)."""
    async with serving(tmp_path, deflates=True) as world:
        reading = asyncio.create_task(messages(world, 3))
        await here(world, 1)
        await asyncio.sleep(0.05)
        assert [reader.row for reader in readers(world)] == [None]
        await world.happen(2, text=BIG)

        assert [each["sequence"] for each in await reading] == [0, 1, 2]


async def test_silence_is_broken_over_both_transports(tmp_path: Path) -> None:
    """A stream's sign of life is a comment with an id, which is no event."""
    async with serving(tmp_path, LIMITS._replace(heartbeat_s=0.05)) as world:
        found = await messages(world, 3)
        with _not_reading(world, STREAM) as quiet:
            await asyncio.sleep(0.2)
            received = await asyncio.to_thread(quiet.recv, BUFFER)

    assert [each["kind"] for each in found] == ["hello", "heartbeat", "heartbeat"]
    assert received.count(b": heartbeat\nid: 0\n\n\r\n") > 1


@pytest.mark.parametrize("transport", [STREAM, SOCKET])
async def test_a_ticket_opens_one_connection_as_its_user_and_no_second_one(served: Served, transport: str) -> None:
    await served.happen(1, "ana", "contributed")
    given = await answer(served, "POST", TICKET, headers=player("ana"))
    assert (given.status_code, given.headers["cache-control"]) == (201, "no-store")
    path = f"{transport}?after=0&ticket={given.json()['ticket']}"

    read: Callable[[Served, int, str], Awaitable[list[dict[str, Any]]]] = stream if transport == STREAM else messages
    assert [each["kind"] for each in await read(served, 2, path)] == ["hello", "contributed"]

    if transport == STREAM:
        again = await answer(served, "GET", path)
        assert (again.status_code, again.json()["type"]) == (401, "urn:problem-type:council:invalid-ticket")
    else:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await messages(served, 1, path)
        assert refused.value.response.status_code == 401


async def test_a_ticket_of_another_realm_opens_nothing_and_is_used_up(served: Served) -> None:
    ticket = (await answer(served, "POST", TICKET, headers=player("ana"))).json()["ticket"]

    elsewhere = await answer(served, "GET", f"/api/world/elsewhere/stream?ticket={ticket}")
    here_now = await answer(served, "GET", f"{STREAM}?ticket={ticket}")

    assert (elsewhere.status_code, here_now.status_code) == (401, 401)


@pytest.mark.parametrize(
    ("method", "path", "headers_of", "status"),
    [
        ("POST", TICKET, dict, 401),
        ("POST", TICKET, lambda: player("sim", "sim"), 403),
        ("POST", "/api/world/nowhere/stream/ticket", lambda: player("ana"), 404),
        ("POST", TICKET, lambda: player("ana", realm="elsewhere"), 403),
        ("GET", "/api/world/nowhere/stream", dict, 404),
        ("GET", f"{STREAM}?after=-1", dict, 422),
        ("GET", STREAM, lambda: {"Last-Event-ID": "1e3"}, 422),
        ("GET", STREAM, lambda: {"Authorization": "Bearer x.y.z"}, 401),
        ("GET", STREAM, lambda: player("ana", realm="elsewhere"), 403),
        ("GET", f"{STREAM}?ticket=x", lambda: player("ana"), 401),
    ],
)
async def test_what_cannot_be_served_is_refused_as_a_problem(
    served: Served, method: str, path: str, headers_of: Callable[[], dict[str, str]], status: int
) -> None:
    refused = await answer(served, method, path, headers=headers_of())  # a token made at collection would expire before

    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert served.feeds.readers == 0


async def test_a_place_that_is_none_is_named_by_the_header_or_the_parameter(served: Served) -> None:
    """A header's name is no segment of a pointer, so that the message says it."""
    for path, headers, name in (
        (STREAM, {"Last-Event-ID": "abc"}, "Last-Event-ID"),
        (f"{STREAM}?after=-1", {}, "after"),
    ):
        (fault,) = (await answer(served, "GET", path, headers=headers)).json()["faults"]
        assert fault["message"] == f"{name} is not a sequence number of this feed"


async def test_a_head_request_ends(served: Served) -> None:
    assert (await answer(served, "HEAD", STREAM)).status_code == 200


async def test_one_reader_too_many_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with serving(tmp_path, LIMITS._replace(realm_readers=1, retry_s=7)) as world:
        first = asyncio.create_task(stream(world, 2))
        await here(world, 1)

        refused = await answer(world, "GET", STREAM)
        with pytest.raises(websockets.InvalidStatus) as closed:
            await messages(world, 1)
        await world.happen()
        await first
        await world.empty()

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "7")
        assert closed.value.response.status_code == 503
        assert len(await stream(world, 1)) == 1, "the place is free again"


async def test_one_who_hangs_up_gives_its_place_back(served: Served) -> None:
    await stream(served, 1)
    await messages(served, 1)

    await asyncio.wait_for(served.empty(), 5)

    assert served.watch.here == {"sse": 0, "websocket": 0}
    assert served.watch.ended == ["gone", "gone"]


async def test_a_slow_reader_is_let_go_with_the_reason_while_others_are_on_time(tmp_path: Path) -> None:
    async with serving(tmp_path, SLOW) as world:
        with _not_reading(world, STREAM) as slow:
            await here(world, 1)
            quick = asyncio.create_task(stream(world, 31))
            await here(world, 2)
            for _ in range(30):
                await world.happen(1, text=BIG)
                await asyncio.sleep(0.002)
            assert [each["sequence"] for each in await asyncio.wait_for(quick, 5)] == list(range(31))
            await asyncio.sleep(SLOW.write_timeout_s * 1.4)
            received = await asyncio.to_thread(_all_of, slow)

        assert received.endswith(b"0\r\n\r\n"), "the response ends as it should"
        last = received.rpartition(b"event: ")[2]
        assert last.startswith(b"dropped\n")
        assert b'"reason":"too_slow"' in last
        assert world.watch.ended.count("too_slow") == 1
        sent = received.count(b"event: tick")
        assert b"id: %d\n" % sent in received
        assert 0 < sent < 30


async def test_a_slow_websocket_is_closed_with_a_code_and_the_reason(tmp_path: Path) -> None:
    async with serving(tmp_path, SLOW) as world:
        raw = _socket(world)
        async with websockets.connect(world.ws + SOCKET, sock=raw, proxy=None, max_queue=1, ping_interval=None) as slow:
            await here(world, 1)
            for _ in range(30):
                await world.happen(1, text=BIG)
            await asyncio.sleep(SLOW.write_timeout_s * 1.4)
            kinds: list[str] = []
            with pytest.raises(websockets.ConnectionClosedError) as closed:
                while True:
                    kinds.append(orjson.loads(await slow.recv())["kind"])

        assert kinds[-1] == "dropped"
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason[:28]) == (1013, "events were not taken as fas")


async def test_a_reader_that_never_takes_anything_is_cut_and_holds_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, SLOW) as world:
        with _not_reading(world, STREAM):
            await here(world, 1)
            for _ in range(30):
                await world.happen(1, text=BIG)
            await asyncio.wait_for(world.empty(), 15)

        assert world.watch.ended == ["too_slow"]


def _socket(world: Served) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    made.connect(("127.0.0.1", world.port))
    return made


def _not_reading(world: Served, path: str) -> socket.socket:
    """Ask for a stream, and take nothing of it."""
    made = _socket(world)
    made.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return made


def _all_of(connection: socket.socket) -> bytes:
    connection.settimeout(5)
    found = b""
    while not found.endswith(b"0\r\n\r\n") and (part := connection.recv(65_536)):
        found += part
    return found
