"""How a consumer works off its group's messages, over any adapter that keeps lanes.

A lane is one stretch of the bus in which order is kept. One consumer of a group holds it at a time, works off one batch and lets
it go again, so that competing consumers share the lanes without knowing of one another. Messages that come for the first time are
taken by the hundred; one that was delivered before is claimed first, alone, and only then are its tries looked at: a message that
kills its consumer is found out, and those behind it are not blamed.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, Protocol

from world.bus.port import LANES, Handler, Message, NotNowError, Terms
from world.bus.telling import told

_log: Final = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """A message on its way to one group."""

    place: str
    """Where it stands in its lane, as the adapter writes it."""
    message: Message
    tries: int
    """How often it was handed out; what comes fresh has 1."""
    idle_ms: int = 0
    """Time since it was last handed out."""
    only: str | None = None
    """The one group that it is for, where it was sent again."""


NOBODY: Final = Message("", "", "", b"")
"""Stands for a message that is not there any more."""


class Lane(Protocol):
    """One lane as one consumer of a group sees it."""

    async def hold(self) -> bool:
        """Take the lane or hold it longer; False while another consumer has it."""
        ...

    async def leave(self) -> None:
        """Let others have it."""
        ...

    async def waiting(self, limit: int) -> Sequence[Delivery]:
        """Return what was handed out and is not settled, oldest first."""
        ...

    async def fresh(self, limit: int) -> Sequence[Delivery]:
        """Hand out messages for the first time, oldest first."""
        ...

    async def again(self, delivery: Delivery) -> Delivery | None:
        """Hand a waiting message out once more, counted before it is looked at; None where another consumer was faster."""
        ...

    async def settle(self, done: Sequence[Delivery], untried: Sequence[Delivery]) -> None:
        """Acknowledge what is done, and take one try back from what was handed out and not tried."""
        ...

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Put a message among the dead letters and acknowledge it, both or none."""
        ...


class Post(Protocol):
    """What an adapter offers the courier of one consumer."""

    async def busy(self) -> Collection[int]:
        """Return the lanes in which something waits or may wait for the group."""
        ...

    def lane(self, number: int) -> Lane:
        """Return a lane."""
        ...


class _Refused(NamedTuple):
    """A try that failed."""

    reason: str


class Courier:
    """A `Subscription` over an adapter's lanes.

    Args:
        post: the adapter, for one consumer of one group.
        group: the group's name.
        topics: what the handler is handed; empty: everything.
        start: lane to begin with, so that competing consumers begin at different ones.
    """

    def __init__(
        self, post: Post, group: str, topics: Collection[str], handler: Handler, terms: Terms, start: int = 0
    ) -> None:
        self._post = post
        self._group = group
        self._topics = frozenset(topics)
        self._handler = handler
        self._terms = terms
        self._start = start % LANES
        self._is_closed = False

    async def step(self) -> int:
        settled = 0
        busy = frozenset(await self._post.busy())
        for number in sorted(busy, key=lambda lane: (lane - self._start) % LANES):
            lane = self._post.lane(number)
            if self._is_closed or not await lane.hold():
                continue
            try:
                settled += await _Round(lane, self._is_for_us, self._try, self._terms).run()
            except NotNowError as error:
                _log.warning("bus_consumer_not_now", extra={"group": self._group, "error": type(error).__name__})
                break
            finally:
                await lane.leave()
        self._start = (self._start + 1) % LANES
        return settled

    async def close(self) -> None:
        self._is_closed = True

    def _is_for_us(self, delivery: Delivery) -> bool:
        is_ours = delivery.only in (None, self._group)
        return is_ours and (not self._topics or delivery.message.topic in self._topics)

    async def _try(self, message: Message) -> _Refused | None:
        try:
            async with asyncio.timeout(self._terms.handler_s):
                await self._handler(message)
        except NotNowError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is one failed try of this message
            # What went wrong in words stands in the dead letter alone, beside the message that it may quote.
            codes = {"message_id": message.message_id, "error": type(error).__name__}
            _log.warning("bus_message_failed", extra={"group": self._group, **codes})
            return _Refused(told(error))
        return None


class _Round:
    """One consumer's work on one lane that it holds."""

    def __init__(self, lane: Lane, is_for_us: "_Filter", attempt: "_Attempt", terms: Terms) -> None:
        self._lane = lane
        self._is_for_us = is_for_us
        self._attempt = attempt
        self._terms = terms
        self._blocked: set[str] = set()
        """Keys of messages that failed: later ones of theirs wait."""
        self._held_at = time.monotonic()

    async def run(self) -> int:
        """Work off what waits, then one batch of what is new; return how many messages are settled."""
        waiting = await self._lane.waiting(self._terms.window)
        settled = 0
        for delivery in waiting:
            if not await self._still_ours():
                return settled
            settled += await self._waiting(delivery)
        if len(waiting) < self._terms.window and await self._still_ours():
            settled += await self._batch(await self._lane.fresh(self._terms.batch))
        return settled

    async def _waiting(self, delivery: Delivery) -> int:
        key = delivery.message.key
        if key in self._blocked:
            return 0
        self._blocked.add(key)  # until it is settled
        if delivery.tries and delivery.idle_ms < self._terms.retry_after_ms(delivery.tries):
            return 0
        taken = await self._lane.again(delivery)
        if taken is None:
            return 0
        if taken.tries > self._terms.max_tries:
            # It was handed out as often as may be, and nobody lived to say what became of it.
            await self._lane.bury(taken._replace(tries=delivery.tries), "its consumer died each time")
        elif not await self._tried(taken):
            return 0
        self._blocked.discard(key)
        return 1

    async def _tried(self, taken: Delivery) -> bool:
        """Try one message and settle it where it is done or dead."""
        if self._is_for_us(taken):
            try:
                refused = await self._attempt(taken.message)
            except NotNowError:
                await self._lane.settle((), (taken,))
                raise
            if refused is not None and taken.tries < self._terms.max_tries:
                return False
            if refused is not None:
                await self._lane.bury(taken, refused.reason)
                return True
        await self._lane.settle((taken,), ())
        return True

    async def _batch(self, fresh: Sequence[Delivery]) -> int:
        done: list[Delivery] = []
        dead: list[tuple[Delivery, str]] = []
        untried = list(fresh)
        try:
            for place, delivery in enumerate(fresh):
                if delivery.message.key in self._blocked:
                    continue
                if not await self._still_ours():
                    untried = []  # whoever has the lane now counts their tries
                    break
                refused = await self._attempt(delivery.message) if self._is_for_us(delivery) else None
                untried[place] = _TRIED
                if refused is None:
                    done.append(delivery)
                elif self._terms.max_tries == 1:
                    dead.append((delivery, refused.reason))
                else:
                    self._blocked.add(delivery.message.key)
        finally:
            # Also where the handler cannot work now, or the consumer is stopped: what is done is not done twice.
            await self._lane.settle(done, [each for each in untried if each is not _TRIED])
            for delivery, reason in dead:
                await self._lane.bury(delivery, reason)
        return len(done) + len(dead)

    async def _still_ours(self) -> bool:
        """Hold the lane longer where a third of the lease is over; False where another consumer has it meanwhile."""
        if (time.monotonic() - self._held_at) * 3_000 < self._terms.lease_ms:
            return True
        self._held_at = time.monotonic()
        return await self._lane.hold()


class _Filter(Protocol):
    def __call__(self, delivery: Delivery) -> bool: ...


class _Attempt(Protocol):
    async def __call__(self, message: Message) -> _Refused | None: ...


_TRIED: Final = Delivery("", NOBODY, 0)
"""Stands where a message of a batch was tried."""
