"""A consumer of a Kafka group: lanes are the partitions that the group gives it, tries are kept beside the committed offsets.

Kafka keeps one offset a partition: that of the oldest message not settled. What of the later ones is under way, and how often it
was tried, goes into the commit's metadata, before each try: a consumer that lost its lanes is told by the refusal of its commit.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from itertools import groupby
from typing import Final, Protocol

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from world.bus.brokered import Letters, message_from, only_from
from world.bus.courier import NOBODY, Delivery, Lane
from world.bus.group_lane import GroupLane, Handed
from world.bus.port import LANES, Terms

READ_S: Final = 1.0
"""How long a read waits for messages that are known to be there."""
LONGEST: Final = 3_000
"""Bytes of metadata past which nothing new is handed out: Kafka's brokers take 4,096."""
_OURS: Final = "council "
"""What our metadata begins with."""
_LOST: Final = (
    CommitFailedError, IllegalGenerationError, IllegalStateError, RebalanceInProgressError, UnknownMemberIdError,
)  # fmt: skip


class Cluster(Protocol):
    """What a consumer needs of the connection."""

    topic: str
    timeout_s: float
    """How long one request may take."""

    def now(self) -> int:
        """Milliseconds since 1970."""
        ...

    async def consumer(self, group: str, terms: Terms) -> AIOKafkaConsumer:
        """Return a consumer that is not started yet."""
        ...

    async def ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offsets that the partitions' next messages will have."""
        ...

    async def admin(self) -> AIOKafkaAdminClient:
        """Return the client that knows what groups have committed."""
        ...

    def guarded(self) -> AbstractAsyncContextManager[None]:
        """Tell Kafka's errors as ours."""
        ...


class KafkaPost:
    """A group's lanes as one consumer sees them: those that the group gives it at present."""

    def __init__(self, cluster: Cluster, group: str, terms: Terms, letters: Letters) -> None:
        self.cluster = cluster
        self.group = group
        self.terms = terms
        self.letters = letters
        self.lanes: dict[int, KafkaLane] = {}
        self._divided = asyncio.Event()
        self._divided.set()
        self.round = asyncio.Lock()
        """Held while a lane is worked on: the group waits for it before it gives the lane to another."""
        self._divisions = 0
        self._consumer: AIOKafkaConsumer | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def is_moving(self) -> bool:
        """Whether the group divides its lanes anew."""
        return not self._divided.is_set()

    async def busy(self) -> Collection[int]:
        async with self.cluster.guarded():
            consumer = await self._joined()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._divided.wait(), READ_S)
            if consumer is not None and not self.is_moving:
                await self._load(consumer)
                await self._read(consumer)
        return [number for number, lane in self.lanes.items() if lane.has_work]

    def lane(self, number: int) -> Lane:
        # One that was given away meanwhile cannot be held.
        return self.lanes.get(number) or KafkaLane(self, number, GroupLane())

    async def close(self) -> None:
        """Leave the group, so that others have the lanes at once."""
        consumer, self._consumer = self._consumer, None
        starting, self._starting = self._starting, None
        self.lanes.clear()
        if starting is not None and not starting.done():
            starting.cancel()
            with suppress(asyncio.CancelledError, KafkaError):
                await starting
        if consumer is None:
            return
        with suppress(KafkaError, OSError, TimeoutError):
            await asyncio.wait_for(consumer.stop(), self.cluster.timeout_s)
        # A stop that is broken off, such as while the group is being divided, leaves its connections open.
        await consumer._client.close()

    async def commit(self, number: int, state: GroupLane) -> bool:
        """Write what the group knows of a lane; False where the lane is another's by now."""
        consumer = self._consumer
        if consumer is None or number not in self.lanes:
            return False
        kept = {self._partition(number): OffsetAndMetadata(state.settled_to, metadata_of(state))}
        async with self.cluster.guarded():
            try:
                await asyncio.wait_for(consumer.commit(kept), self.cluster.timeout_s)
            except _LOST:
                self.lanes.pop(number, None)  # looked up anew, if it is ours again
                return False
            except KafkaError:
                await self.close()
                raise
        return True

    async def sign(self) -> None:
        """Show Kafka's client that this consumer works: one that asks for nothing for five minutes leaves the group."""
        if self._consumer is not None and not self.is_moving:
            async with self.cluster.guarded():
                await self._polled(self._consumer, self._partition(-1), timeout_ms=0)

    async def revoked(self) -> None:
        """Let go of all lanes when the one that is worked on can be left."""
        self._divided.clear()
        self._divisions += 1
        async with self.round:
            self.lanes.clear()

    def assigned(self) -> None:
        """Go on with the lanes that the group gives from now on."""
        self._divided.set()

    async def _joined(self) -> AIOKafkaConsumer | None:
        """Return the consumer; None while the group is being divided for the first time."""
        if self._consumer is None or self._starting is None:
            self._consumer = await self.cluster.consumer(self.group, self.terms)
            self._consumer.subscribe([self.cluster.topic], listener=_Listener(self))
            self._starting = asyncio.create_task(self._consumer.start())
        await asyncio.wait([self._starting], timeout=READ_S)
        if not self._starting.done():
            return None
        if self._starting.exception() is not None:
            failed = self._starting
            await self.close()
            await failed
        return self._consumer

    async def _load(self, consumer: AIOKafkaConsumer) -> None:
        """Look up what the group knows of lanes that are new to this consumer."""
        new = [each for each in consumer.assignment() if each.partition < LANES and each.partition not in self.lanes]
        if not new:
            return
        divisions, admin = self._divisions, await self.cluster.admin()
        async with asyncio.timeout(self.cluster.timeout_s):
            committed = await admin.list_consumer_group_offsets(self.group, partitions=new)
        if divisions != self._divisions:
            return  # divided anew meanwhile: others may have gone on from there
        for each in new:
            offset, metadata = committed.get(each, (-1, ""))
            state = state_of(max(offset, 0), metadata, self.cluster.now())
            consumer.seek(each, state.settled_to)
            self.lanes[each.partition] = KafkaLane(self, each.partition, state)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Read what is there of lanes that have little left to hand out; ask for a sign of life."""
        asked = {self._partition(number): lane for number, lane in self.lanes.items()}
        ends = await self.cluster.ends([*asked] or [self._partition(0)])
        end = asyncio.get_running_loop().time() + READ_S
        while wanted := [each for each, lane in asked.items() if lane.wants(ends.get(each, 0), self.terms.batch)]:
            left = end - asyncio.get_running_loop().time()
            if left < 0 or self.is_moving:
                break
            with suppress(TimeoutError):
                # By itself it would wait for the end of a division that begins meanwhile.
                found = await asyncio.wait_for(
                    self._polled(consumer, *wanted, timeout_ms=int(left * 1_000)), left + READ_S
                )
                for each, records in found.items():
                    if self.lanes.get(each.partition) is asked[each]:
                        asked[each].take(records)
        await self.sign()

    async def _polled(
        self, consumer: AIOKafkaConsumer, *partitions: TopicPartition, timeout_ms: int
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]:
        """Return what the client has read; where its membership has failed for good, join the group anew at the next step."""
        try:
            found: Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]
            found = await consumer.getmany(*partitions, timeout_ms=timeout_ms)
        except KafkaError:
            await self.close()
            raise
        return found

    def _partition(self, number: int) -> TopicPartition:
        return TopicPartition(self.cluster.topic, number)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not annotated
    """Tells a post that the group divides its lanes anew."""

    def __init__(self, post: KafkaPost) -> None:
        self._post = post

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self._post.revoked()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._post.assigned()


class KafkaLane:
    """One lane that the group gives this consumer; a message's place is its offset and one."""

    def __init__(self, post: KafkaPost, number: int, state: GroupLane) -> None:
        self._post = post
        self._number = number
        self._state = state
        self._read_to = state.settled_to
        self._under_way: dict[int, Delivery] = {}
        self._new: deque[Delivery] = deque()
        self._is_held = False

    @property
    def has_work(self) -> bool:
        """Whether something waits, and all that waits was read: else a later message might overtake one of its key."""
        return self._read_to >= self._state.position and bool(self._state.waiting or self._new)

    def wants(self, end: int, batch: int) -> bool:
        """Whether more is to be read of a lane that ends at an offset."""
        if end < self._read_to:  # the topic was made anew under the group
            self._post.lanes.pop(self._number, None)
        is_ours = self._post.lanes.get(self._number) is self
        return is_ours and end > self._read_to and len(self._new) < batch

    def take(self, records: Iterable[ConsumerRecord[bytes, bytes]]) -> None:
        """Take what was read; what is settled already is passed over."""
        for record in records:
            place = self._read_to = record.offset + 1
            if place > self._state.position:
                self._new.append(_delivery(record))
            elif place in self._state.waiting:
                self._under_way[place] = _delivery(record)

    async def hold(self) -> bool:
        if self._post.is_moving or self._post.lanes.get(self._number) is not self:
            return False
        if not self._is_held:
            await self._post.round.acquire()
            self._is_held = True
        await self._post.sign()
        return True

    async def leave(self) -> None:
        if self._is_held:
            self._is_held = False
            self._post.round.release()

    async def waiting(self, limit: int) -> Sequence[Delivery]:
        now, handed = self._post.cluster.now(), sorted(self._state.waiting.items())
        if gone := [_nobody(place) for place, _ in handed if place not in self._under_way]:
            await self.settle(gone, ())  # older than the topic's retention: nothing is left to deliver
        return [
            self._under_way[place]._replace(tries=tries, idle_ms=now - since)
            for place, (tries, since) in handed[:limit]
            if place in self._under_way
        ]

    async def fresh(self, limit: int) -> Sequence[Delivery]:
        if not self._new or len(metadata_of(self._state)) > LONGEST:
            return []
        found = [self._new[place] for place in range(min(limit, len(self._new)))]
        places = [int(each.place) for each in found]
        if not await self._change(self._state.handed_out(places, self._post.cluster.now())):
            return []
        for each in found:
            self._under_way[int(each.place)] = self._new.popleft()
        return found

    async def again(self, delivery: Delivery) -> Delivery | None:
        is_ours = await self._change(self._state.again(delivery, self._post.cluster.now()))
        return delivery._replace(tries=delivery.tries + 1, idle_ms=0) if is_ours else None

    async def settle(self, done: Sequence[Delivery], untried: Sequence[Delivery]) -> None:
        if (done or untried) and await self._change(self._state.settled(done, untried)):
            for each in done:
                self._under_way.pop(int(each.place), None)

    async def bury(self, delivery: Delivery, reason: str) -> None:
        if int(delivery.place) in self._state.waiting:
            await self._post.letters.keep(self._post.group, delivery.message, delivery.tries, reason)
            await self.settle((delivery,), ())

    async def _change(self, after: GroupLane | None) -> bool:
        if after is None or not await self._post.commit(self._number, after):
            return False
        self._state = after
        return True


def metadata_of(state: GroupLane) -> str:
    """Return what stands beside a committed offset: the place handed out last, and runs of messages with so many tries.

    >>> metadata_of(GroupLane(9, {5: Handed(2, 0), 6: Handed(1, 0), 7: Handed(1, 0)}))
    'council [9,[[5,1,2],[6,2,1]]]'
    """
    numbered = enumerate(sorted(state.waiting.items()))
    # Neighbours with equal tries have the same distance to their number in the row.
    runs = [list(run) for _, run in groupby(numbered, lambda each: (each[1][0] - each[0], each[1][1].tries))]
    told = [[run[0][1][0], len(run), run[0][1][1].tries] for run in runs]
    return _OURS + orjson.dumps([state.position, told]).decode() if told else ""


def state_of(offset: int, metadata: str | None, now: int) -> GroupLane:
    """Return what a group knows of a lane, from its committed offset; the rest of what waits begins anew.

    >>> state_of(4, "council [9,[[5,1,2]]]", 1_000)
    GroupLane(position=9, waiting={5: Handed(tries=2, since=1000)}, holder=None, until=0)
    """
    if metadata is None or not metadata.startswith(_OURS):
        return GroupLane(offset)  # nothing was under way, or another program has moved the group
    position, runs = orjson.loads(metadata.removeprefix(_OURS))
    waiting = {first + step: Handed(tries, now) for first, count, tries in runs for step in range(count)}
    return GroupLane(position, waiting)


def _delivery(record: ConsumerRecord[bytes, bytes]) -> Delivery:
    headers = {name: content.decode("ascii", "replace") for name, content in record.headers}
    message = message_from(headers, record.value or b"")
    return Delivery(str(record.offset + 1), message, 1, 0, only_from(headers))


def _nobody(place: int) -> Delivery:
    return Delivery(str(place), NOBODY, 0)
