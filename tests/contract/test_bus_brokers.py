"""The buses over NATS and Kafka, as far as FastStream's test brokers go: no server runs here.

What this shows: messages cross the wire whole, are tried, buried and sent again. What it cannot show: what the servers do, such
as redelivery after a consumer dies, competing consumers, and order among them.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.contract.bus_samples import Taken, message
from world.bus.brokered import EVERYTHING, BrokeredBus, Taker
from world.bus.memory import MemoryBus
from world.bus.port import Bus, NotNowError, Terms, UnknownLetterError

NOW = 1_772_359_200_000
TERMS = Terms(retry_ms=0)


class Opened:
    """A bus whose broker is a test broker from the first subscription on."""

    def __init__(self, name: str) -> None:
        self.letters = MemoryBus(TERMS)
        self._test: Any
        if name == "nats":
            from faststream.nats import TestNatsBroker

            from world.bus.nats import NatsWire

            self.wire: Any = NatsWire("nats://nowhere.invalid:4222")
            self._test = TestNatsBroker
        else:
            from faststream.kafka import TestKafkaBroker

            from world.bus.kafka import KafkaWire

            self.wire = KafkaWire("nowhere.invalid:9092")
            self._test = TestKafkaBroker
        self.bus: Bus = BrokeredBus(self.wire, self.letters, TERMS)

    def running(self) -> AbstractAsyncContextManager[object]:
        """Run the test broker for a block; groups are subscribed before it."""
        context: AbstractAsyncContextManager[object] = self._test(self.wire.broker)
        return context


@pytest.fixture(params=["nats", "kafka"])
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    """A bus over each broker."""
    found = Opened(request.param)
    yield found
    await found.bus.close()


async def test_messages_cross_the_broker_whole_and_in_order(opened: Opened) -> None:
    taken = Taken()
    consumer = await opened.bus.subscribe("feed", (), taken, consumer="feed-1")
    sent = [message(number, payload=b'{"x":"\xc3\xa9"}') for number in range(5)]
    async with opened.running():
        await opened.bus.publish(sent, NOW)
        assert await consumer.step() == 5
    assert taken.messages == sent
    assert await opened.bus.standing() == EVERYTHING


async def test_a_group_is_handed_the_topics_that_it_asked_for(opened: Opened) -> None:
    taken = Taken()
    await opened.bus.subscribe("feed", ["tick"], taken, consumer="feed-1")
    async with opened.running():
        await opened.bus.publish([message(1), message(2, topic="tick")], NOW)
    assert taken.ids == ["world-2"]


async def test_a_poison_message_dies_after_five_tries_and_is_taken_when_it_is_sent_again(opened: Opened) -> None:
    taken = Taken(fails=lambda each: each.payload == b"poison")
    await opened.bus.subscribe("feed", (), taken, consumer="feed-1")
    async with opened.running():
        await opened.bus.publish([message(1), message(2, payload=b"poison"), message(3)], NOW)
        assert taken.ids == ["world-1", "world-3"]
        assert taken.tries.count("world-2") == 5
        (letter,) = await opened.bus.dead_letters("feed")
        assert (letter.tries, letter.reason) == (5, "ValueError: cannot take world-2")
        taken.fails = lambda _: False
        await opened.bus.resend(letter.letter_id)
        assert taken.ids[-1] == "world-2"
        assert await opened.bus.dead_letters() == ()
        with pytest.raises(UnknownLetterError):
            await opened.bus.resend(letter.letter_id)


async def test_a_message_that_was_delivered_too_often_is_not_tried_again() -> None:
    letters, taken = MemoryBus(TERMS), Taken()
    taker = Taker("feed", (), taken, TERMS, letters)
    await taker.take(message(1), None, 6, _alive)
    assert taken.tries == []
    (letter,) = await letters.dead_letters()
    assert (letter.tries, letter.reason) == (5, "its consumer died each time")


async def test_a_handler_that_cannot_work_now_is_waited_for() -> None:
    letters, tries = MemoryBus(TERMS), 0

    async def handler(_: object) -> None:
        nonlocal tries
        tries += 1
        if tries < 10:
            raise NotNowError("its database is away")

    taker = Taker("feed", (), handler, TERMS, letters)
    await taker.take(message(1), None, 1, _alive)
    assert tries == 10
    assert await letters.dead_letters() == ()


async def _alive() -> None:
    return None
