"""Cases decided by members' models, live or from a cassette: the graph, judge, limits and budgets that decide in earnest.

Only the composition differs from `gateway.bootstrap`: no service, no journal, and a ledger in memory, which keeps the
policy's budgets over the run. A cassette that is replayed is strict: a call that is not on it leaves its case unjudged.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

import httpx2

from agents.asking import Question, Reply
from agents.models.cassette_file import CassetteError
from agents.models.cassette_match import CassetteMissError
from agents.models.cassettes import Cassette
from agents.models.endpoints import Endpoints
from agents.models.judge import ModelJudge
from agents.ports import Judge
from agents.prompt_files import HERE
from council.docket import Docket
from council.graph import build_graph
from council.ledger.memory import MemoryLedger
from council.ledger.port import decision_id_of
from council.purse import LedgerPurse
from council.review import Review
from evals.case_results import unjudged
from evals.errors import EvalsError
from evals.modes import Clock, Decide, concluded, not_judged
from evals.results import CaseResult
from evals.tasks import Task
from policies.policy import Policy
from world.case import open_case

_OUTAGE: Final = ("unreachable", "budget")
"""Failures that say nothing about a model's judgement: nobody could be asked, or nothing could be paid."""
_missed: ContextVar[list[str] | None] = ContextVar("missed_calls", default=None)


@asynccontextmanager
async def models_council(
    policy: Policy,
    clock: Clock,
    keys: Mapping[str, str],
    *,
    replay: Path | None = None,
    record: Path | None = None,
    prompts: Path = HERE,
) -> AsyncIterator[Decide]:
    """Open the models of a policy for a run.

    Args:
        keys: values of the variables that endpoints name as their keys.
        replay: cassette that answers every call, and no network; None asks the models.
        record: cassette that calls are recorded to while models are asked.
        prompts: where the members' prompt files stand.

    Raises:
        EvalsError: where the cassette cannot be read or written.
    """
    if not any(seat.judge == "model" and seat.model is not None for seat in policy.members.values()):
        fix = "name models in the policy, or with --models openai/gpt-5-mini"
        raise EvalsError(f"no member of the policy {policy.policy_id!r} has a model", fix)
    cassette = _cassette(replay, record)
    endpoints = Endpoints(
        keys if replay is None else _no_keys(policy),
        around=lambda sockets: sockets if cassette is None else _Noting(cassette.around(sockets)),
    )
    judge = RepeatingJudge(ModelJudge(endpoints, LedgerPurse(MemoryLedger(), clock.now), prompts=prompts))
    council = _Council(policy, clock, judge, is_live=replay is None)
    try:
        await endpoints.warm(seat.model for seat in policy.members.values() if seat.model is not None)
        yield council.decide
    finally:
        await endpoints.close()
        if cassette is not None:
            _close(cassette)


class RepeatingJudge:
    """Tells the judge which repeat a question belongs to, and notes calls that are not on the cassette.

    Args:
        judge: asks the models.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._repeats: dict[str, int] = {}
        self._misses: dict[str, list[str]] = {}

    def expect(self, decision_id: str, repeat: int) -> None:
        """Get ready for the questions of a decision."""
        self._repeats[decision_id] = repeat
        self._misses[decision_id] = []

    def done(self, decision_id: str) -> tuple[str, ...]:
        """Forget a decision, and return what was asked for it and is not on the cassette."""
        self._repeats.pop(decision_id, None)
        return tuple(self._misses.pop(decision_id, ()))

    async def ask(self, question: Question) -> Reply:
        """Ask one member's model."""
        _missed.set(self._misses.get(question.decision_id))
        return await self._judge.ask(question._replace(repeat=self._repeats.get(question.decision_id, 0)))


class _Council:
    def __init__(self, policy: Policy, clock: Clock, judge: RepeatingJudge, *, is_live: bool) -> None:
        self._policy = policy
        self._clock = clock
        self._judge = judge
        self._is_live = is_live
        self._docket = Docket(build_graph(lambda: policy, judge))

    async def decide(self, task: Task) -> CaseResult:
        """Decide one case as the service does, without recording it."""
        refused = not_judged(task, self._policy)
        if refused is not None or task.read is None:
            return refused or unjudged(task.subject, task.error)
        realm = self._policy.realm(task.read.request.realm_id)
        assert realm is not None
        began_s = self._clock.monotonic()
        review = Review(open_case(task.read.request), self._policy, realm, decision_id_of(task.request_key))
        review.open()
        self._judge.expect(review.decision_id, task.subject.repeat)
        try:
            if not review.is_fast:
                await self._docket.decide(review)
        finally:
            missed = self._judge.done(review.decision_id)
        result = concluded(task, review, self._clock, began_s)
        error = missed[0] if missed else _outage(review) if self._is_live else ""
        return unjudged(task.subject, error, result.record, result.latency_ms) if error else result


class _Noting(httpx2.AsyncBaseTransport):
    """Notes misses for the case that asked: to the council a miss is an abstention, to a run it is no result."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._transport.handle_async_request(request)
        except CassetteMissError as error:
            noted = _missed.get()
            if noted is not None:
                noted.append(str(error))
            raise

    async def aclose(self) -> None:
        await self._transport.aclose()


def _outage(review: Review) -> str:
    """Return who could not be asked, and why; "" where every model that was asked answered in its way."""
    for slot in sorted(review.replies):
        reply = review.replies[slot]
        if reply.failed in _OUTAGE:
            return f"{slot.member}'s model could not be asked: {reply.because}"
    return ""


def _cassette(replay: Path | None, record: Path | None) -> Cassette | None:
    try:
        if replay is not None:
            return Cassette.replaying(replay)
        return Cassette.recording(record) if record is not None else None
    except CassetteError as error:
        raise EvalsError(f"the cassette cannot be used: {error}") from error


def _close(cassette: Cassette) -> None:
    try:
        cassette.close()
    except CassetteError as error:
        raise EvalsError(f"the cassette is not whole: {error}") from error


def _no_keys(policy: Policy) -> dict[str, str]:
    """Return a stand-in for every key: a cassette that is replayed asks nobody."""
    uses = [seat.model for seat in policy.members.values() if seat.model is not None]
    return {use.endpoint.key: "replayed" for use in uses if use.endpoint.key is not None}
