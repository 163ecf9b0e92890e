"""The bus on Redis Streams (or Valkey): one stream a lane, one consumer group a group.

Redis may lose what it was given: it is killed before it wrote, restarts from an old file, is flushed. So nothing here is the only
copy: the outbox keeps every message, `standing` tells the relay that something is missing, and it publishes again. Publishing
twice puts a message in twice; consumers know it by its id.
"""

import re
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError, WatchError

from world.bus.courier import Courier, Delivery, Lane
from world.bus.port import (
    LANES,
    BusUnavailableError,
    DeadLetter,
    Handler,
    Message,
    Subscription,
    Terms,
    UnknownLetterError,
    lane_of,
    moved_standing,
)

TIMEOUT_S: Final = 5.0
"""How long one command may take."""
_PAGE: Final = 500
_TRIES: Final = 5
"""Tries of a publishing that another relay came in between."""
_ID: Final = re.compile(r"\d{1,18}-\d{1,18}")
_Fields = Mapping[bytes, bytes]

_HOLD: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1"""
_LEAVE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1"
_BURY: Final = """
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
return 1"""
_RESEND: Final = """
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
return 1"""


class RedisBus:
    """A `Bus` on one Redis, for one event loop; its keys share one slot of a cluster.

    Args:
        url: redis://[:PASSWORD@]HOST[:PORT][/NUMBER] or rediss://… or unix://….
        prefix: what its keys begin with.
    """

    def __init__(
        self,
        url: str,
        terms: Terms | None = None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        prefix: str = "{council:bus}",
    ) -> None:
        # The second protocol's replies have one shape on every server.
        self.redis: Redis = Redis.from_url(url, protocol=2, socket_timeout=TIMEOUT_S, socket_connect_timeout=2)
        self.terms = terms or Terms()
        self._now = now
        self._prefix = prefix
        self._dead = f"{prefix}:dead"
        self._standing = f"{prefix}:standing"

    async def publish(self, messages: Sequence[Message], now: int, *, at_least: int | None = None) -> None:
        async with self.guarded():
            for left in reversed(range(_TRIES)):
                try:
                    await self._publish(messages, now, at_least)
                    break
                except WatchError:
                    if left == 0:
                        raise

    async def standing(self) -> int | None:
        async with self.guarded():
            found = await self.redis.get(self._standing)
        return int(found) if found is not None else None

    async def subscribe(self, group: str, topics: Collection[str], handler: Handler, *, consumer: str) -> Subscription:
        post = _RedisPost(self, group, consumer)
        return Courier(post, group, topics, handler, self.terms, lane_of(consumer))

    async def dead_letters(self, group: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        found: list[DeadLetter] = []
        after = "-"
        while len(found) < limit:
            async with self.guarded():
                page: Any = await self.redis.xrange(self._dead, after, "+", _PAGE)
            letters = [_letter(place.decode(), fields) for place, fields in page]
            found += [each for each in letters if group in (None, each.group)]
            if len(page) < _PAGE:
                break
            after = f"({letters[-1].letter_id}"
        return tuple(found[:limit])

    async def inspect(self, letter_id: str) -> DeadLetter | None:
        if _ID.fullmatch(letter_id) is None:
            return None
        async with self.guarded():
            found: Any = await self.redis.xrange(self._dead, letter_id, letter_id)
        return _letter(letter_id, found[0][1]) if found else None

    async def resend(self, letter_id: str) -> None:
        letter = await self.inspect(letter_id)
        if letter is None:
            raise UnknownLetterError(letter_id)
        flat = _flat({**_fields(letter.message), b"only": letter.group.encode()})
        stream = self.stream(lane_of(letter.message.key))
        if not await self.run(_RESEND, [self._dead, stream], [letter_id, *flat]):
            raise UnknownLetterError(letter_id)

    async def tidy(self, before: int) -> int:
        async with self.guarded():
            return sum([await self._tidy_lane(self.stream(number), before) for number in range(LANES)])

    async def ready(self) -> None:
        async with self.guarded():
            await self.redis.ping()

    async def close(self) -> None:
        await self.redis.aclose()

    def stream(self, number: int) -> str:
        """Return the stream of a lane."""
        return f"{self._prefix}:lane:{number}"

    def lease(self, group: str, number: int) -> str:
        """Return the key that says which consumer of a group holds a lane."""
        return f"{self._prefix}:lease:{number}:{group}"

    async def run(self, script: str, keys: Sequence[str], values: Sequence[Any]) -> bool:
        """Run a script; it is one step for everybody else."""
        async with self.guarded():
            asked: Any = self.redis.eval(script, len(keys), *keys, *values)
            return bool(await asked)

    async def bury(self, group: str, number: int, delivery: Delivery, reason: str) -> None:
        """Acknowledge a message and keep it as a dead letter, both or none; nothing where it is settled already."""
        fields = {
            **_fields(delivery.message),
            b"group": group.encode(),
            b"tries": str(delivery.tries).encode(),
            b"reason": reason.encode("utf-8", "backslashreplace"),
            b"died_at": str(self._now()).encode(),
        }
        await self.run(_BURY, [self.stream(number), self._dead], [group, delivery.place, *_flat(fields)])

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """Tell Redis's errors as ours: never its address, which may hold a password."""
        try:
            yield
        except ResponseError as error:
            raise BusUnavailableError(f"Redis refuses: {str(error)[:200]}") from error
        except (RedisError, OSError) as error:
            raise BusUnavailableError(f"Redis does not answer ({type(error).__name__})") from error

    async def _publish(self, messages: Sequence[Message], now: int, at_least: int | None) -> None:
        # Watched: a flush, a restart or another relay between the look and the publishing breaks it off.
        async with self.redis.pipeline(transaction=True) as pipeline:
            await pipeline.watch(self._standing)
            found: Any = await pipeline.get(self._standing)
            standing = moved_standing(int(found) if found is not None else None, now, at_least)
            pipeline.multi()  # type: ignore[no-untyped-call]  # redis does not annotate it
            for message in messages:
                pipeline.xadd(self.stream(lane_of(message.key)), _fields(message))
            pipeline.set(self._standing, standing)
            await pipeline.execute()

    async def _tidy_lane(self, stream: str, before: int) -> int:
        if not await self.redis.exists(stream):
            return 0
        groups: Any = await self.redis.xinfo_groups(stream)
        ends = [(before, 0)]
        for group in groups:
            pending: Any = await self.redis.xpending(stream, group["name"])
            if pending["pending"]:
                ends.append(_place(pending["min"]))
            else:
                time_ms, number = _place(group["last-delivered-id"])
                ends.append((time_ms, number + 1))
        time_ms, number = min(ends)
        return int(await self.redis.xtrim(stream, minid=f"{time_ms}-{number}", approximate=False))


class _RedisPost:
    """A group's lanes as one consumer sees them."""

    def __init__(self, bus: RedisBus, group: str, consumer: str) -> None:
        self._bus = bus
        self._group = group
        self._consumer = consumer

    async def busy(self) -> Collection[int]:
        async with self._bus.guarded():
            found = await self._groups()
            if lost := [number for number, state in enumerate(found) if state is None]:
                # New, or Redis was flushed: the group starts at the oldest message there is.
                await self._make(lost)
                found = await self._groups()
        return [number for number, state in enumerate(found) if state is not None and _has_work(state)]

    def lane(self, number: int) -> Lane:
        return _RedisLane(self._bus, self._group, self._consumer, number)

    async def _groups(self) -> list[dict[str, Any] | None]:
        """Return what Redis says of the group in each lane; None where it does not know it."""
        pipeline = self._bus.redis.pipeline(transaction=False)
        for number in range(LANES):
            pipeline.xinfo_groups(self._bus.stream(number))
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return [self._own(reply) for reply in replies]

    def _own(self, reply: Any) -> dict[str, Any] | None:
        if isinstance(reply, ResponseError) and "no such key" in str(reply).lower():
            return None
        if isinstance(reply, Exception):
            raise reply
        return next((each for each in reply if each["name"] == self._group.encode()), None)

    async def _make(self, lanes: Sequence[int]) -> None:
        for number in lanes:
            try:
                await self._bus.redis.xgroup_create(self._bus.stream(number), self._group, "0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise


class _RedisLane:
    def __init__(self, bus: RedisBus, group: str, consumer: str, number: int) -> None:
        self._bus = bus
        self._group = group
        self._consumer = consumer
        self._number = number
        self._stream = bus.stream(number)
        self._lease = bus.lease(group, number)

    async def hold(self) -> bool:
        return await self._bus.run(_HOLD, [self._lease], [self._consumer, self._bus.terms.lease_ms])

    async def leave(self) -> None:
        await self._bus.run(_LEAVE, [self._lease], [self._consumer])

    async def waiting(self, limit: int) -> Sequence[Delivery]:
        redis = self._bus.redis
        async with self._bus.guarded():
            pending: Any = await redis.xpending_range(self._stream, self._group, "-", "+", limit)
            if not pending:
                return []
            pipeline = redis.pipeline(transaction=False)
            for each in pending:
                pipeline.xrange(self._stream, each["message_id"], each["message_id"])
            entries: list[Any] = await pipeline.execute()
            gone = [each["message_id"] for each, entry in zip(pending, entries, strict=True) if not entry]
            if gone:  # deleted by hand: nothing is left to deliver
                await redis.xack(self._stream, self._group, *gone)
        return [
            _delivery(entry[0], each["times_delivered"], each["time_since_delivered"])
            for each, entry in zip(pending, entries, strict=True)
            if entry
        ]

    async def fresh(self, limit: int) -> Sequence[Delivery]:
        async with self._bus.guarded():
            found: Any = await self._bus.redis.xreadgroup(self._group, self._consumer, {self._stream: ">"}, count=limit)
        return [_delivery(entry, 1, 0) for _, entries in found for entry in entries]

    async def again(self, delivery: Delivery) -> Delivery | None:
        # Claimed only if nobody has claimed it since it was looked at: that would have set its idle time back.
        async with self._bus.guarded():
            found: Any = await self._bus.redis.xclaim(
                self._stream, self._group, self._consumer, delivery.idle_ms, [delivery.place]
            )
        if not found or found[0][0] is None:
            return None
        return delivery._replace(tries=delivery.tries + 1, idle_ms=0)

    async def settle(self, done: Sequence[Delivery], untried: Sequence[Delivery]) -> None:
        if not done and not untried:
            return
        async with self._bus.guarded():
            pipeline = self._bus.redis.pipeline(transaction=True)
            if done:
                pipeline.xack(self._stream, self._group, *[each.place for each in done])
            for each in untried:
                pipeline.xclaim(
                    self._stream, self._group, self._consumer, 0, [each.place],
                    retrycount=each.tries - 1, justid=True,
                )  # fmt: skip
            await pipeline.execute()

    async def bury(self, delivery: Delivery, reason: str) -> None:
        await self._bus.bury(self._group, self._number, delivery, reason)


def _has_work(state: Mapping[str, Any]) -> bool:
    """Whether something waits; Redis does not always know how much is new, then it may."""
    return bool(state["pending"]) or state.get("lag") != 0


def _place(text: bytes) -> tuple[int, int]:
    time_ms, _, number = text.decode().partition("-")
    return int(time_ms), int(number)


def _fields(message: Message) -> dict[Any, Any]:
    found = {
        b"message_id": message.message_id.encode(),
        b"topic": message.topic.encode(),
        b"key": message.key.encode(),
        b"payload": message.payload,
        b"subject": message.subject.encode(),
    }
    if message.correlation_id is not None:
        found[b"correlation_id"] = message.correlation_id.encode()
    return found


def _flat(fields: Mapping[bytes, bytes]) -> list[bytes]:
    return [part for pair in fields.items() for part in pair]


def _message(fields: _Fields) -> Message:
    correlation_id = fields.get(b"correlation_id")
    return Message(
        fields[b"message_id"].decode(),
        fields[b"topic"].decode(),
        fields[b"key"].decode(),
        fields[b"payload"],
        correlation_id.decode() if correlation_id is not None else None,
        fields.get(b"subject", b"").decode(),
    )


def _delivery(entry: tuple[bytes, _Fields], tries: int, idle_ms: int) -> Delivery:
    place, fields = entry
    only = fields.get(b"only")
    return Delivery(place.decode(), _message(fields), tries, idle_ms, only.decode() if only is not None else None)


def _letter(letter_id: str, fields: _Fields) -> DeadLetter:
    return DeadLetter(
        letter_id,
        fields[b"group"].decode(),
        _message(fields),
        int(fields[b"tries"]),
        fields[b"reason"].decode(),
        int(fields[b"died_at"]),
    )
