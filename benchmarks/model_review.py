"""Whole reviews whose five members ask models that answer in 200 ms, against the slowest member alone and the stock client.

python -m benchmarks.model_review [--json]
"""

import asyncio
import gc
import operator
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import orjson
import uvloop
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel, ConfigDict

from agents.models.endpoints import Endpoints
from agents.models.judge import ModelJudge
from benchmarks.model_server import connections, running
from benchmarks.report import Row, print_report
from benchmarks.workload import sovereign_request
from council.graph import build_graph
from council.journal import JournallingJudge
from council.ledger.opening import open_ledger
from council.purse import LedgerPurse
from council.service import Clock, CouncilService
from policies.loading import default_policy_path, load_policy

DELAY_MS = 200
IN_FLIGHT = 20
ROUNDS = 5


class Finding(BaseModel):
    """What the stock peer asks for: the same shape as a vote."""

    model_config = ConfigDict(extra="forbid")
    evidence: str
    says: str


class StockVote(BaseModel):
    """A vote as the stock client parses it."""

    model_config = ConfigDict(extra="forbid")
    findings: list[Finding]
    reasoning: str
    modifications: list[str]
    claims: list[str]
    verdict: Literal["approve", "modify", "reject", "quarantine"]
    confidence: float


class _Fan(TypedDict, total=False):
    votes: Annotated[list[str], operator.add]


def stock_council(base_url: str, request: bytes) -> Any:
    """Return the peer: five nodes that call `ChatOpenAI.with_structured_output`, and a join; nothing is recorded."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(_Fan)
    chat = ChatOpenAI(model="benchmark-model", base_url=base_url, api_key="none", use_responses_api=False)
    asked = chat.with_structured_output(StockVote, method="json_schema", strict=True, include_raw=True)

    async def join(state: _Fan) -> _Fan:
        return {}

    graph.add_node("join", join)
    for index in range(5):

        async def member(state: _Fan, index: int = index) -> _Fan:
            prompt = [("system", f"You are member {index} of a council. Vote."), ("user", request.decode())]
            said: Any = await asked.ainvoke(prompt)
            return {"votes": [said["parsed"].verdict]}

        graph.add_node(f"member_{index}", member)
        graph.add_edge(START, f"member_{index}")
    graph.add_edge([f"member_{index}" for index in range(5)], "join")
    graph.add_edge("join", END)
    return graph.compile()


async def seconds_of_a_turn(once: Callable[[int], Awaitable[object]], in_flight: int, first: int) -> float:
    """Return the median seconds from the start of reviews that begin together to the end of the last of them."""
    took = []
    for turn in range(ROUNDS + 1):
        started = time.perf_counter()
        await asyncio.gather(*[once(first + turn * in_flight + index) for index in range(in_flight)])
        took.append(time.perf_counter() - started)
    return sorted(took[1:])[ROUNDS // 2]  # the first turn opens connections


async def measure() -> list[Row]:
    """Measure all of it in one run."""
    request = sovereign_request()
    with running(delay_ms=DELAY_MS) as base_url, tempfile.TemporaryDirectory() as folder:
        stock = stock_council(base_url, request)
        service, close = await council_over(base_url, folder)
        # As the service does once it is up: what is loaded now need not be looked at again on every review.
        gc.collect()
        gc.freeze()
        alone = await slowest_alone(base_url)
        one = await seconds_of_a_turn(lambda n: service.review(request, idempotency_key=f"one-{n}"), 1, 0)
        many = await seconds_of_a_turn(lambda n: service.review(request, idempotency_key=f"many-{n}"), IN_FLIGHT, 0)
        opened = connections(base_url)
        again = await seconds_of_a_turn(lambda n: service.review(request, idempotency_key=f"more-{n}"), IN_FLIGHT, 0)
        reopened = connections(base_url) - opened
        stock_one = await seconds_of_a_turn(lambda _: stock.ainvoke({"votes": []}), 1, 0)
        stock_many = await seconds_of_a_turn(lambda _: stock.ainvoke({"votes": []}), IN_FLIGHT, 0)
        await close()
    best = min(many, again)
    return [
        Row("the slowest member alone", f"{alone * 1e3:.0f} ms", "1.00", ""),
        Row("a review, record committed", f"{one * 1e3:.0f} ms", f"{one / alone:.2f}", "<= 1.05"),
        Row(f"{IN_FLIGHT} reviews at once", f"{best * 1e3:.0f} ms", f"{best / alone:.2f}", "<= 1.20"),
        Row("stock client, a review, nothing recorded", f"{stock_one * 1e3:.0f} ms", f"{stock_one / alone:.2f}", ""),
        Row(f"stock client, {IN_FLIGHT} at once", f"{stock_many * 1e3:.0f} ms", f"{stock_many / alone:.2f}", ""),
        Row("connections opened after the first rounds", str(reopened), "", "0"),
    ]


async def council_over(base_url: str, folder: str) -> tuple[CouncilService, Callable[[], Awaitable[None]]]:
    """Return a council whose members all ask the server, with its ledger on disk, and how to close it."""
    policy = load_policy(default_policy_path(), models=f"vllm/benchmark-model@{base_url}")
    ledger = open_ledger(f"sqlite:///{Path(folder) / 'bench.db'}")
    endpoints = Endpoints(environ={})
    purse = LedgerPurse(ledger, Clock().now)
    judge = JournallingJudge(ModelJudge(endpoints, purse), ledger)
    service = CouncilService(
        ledger=ledger, current_policy=lambda: policy, graph=build_graph(lambda: policy, judge), purse=purse
    )

    async def close() -> None:
        await service.close()
        await endpoints.close()
        await ledger.close()

    checked = orjson.loads((await service.review(sovereign_request(), idempotency_key="warm")).answer)
    if checked["cost"]["model_calls"] < 5:
        raise AssertionError("the members did not ask their models")
    return service, close


async def slowest_alone(base_url: str) -> float:
    """Return the median seconds of one bare call, nothing around it."""
    chat = ChatOpenAI(model="benchmark-model", base_url=base_url, api_key="none", use_responses_api=False)
    took = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        await chat.ainvoke("Vote.")
        took.append(time.perf_counter() - started)
    return sorted(took[1:])[ROUNDS // 2]


def main() -> None:
    """Print the report."""
    print_report("Members with models that answer in 200 ms", uvloop.run(measure()), as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
