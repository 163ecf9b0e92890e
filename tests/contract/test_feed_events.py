"""The feed over every store: all events in order, whoever they are for, and readers that see no difference (S0-19, S0-78)."""

from collections.abc import AsyncIterator

import orjson
import pytest

from tests.contract.world_samples import NOW, REALM, seeded, step_sample
from world.errors import UnknownRealmError
from world.feed.announcing import announcing
from world.feed.feeds import Feeds
from world.feed.frames import Audience, Frame
from world.feed.limits import FeedLimits
from world.persistence.messages import NewEvent
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore

USERS = (None, "ana", "bo", None)


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[WorldStore]:
    """A store of each kind with the samples' realm."""
    opened = await seeded(open_world_store(ledger_url))
    yield opened
    await opened.close()


async def happen(store: WorldStore, number: int) -> None:
    """Commit four events: for everybody, for ana, for bo, for everybody."""
    events = tuple([NewEvent("tick", orjson.dumps({"n": number}), user) for user in USERS])
    before = "snap-0" if number == 1 else f"snap-{number - 1}"
    await store.advance(step_sample(before, number, events=events), None, NOW)


async def test_every_event_is_read_in_order_by_pages(store: WorldStore) -> None:
    await happen(store, 1)
    await happen(store, 2)

    first, second = await store.all_events(REALM, 0, 5), await store.all_events(REALM, 5, 5)

    assert [event.sequence for event in (*first, *second)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [event.user_id for event in first] == [*USERS, None]
    assert await store.all_events(REALM, 8) == ()
    with pytest.raises(UnknownRealmError):
        await store.all_events("nowhere")


async def test_readers_of_the_ring_and_of_the_store_see_the_same(store: WorldStore) -> None:
    """The ring holds 4 of 12 events: one reader goes on from the store, another one was there all the time."""
    feeds = Feeds(store, FeedLimits(ring=4, page=2, poll_s=0.01))
    announced = announcing(store, feeds.wake)
    here = await feeds.open(REALM, Audience("ana"))
    live: list[Frame] = []
    for number in (1, 2, 3):
        await happen(announced, number)
        if number == 1:
            while len(live) < 4:
                live += (await here.take()).frames
    later = await feeds.open(REALM, Audience("ana"), 0)
    from_store: list[int] = []
    while later.cursor < 12:
        from_store += [frame.sequence for frame in (await later.take()).frames]

    assert [frame.sequence for frame in live] == [0, 1, 2, 4]
    assert from_store == [0, 1, 2, 4, 5, 6, 8, 9, 10, 12]
    await feeds.close()
