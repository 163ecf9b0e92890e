"""Programs that keep a world alive as processes of their own, to kill, to pause or to race them.

python -m tests.faults.world_programs live URL SEED EPOCH_MS
python -m tests.faults.world_programs tick URL SEED EPOCH_MS
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final

from tests.faults.living_world import REALM, START, Crowd, LivingWorld, opened
from world.errors import LeaseLostError, MovedOnError, StoreUnavailableError

SPEED: Final = 100
"""How many times faster the world's time runs: a lease of a minute ends after 0.6 seconds."""


async def live(world: LivingWorld, clock: Callable[[], int], crowd: Crowd) -> None:
    """Take acts in, tick and settle for ever; write each answer to standard output once it is given."""
    while True:
        for _ in range(3):
            for taken in await world.ingestion.submit(crowd.acts(clock())):
                _tell(f"act {taken.row.event_id}\n")
        await _tick(world)
        await world.verdicts.settle(REALM)


async def tick(world: LivingWorld, clock: Callable[[], int], crowd: Crowd) -> None:
    """Tick for ever."""
    while True:
        await _tick(world)
        await asyncio.sleep(0.005)


async def _tick(world: LivingWorld) -> None:
    try:
        ticked = await world.ticker.run(REALM)
    except LeaseLostError:
        _tell("lost\n")
    except MovedOnError:
        _tell("moved\n")
    else:
        if ticked is not None:
            _tell(f"tick {ticked.wire['tick_number']}\n")


async def _run(
    work: Callable[[LivingWorld, Callable[[], int], Crowd], Awaitable[None]], url: str, seed: int, epoch_ms: int
) -> None:
    def clock() -> int:
        return START + (time.time_ns() // 1_000_000 - epoch_ms) * SPEED

    world = LivingWorld(opened(url), clock, f"worker-{seed}")
    crowd = Crowd(seed, f"e-{seed}")
    while True:
        try:
            await work(world, clock, crowd)
        except (StoreUnavailableError, MovedOnError):
            _tell("again\n")


def _tell(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_run({"live": live, "tick": tick}[sys.argv[1]], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
