"""What a tick tells many accounts is kept in pages and read as single events: nobody can tell the difference (S0-95, S0-108)."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.world_samples import NOW, REALM, seeded, step_sample
from world.bus.relay import WorldOutbox
from world.persistence.contributions import PAGE, Contributions, contributions_of
from world.persistence.memory import MemoryStore
from world.persistence.messages import Event, NewEvent
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore
from world.realm.tick import Gains

USERS: Final = [f"user-{number:03d}" for number in range(300)]
SMALL: Final = contributions_of(
    [Gains("far-wilds", "free_cities", {"ana": 1_500, "binh": 20}), Gains("mirror-gate", "veil", {"ana": 5})],
    {"ana": "act-of-ana"},
    "tick-1",
)
TICK: Final = NewEvent("tick", b"{}", correlation_id="tick-1")


def _great(points: int) -> Contributions:
    """Every account in one territory, every third one in another too: more than one page."""
    gains = [
        Gains("far-wilds", "veil", dict.fromkeys(USERS, points)),
        Gains("mirror-gate", "veil", dict.fromkeys(USERS[::3], 2 * points)),
    ]
    return contributions_of(gains, {user: f"act-of-{user}" for user in USERS[::2]}, "own")


async def _grown(store: WorldStore) -> WorldStore:
    """Three ticks: with pages, without any, and with few tellings behind other personal events."""
    await seeded(store)
    mine = NewEvent("review_settled", b"[1]", USERS[7])
    await store.advance(step_sample("snap-0", 1, events=(TICK, TICK)), None, NOW)
    assert await store.tell(REALM, 1, _great(1_000), NOW)
    await store.advance(step_sample("snap-1", 2, events=(TICK, mine)), None, NOW + 1)
    await store.advance(step_sample("snap-2", 3, events=(TICK, mine, TICK)), None, NOW + 2)
    assert await store.tell(REALM, 3, _great(3), NOW + 2)
    await store.advance(step_sample("snap-3", 3, 1, events=(TICK,), decision_id="d-1"), None, NOW + 3)
    return store


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[WorldStore]:
    """A store of each kind with the samples' realm."""
    opened = await seeded(open_world_store(ledger_url))
    yield opened
    await opened.close()


@pytest.fixture
async def grown(ledger_url: str) -> AsyncIterator[WorldStore]:
    """A store of each kind after ticks that told many."""
    opened = await _grown(open_world_store(ledger_url))
    yield opened
    await opened.close()


async def test_every_telling_is_an_event_behind_those_of_its_tick(store: WorldStore) -> None:
    await store.advance(step_sample("snap-0", 1, events=(TICK,)), None, NOW)
    assert await store.tell(REALM, 1, SMALL, NOW)
    tick = Event(REALM, 1, 1, "tick", b"{}", None, NOW, "tick-1")
    far = b'{"territory_id":"far-wilds","faction_id":"free_cities","points":%s}'
    ana = Event(REALM, 2, 1, "contributed", far % b"1.5", "ana", NOW, "act-of-ana")
    too = ana._replace(sequence=3, payload=b'{"territory_id":"mirror-gate","faction_id":"veil","points":0.005}')
    binh = Event(REALM, 4, 1, "contributed", far % b"0.02", "binh", NOW, "tick-1")
    assert await store.all_events(REALM) == (tick, ana, too, binh)
    assert await store.events(REALM) == (tick,)
    assert await store.events(REALM, user_id="ana") == (tick, ana, too)
    assert await store.events(REALM, user_id="binh", after=1) == (binh,)
    # Between the two in order of ids, and told nothing.
    assert await store.events(REALM, user_id="arun") == (tick,)
    assert await store.last_sequence(REALM) == 4


async def test_every_telling_is_a_message_of_its_own(store: WorldStore) -> None:
    """S0-95: a message carries the correlation id of the player's act."""
    await store.advance(step_sample("snap-0", 1, events=(TICK,)), None, NOW)
    assert await store.tell(REALM, 1, SMALL, NOW)
    found = await store.pending()
    assert [(row.topic, row.key, row.correlation_id) for row in found] == [
        ("tick", f"{REALM}/1", "tick-1"),
        ("contributed", f"{REALM}/2", "act-of-ana"),
        ("contributed", f"{REALM}/3", "act-of-ana"),
        ("contributed", f"{REALM}/4", "tick-1"),
    ]
    events = await store.all_events(REALM)
    assert [row.payload for row in found] == [event.payload for event in events]
    messages = await WorldOutbox(store).pending(100)
    assert len({each.message.message_id for each in messages}) == 4
    await store.mark_published([row.number for row in found], NOW)
    assert await store.pending() == ()
    assert await store.published(NOW) == found


async def test_messages_of_one_number_are_never_parted(grown: WorldStore) -> None:
    """A number is marked once: what a limit left behind would never be sent."""
    seen: list[str] = []
    while some := await grown.pending(10):
        assert 10 <= len(some) < 10 + PAGE or len(await grown.pending(10 + PAGE)) == len(some)
        seen += [row.key for row in some]
        await grown.mark_published([row.number for row in some], NOW)
    assert seen == [f"{REALM}/{sequence}" for sequence in range(1, await grown.last_sequence(REALM) + 1)]
    again: list[str] = []
    after = 0
    while page := await grown.published(NOW, after=after, limit=10):
        again += [row.key for row in page]
        after = page[-1].number
    assert again == seen


@given(
    after=st.integers(0, 900),
    limit=st.sampled_from([1, 2, 3, 100, PAGE, 500]),
    user=st.sampled_from([None, "nobody", "user-0071", *USERS[:9], USERS[255], USERS[-1]]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
async def test_wherever_one_reads_on_it_is_what_single_events_would_say(
    grown: WorldStore, after: int, limit: int, user: str | None
) -> None:
    """Every store against the one in memory, which keeps each telling as an event."""
    reference = await _grown(MemoryStore())
    assert await grown.all_events(REALM, after, limit) == await reference.all_events(REALM, after, limit)
    assert await grown.events(REALM, after, limit, user) == await reference.events(REALM, after, limit, user)


async def test_a_reader_who_goes_on_page_by_page_misses_and_repeats_nothing(grown: WorldStore) -> None:
    user = USERS[6]
    whole = await grown.events(REALM, 0, 500, user)
    assert [event.kind for event in whole].count("contributed") == 4
    found: list[Event] = []
    while page := await grown.events(REALM, found[-1].sequence if found else 0, 2, user):
        found += page
    assert tuple(found) == whole
    every: list[Event] = []
    while page := await grown.all_events(REALM, len(every), 97):
        every += page
    assert [event.sequence for event in every] == list(range(1, await grown.last_sequence(REALM) + 1))
    assert [event for event in every if event.user_id in (None, user)] == found


async def test_what_was_told_is_read_back_by_whoever_opens_the_database_next(database_url: str) -> None:
    first = await _grown(open_world_store(database_url))
    expected = await first.all_events(REALM, 0, 500)
    await first.close()
    second = open_world_store(database_url)
    assert await second.all_events(REALM, 0, 500) == expected
    await second.close()
