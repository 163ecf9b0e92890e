"""Councils whose members ask the servers of these tests: the shipped policy with models, and a service over it."""

import copy
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from agents.asking import Question, Reply
from agents.models.endpoints import Endpoints
from agents.models.judge import ModelJudge
from council.graph import build_graph
from council.journal import JournallingJudge
from council.ledger.opening import open_ledger
from council.ledger.port import Ledger, StoredRecord
from council.purse import LedgerPurse
from council.service import Clock, CouncilService
from policies.loading import default_policy_path, load_policy, policy_from_document
from policies.policy import Policy
from policies.verdicts import MEMBERS, Member
from tests.unit.requests import as_bytes, small_document

ENDPOINT = "faulty"
GONE = "gone"
"""An endpoint where nobody listens: models named "gone/…" are asked there."""


def council_with(
    base_url: str,
    models: Mapping[str, str] | None = None,
    *,
    default: str = "ok",
    timeout_s: str = "1",
    slowest: Mapping[str, str] | None = None,
    retries: int = 1,
    on_failure: str = "abstain",
    relax: tuple[Member, ...] = (),
    rules: tuple[Member, ...] = (),
    **more: Any,
) -> Policy:
    """Return the shipped policy with a model for every member.

    Args:
        base_url: where the models answer.
        models: per member, its model's name there; the others ask `default`. Each name ends in "@MEMBER", which the fault
            server keeps apart and no mode reads. A name that begins with "gone/" is asked where nobody listens.
        timeout_s: wall clock of one member's round, seconds.
        slowest: members with a wall clock of their own, seconds.
        retries: most calls after the first.
        on_failure: what a failed model leaves: abstain or rules.
        relax: members whose model may be milder than their rules; nobody else's may.
        rules: members without a model.
        more: further keys of the section `models` (budgets, prices, rebuttal_margin), and of its endpoint (key,
            structured, concurrency).
    """
    document: dict[str, Any] = copy.deepcopy(dict(load_policy(default_policy_path()).document))
    endpoint: dict[str, Any] = {"base_url": base_url, "key": None, "structured": "json_schema", "concurrency": 16}
    for name in ("key", "structured", "concurrency"):
        endpoint[name] = more.pop(name, endpoint[name])
    document["models"] |= {"retries": retries, "on_failure": on_failure, **more}
    document["models"]["endpoints"] |= {ENDPOINT: endpoint, GONE: {**endpoint, "base_url": "http://127.0.0.1:1/v1"}}
    for member in MEMBERS:
        uses: dict[str, Any] = {
            "judge": "rules" if member in rules else "model",
            "model": _full_name((models or {}).get(member, default), member),
            "models_may": "relax" if member in relax else "tighten",
            "timeout_s": (slowest or {}).get(member, timeout_s),
        }
        document["members"][member] |= uses
    return policy_from_document(json.loads(json.dumps(document)))


def _full_name(model: str, member: Member) -> str:
    name = f"{model}@{member}"
    return name if name.startswith(f"{GONE}/") else f"{ENDPOINT}/{name}"


@dataclass
class Watcher:
    """Sees what the models do."""

    questions: list[Question] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    breakers: list[tuple[str, str]] = field(default_factory=list)

    def asked(self, question: Question) -> None:
        """Note who is asked."""
        self.questions.append(question)

    def replied(self, question: Question, reply: Reply) -> None:
        """Note what came back."""
        self.replies.append(reply)

    def breaker(self, endpoint: str, state: str) -> None:
        """Note that a breaker changed."""
        self.breakers.append((endpoint, state))


@dataclass(frozen=True)
class OpenCouncil:
    """A council that decides, and what it left behind."""

    service: CouncilService
    ledger: Ledger
    watcher: Watcher

    async def decide(self, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Review a request, by default one that all members approve by their rules; return the answer."""
        reviewed = await self.service.review(as_bytes(document or council_document()))
        answer: dict[str, Any] = json.loads(reviewed.answer)
        return answer

    async def records(self) -> list[StoredRecord]:
        """Return everything on record."""
        return [record async for record in self.ledger.scan()]

    async def bodies(self) -> list[dict[str, Any]]:
        """Return the bodies of all records."""
        return [json.loads(record.body) for record in await self.records()]


@asynccontextmanager
async def open_council_of(
    policy: Policy,
    *,
    url: str = "memory://",
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[OpenCouncil]:
    """Put a council together as `gateway.bootstrap` does, over one policy.

    Args:
        url: of the ledger.
        environ: values of the variables that endpoints name as their keys.
        clock: monotonic seconds, by which breakers open and close.
    """
    ledger, watcher = open_ledger(url), Watcher()
    endpoints = Endpoints(environ=environ or {}, clock=clock)
    # The client's first use takes seconds of import, which no member's time limit should pay for.
    await endpoints.warm([member.model for member in policy.members.values() if member.model is not None])
    purse = LedgerPurse(ledger, Clock().now)
    judge = JournallingJudge(ModelJudge(endpoints, purse, watcher), ledger)
    service = CouncilService(
        ledger=ledger, current_policy=lambda: policy, graph=build_graph(lambda: policy, judge), purse=purse
    )
    try:
        yield OpenCouncil(service, ledger, watcher)
    finally:
        await service.close()
        await endpoints.close()
        await ledger.close()


def council_document(**changes: Any) -> dict[str, Any]:
    """Return a request that seats all five members, each of whom approves it by its rules."""
    return small_document(decision_type="sovereign_action", **changes)


def slowest_answer_s(body: Mapping[str, Any]) -> float:
    """Return how long the slowest model took that gave a vote, seconds, from a record's body."""
    return max(
        [reply["latency_ms"] / 1000 for reply in body["models"]["replies"] if reply["failed"] is None], default=0.0
    )


def verdict_of_approvals(answer: Mapping[str, Any], rejecting: tuple[Member, ...] = ()) -> str:
    """Return the verdict of `council_document` where these members reject, some are silent and all others approve.

    A sovereign action needs the votes of three members; of five equal members two carry a verdict, being above a third.
    """
    silent = {member for member, vote in votes_of(answer).items() if vote["verdict"] is None}
    if len(silent) > 1 or {"governor", "fairness", "lore"} & silent:
        return "quarantine"
    return "reject" if len(silent | set(rejecting)) > 1 else "approve"


def votes_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the votes of an answer by member."""
    return {vote["member"]: vote for vote in answer["votes"]}
