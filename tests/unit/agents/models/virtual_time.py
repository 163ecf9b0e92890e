"""An event loop whose time passes at once: waits cost nothing, and every moment is exact."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that skips to its next timer instead of sleeping; its time starts at 0."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        """Return virtual seconds."""
        return self.now_s


class _Skipping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready now, and let the time that nobody waits for pass."""
        if timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        if timeout > 0:
            self._loop.now_s += timeout
        return super().select(0)


def in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own in which waiting takes no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def now_s() -> float:
    """Return the running loop's time: the clock to hand in."""
    return asyncio.get_running_loop().time()
