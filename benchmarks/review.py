"""A whole review by rules with its record committed, and the fast path, against a bare LangGraph five-way fan-out.

python -m benchmarks.review [--json]
"""

import asyncio
import operator
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from benchmarks.report import Row, print_report
from benchmarks.workload import council_requests, everyday_request, sovereign_request
from council.graph import build_graph
from council.ledger.opening import open_ledger
from council.replay import replay
from council.service import CouncilService
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy

IN_FLIGHT = 32
ROUNDS = 5
CALLS = 640


class _Fan(TypedDict, total=False):
    votes: Annotated[list[int], operator.add]
    verdict: str


def bare_fan_out() -> Any:
    """Return the peer: five async nodes that return at once, and a join."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(_Fan)

    async def join(state: _Fan) -> _Fan:
        return {"verdict": "approve"}

    graph.add_node("join", join)
    for index in range(5):

        async def member(state: _Fan, index: int = index) -> _Fan:
            return {"votes": [index]}

        graph.add_node(f"member_{index}", member)
        graph.add_edge(START, f"member_{index}")
    graph.add_edge([f"member_{index}" for index in range(5)], "join")
    graph.add_edge("join", END)
    return graph.compile()


async def seconds_each(once: Callable[[int], Awaitable[object]], *, in_flight: int = IN_FLIGHT) -> float:
    """Return seconds per call with as many callers in flight, each sending its next call when the last is answered."""
    await asyncio.gather(*[once(-1 - index) for index in range(in_flight)])
    took = []
    for turn in range(ROUNDS):
        first = turn * CALLS

        async def caller(start: int) -> None:
            for number in range(start, first + CALLS, in_flight):  # noqa: B023 - awaited within its turn
                await once(number)

        started = time.perf_counter()
        await asyncio.gather(*[caller(first + index) for index in range(in_flight)])
        took.append((time.perf_counter() - started) / CALLS)
    return sorted(took)[len(took) // 2]


def replays_a_second(bodies: list[bytes], policy: Policy) -> float:
    """Return how many records are recomputed and compared a second."""
    started = time.perf_counter()
    for body in bodies:
        if replay(body, policy):
            raise AssertionError("a record does not replay")
    return len(bodies) / (time.perf_counter() - started)


async def measure() -> list[Row]:
    policy = load_policy(default_policy_path())
    fan = bare_fan_out()
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(f"sqlite:///{Path(folder) / 'bench.db'}")
        service = CouncilService(ledger=ledger, current_policy=lambda: policy, graph=build_graph(lambda: policy))
        peer = await seconds_each(lambda _: fan.ainvoke({"votes": []}))
        full, examples, fast = sovereign_request(), council_requests(), everyday_request()
        review = await seconds_each(lambda n: service.review(full, idempotency_key=f"full-{n}"))
        turns = await seconds_each(lambda n: service.review(examples[n % len(examples)], idempotency_key=f"turn-{n}"))
        path = await seconds_each(lambda n: service.review(fast, idempotency_key=f"fast-{n}"))
        again = await seconds_each(lambda _: fan.ainvoke({"votes": []}))
        stored = [record async for record in ledger.scan(None)]
        council = [record.body for record in stored if record.path != "fast"][:1000]
        # Of all events 5 to 15 % reach the council (000 §13): one in ten here.
        history = [record.body for record in stored if record.path == "fast"][:900] + council[:100]
        await service.close()
        await ledger.close()
    floor = (peer + again) / 2
    return [
        Row("bare LangGraph five-way fan-out", f"{floor * 1e6:.0f} us", "1.00", ""),
        Row(
            "review of the contract's size, record committed",
            f"{review * 1e6:.0f} us",
            f"{review / floor:.2f}",
            "<= 0.60",
        ),
        Row("reviews of all council examples in turn", f"{turns * 1e6:.0f} us", f"{turns / floor:.2f}", "<= 0.60"),
        Row("fast path, record committed", f"{path * 1e6:.0f} us", f"{path / floor:.3f}", "<= 0.050"),
        Row(
            "replay, a history with one council in ten", f"{replays_a_second(history, policy):.0f} /s", "", ">= 2000 /s"
        ),
        Row("replay, council decisions only", f"{replays_a_second(council, policy):.0f} /s", "", ">= 2000 /s"),
    ]


def main() -> None:
    print_report("One review, 32 in flight", asyncio.run(measure()), as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
