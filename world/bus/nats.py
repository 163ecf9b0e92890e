"""The bus on NATS JetStream: a subject a lane, a record for each group's place in a lane, and one of where the bus stands.

All of it lies in one stream, so that it is lost together: a stream restored from an old file never says that a group was further
than its messages go. Records are replaced whole, under the number that they were read at, so that a lane has one holder.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from nats.js.errors import NoStreamResponseError

from world.bus.brokered import BrokeredBus, Letters, by_lane, escaped, headers_of, message_from, only_from, side_by_side
from world.bus.courier import NOBODY, Delivery, Lane
from world.bus.group_lane import GroupLane, read, written
from world.bus.nats_stream import TIMEOUT_S, NatsStream, OvertakenError, Stored
from world.bus.port import LANES, BusUnavailableError, DeadLetter, Message, Terms, lane_of, moved_standing

_TRIES: Final = 10
"""Tries of a change that somebody else came in between."""


class NatsWire:
    """JetStream as a broker.

    Args:
        url: nats://[USER:PASSWORD@]HOST[:PORT] or tls://….
        now: milliseconds since 1970; leases and rests are reckoned by it.
        prefix: what its subjects begin with; its stream is named after it.
        timeout_s: how long one request may take.
    """

    def __init__(
        self,
        url: str,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        prefix: str = "council.bus",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.stream = NatsStream(url, prefix.upper().replace(".", "_"), f"{prefix}.>", timeout_s)
        self.now = now
        self._prefix = prefix
        self._standing = f"{prefix}.standing"

    async def publish(self, messages: Sequence[Message], now: int, at_least: int | None) -> None:
        async with self.stream.guarded():
            for _ in range(_TRIES):
                number, standing = await self._stand()
                after = moved_standing(standing, now, at_least)
                try:
                    await self._fill(messages, number, after)
                    return
                except NoStreamResponseError:
                    await self.stream.make()
                except OvertakenError:
                    continue
        raise BusUnavailableError("others keep publishing to it")

    async def standing(self) -> int | None:
        async with self.stream.guarded():
            return (await self._stand())[1]

    async def again(self, letter: DeadLetter) -> None:
        unique = f"{letter.message.message_id}/{letter.letter_id}"  # not what JetStream has had under the message's own
        async with self.stream.guarded():
            await self._append(letter.message, unique, letter.group)

    def post(self, group: str, consumer: str, terms: Terms, letters: Letters) -> "NatsPost":
        return NatsPost(self, group, consumer, terms, letters)

    async def tidy(self, before: int) -> int:
        async with self.stream.guarded():
            groups: dict[str, dict[int, GroupLane]] = {}
            for record in await self.stream.many({"multi_last": [f"{self._prefix}.group.>"]}):
                *_, group, lane = record.subject.split(".")
                groups.setdefault(group, {})[int(lane)] = read(record.data)
            return sum([await self._tidy_lane(lane, before, list(groups.values())) for lane in range(LANES)])

    async def ready(self) -> None:
        await self.standing()

    async def close(self) -> None:
        await self.stream.close()

    def lane_subject(self, lane: int | str) -> str:
        """Return the subject of a lane's messages."""
        return f"{self._prefix}.lane.{lane}"

    def group_subject(self, group: str, lane: int | str) -> str:
        """Return the subject of a group's record of a lane."""
        return f"{self._prefix}.group.{escaped(group, '').replace('.', '%2E')}.{lane}"

    async def _stand(self) -> tuple[int, int | None]:
        """Return the number of the record that says where the bus stands, and what it says."""
        found = await self.stream.last(self._standing)
        return (found.number, int(found.data)) if found is not None else (0, None)

    async def _fill(self, messages: Sequence[Message], number: int, standing: int) -> None:
        # Side by side, but one after another within a lane: a message that fails must not be overtaken. Each is refused where
        # the bus does not stand any more where it was seen to: it was lost, or another relay is at work.
        seen = (self._standing, number)
        await side_by_side([self._fill_lane(lane, seen) for lane in by_lane(messages).values()])
        await self.stream.replace(self._standing, str(standing).encode(), number)

    async def _fill_lane(self, messages: Sequence[Message], seen: tuple[str, int]) -> None:
        for message in messages:
            await self._append(message, message.message_id, None, seen)

    async def _append(
        self, message: Message, unique: str, only: str | None, seen: tuple[str, int] | None = None
    ) -> None:
        headers = {**headers_of(message, only), "Nats-Msg-Id": escaped(unique)}
        await self.stream.append(self.lane_subject(lane_of(message.key)), message.payload, headers, seen)

    async def _tidy_lane(self, lane: int, before: int, groups: Sequence[Mapping[int, GroupLane]]) -> int:
        subject, moment = self.lane_subject(lane), datetime.fromtimestamp(before / 1_000, UTC).isoformat()
        if not await self.stream.many({"seq": 1, "next_by_subj": subject, "batch": 1}):
            return 0
        late = await self.stream.many({"start_time": moment, "next_by_subj": subject, "batch": 1})
        ends = [each.number for each in late] + [group.get(lane, GroupLane()).settled_to + 1 for group in groups]
        return await self.stream.purge(subject, min(ends)) if ends and min(ends) > 1 else 0


class NatsPost:
    """A group's lanes as one consumer sees them."""

    def __init__(self, wire: NatsWire, group: str, consumer: str, terms: Terms, letters: Letters) -> None:
        self.wire = wire
        self.group = group
        self.consumer = consumer
        self.terms = terms
        self.letters = letters
        self._records: dict[int, tuple[int, GroupLane]] = {}

    async def busy(self) -> Collection[int]:
        subjects = [self.wire.lane_subject("*"), self.wire.group_subject(self.group, "*")]
        async with self.wire.stream.guarded():
            found = await self.wire.stream.many({"multi_last": subjects})
        self._records, newest = {}, dict.fromkeys(range(LANES), 0)
        for each in found:
            *_, kind, lane = each.subject.split(".")
            if kind == "lane":
                newest[int(lane)] = each.number
            else:
                self._records[int(lane)] = (each.number, read(each.data))
        states = {lane: self._records.get(lane, (0, GroupLane()))[1] for lane in range(LANES)}
        return [lane for lane, state in states.items() if state.waiting or newest[lane] > state.position]

    def lane(self, number: int) -> Lane:
        return NatsLane(self, number, self._records.get(number, (0, GroupLane())))

    async def close(self) -> None:
        """Nothing is held between two steps."""


class NatsLane:
    """One lane under way: the group's record as it was last read or written."""

    def __init__(self, post: NatsPost, number: int, record: tuple[int, GroupLane]) -> None:
        self._post = post
        self._stream = post.wire.stream
        self._number = number
        self._subject = post.wire.group_subject(post.group, number)
        self._record = record

    async def hold(self) -> bool:
        now = self._post.wire.now()
        return await self._change(lambda state: state.held(self._post.consumer, now, now + self._post.terms.lease_ms))

    async def leave(self) -> None:
        await self._change(lambda state: state.left(self._post.consumer))

    async def waiting(self, limit: int) -> Sequence[Delivery]:
        now, handed = self._post.wire.now(), sorted(self._record[1].waiting.items())[:limit]
        async with self._stream.guarded():
            found = await asyncio.gather(*[self._stream.at(place) for place, _ in handed])
        pairs = list(zip(handed, found, strict=True))
        if gone := [Delivery(str(place), NOBODY, 0) for (place, _), stored in pairs if stored is None]:
            await self.settle(gone, ())  # deleted by hand: nothing is left to deliver
        return [_delivery(stored, tries, now - since) for (_, (tries, since)), stored in pairs if stored is not None]

    async def fresh(self, limit: int) -> Sequence[Delivery]:
        position = self._record[1].position
        subject = self._post.wire.lane_subject(self._number)
        async with self._stream.guarded():
            found = await self._stream.many({"seq": position + 1, "next_by_subj": subject, "batch": limit})
        if not found:
            return []
        now, places = self._post.wire.now(), [each.number for each in found]
        is_ours = await self._change(
            lambda state: (
                state.handed_out(places, now)
                if (state.position, state.holder) == (position, self._post.consumer)
                else None
            )
        )
        return [_delivery(each, 1, 0) for each in found] if is_ours else []

    async def again(self, delivery: Delivery) -> Delivery | None:
        now = self._post.wire.now()
        is_ours = await self._change(lambda state: state.again(delivery, now))
        return delivery._replace(tries=delivery.tries + 1, idle_ms=0) if is_ours else None

    async def settle(self, done: Sequence[Delivery], untried: Sequence[Delivery]) -> None:
        if done or untried:
            await self._change(lambda state: state.settled(done, untried))

    async def bury(self, delivery: Delivery, reason: str) -> None:
        if int(delivery.place) in self._record[1].waiting:
            await self._post.letters.keep(self._post.group, delivery.message, delivery.tries, reason)
            await self.settle((delivery,), ())

    async def _change(self, change: Callable[[GroupLane], GroupLane | None]) -> bool:
        """Change the group's record as it is now; False where the change finds that it must not."""
        for _ in range(_TRIES):
            number, state = self._record
            after = change(state)
            if after is None:
                return False
            async with self._stream.guarded():
                try:
                    self._record = (await self._stream.replace(self._subject, written(after), number), after)
                    return True
                except OvertakenError:
                    found = await self._stream.last(self._subject)
            self._record = (found.number, read(found.data)) if found is not None else (0, GroupLane())
        raise BusUnavailableError("others keep changing the group's record")


def _delivery(stored: Stored, tries: int, idle_ms: int) -> Delivery:
    message = message_from(stored.headers, stored.data)
    return Delivery(str(stored.number), message, tries, idle_ms, only_from(stored.headers))


def nats_bus(url: str, letters: Letters, terms: Terms | None = None) -> BrokeredBus:
    """Return the bus on a NATS server, nats://HOST:PORT; its dead letters are kept elsewhere."""
    return BrokeredBus(NatsWire(url), letters, terms)
