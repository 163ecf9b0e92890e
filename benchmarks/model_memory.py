"""Memory and connections over thousands of reviews whose members ask models.

python -m benchmarks.model_memory [--json]
"""

import asyncio
import gc
import sys
import tempfile
from pathlib import Path

from benchmarks.model_review import council_over
from benchmarks.model_server import connections, running
from benchmarks.report import Row, print_report
from benchmarks.workload import sovereign_request

FIRST = 1_000
"""Reviews after which caches and pools are full."""
ALL = 5_000
IN_FLIGHT = 20


def resident_mib() -> float:
    """Return the memory of this process that is in use, MiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def measure() -> list[Row]:
    """Review one request after another, each under a key of its own, and look at memory and connections."""
    request = sovereign_request()
    with running() as base_url, tempfile.TemporaryDirectory() as folder:
        service, close = await council_over(base_url, folder)

        async def caller(start: int, until: int) -> None:
            for number in range(start, until, IN_FLIGHT):
                await service.review(request, idempotency_key=f"memory-{number}")

        await asyncio.gather(*[caller(index, FIRST) for index in range(IN_FLIGHT)])
        first, opened = resident_mib(), connections(base_url)
        await asyncio.gather(*[caller(FIRST + index, ALL) for index in range(IN_FLIGHT)])
        last, more = resident_mib(), connections(base_url) - opened
        await close()
    return [
        Row(f"memory after {FIRST} reviews", f"{first:.1f} MiB", "1.00", ""),
        Row(f"memory after {ALL} reviews", f"{last:.1f} MiB", f"{last / first:.2f}", "flat"),
        Row(f"connections opened after the first {FIRST}", str(more), "", "0"),
    ]


def main() -> None:
    """Print the report."""
    print_report(f"{ALL} reviews whose members ask models", asyncio.run(measure()), as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
