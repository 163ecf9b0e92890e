"""The stopwatch takes off what the machine withheld, and nothing that the code under test spends or waits for."""

import asyncio
import os
import signal
import subprocess
import sys
import time

from tests.models.stopwatch import stopwatch


async def test_waiting_and_working_count_in_full() -> None:
    async with stopwatch() as watch:
        await asyncio.sleep(0.3)
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
        await asyncio.sleep(0.05)
    # 0.65 s in all, of which 0.35 would be left if either did not count; the kernel's own sum of delays is a little too long.
    assert watch.took_s >= 0.5


async def test_a_stopped_process_has_not_taken_the_time_it_stood_still() -> None:
    code = f"import os, signal, time; os.kill({os.getpid()}, {int(signal.SIGSTOP)}); time.sleep(0.5); "
    code += f"os.kill({os.getpid()}, {int(signal.SIGCONT)})"
    async with stopwatch() as watch:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.DEVNULL)
        await process.wait()
        await asyncio.sleep(0.05)
    assert watch.starved_s >= 0.4
    assert watch.took_s < watch.wall_s - 0.4
