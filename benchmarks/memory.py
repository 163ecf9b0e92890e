"""100,000 decisions recorded: the process holds no more memory than at 1,000.

python -m benchmarks.memory [--json] [DECISIONS]
"""

import asyncio
import gc
import sys
import tempfile
from pathlib import Path

from benchmarks.report import Row, print_report
from benchmarks.workload import everyday_request, sovereign_request
from council.graph import build_graph
from council.ledger.opening import open_ledger
from council.service import CouncilService
from policies.loading import default_policy_path, load_policy

EARLY = 1_000
IN_FLIGHT = 64
ALLOWED_MIB = 8.0
"""Growth that counts as none: what the allocator keeps of the largest batch."""


def resident_mib() -> float:
    """Return the resident memory of this process, MiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def measure(decisions: int) -> list[Row]:
    policy = load_policy(default_policy_path())
    bodies = [everyday_request()] * 9 + [sovereign_request()]
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(f"sqlite:///{Path(folder) / 'bench.db'}")
        service = CouncilService(ledger=ledger, current_policy=lambda: policy, graph=build_graph(lambda: policy))

        async def send(first: int, last: int) -> None:
            for start in range(first, last, IN_FLIGHT):
                numbers = range(start, min(start + IN_FLIGHT, last))
                await asyncio.gather(*[service.review(bodies[n % 10], idempotency_key=f"k-{n}") for n in numbers])

        await send(0, EARLY)
        early = resident_mib()
        await send(EARLY, decisions)
        late = resident_mib()
        await service.close()
        await ledger.close()
    return [
        Row(f"resident after {EARLY} decisions", f"{early:.1f} MiB", "1.00", ""),
        Row(
            f"resident after {decisions} decisions",
            f"{late:.1f} MiB",
            f"{late / early:.2f}",
            f"<= {early + ALLOWED_MIB:.1f} MiB",
        ),
    ]


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    rows = asyncio.run(measure(numbers[0] if numbers else 100_000))
    print_report("Memory of the recording process", rows, as_json="--json" in sys.argv)
