"""One thread that runs calls in order: SQLite waits for the disk there, and the event loop does not."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """A thread with a queue of calls.

    Args:
        name: the thread's name.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon: a process that ends without `close` must not wait for a locked database.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def post(self, call: Callable[[], T], then: Callable[[T], None]) -> None:
        """Run `call` in the thread, then hand its result to `then` on the running loop. `call` must not raise."""
        loop = asyncio.get_running_loop()
        self._calls.put(lambda: _hand_back(loop, then, call()))

    async def run(self, call: Callable[[], T]) -> T:
        """Run `call` in the thread and return its result, or raise what it raised."""
        answered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.post(lambda: _tried(call), lambda settle: settle(answered))
        return await answered

    async def close(self, last: Callable[[], None]) -> None:
        """Run `last` after everything queued, then end the thread."""
        if self._thread.is_alive():
            await self.run(last)
            self._calls.put(None)
            await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _hand_back(loop: asyncio.AbstractEventLoop, then: Callable[[T], None], result: T) -> None:
    with suppress(RuntimeError):  # the loop ended meanwhile: nobody waits
        loop.call_soon_threadsafe(then, result)


def _tried(call: Callable[[], T]) -> Callable[[asyncio.Future[T]], None]:
    try:
        result = call()
    except Exception as error:  # noqa: BLE001 - raised again where the call is awaited
        failure = error
        return lambda answered: None if answered.done() else answered.set_exception(failure)
    return lambda answered: None if answered.done() else answered.set_result(result)
