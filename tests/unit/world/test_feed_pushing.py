"""Readers who wait are written to past their task: they get what they would have taken, and nothing twice (S0-19)."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame as Message
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from tests.unit.world.feed_samples import LIMITS, Happenings
from tests.unit.world.living_realm import REALM
from world.feed.batch import Batch
from world.feed.feeds import Feeds
from world.feed.frames import Audience, Frame, heartbeat_frame
from world.feed.framing import as_chunk, as_messages
from world.feed.reader import Reader
from world.feed.seating import Row, Seating
from world.feed.wire import Framing, Wire
from world.persistence.memory import MemoryStore
from world.persistence.port import WorldStore

USERS: Final = (None, "ana", "bo")


def frame(sequence: int, user_id: str | None = None, *, is_hidden: bool = False) -> Frame:
    return Frame(sequence, user_id, is_hidden, b"id: %d\n\n" % sequence, "")


def documents(sse: bytes) -> list[dict[str, Any]]:
    """Return what server-sent events carry; a sign of life carries its id alone."""
    found = []
    for block in sse.decode().strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        found.append(orjson.loads(fields["data"]) if "data" in fields else {"sequence": int(fields["id"])})
    return found


def of_chunk(data: bytes) -> list[dict[str, Any]]:
    """Return what a chunk of an HTTP/1.1 response carries."""
    size, _, rest = data.partition(b"\r\n")
    assert rest.endswith(b"\r\n")
    assert len(rest) == int(size, 16) + 2
    return documents(rest[:-2])


def of_messages(data: bytes) -> list[dict[str, Any]]:
    """Return what messages of a WebSocket carry, as a client reads them that knows nothing of how they were made."""
    client = ClientProtocol(parse_uri("ws://here"), state=State.OPEN)
    client.receive_data(data)
    assert client.parser_exc is None
    return [orjson.loads(message.data) for message in client.events_received() if isinstance(message, Message)]


READ: Final[dict[Framing, Callable[[bytes], list[dict[str, Any]]]]] = {as_chunk: of_chunk, as_messages: of_messages}


class Connection:
    """A connection as a server has it: takes what comes, or is full, and then its task waits until there is room."""

    def __init__(self, world: Happenings, user_id: str | None = None, framing: Framing = as_chunk) -> None:
        self.world = world
        self.user_id = user_id
        self.framing = framing
        self.room = asyncio.Event()
        self.room.set()
        self.pushed: list[dict[str, Any]] = []
        self.taken: list[dict[str, Any]] = []
        self.got: list[int] = []
        self.gaps: list[tuple[int, int]] = []
        self.last_id: int | None = 0
        self.reader: Reader | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, unless it is connected."""
        if self._task is not None and not self._task.done():
            return
        if self._task is not None and not self._task.cancelled():
            self._task.result()  # a task that failed is no connection that was lost
        await self.leave()
        wire = Wire(self, self.framing)
        self.reader = await self.world.feeds.open(REALM, Audience(self.user_id), self.last_id, wire)
        self._task = asyncio.create_task(self._serve(self.reader))

    async def leave(self) -> None:
        """Lose the connection."""
        if self.reader is not None and self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self.world.feeds.leave(REALM, self.reader)
        self.reader = None

    async def stands_at(self, sequence: int) -> None:
        async with asyncio.timeout(5):
            while self.reader is None or self.reader.cursor < sequence or self.reader.waiting is None:
                await self.open()
                await asyncio.sleep(0)

    async def _serve(self, reader: Reader) -> None:
        """What the stream's endpoint does."""
        while True:
            frames, ended = await reader.take()
            await self.room.wait()
            for each in frames:
                self._learn(self.taken, documents(each.sse))
            if ended is not None:
                return

    def write(self, data: bytes, /) -> None:
        assert self.room.is_set()
        self._learn(self.pushed, READ[self.framing](data))

    def get_write_buffer_size(self) -> int:
        return 0 if self.room.is_set() else 1

    def is_closing(self) -> bool:
        return self.reader is None

    def abort(self) -> None:
        self.reader = None

    def _learn(self, kept: list[dict[str, Any]], came: list[dict[str, Any]]) -> None:
        for document in came:
            kept.append(document)
            if document.get("kind") == "dropped":
                continue
            if document.get("kind") == "stale":
                self.gaps.append((document["asked"], document["sequence"]))
            if "payload" in document:
                self.got.append(document["sequence"])
            self.last_id = document["sequence"]


async def waiting(world: Happenings, user_id: str | None = None, framing: Framing = as_chunk) -> Connection:
    """Return a connection whose task waits for what will happen."""
    found = Connection(world, user_id, framing)
    await found.stands_at(0)
    return found


@pytest.mark.parametrize("framing", READ)
async def test_one_who_waits_is_written_to_while_its_task_sleeps_on(framing: Framing) -> None:
    world = await Happenings().begin()
    connection = await waiting(world, framing=framing)

    await world.happen(2)
    await connection.stands_at(2)

    assert [each["kind"] for each in connection.taken] == ["hello"]
    assert [each["sequence"] for each in connection.pushed] == [1, 2]


async def test_one_whose_connection_is_full_takes_it_once_there_is_room() -> None:
    world = await Happenings().begin()
    connection = await waiting(world)
    connection.room.clear()
    await world.happen(2)
    await asyncio.sleep(0.01)

    connection.room.set()
    await connection.stands_at(2)

    assert connection.pushed == []
    assert [each["sequence"] for each in connection.taken] == [0, 1, 2]


async def test_one_connection_that_is_full_holds_up_no_other_in_its_row() -> None:
    world = await Happenings(LIMITS._replace(slice=4)).begin()
    full, free = await waiting(world), await waiting(world)
    full.room.clear()

    await world.happen(2)
    await free.stands_at(2)
    full.room.set()
    await full.stands_at(2)
    await world.happen(1)
    for connection in (full, free):
        await connection.stands_at(3)

    assert [each["sequence"] for each in free.pushed] == [1, 2, 3]
    assert full.got == [1, 2, 3]
    assert [each["sequence"] for each in full.pushed] == [3], "it sits with the others again"


async def test_one_that_is_at_work_is_left_to_it() -> None:
    """Nothing may come before its hello, nor before what it has taken and not yet written."""
    world = await Happenings().begin()
    connection = Connection(world)
    connection.room.clear()
    await connection.open()
    await asyncio.sleep(0.01)

    await world.happen(1)
    await asyncio.sleep(0.01)
    assert (connection.pushed, connection.taken) == ([], [])
    connection.room.set()
    await connection.stands_at(1)

    assert (connection.pushed, connection.got) == ([], [1])


async def test_what_comes_while_it_is_offered_reaches_each_once() -> None:
    """Rows leave room for that: one may come, or go on from the ring, before another row's turn has come."""
    world = await Happenings(LIMITS._replace(slice=1)).begin()
    connections = [await waiting(world) for _ in range(3)]
    seating = Seating(1)
    for connection in connections:
        assert connection.reader is not None
        connection.reader.rise()
        seating.take_in(connection.reader)
    first, second = Batch([frame(1)], 0, 1), Batch([frame(2)], 1, 2)

    under_way = seating.offer(first)
    next(under_way)
    for _ in seating.offer(second):
        pass
    for _ in under_way:
        pass

    readers = [connection.reader for connection in connections if connection.reader is not None]
    assert [[each["sequence"] for each in connection.pushed] for connection in connections] == [[1, 2], [], []]
    assert [reader.cursor for reader in readers] == [2, 0, 0]
    assert [reader.waiting is None or reader.waiting.done() for reader in readers] == [False, True, True]


async def test_one_who_comes_meanwhile_sits_with_those_who_have_seen_it() -> None:
    """The second row has room, but not been written to: there it would get what it took for itself."""
    world = await Happenings(LIMITS._replace(slice=4)).begin()
    connections = [await waiting(world) for _ in range(4)]
    readers = [connection.reader for connection in connections if connection.reader is not None]
    seating = Seating(2)
    for reader in readers[:3]:
        reader.rise()
        seating.take_in(reader)

    under_way = seating.offer(Batch([frame(1)], 0, 1))
    next(under_way)
    readers[3].rise(at=1)
    seating.take_in(readers[3])
    for _ in under_way:
        pass

    assert [len(connection.pushed) for connection in connections] == [1, 1, 1, 0]
    assert [reader.cursor for reader in readers] == [1, 1, 1, 1]


async def test_a_row_that_has_seen_it_is_not_written_to_again() -> None:
    world = await Happenings().begin()
    connection = await waiting(world)
    await world.happen(2)
    await connection.stands_at(2)
    assert isinstance(connection.reader, Reader)
    assert isinstance(connection.reader.row, Row)

    connection.reader.row.offer(Batch([frame(1), frame(2)], 0, 2))
    connection.reader.row.offer(Batch([frame(1)], 0, 1))
    await asyncio.sleep(0.01)

    assert (connection.got, connection.reader.cursor) == ([1, 2], 2)


async def test_a_sign_of_life_is_written_past_the_task_too() -> None:
    world = await Happenings(LIMITS._replace(heartbeat_s=0.01)).begin()
    connection = await waiting(world)
    await world.happen(1, "somebody else")
    await connection.stands_at(1)

    async with asyncio.timeout(5):
        while {"sequence": 1} not in connection.pushed:  # noqa: ASYNC110 - time is what it waits for
            await asyncio.sleep(0.005)

    assert [each["kind"] for each in connection.taken] == ["hello"]
    assert connection.got == []


async def test_every_reader_of_several_slices_is_written_to() -> None:
    world = await Happenings(LIMITS._replace(slice=4)).begin()
    connections = [await waiting(world) for _ in range(10)]

    await world.happen(1)
    for connection in connections:
        await connection.stands_at(1)

    assert {len(connection.pushed) for connection in connections} == {1}


def test_a_batch_is_put_together_once_for_all_who_may_see_the_same() -> None:
    """Two frames of 7 octets: e in hexadecimal digits."""
    public = Batch([frame(1), frame(2)], 0, 2)
    mixed = Batch([frame(1), frame(2, "ana"), frame(3, is_hidden=True)], 0, 3)

    assert (public.is_for_all, mixed.is_for_all) == (True, False)
    assert public.bytes_for(as_chunk) == b"e\r\nid: 1\n\nid: 2\n\n\r\n"
    assert public.bytes_for(as_chunk, Audience("ana")) is public.bytes_for(as_chunk, Audience("bo"))
    assert mixed.bytes_for(as_chunk) == b"7\r\nid: 1\n\n\r\n"
    assert mixed.bytes_for(as_chunk, Audience("ana")) == b"e\r\nid: 1\n\nid: 2\n\n\r\n"
    assert mixed.bytes_for(as_chunk, Audience("bo", sees_hidden=True)) == b"e\r\nid: 1\n\nid: 3\n\n\r\n"
    assert mixed.bytes_for(as_chunk, Audience("bo")) is mixed.bytes_for(as_chunk, Audience("cy"))


@pytest.mark.parametrize("only", [frame(1, "ana"), frame(1, is_hidden=True)])
def test_a_batch_that_one_may_not_see_is_not_for_all(only: Frame) -> None:
    assert not Batch([only], 0, 1).is_for_all


def test_a_batch_of_others_events_is_nothing() -> None:
    """An empty chunk would end the response (RFC 9112, 7.1)."""
    batch = Batch([frame(1, "ana")], 0, 1)

    assert (batch.bytes_for(as_chunk, Audience("bo")), batch.bytes_for(as_messages, Audience("bo"))) == (b"", b"")
    assert (batch.is_beat, Batch([heartbeat_frame(REALM, 1)], 1, 1).is_beat) == (False, True)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_messages_of_any_length_are_read_as_they_were(size: int) -> None:
    """RFC 6455, 5.2 has three forms of a length: to 125, to 65,535, and beyond."""
    texts = ["x" * size, "a", "veil \N{EM DASH} xé"]
    found = as_messages([Frame(1, None, False, b"", text) for text in texts])

    client = ClientProtocol(parse_uri("ws://here"), state=State.OPEN, max_size=None)
    client.receive_data(found)

    received = [message for message in client.events_received() if isinstance(message, Message)]
    assert [(message.opcode, message.fin, bytes(message.data).decode()) for message in received] == [
        (Opcode.TEXT, True, text) for text in texts
    ]


class Move(NamedTuple):
    """One thing that happens."""

    what: Literal["happen", "fill", "drain", "come", "leave", "go on"]
    who: int
    """Which connection it is about, or which user an event is for."""
    times: int


MOVES = st.lists(
    st.builds(
        Move,
        st.sampled_from(["happen", "happen", "fill", "drain", "come", "leave", "go on"]),
        st.integers(0, 2),
        st.integers(1, 12),
    ),
    max_size=40,
)


@given(MOVES, st.lists(st.sampled_from([*READ]), min_size=3, max_size=3), st.integers(1, 3))
def test_whether_written_to_or_taken_an_event_comes_once_and_in_order(
    moves: list[Move], framings: list[Framing], row: int
) -> None:
    asyncio.run(_play(moves, framings, row))


async def _play(moves: list[Move], framings: list[Framing], row: int) -> None:
    limits = LIMITS._replace(slice=row)
    world = await Happenings().begin()
    world.feeds = Feeds(cast("WorldStore", _Unhurried(world.store)), limits)
    connections = [Connection(world, user_id, framing) for user_id, framing in zip(USERS, framings, strict=True)]
    for connection in connections:
        await connection.stands_at(0)
    audience: list[str | None] = []
    for move in moves:
        connection = connections[move.who]
        if move.what == "happen":
            await world.happen(move.times, USERS[move.who])
            audience += [USERS[move.who]] * move.times
        elif move.what == "fill":
            connection.room.clear()
        elif move.what == "drain":
            connection.room.set()
        elif move.what == "come":
            await connection.open()
        elif move.what == "leave":
            await connection.leave()
        else:
            for _ in range(move.times):
                await asyncio.sleep(0)
    for connection in connections:
        connection.room.set()
        await connection.stands_at(len(audience))
        await connection.leave()
        assert connection.got == _due(connection, audience)
        assert all(upto - behind > LIMITS.kept for behind, upto in connection.gaps)
    await world.feeds.close()


class _Unhurried:
    """A store whose answers take a while, in which anything may happen."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        async def answer(*asked: Any) -> Any:
            await asyncio.sleep(0)
            found = await getattr(self._store, name)(*asked)
            await asyncio.sleep(0)
            return found

        return answer


def _due(connection: Connection, audience: list[str | None]) -> list[int]:
    """What must have come: all that is for it, but what lies in a gap that it was told of."""
    return [
        number
        for number, user_id in enumerate(audience, 1)
        if user_id in (None, connection.user_id)
        and not any(behind < number <= upto for behind, upto in connection.gaps)
    ]
