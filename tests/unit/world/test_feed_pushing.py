"""Readers who wait are written to past their task: they get what they would have taken, and nothing twice (S0-19)."""

import asyncio
from typing import Any, Final, Literal, NamedTuple, cast

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.world.feed_samples import LIMITS, Happenings
from tests.unit.world.living_realm import REALM
from world.feed.batch import Batch
from world.feed.feeds import Feeds
from world.feed.frames import Audience, Frame, event_frame, heartbeat_frame
from world.feed.reader import Reader
from world.feed.wire import Wire
from world.persistence.memory import MemoryStore
from world.persistence.port import WorldStore

USERS: Final = (None, "ana", "bo")


def frame(sequence: int, user_id: str | None = None, *, is_hidden: bool = False) -> Frame:
    return Frame(sequence, user_id, is_hidden, b"id: %d\n\n" % sequence, "")


def documents(sse: bytes) -> list[dict[str, Any]]:
    """Return what a chunk's frames carry; a sign of life carries its id alone."""
    found = []
    for block in sse.decode().strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        found.append(orjson.loads(fields["data"]) if "data" in fields else {"sequence": int(fields["id"])})
    return found


class Connection:
    """A connection as a server has it: takes what comes, or is full, and then its task waits until there is room."""

    def __init__(self, world: Happenings, user_id: str | None = None) -> None:
        self.world = world
        self.user_id = user_id
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
        await self.leave()
        wire = Wire(push=self._push)
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

    def _push(self, chunk: bytes) -> bool:
        if not self.room.is_set():
            return False
        size, _, rest = chunk.partition(b"\r\n")
        assert rest.endswith(b"\r\n")
        assert len(rest) == int(size, 16) + 2
        self._learn(self.pushed, documents(rest[:-2]))
        return True

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


async def waiting(world: Happenings, user_id: str | None = None) -> Connection:
    """Return a connection whose task waits for what will happen."""
    found = Connection(world, user_id)
    await found.stands_at(0)
    return found


async def test_one_who_waits_is_written_to_while_its_task_sleeps_on() -> None:
    world = await Happenings().begin()
    connection = await waiting(world)

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


async def test_one_who_has_seen_it_already_is_not_written_to_again() -> None:
    """Slices leave room for that: it may come back to wait, from the ring, before its turn has come."""
    world = await Happenings().begin()
    connection = await waiting(world)
    await world.happen(2)
    await connection.stands_at(2)
    assert connection.reader is not None

    connection.reader.offer(Batch([event_frame(event) for event in await world.store.all_events(REALM, 0, 2)], 0, 2))
    await connection.stands_at(2)

    assert connection.got == [1, 2]


async def test_one_that_is_at_work_is_left_to_it() -> None:
    """Nothing may come before its hello, nor before what it has taken and not yet written."""
    world = await Happenings().begin()
    connection = Connection(world)
    await connection.open()
    assert connection.reader is not None

    connection.reader.offer(Batch([frame(1)], 0, 1))

    assert (connection.pushed, connection.reader.cursor) == ([], 0)


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


def test_a_batch_is_one_chunk_that_all_share_who_may_see_the_same() -> None:
    """Two frames of 7 octets: e in hexadecimal digits."""
    public = Batch([frame(1), frame(2)], 0, 2)
    mixed = Batch([frame(1), frame(2, "ana"), frame(3, is_hidden=True)], 0, 3)

    assert public.chunk_for(Audience()) == b"e\r\nid: 1\n\nid: 2\n\n\r\n"
    assert public.chunk_for(Audience("ana")) is public.chunk_for(Audience("bo"))
    assert mixed.chunk_for(Audience()) == b"7\r\nid: 1\n\n\r\n"
    assert mixed.chunk_for(Audience("ana")) == b"e\r\nid: 1\n\nid: 2\n\n\r\n"
    assert mixed.chunk_for(Audience("bo", sees_hidden=True)) == b"e\r\nid: 1\n\nid: 3\n\n\r\n"
    assert mixed.chunk_for(Audience("bo")) is mixed.chunk_for(Audience("cy"))


def test_a_batch_of_others_events_is_nothing() -> None:
    """An empty chunk would end the response (RFC 9112, 7.1)."""
    batch = Batch([frame(1, "ana")], 0, 1)

    assert batch.chunk_for(Audience("bo")) == b""
    assert (batch.is_beat, Batch([heartbeat_frame(REALM, 1)], 1, 1).is_beat) == (False, True)


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


@given(MOVES)
def test_whether_written_to_or_taken_an_event_comes_once_and_in_order(moves: list[Move]) -> None:
    asyncio.run(_play(moves))


async def _play(moves: list[Move]) -> None:
    world = await Happenings().begin()
    world.feeds = Feeds(cast("WorldStore", _Unhurried(world.store)), LIMITS)
    connections = [Connection(world, user_id) for user_id in USERS]
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
