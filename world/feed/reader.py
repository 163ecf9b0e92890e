"""One reader of a feed: where it stands, and what it gets next."""

from asyncio import Future
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from world.errors import WorldError
from world.feed.frames import (
    Audience,
    Frame,
    Reason,
    dropped_frame,
    event_frame,
    hello_frame,
    stale_frame,
)
from world.feed.limits import FeedLimits
from world.feed.ring import Ring
from world.feed.wire import Transport, Wire
from world.persistence.messages import Event

Ended = Reason | Literal["gone"]
"""gone: the reader has hung up, and there is nobody to tell."""


class Taken(NamedTuple):
    """What a reader gets next."""

    frames: Sequence[Frame]
    """At least one, but for a reader that is gone."""
    ended: Ended | None = None
    """Why nothing follows; None: more follows."""


class Source(Protocol):
    """What readers of a realm share."""

    realm_id: str
    ring: Ring
    limits: FeedLimits

    async def changed(self, reader: "Reader") -> bool:
        """Wait for news; True where only time has passed."""
        ...

    async def earlier(self, cursor: int, user_id: str | None, limit: int) -> tuple[Event, ...]:
        """Read events behind a cursor from the store."""
        ...

    def heartbeat(self, cursor: int) -> Frame:
        """Return the sign of life for a place."""
        ...


class Place(Protocol):
    """Where readers sit who have seen everything."""

    cursor: int

    def remove(self, transport: Transport) -> None:
        """Let a reader go."""
        ...


class Reader:
    """A reader's place in a realm's sequence. Thousands live at once: it holds no events of its own.

    Args:
        source: the realm's feed.
        audience: who reads.
        after: sequence behind which it wants to go on; None: what happens from now on.
        wire: its connection, where the server offers one.
    """

    __slots__ = (
        "_cursor",
        "_ended",
        "_is_live",
        "_opening",
        "_source",
        "audience",
        "row",
        "waiting",
        "wire",
        "writing_since",
    )

    def __init__(self, source: Source, audience: Audience, after: int | None, wire: Wire | None = None) -> None:
        self._source = source
        self.audience = audience
        self.wire = wire
        ring = source.ring
        self._cursor = ring.last if after is None else after
        self.row: Place | None = None
        """Where it sits while it waits."""
        self._ended: Ended | None = None
        self._is_live = False
        self.waiting: Future[bool] | None = None
        self.writing_since: float | None = None
        """When its connection was handed what it has not taken yet, seconds of the feed's clock."""
        if is_stale(self._cursor, ring.last, source.limits.kept):
            self._opening: Frame | None = stale_frame(source.realm_id, asked=self._cursor, sequence=ring.last)
            self._cursor = ring.last
        else:
            self._opening = hello_frame(source.realm_id, self._cursor, source.limits.heartbeat_s)

    @property
    def cursor(self) -> int:
        """Sequence up to which it was sent everything that is for it."""
        return self._cursor if self.row is None else self.row.cursor

    def end(self, reason: Ended) -> None:
        """Let it be told why, and nothing after that; the first reason holds."""
        self._ended = self._ended or reason
        self.wake()

    def wake(self, *, is_beat: bool = False, at: int | None = None) -> None:
        """Let it look for news, or show that it lives.

        Args:
            at: its place, where that is not its row's.
        """
        self.rise(at)
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(is_beat)

    def rise(self, at: int | None = None) -> None:
        """Leave the row: what comes from now on it takes for itself."""
        row, self.row = self.row, None
        if row is not None and self.wire is not None:
            self._cursor = row.cursor if at is None else at
            row.remove(self.wire.transport)

    async def take(self) -> Taken:
        """Return what to send next; waits until there is something."""
        if self._opening is not None:
            frame, self._opening = self._opening, None
            return Taken((frame,))
        while self._ended is None:
            if self._source.ring.holds(self.cursor):
                found = self._from_ring()
            elif self._is_live:
                self.end("too_slow")
                break
            else:
                found = await self._from_store()
            if found:
                return Taken(found)
            if self.cursor == self._source.ring.last and await self._waited():
                return Taken((self._source.heartbeat(self.cursor),))
        assert self._ended is not None
        if self._ended == "gone":
            return Taken((), "gone")
        return Taken((dropped_frame(self._source.realm_id, self._ended, self.cursor),), self._ended)

    async def _waited(self) -> bool:
        """Wait for news; True where a sign of life is due instead."""
        self._is_live = True
        return await self._source.changed(self) and self._ended is None and self.cursor == self._source.ring.last

    def _from_ring(self) -> list[Frame]:
        frames = self._source.ring.after(self.cursor, self._source.limits.page)
        if frames:
            self._cursor = frames[-1].sequence
        return [frame for frame in frames if self.audience.may_see(frame)]

    async def _from_store(self) -> list[Frame]:
        limit = self._source.limits.page
        # Taken before the store is read: all up to here was committed then, while the ring may move on meanwhile.
        upto = self._source.ring.behind
        try:
            events = await self._source.earlier(self.cursor, self.audience.user_id, limit)
        except WorldError:
            self.end("unavailable")
            return []
        frames = [event_frame(event) for event in events if event.sequence <= upto]
        is_last = len(frames) < limit
        self._cursor = upto if is_last else frames[-1].sequence
        return [frame for frame in frames if self.audience.may_see(frame)]


def is_stale(cursor: int, last: int, kept: int) -> bool:
    """Return whether a place cannot be gone on from: too long ago, or one that this realm has never reached.

    >>> is_stale(899, 1_000, 100), is_stale(900, 1_000, 100), is_stale(1_001, 1_000, 100)
    (True, False, True)
    """
    return cursor > last or last - cursor > kept
