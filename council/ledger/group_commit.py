"""Group commit: everything that waits is written in one transaction, and then each caller is answered.

While one batch is being committed the next one gathers, so a commit's cost is shared by all who wait (performance.md, the
ledger). A caller is answered only after the commit that holds its own write. Reviews under way and their replies wait in
the same queue as records: they share commits, and stand before the record that closes them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from council.ledger.batches import Outcome, Write
from council.ledger.chain import begin_link, check_id, check_new
from council.ledger.port import LedgerUnavailableError, NewRecord, OpenReview, StoredRecord
from council.ledger.under_way import JournalledReply

MAX_BATCH: Final = 256
"""Most writes in one transaction."""
MAX_WAITING: Final = 4096
"""Most writes in the queue; further callers wait until a batch has left it."""

Answer = Callable[[Sequence[Outcome]], None]
"""Hands in the outcomes of a batch, in its order, on the event loop."""
Commit = Callable[[Sequence[Write], Answer], None]
"""Starts to write a batch and returns at once; calls the `Answer` when it is committed or has failed."""

_Waiting = tuple[Write, "asyncio.Future[Any]"]


class GroupCommit:
    """The queue before one database's writer.

    Args:
        commit: writes one batch; called again only after it has answered.
    """

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._queue: deque[_Waiting] = deque()
        self._is_busy = False
        """Whether a batch is being committed, or `_start` is on its way."""
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._left: asyncio.Future[None] | None = None

    async def append(self, new: NewRecord) -> StoredRecord:
        """Queue one record and wait for its commit; raise what `Ledger.append` raises."""
        check_new(new)
        stored: StoredRecord = await self._answered(begin_link(new))
        return stored

    async def open_review(self, review: OpenReview) -> OpenReview:
        """Queue a review that begins and wait for its commit; raise what `Ledger.open_review` raises."""
        check_id(review.decision_id, review.request_key)
        kept: OpenReview = await self._answered(review)
        return kept

    async def journal(self, reply: JournalledReply) -> None:
        """Queue a reply and wait for its commit; raise what `Ledger.journal_reply` raises."""
        await self._answered(reply)

    async def close(self) -> None:
        """Refuse new writes and wait until those queued are answered."""
        self._is_closed = True
        while self._is_busy and self._loop is asyncio.get_running_loop():
            await self._batch_left()

    async def _answered(self, write: Write) -> Any:
        """Queue one write, wait for its commit, and return or raise what became of it."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._join_loop(loop)
        if len(self._queue) >= MAX_WAITING:
            await self._room()
        if self._is_closed:
            raise LedgerUnavailableError("it is closed")
        answered: asyncio.Future[Any] = loop.create_future()
        self._queue.append((write, answered))
        if not self._is_busy:
            self._is_busy = True
            # Whatever is ready to run in this turn of the loop still joins the batch: one commit for all of it, and a writer
            # that works while the loop is idle, were measured faster than small batches written beside a busy loop.
            loop.call_soon(self._start)
        return await answered

    def _start(self) -> None:
        queue = self._queue
        if not queue:
            self._is_busy = False
            self._tell_left()
            return
        batch = [queue.popleft() for _ in range(min(len(queue), MAX_BATCH))]
        self._tell_left()
        self._commit([write for write, _ in batch], lambda outcomes: self._answer(batch, outcomes))

    def _answer(self, batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
        for (_, answered), outcome in zip(batch, outcomes, strict=True):
            if answered.done():  # its caller was cancelled; what it wrote stands all the same
                continue
            if isinstance(outcome, Exception):
                answered.set_exception(outcome)
            else:
                answered.set_result(outcome)
        # Behind the callers just woken, so that what they append next is in the next batch.
        asyncio.get_running_loop().call_soon(self._start)

    async def _room(self) -> None:
        while len(self._queue) >= MAX_WAITING:
            await self._batch_left()

    async def _batch_left(self) -> None:
        if self._left is None:
            self._left = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._left)

    def _tell_left(self) -> None:
        if self._left is not None:
            self._left.set_result(None)
            self._left = None

    def _join_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve the running loop; what another, ended loop left waiting has nobody to answer."""
        self._loop = loop
        self._queue.clear()
        self._is_busy = False
        self._left = None
