"""The feed of one realm: follows the store's durable sequence into the ring, and wakes whoever waits for more."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from world.errors import WorldError
from world.feed.batch import Batch
from world.feed.frames import Audience, Frame, Reason, event_frame, heartbeat_frame
from world.feed.limits import FeedLimits
from world.feed.reader import Reader
from world.feed.ring import Ring
from world.feed.seating import Seating
from world.feed.wire import Wire
from world.persistence.messages import Event
from world.persistence.port import WorldStore

_log = logging.getLogger(__name__)
MAX_BACKOFF: Final = 20
"""Most polls between two looks at a store that does not answer."""


class RealmFeed:
    """What the readers of a realm share. Runs from its first reader to its last.

    Args:
        last: sequence behind which the ring begins.
        monotonic: seconds that never run back.
        arrived: told of every event that comes once the ring is filled.
    """

    def __init__(
        self,
        store: WorldStore,
        realm_id: str,
        last: int,
        limits: FeedLimits,
        monotonic: Callable[[], float],
        arrived: Callable[[Event], None],
    ) -> None:
        self.realm_id = realm_id
        self.limits = limits
        self.ring = Ring(limits.ring, last)
        self.readers: set[Reader] = set()
        self._seating = Seating(limits.slice)
        self._store = store
        self._monotonic = monotonic
        self._woken = asyncio.Event()
        self._reading = asyncio.Lock()
        self._heartbeat = heartbeat_frame(realm_id, last)
        self._arrived = arrived
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, last: int) -> None:
        """Fill the ring up to an event, and follow what comes after it.

        Raises:
            StoreUnavailableError: where the store cannot be read now.
        """
        while self.ring.last < last and await self._read_on(is_past=True):
            pass
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._watch())]

    async def add(self, audience: Audience, after: int | None, wire: Wire | None) -> Reader:
        """Let a reader in.

        Args:
            after: sequence behind which it goes on; None: from now on.
            wire: its connection, where the server offers one.
        """
        if after is not None and after > self.ring.last and (batch := await self._read_on()) is not None:
            # Another process told it of what this one had not read yet. In one go: who asks may give up at any wait.
            for _ in self._seating.offer(batch):
                pass
        reader = Reader(self, audience, after, wire)
        self.readers.add(reader)
        return reader

    def remove(self, reader: Reader) -> None:
        """Let a reader go."""
        self.readers.discard(reader)

    def wake(self) -> None:
        """Say that something was committed."""
        self._woken.set()

    def end(self, reason: Reason) -> None:
        """Let every reader be told why it ends."""
        for reader in self.readers:
            reader.end(reason)

    async def close(self) -> None:
        """Stop following."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def changed(self, reader: Reader) -> bool:
        """Wait until there is more than the reader has seen, or a sign of life is due (True)."""
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        reader.waiting = waiting
        self._seating.take_in(reader)
        try:
            return await waiting
        finally:
            reader.waiting = None
            self._seating.let_go(reader)

    async def earlier(self, cursor: int, user_id: str | None, limit: int) -> tuple[Event, ...]:
        """Read events behind a cursor from the store."""
        return await self._store.events(self.realm_id, cursor, limit, user_id)

    def heartbeat(self, cursor: int) -> Frame:
        """Return the sign of life for a place; made once for all who stand there."""
        if self._heartbeat.sequence != cursor:
            self._heartbeat = heartbeat_frame(self.realm_id, cursor)
        return self._heartbeat

    async def _follow(self) -> None:
        failures = 0
        while True:
            # Before the look: what is committed while it goes on must be looked for again.
            self._woken.clear()
            try:
                batch, failures = await self._read_on(), 0
            except WorldError as error:
                batch, failures = None, failures + 1
                _log.warning("events not read", extra={"realm_id": self.realm_id, "error": type(error).__name__})
            if batch is not None:
                # Readers write what they were woken for before more may push it out of the ring.
                await self._offer(batch)
                continue
            with contextlib.suppress(TimeoutError):
                # Not wait_for, which may swallow a cancellation in Python 3.11: then the feed would never end.
                async with asyncio.timeout(self.limits.poll_s * min(1 + failures, MAX_BACKOFF)):
                    await self._woken.wait()

    async def _read_on(self, *, is_past: bool = False) -> Batch | None:
        """Read a page into the ring, and return it for those who wait; None where there was nothing."""
        async with self._reading:
            behind = self.ring.last
            events = await self._store.all_events(self.realm_id, behind, self.limits.page)
            came = _gapless(events, behind)
            frames = [event_frame(event) for event in came]
            self.ring.add(frames)
        if not is_past:
            for event in came:
                self._arrived(event)
        return Batch(frames, behind, frames[-1].sequence) if frames else None

    async def _offer(self, batch: Batch) -> None:
        """Let every reader have what has come, some at a time: the first need not wait for the last, nor other work for all."""
        for _ in self._seating.offer(batch):
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _watch(self) -> None:
        """Show readers signs of life, and end connections that take nothing."""
        beat_at = self._monotonic() + self.limits.heartbeat_s
        while True:
            await asyncio.sleep(min(self.limits.heartbeat_s, self.limits.write_timeout_s) / 4)
            now = self._monotonic()
            for reader in tuple(self.readers):
                self._check(reader, now)
            if now >= beat_at:
                beat_at = now + self.limits.heartbeat_s
                last = self.ring.last
                await self._offer(Batch([self.heartbeat(last)], last, last))

    def _check(self, reader: Reader, now: float) -> None:
        if reader.writing_since is None:
            return
        late_s = now - reader.writing_since
        if late_s > self.limits.write_timeout_s:
            reader.end("too_slow")
        if late_s > 2 * self.limits.write_timeout_s and reader.wire is not None:
            reader.wire.transport.abort()


def _gapless(events: tuple[Event, ...], last: int) -> list[Event]:
    """Return events up to the first gap: what is missing is being committed, and comes with the next look."""
    return [event for number, event in enumerate(events, last + 1) if event.sequence == number]
