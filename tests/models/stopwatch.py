"""A stopwatch that leaves out the time in which the machine gave this process nothing: limits hold on a busy machine too."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_TICK_S = 0.01


@dataclass
class Stopwatch:
    """Time between the start and the end of a block, seconds.

    Attributes:
        wall_s: by the clock on the wall.
        starved_s: the part of it in which the event loop should have run and this process got no processor. A loop that is
            held by code of our own is not starved: it burns processor time, and counts.
    """

    wall_s: float = 0.0
    starved_s: float = 0.0

    @property
    def took_s(self) -> float:
        """What the block itself took, seconds."""
        return self.wall_s - self.starved_s


@asynccontextmanager
async def stopwatch() -> AsyncIterator[Stopwatch]:
    """Measure a block; the stopwatch shows its times once the block is left."""
    watch, started = Stopwatch(), time.monotonic()
    ticking = asyncio.ensure_future(_tick(watch))
    try:
        yield watch
    finally:
        watch.wall_s = time.monotonic() - started
        ticking.cancel()


async def _tick(watch: Stopwatch) -> None:
    while True:
        wall, used = time.monotonic(), time.process_time()
        await asyncio.sleep(_TICK_S)
        late_s = time.monotonic() - wall - _TICK_S
        watch.starved_s += max(0.0, late_s - (time.process_time() - used))
