"""The relay over a bus in memory: order, marking, a bus that is away, one that has lost what it was given."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.contract.bus_outbox import FakeOutbox
from tests.contract.bus_samples import Taken, drain
from tests.unit.world.living_realm import REALM, LivingRealm
from world.bus.distinct import Distinct
from world.bus.memory import MemoryBus
from world.bus.port import BusUnavailableError, Message, Terms
from world.bus.relay import KEPT_MS, PAGE, Relay, WorldOutbox
from world.persistence.memory import MemoryStore

NOW = 1_772_359_200_000


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        self.now += 1
        return self.now


class FrailBus(MemoryBus):
    """A bus that is away when a test says so, forgets when it is flushed, and tells of each publishing."""

    def __init__(self) -> None:
        super().__init__(Terms(retry_ms=0))
        self.is_away = False
        self.dies_after: int | None = None
        self.batches: list[list[str]] = []

    async def publish(self, messages: Sequence[Message], now: int, *, at_least: int | None = None) -> None:
        if self.is_away:
            raise BusUnavailableError("it is away")
        await super().publish(messages, now, at_least=at_least)
        self.batches.append([message.message_id for message in messages])
        if self.dies_after is not None and messages:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise BusUnavailableError("it died after it wrote")

    async def standing(self) -> int | None:
        if self.is_away:
            raise BusUnavailableError("it is away")
        return await super().standing()

    def flush(self, standing: int | None = None) -> None:
        """Lose everything; a standing stays where it restarts from an old file."""
        fresh = MemoryBus(self.terms)
        self.__dict__.update({**fresh.__dict__, "groups": self.groups, "_standing": standing})
        for lanes in self.groups.values():
            for lane in lanes:
                lane.position = 0
                lane.waiting.clear()


async def _published(bus: MemoryBus) -> list[str]:
    taken = Taken()
    await drain(await bus.subscribe("look", (), Distinct(taken), consumer="look-1"))
    return taken.ids


async def test_what_is_committed_is_published_in_order_and_marked() -> None:
    bus, outbox = FrailBus(), FakeOutbox()
    relay = Relay(bus, [outbox], Clock())
    outbox.commit(PAGE + 20)
    await relay.step()
    assert await relay.step() == PAGE
    assert await relay.step() == 20
    assert await relay.step() == 0
    assert await _published(bus) == outbox.ids
    assert len(outbox.marked) == PAGE + 20


async def test_nothing_is_marked_while_the_bus_is_away_and_all_of_it_comes_afterwards() -> None:
    bus, outbox = FrailBus(), FakeOutbox()
    relay = Relay(bus, [outbox], Clock())
    await relay.step()
    bus.is_away = True
    outbox.commit(30)
    for _ in range(3):
        with pytest.raises(BusUnavailableError):
            await relay.step()
    assert outbox.marked == {}
    bus.is_away = False
    assert await relay.step() == 30
    assert await _published(bus) == outbox.ids


async def test_a_bus_that_dies_after_it_wrote_gets_the_same_again_under_the_same_ids() -> None:
    bus, outbox = FrailBus(), FakeOutbox()
    relay = Relay(bus, [outbox], Clock())
    await relay.step()
    outbox.commit(5)
    bus.dies_after = 0
    with pytest.raises(BusUnavailableError):
        await relay.step()
    assert outbox.marked == {}
    bus.dies_after = None
    await relay.step()
    assert [batch for batch in bus.batches if batch] == [outbox.ids, outbox.ids]
    assert await _published(bus) == outbox.ids


@pytest.mark.parametrize("is_idle", [True, False], ids=["while nothing happens", "while more is committed"])
async def test_a_flushed_bus_gets_the_last_day_again(is_idle: bool) -> None:
    bus, outbox, clock = FrailBus(), FakeOutbox(), Clock()
    relay = Relay(bus, [outbox], clock)
    outbox.commit(3)
    await _settled(relay)
    clock.now += KEPT_MS + 120_000
    outbox.commit(4)
    await _settled(relay)
    bus.flush()
    if not is_idle:
        outbox.commit(2)
    await _settled(relay)
    # The first three were published more than a day ago.
    assert await _published(bus) == outbox.ids[3:]


async def test_a_bus_that_restarted_from_an_old_file_gets_what_was_published_since() -> None:
    bus, outbox, clock = FrailBus(), FakeOutbox(), Clock()
    relay = Relay(bus, [outbox], clock)
    for count in (2, 1, 3):
        old = await bus.standing()
        clock.now += 300_000
        outbox.commit(count)
        await _settled(relay)
    bus.flush(standing=old)
    await _settled(relay)
    # The third was published when the old file was written, within the minute that two clocks may stand apart.
    assert await _published(bus) == outbox.ids[2:]


async def test_a_relay_that_starts_beside_a_flushed_bus_finds_it_out_without_having_seen_it() -> None:
    bus, outbox, clock = FrailBus(), FakeOutbox(), Clock()
    outbox.commit(4)
    await _settled(Relay(bus, [outbox], clock))
    bus.flush()
    await _settled(Relay(bus, [outbox], clock))
    assert await _published(bus) == outbox.ids


async def test_a_relay_that_starts_beside_a_whole_bus_publishes_nothing_again() -> None:
    bus, outbox, clock = FrailBus(), FakeOutbox(), Clock()
    outbox.commit(4)
    await _settled(Relay(bus, [outbox], clock))
    bus.batches.clear()
    await _settled(Relay(bus, [outbox], clock))
    assert [batch for batch in bus.batches if batch] == []


async def test_a_relay_that_dies_while_it_fills_a_flushed_bus_leaves_the_rest_to_the_next() -> None:
    bus, outbox, clock = FrailBus(), FakeOutbox(), Clock()
    outbox.commit(3 * PAGE)
    await _settled(Relay(bus, [outbox], clock))
    bus.flush()
    bus.dies_after = 1
    with pytest.raises(BusUnavailableError):
        await Relay(bus, [outbox], clock).step()
    bus.dies_after = None
    await _settled(Relay(bus, [outbox], clock))
    assert await _published(bus) == outbox.ids


async def test_two_relays_publish_what_is_committed_in_order() -> None:
    bus, outbox, clock = FrailBus(), FakeOutbox(), Clock()
    relays = [Relay(bus, [outbox], clock) for _ in range(2)]
    for _ in range(10):
        outbox.commit(37)
        await asyncio.gather(*[relay.step() for relay in relays])
    await _settled(*relays)
    assert await _published(bus) == outbox.ids


async def test_the_acts_and_events_of_a_realm_reach_the_bus_through_the_worlds_outbox() -> None:
    store = MemoryStore()
    realm = LivingRealm(store)
    await realm.seed()
    await realm.ingestion.submit([realm.act(), realm.act(user="bo")])
    await realm.ticks(1)
    bus = MemoryBus(Terms(retry_ms=0))
    relay = Relay(bus, [WorldOutbox(store)], lambda: realm.now)
    await _settled(relay)
    taken = Taken()
    await drain(await bus.subscribe("feed", (), taken, consumer="feed-1"))
    assert [each.topic for each in taken.messages][:2] == ["influence", "influence"]
    assert "tick" in {each.topic for each in taken.messages}
    assert {each.key for each in taken.messages} == {REALM}
    assert taken.messages[0].subject == "e-1"
    assert await store.pending() == ()


async def test_a_running_relay_stops_when_told_and_outlives_a_bus_that_is_away() -> None:
    bus, outbox = FrailBus(), FakeOutbox()
    bus.is_away = True
    outbox.commit(3)
    stop = asyncio.Event()
    running = asyncio.create_task(Relay(bus, [outbox], Clock()).run(stop))
    await asyncio.sleep(0.05)
    bus.is_away = False
    async with asyncio.timeout(10):
        while len(outbox.marked) < 3:  # noqa: ASYNC110 - the relay tells nobody
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert await _published(bus) == outbox.ids


async def test_a_distinct_handler_takes_each_message_once_and_tries_a_failed_one_again() -> None:
    taken = Taken(fails=lambda each: len(taken.tries) == 1)
    handler = Distinct(taken, remembered=2)
    first, second, third = (Message(f"m-{number}", "t", "k", b"{}") for number in range(3))
    with pytest.raises(ValueError, match="cannot take m-0"):
        await handler(first)
    for each in (first, first, second, second, third, first):
        await handler(each)
    # Two ids are remembered: the last repeat of the first comes too late to be known.
    assert taken.ids == ["m-0", "m-1", "m-2", "m-0"]


async def _settled(*relays: Relay) -> None:
    for _ in range(8):
        for relay in relays:
            await relay.step()
