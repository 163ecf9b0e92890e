"""The bus on Kafka, through FastStream: one topic whose partitions 0 to 7 are the lanes, and 8 says where the bus stands.

Kafka cannot refuse a message for what stands elsewhere: a cluster that is lost and back within one publishing is found out after
it, and has got those messages before the ones that it lost. Each message waits for all replicas in sync, one after another within
a lane. The client's idempotence is off: it would try for ever while Kafka is away, and pile up what the relay publishes again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faststream.kafka import KafkaBroker

from world.bus.brokered import BrokeredBus, Letters, by_lane, headers_of, side_by_side
from world.bus.kafka_lanes import KafkaPost
from world.bus.port import LANES, BusUnavailableError, DeadLetter, Message, Terms, lane_of, moved_standing

TOPIC: Final = "council.bus"
PARTITIONS: Final = LANES + 1
TIMEOUT_S: Final = 5.0
LEAST_SESSION_MS: Final = 6_000
"""The shortest session that Kafka's brokers allow by default."""
READ_WAIT_MS: Final = 100
"""How long Kafka keeps a consumer's read that finds nothing; what else it is asked on that connection waits so long."""
_LOOK_BACK: Final = 16
"""Records of the bus's standing that are read at first: relays that write side by side may leave a lower one last."""


class KafkaWire:
    """A connection to Kafka.

    Args:
        servers: HOST:PORT[,HOST:PORT].
        now: milliseconds since 1970; rests are reckoned by it.
        topic: of the messages; it must have nine partitions.
        session_ms: how long a consumer that has gone silent keeps its lanes; None: the terms' lease, as far as Kafka allows it.
        timeout_s: how long one request may take, and one try of a publishing.
    """

    def __init__(
        self,
        servers: str,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        topic: str = TOPIC,
        session_ms: int | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.topic = topic
        self.now = now
        self.timeout_s = timeout_s
        self._servers = servers
        self._session_ms = session_ms
        self._broker: KafkaBroker | None = None
        self._reader: _Reader | None = None
        self._opening = asyncio.Lock()

    async def publish(self, messages: Sequence[Message], now: int, at_least: int | None) -> None:
        async with self.guarded():
            before = await self._stand()
            after = moved_standing(before, now, at_least)
            # Side by side, but one after another within a lane: a message that fails must not be overtaken.
            await side_by_side([self._fill_lane(lane) for lane in by_lane(messages).values()])
            moved_standing(await self._stand(), now, before)  # lost meanwhile: the client has tried until it was back
            broker = await self._opened()
            await broker.publish(str(after).encode(), self.topic, partition=LANES)

    async def standing(self) -> int | None:
        async with self.guarded():
            return await self._stand()

    async def again(self, letter: DeadLetter) -> None:
        async with self.guarded():
            await self._append(letter.message, letter.group)

    def post(self, group: str, consumer: str, terms: Terms, letters: Letters) -> KafkaPost:
        return KafkaPost(self, group, terms, letters)

    async def tidy(self, before: int) -> int:
        return 0  # the topic's own retention does

    async def ready(self) -> None:
        await self.standing()

    async def close(self) -> None:
        broker, self._broker = self._broker, None
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()
        if broker is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await broker.stop()

    async def consumer(self, group: str, terms: Terms) -> AIOKafkaConsumer:
        """Return a consumer of a group that is not started yet."""
        broker = await self._opened()
        session_ms = self._session_ms or max(terms.lease_ms, LEAST_SESSION_MS)
        return broker.config.builder(
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=min(session_ms // 4, 3_000),
            fetch_max_wait_ms=READ_WAIT_MS,
            request_timeout_ms=40_000,  # a group's division among its consumers may take so long
        )

    async def ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offsets that the partitions' next messages will have."""
        reader = await self._reading()
        async with asyncio.timeout(self.timeout_s):
            return await reader.ends(partitions)

    async def admin(self) -> AIOKafkaAdminClient:
        """Return the client that knows what groups have committed."""
        return (await self._opened()).config.admin_client

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """Tell Kafka's errors as ours."""
        try:
            yield
        except (KafkaError, ConsumerStoppedError, OSError, TimeoutError) as error:
            raise BusUnavailableError(f"Kafka does not answer ({type(error).__name__})") from error

    async def _opened(self) -> KafkaBroker:
        async with self._opening:
            if self._broker is None:
                self._broker = await self._open()
        return self._broker

    async def _open(self) -> KafkaBroker:
        await _reached(self._servers)  # or a client would be left behind half open
        broker = KafkaBroker(
            self._servers, acks="all", request_timeout_ms=int(self.timeout_s * 1_000), graceful_timeout=1, logger=None
        )
        await broker.start()
        try:
            await self._check_topic(broker)
        except BaseException:
            await broker.stop()
            raise
        return broker

    async def _check_topic(self, broker: KafkaBroker) -> None:
        (found,) = await broker.config.admin_client.describe_topics([self.topic])
        count = len(found["partitions"])
        if count < PARTITIONS:
            does = "alter" if count else "create"
            raise BusUnavailableError(
                f"Kafka's topic {self.topic} has {count} partitions, {PARTITIONS} are needed:"
                f" kafka-topics --{does} --topic {self.topic} --partitions {PARTITIONS}"
            )

    async def _stand(self) -> int | None:
        reader = await self._reading()
        async with asyncio.timeout(self.timeout_s):
            return await reader.value()

    async def _reading(self) -> "_Reader":
        broker = await self._opened()
        if self._reader is None:
            self._reader = _Reader(broker, self.topic)
        return self._reader

    async def _fill_lane(self, messages: Sequence[Message]) -> None:
        for message in messages:
            await self._append(message)

    async def _append(self, message: Message, only: str | None = None) -> None:
        broker = await self._opened()
        await broker.publish(
            message.payload,
            self.topic,
            key=message.key.encode("utf-8", "surrogatepass"),
            partition=lane_of(message.key),
            headers=headers_of(message, only),
        )


class _Reader:
    """Asks where partitions end, and reads the one that says where the bus stands.

    It reads only what is known to be there: Kafka answers nothing else on a connection whose read waits for messages.
    """

    def __init__(self, broker: KafkaBroker, topic: str) -> None:
        self._consumer: AIOKafkaConsumer = broker.config.builder(group_id=None, fetch_max_wait_ms=10)
        self._partition = TopicPartition(topic, LANES)
        self._next: int | None = None
        """Offset of the record to be read next; None: nothing was read yet."""
        self._value: int | None = None
        self._is_started = False
        self._lock = asyncio.Lock()

    async def ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offsets that the next messages will have."""
        async with self._lock:
            await self._start()
            found: Mapping[TopicPartition, int] = await self._consumer.end_offsets(partitions)
            return found

    async def value(self) -> int | None:
        """Return where the bus stands now; None where nothing says so."""
        end = (await self.ends([self._partition]))[self._partition]
        async with self._lock:
            if self._next is None or end < self._next:
                await self._rewind(end)
            self._consumer.resume(self._partition)
            while self._next is not None and self._next < end:
                found = await self._consumer.getmany(self._partition, timeout_ms=100)
                for record in found.get(self._partition, ()):
                    self._next, self._value = record.offset + 1, max(self._value or 0, int(record.value))
            self._consumer.pause(self._partition)
            return self._value

    async def close(self) -> None:
        """Let it go."""
        with suppress(KafkaError, OSError, TimeoutError):
            await self._consumer.stop()

    async def _start(self) -> None:
        if not self._is_started:
            await self._consumer.start()
            self._consumer.assign([self._partition])
            self._consumer.pause(self._partition)
            self._is_started = True

    async def _rewind(self, end: int) -> None:
        """Begin a little before the end: at first, and where the topic was lost and made again."""
        first = (await self._consumer.beginning_offsets([self._partition]))[self._partition]
        self._value, self._next = None, max(first, end - _LOOK_BACK)
        self._consumer.seek(self._partition, self._next)


async def _reached(servers: str) -> None:
    """Find a server that takes connections.

    Raises:
        OSError: what the last one failed with.
    """
    failed: Exception = OSError("no server is named")
    for server in servers.split(","):
        host, _, port = server.rpartition(":")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except (OSError, TimeoutError) as error:
            failed = error
            continue
        writer.close()
        return
    raise failed


def kafka_bus(servers: str, letters: Letters, terms: Terms | None = None) -> BrokeredBus:
    """Return the bus on Kafka servers, HOST:PORT[,HOST:PORT]; its dead letters are kept elsewhere."""
    return BrokeredBus(KafkaWire(servers), letters, terms)
