"""Readers of the feed: where they start, what is hidden from them, when they are told to start again or let go."""

import asyncio
import itertools
from typing import Any

import orjson
import pytest

from tests.unit.world.feed_samples import LIMITS, Happenings
from tests.unit.world.living_realm import REALM
from world.errors import StoreUnavailableError, UnknownRealmError
from world.feed.announcing import announcing
from world.feed.feeds import FeedFullError, Feeds
from world.feed.frames import Audience
from world.feed.wire import Wire
from world.persistence.memory import MemoryStore


async def test_a_reader_without_a_place_gets_what_happens_from_now_on() -> None:
    world = await Happenings().begin()
    await world.happen(3)
    reading = await world.reader()

    await world.happen(2)
    await reading.until(5)

    assert reading.kinds == ["hello", "tick", "tick"]
    assert reading.sequences == [4, 5]


async def test_a_hello_holds_the_place_so_that_one_who_leaves_before_the_first_event_can_go_on() -> None:
    world = await Happenings().begin()
    await world.happen(3)
    reading = await world.reader()

    [hello] = await reading.take()

    assert hello == {"kind": "hello", "realm_id": REALM, "sequence": 3, "heartbeat_s": 60}
    assert reading.last_id == 3


async def test_a_place_that_the_ring_has_lost_is_read_from_the_store() -> None:
    world = await Happenings().begin()
    await world.happen(20)
    reading = await world.reader(after=2)

    await reading.until(20)

    assert reading.sequences == list(range(3, 21))
    assert reading.kinds[0] == "hello"


@pytest.mark.parametrize(("after", "is_stale"), [(7, True), (8, False), (40, False), (41, True), (10**17, True)])
async def test_a_place_too_far_back_or_never_reached_is_told_once_where_to_start_again(
    after: int, is_stale: bool
) -> None:
    """40 events, 32 are kept: 40 - 32 = 8 is the oldest place that can be gone on from, and 40 the newest."""
    world = await Happenings().begin()
    await world.happen(40)
    reading = await world.reader(after=after)

    first = (await reading.take())[0]
    await world.happen(2)
    await reading.until(42)

    assert (first["kind"] == "stale") is is_stale
    assert reading.kinds.count("stale") == is_stale
    assert reading.sequences == list(range(41 if is_stale else after + 1, 43))
    if is_stale:
        assert (first["summary"], first["sequence"]) == (f"/api/world/{REALM}/summary", 40)


async def test_one_who_was_told_to_start_again_goes_on_from_there_and_is_not_told_twice() -> None:
    world = await Happenings().begin()
    await world.happen(40)
    reading = await world.reader(after=1)
    await reading.take()

    again = await world.reader(after=reading.last_id)
    await again.take()

    assert (reading.kinds, again.kinds) == (["stale"], ["hello"])


async def test_a_place_that_another_process_has_told_is_no_stale_one() -> None:
    """Another process writes the same store; this one has not looked yet when the reader comes over to it."""
    world = await Happenings(LIMITS._replace(poll_s=60)).begin()
    await world.reader()
    elsewhere = world.feeds
    world.feeds = Feeds(world.store, LIMITS)  # wakes its own readers only
    await world.happen(3)

    reader = await elsewhere.open(REALM, Audience(), after=3)

    assert [orjson.loads(frame.text)["kind"] for frame in (await reader.take()).frames] == ["hello"]


async def test_personal_events_reach_their_user_alone() -> None:
    world = await Happenings().begin()
    ana, bo, anybody = [await world.reader(user_id=user) for user in ("ana", "bo", None)]

    await world.happen(1, "ana", "contributed")
    await world.happen(1)
    for reading in (ana, bo, anybody):
        await reading.until(2)

    assert ana.kinds == ["hello", "contributed", "tick"]
    assert bo.kinds == anybody.kinds == ["hello", "tick"]


@pytest.mark.parametrize("after", [None, 0])
async def test_a_verdict_over_a_players_act_is_shown_to_those_who_may_read_what_is_hidden(after: int | None) -> None:
    """As in the summary: what is held of whom is nobody else's business. From the ring, and from the store (after=0)."""
    world = await Happenings().begin()
    if after is None:
        readings = [await world.reader(), await world.reader(sees_hidden=True)]
    await world.happen(1, kind="decision_applied", decision_type="impact_dispute")
    await world.happen(1, kind="decision_applied", decision_type="sovereign_action")
    last = await world.happen(20)
    if after is not None:
        readings = [await world.reader(after), await world.reader(after, sees_hidden=True)]
    for reading in readings:
        await reading.until(last)

    assert [reading.kinds.count("decision_applied") for reading in readings] == [1, 2]


async def test_one_who_was_up_to_date_and_falls_behind_the_ring_is_let_go_with_the_reason() -> None:
    world = await Happenings().begin()
    slow, quick = await world.reader(), await world.reader()
    waiting = asyncio.create_task(_take_until_waiting(slow))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await quick.take()

    for _ in range(3):
        last = await world.happen(4)
        await quick.until(last)
    [notice] = await slow.take()

    assert (notice["kind"], notice["reason"], slow.ended) == ("dropped", "too_slow", "too_slow")
    assert slow.last_id == 0, "a notice of the end moves no place"
    assert (quick.sequences, quick.ended) == (list(range(1, 13)), None)


async def _take_until_waiting(reading: Any) -> None:
    while True:
        await reading.take()


async def test_a_burst_larger_than_the_ring_drops_nobody_who_takes_what_comes() -> None:
    world = await Happenings().begin()
    readings = [await world.reader() for _ in range(20)]
    tasks = [asyncio.create_task(reading.until(100)) for reading in readings]
    await asyncio.sleep(0.01)

    await world.happen(100)
    await asyncio.gather(*tasks)

    assert {tuple(reading.sequences) for reading in readings} == {tuple(range(1, 101))}


async def test_silence_is_broken_by_a_sign_of_life_that_moves_the_place() -> None:
    world = await Happenings(LIMITS._replace(heartbeat_s=0.01)).begin()
    reading = await world.reader()
    await reading.take()
    await world.happen(2, "somebody else")

    beat: dict[str, Any] = {}
    while beat.get("sequence") != 2:
        [beat] = await reading.take()

    assert beat == {"kind": "heartbeat", "realm_id": REALM, "sequence": 2}
    assert (reading.last_id, reading.sequences) == (2, [])


async def test_a_connection_that_takes_nothing_is_let_go_and_then_cut() -> None:
    clock = itertools.count(step=0.4)
    world = await Happenings(LIMITS._replace(write_timeout_s=0.02), monotonic=lambda: next(clock)).begin()
    cut = asyncio.Event()
    reader = await world.feeds.open(REALM, Audience(), None, Wire(_Full(cut)))
    await reader.take()

    reader.writing_since = world.feeds.monotonic()
    await asyncio.wait_for(cut.wait(), 5)

    assert (await reader.take()).ended == "too_slow"


async def test_places_are_counted_for_the_realm_and_the_process_and_given_back() -> None:
    world = await Happenings(LIMITS._replace(realm_readers=2)).begin()
    first, _ = await world.reader(), await world.reader()

    with pytest.raises(FeedFullError):
        await world.reader()
    await world.feeds.leave(REALM, first.reader)
    await world.reader()

    assert world.feeds.readers == 2


async def test_a_realm_that_does_not_exist_takes_no_place() -> None:
    world = await Happenings().begin()

    with pytest.raises(UnknownRealmError):
        await world.feeds.open("nowhere", Audience())

    assert world.feeds.readers == 0


async def test_a_stopping_server_tells_every_reader_and_lets_nobody_in() -> None:
    world = await Happenings().begin()
    readings = [await world.reader() for _ in range(3)]
    tasks = [asyncio.create_task(reading.until(1)) for reading in readings]
    await asyncio.sleep(0.01)

    world.feeds.stop()
    await asyncio.gather(*tasks)

    assert [reading.ended for reading in readings] == ["stopping"] * 3
    with pytest.raises(FeedFullError):
        await world.reader()


async def test_one_who_hung_up_is_told_nothing() -> None:
    world = await Happenings().begin()
    reading = await world.reader()
    await reading.take()

    reading.reader.end("gone")

    assert await reading.take() == []
    assert reading.ended == "gone"


async def test_a_store_that_fails_meanwhile_delays_events_and_loses_none() -> None:
    world = await Happenings().begin()
    flaky = _FlakyStore()
    flaky.store = world.store
    world.feeds = Feeds(flaky, LIMITS)
    reading = await world.reader()
    await reading.take()

    flaky.is_away = True
    await world.happen(3)
    await asyncio.sleep(0.02)
    assert reading.sequences == []
    flaky.is_away = False
    await asyncio.wait_for(reading.until(3), 5)

    assert reading.sequences == [1, 2, 3]


async def test_one_whose_earlier_events_cannot_be_read_is_let_go_to_come_back() -> None:
    world = await Happenings().begin()
    flaky = _FlakyStore()
    flaky.store = world.store
    world.feeds = Feeds(flaky, LIMITS)
    await world.happen(20)
    reading = await world.reader(after=1)
    await reading.take()

    flaky.is_away = True
    [notice] = await reading.take()

    assert (notice["reason"], reading.last_id) == ("unavailable", 1)


async def test_a_commit_of_this_process_is_seen_without_waiting_for_the_next_look() -> None:
    """The next look is a minute away: only the wake-up can bring the event."""
    world = await Happenings(LIMITS._replace(poll_s=60)).begin()
    woken: list[str] = []
    world.store = announcing(world.store, woken.append)  # type: ignore[assignment]  # the same store, announced
    reading = await world.reader()
    await reading.take()
    await asyncio.sleep(0.01)

    await world.happen(1)
    await asyncio.wait_for(reading.until(1), 5)

    assert woken == [REALM]


class _Full:
    """A connection that takes nothing."""

    def __init__(self, cut: asyncio.Event) -> None:
        self.abort = cut.set

    def write(self, _: bytes, /) -> None:
        raise AssertionError("what it was sent before is not taken yet")

    def get_write_buffer_size(self) -> int:
        return 1

    def is_closing(self) -> bool:
        return False


class _FlakyStore:
    """A store that is away when a test says so."""

    store: MemoryStore
    is_away = False

    def __getattr__(self, name: str) -> Any:
        if self.is_away:
            raise StoreUnavailableError("it is away")
        return getattr(self.store, name)


@pytest.mark.parametrize("steps", range(6))
async def test_a_feed_ends_with_its_last_reader_even_while_it_wakes_up(steps: int) -> None:
    """Whatever it is at when it is cancelled: asyncio.wait_for of Python 3.11 would swallow the end (python/cpython#86296)."""
    world = await Happenings(LIMITS._replace(poll_s=60)).begin()
    reading = await world.reader()
    await asyncio.sleep(0.01)

    world.feeds.wake(REALM)
    for _ in range(steps):
        await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await world.feeds.leave(REALM, reading.reader)
