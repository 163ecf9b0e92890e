"""CPU of one model call against the stock ways, and how many connections it opens. The server runs in a process of its own.

python -m benchmarks.model_call [--json]
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import openai
import uvloop
from langchain_openai import ChatOpenAI

from agents.models.calls import Call, CallKey
from agents.models.client import open_client
from benchmarks.model_server import connections, running
from benchmarks.report import Row, print_report
from policies.models import Endpoint

IN_FLIGHT = 5
"""One review's members."""
ROUNDS = 5
CALLS = 300
MODEL = "benchmark-model"
MESSAGES: list[Any] = [
    {"role": "system", "content": "You keep the lore of a shared world. " * 120},
    {"role": "user", "content": "A fact of the case, as the record has it. " * 60},
]
_TEXTS = {"type": "array", "items": {"type": "string"}}
SCHEMA: dict[str, Any] = {
    "title": "vote",
    "description": "One member's vote.",
    "type": "object",
    "additionalProperties": False,
    "required": ["evidence", "reasoning", "verdict", "confidence", "modifications"],
    "properties": {
        "evidence": _TEXTS,
        "reasoning": {"type": "string"},
        "verdict": {"type": "string", "enum": ["approve", "modify", "reject", "quarantine"]},
        "confidence": {"type": "number"},
        "modifications": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["op", "target", "value"],
                "properties": {"op": {"type": "string"}, "target": {"type": "string"}, "value": {"type": "string"}},
            },
        },
    },
}
_FORMAT: dict[str, Any] = {"type": "json_schema", "json_schema": {"name": "vote", "strict": True, "schema": SCHEMA}}

Once = Callable[[], Awaitable[object]]


async def cpu_s(once: Once) -> float:
    """Return seconds of CPU per call: of this whole process, threads and all, with one review's members in flight."""

    async def caller() -> None:
        for _ in range(CALLS // IN_FLIGHT):
            await once()

    started = time.process_time()
    await asyncio.gather(*[caller() for _ in range(IN_FLIGHT)])
    return (time.process_time() - started) / CALLS


async def in_turns(ways: Mapping[str, Once]) -> dict[str, float]:
    """Return the median of each way's seconds, measured in turns after a round of warming up."""
    for once in ways.values():
        await asyncio.gather(*[once() for _ in range(IN_FLIGHT)])
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, once in ways.items():
            took[name].append(await cpu_s(once))
    return {name: statistics.median(each) for name, each in took.items()}


def stock(url: str) -> dict[str, Once]:
    """Return the peers: what one writes by the guides of LangChain and of the SDK."""
    chat = ChatOpenAI(model=MODEL, base_url=url, api_key="none", max_retries=0, temperature=0, max_tokens=800)
    structured = chat.with_structured_output(SCHEMA, method="json_schema", strict=True)
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    return {
        "ChatOpenAI.with_structured_output(json_schema)": lambda: structured.ainvoke(MESSAGES),
        "ChatOpenAI.ainvoke, text only": lambda: chat.ainvoke(MESSAGES),
        "openai chat.completions.create": lambda: client.chat.completions.create(
            model=MODEL,
            messages=MESSAGES,
            temperature=0,
            max_tokens=800,
            response_format=_FORMAT,  # type: ignore[call-overload]
        ),
    }


async def measure() -> list[Row]:
    """Return the table."""
    with running() as url:
        client = open_client(Endpoint("benchmark", url, None, "auto", IN_FLIGHT), key=None)
        key = CallKey("lore", "", f"benchmark/{MODEL}", "{}", "", 1, "full", 0, 0)
        call = Call(key, tuple(MESSAGES), MODEL, 0.0, 800, "json_schema", SCHEMA)
        await asyncio.gather(*[client.complete(call) for _ in range(IN_FLIGHT)])
        first = connections(url)
        await cpu_s(lambda: client.complete(call))
        later = connections(url) - first
        ours: dict[str, Once] = {
            "Client.complete": lambda: client.complete(call),
            "CouncilChat.ainvoke": lambda: client.chat.ainvoke(
                MESSAGES, model=MODEL, temperature=0, max_tokens=800, response_format=_FORMAT
            ),
        }
        peers = stock(url)
        took = await in_turns({**peers, **ours})
        await client.close()
    floor = took[next(iter(peers))]
    rows = [_row(name, each, floor, "<= 0.30" if name in ours else "") for name, each in took.items()]
    return [*rows, Row("connections opened after the first round", str(later), "", "0")]


def _row(what: str, seconds: float, floor: float, bound: str) -> Row:
    return Row(what, f"{seconds * 1e6:.0f} us", f"{seconds / floor:.2f}", bound)


def main() -> None:
    """Measure and print."""
    title = f"CPU of one model call, {IN_FLIGHT} in flight"
    print_report(title, uvloop.run(measure()), as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
