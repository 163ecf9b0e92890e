"""Whatever happens in whatever order, a reader gets each event that is for it once, in order, or is told of a gap (S0-19)."""

import asyncio
from typing import Any, Final, Literal, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.world.feed_samples import LIMITS, Happenings, Reading
from tests.unit.world.living_realm import REALM

USERS: Final = (None, "ana", "bo")


class Move(NamedTuple):
    """One thing that a test does."""

    what: Literal["happen", "take", "leave"]
    who: int
    """Which client it is about, or which user an event is for."""
    times: int


class Client:
    """Somebody who reads, loses the connection, and goes on from the last id."""

    def __init__(self, world: Happenings, user_id: str | None) -> None:
        self.world = world
        self.user_id = user_id
        self.reading: Reading | None = None
        self.last_id: int | None = 0
        self.got: list[int] = []
        self.gaps: list[tuple[int, int]] = []
        """Behind which event, up to which, it was told that it missed."""

    async def take(self) -> None:
        """Take once, where there is something to take."""
        if self.reading is None:
            self.reading = await self.world.reader(self.last_id, self.user_id)
        task = asyncio.create_task(self.reading.take())
        for _ in range(6):
            await asyncio.sleep(0)
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return
        for document in task.result():
            self._learn(document)
        if self.reading.ended is not None:
            await self.leave()

    def _learn(self, document: dict[str, Any]) -> None:
        if document["kind"] == "stale":
            self.gaps.append((document["asked"], document["sequence"]))
        elif "payload" in document:
            self.got.append(document["sequence"])
        if document["kind"] != "dropped":
            self.last_id = document["sequence"]

    async def leave(self) -> None:
        if self.reading is not None:
            await self.world.feeds.leave(REALM, self.reading.reader)
            self.reading = None

    async def catch_up(self, last: int) -> None:
        for _ in range(200):
            if self.reading is not None and self.reading.reader.cursor == last:
                break
            await self.take()
        await self.leave()


MOVES = st.lists(
    st.builds(
        Move, st.sampled_from(["happen", "take", "take", "take", "leave"]), st.integers(0, 2), st.integers(1, 12)
    ),
    max_size=40,
)


@given(MOVES)
def test_no_interleaving_of_publishing_leaving_and_coming_back_loses_or_repeats_an_event(moves: list[Move]) -> None:
    asyncio.run(_play(moves))


async def _play(moves: list[Move]) -> None:
    world = await Happenings().begin()
    clients = [Client(world, user_id) for user_id in USERS]
    audience: list[str | None] = []
    for move in moves:
        client = clients[move.who]
        if move.what == "happen":
            await world.happen(move.times, USERS[move.who])
            audience += [USERS[move.who]] * move.times
        elif move.what == "take":
            for _ in range(move.times):
                await client.take()
        else:
            await client.leave()
    for client in clients:
        await client.catch_up(len(audience))
        assert client.got == _due(client, audience)
        assert all(upto - behind > LIMITS.kept for behind, upto in client.gaps)
    await world.feeds.close()
    assert world.feeds.readers == 0


def _due(client: Client, audience: list[str | None]) -> list[int]:
    """What a client must have got: all that is for it, but what lies in a gap that it was told of."""
    return [
        number
        for number, user_id in enumerate(audience, 1)
        if user_id in (None, client.user_id) and not any(behind < number <= upto for behind, upto in client.gaps)
    ]
