"""A model's endpoint without a network: it answers from a script, and notes what it was asked."""

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from agents.asking import Question, Reply, Usage
from agents.models.calls import Call, CallError, Completion
from agents.models.endpoints import Endpoints
from agents.models.judge import ModelJudge
from agents.models.pricing import characters
from agents.prompting import write_prompt
from policies.models import Endpoint, Price, Structured
from tests.unit.agents.models.virtual_time import in_virtual_time, now_s
from tests.unit.agents.questions import question_about, raw_reply

PRICE: Final = Price(input=400_000, cached=100_000, output=1_600_000)
"""0.4, 0.1 and 1.6 dollars per million tokens."""
ASKED: Final = question_about()
LENGTH: Final = characters(write_prompt(ASKED, form="json_schema").messages)
"""Characters of its prompt."""
COUNTED: Final = Usage(1_000, 600, 50)
COUNTED_COST: Final = 400 * 400_000 + 600 * 100_000 + 50 * 1_600_000


@dataclass(frozen=True)
class Answer:
    """One answer of the script, after a while."""

    what: str | Exception
    after_s: float = 0.1
    usage: Usage | None = COUNTED


VOTE = Answer(raw_reply())


@dataclass
class FakeClient:
    """Answers from a script, whose last answer is given for ever."""

    script: list[Answer]
    calls: list[Call] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    closed: int = 0

    async def complete(self, call: Call) -> Completion:
        """Give the next answer."""
        answer = self.script[min(len(self.calls), len(self.script) - 1)]
        self.calls.append(call)
        self.at_s.append(now_s())
        await asyncio.sleep(answer.after_s)
        if isinstance(answer.what, Exception):
            raise answer.what
        return Completion(answer.what, answer.usage)

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed += 1


@dataclass
class FakePurse:
    """Notes what is set aside and spent, and refuses from a call on."""

    refuses_from: int = 1_000_000
    fails: Exception | None = None
    reserved: list[int] = field(default_factory=list)
    settled: list[tuple[int, int]] = field(default_factory=list)

    async def reserve(self, question: Question, picodollars: int) -> str | None:
        """Set aside, unless told otherwise."""
        if self.fails is not None:
            raise self.fails
        if len(self.reserved) >= self.refuses_from:
            return "the budget of this review is spent"
        self.reserved.append(picodollars)
        return None

    def settle(self, question: Question, reserved: int, spent: int) -> None:
        """Book."""
        self.settled.append((reserved, spent))


@dataclass
class FakeObserver:
    """Notes what it sees."""

    seen: list[Any] = field(default_factory=list)

    def asked(self, question: Question) -> None:
        """See a question."""
        self.seen.append(question.slot.text)

    def replied(self, question: Question, reply: Reply) -> None:
        """See a reply."""
        self.seen.append(reply)

    def breaker(self, endpoint: str, state: str) -> None:
        """See a breaker change."""
        self.seen.append((endpoint, state))


@dataclass
class Desk:
    """A judge over one scripted endpoint, in virtual time."""

    script: list[Answer]
    purse: FakePurse = field(default_factory=FakePurse)
    environ: dict[str, str] = field(default_factory=dict)
    observer: FakeObserver = field(default_factory=FakeObserver)
    client: FakeClient = field(init=False)
    took_s: float = 0.0

    def __post_init__(self) -> None:
        self.client = FakeClient(self.script)

    def judge(self, opener: Callable[[Endpoint, str | None], FakeClient] | None = None) -> ModelJudge:
        """Return the judge; call it within the loop that asks."""
        endpoints = Endpoints(self.environ, opener=opener or (lambda endpoint, key: self.client), clock=now_s)
        return ModelJudge(endpoints, self.purse, self.observer, clock=now_s)

    def ask(self, *questions: Question) -> list[Reply]:
        """Ask questions one after another."""

        async def asked() -> list[Reply]:
            judge = self.judge()
            replies = [await judge.ask(question) for question in questions]
            self.took_s = now_s()
            return replies

        return in_virtual_time(asked())


def down(retry_after_s: float | None = None) -> CallError:
    """Return a fault of the endpoint that may pass."""
    return CallError("unreachable", "HTTP 503", is_retryable=True, is_endpoint_fault=True, retry_after_s=retry_after_s)


def form_refused() -> CallError:
    """Return an endpoint's refusal of a form of structured output."""
    return CallError("unreachable", "HTTP 400: no such form", form_refused=True)


def cut_short() -> CallError:
    """Return a reply that ran out of tokens."""
    return CallError(
        "unparsed", "cut off", is_retryable=True, is_truncated=True, raw='{"findings": [', usage=Usage(900, 0, 800)
    )


def question(
    *, retries: int = 1, structured: Structured = "json_schema", price: Price | None = PRICE, timeout_ms: int = 6_000,
    key: str | None = None, concurrency: int = 4,
) -> Question:  # fmt: skip
    """Return a question to one member, whose model answers at one endpoint."""
    endpoint = Endpoint("lab", "http://127.0.0.1:1/v1", key, structured, concurrency)
    use = dataclasses.replace(ASKED.use, endpoint=endpoint, price=price, timeout_ms=timeout_ms)
    return ASKED._replace(use=use, models=dataclasses.replace(ASKED.models, retries=retries))


def outcome(reply: Reply) -> tuple[str | None, str, int]:
    """Return how a question ended: kind, reason, and calls made."""
    return reply.failed, reply.because, len(reply.attempts)
