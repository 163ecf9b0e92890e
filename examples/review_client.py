"""Ask a running council about changes, the way a world simulation does: with the world's own review client.

    COUNCIL_SERVICE_TOKEN=... council serve &
    COUNCIL_SERVICE_TOKEN=... python examples/review_client.py examples/requests/*.json

Each file is one decision request. Its `request_id` is the key: asking twice returns the first answer, byte for byte.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from policies.contracts.answer import Answer
from policies.contracts.effects import RequiredModification
from policies.contracts.reading import read_request
from policies.contracts.request import DecisionRequest
from policies.faults import InvalidInputError
from world.review.client import HttpReviewClient
from world.review.port import ReviewError, ReviewReply


def read(file: Path) -> DecisionRequest:
    """Read one request.

    Raises:
        OSError: where the file cannot be read.
        InvalidInputError: where it is not a decision request, with every fault.
    """
    return read_request(file.read_bytes()).request


def told(reply: ReviewReply) -> str:
    """Return an answer as lines for a person: the verdict, what must change, and why."""
    answer = reply.answer
    stored = ", answered before" if reply.is_stored else ""
    lines = [f"{answer.final_verdict} by {answer.path} path, confidence {answer.confidence:g}{stored}"]
    lines += [f"  must: {_condition(required)}" for required in answer.required_modifications]
    lines += [f"  because: {reason}" for reason in answer.reasons]
    return "\n".join([*lines, _where(answer)])


def _condition(required: RequiredModification) -> str:
    if required.drop:
        return f"drop effect {required.effect}"
    bounds = (("at most", required.max), ("at least", required.min), ("exactly", required.value))
    limits = " and ".join([f"{word} {bound}" for word, bound in bounds if bound is not None])
    return f"effect {required.effect}: {required.field} {limits}"


def _where(answer: Answer) -> str:
    return f"  record: {answer.decision_id}, number {answer.record.position} of its realm"


async def _ask_all(url: str, token: str, files: Sequence[Path]) -> int:
    # What could not be answered must not be applied: it is told on standard error, and the rest goes on.
    client = HttpReviewClient(url, token)
    failed = 0
    try:
        for file in files:
            try:
                print(f"{file.name}: {told(await client.review(read(file)))}")
            except (OSError, InvalidInputError, ReviewError) as error:
                failed += 1
                print(f"{file.name}: {error}", file=sys.stderr)
    finally:
        await client.close()
    return 2 if failed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask about every file named; return 2 where one was not answered, else 0."""
    parser = argparse.ArgumentParser(description="Ask a running council about decision requests.")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a decision request, JSON")
    parser.add_argument(
        "--url", default="http://127.0.0.1:8080", help="where the council serves (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    token = os.environ.get("COUNCIL_SERVICE_TOKEN")
    if not token:
        print("set COUNCIL_SERVICE_TOKEN to the token that the council was started with", file=sys.stderr)
        return 2
    return asyncio.run(_ask_all(options.url, token, options.files))


if __name__ == "__main__":
    sys.exit(main())
