"""Models that are dead, slow or lying cost a vote and never a verdict: the models' part of the fault table, whole reviews.

Four reviews per fault of reliability.md (L1 to L18, L20), each in a world of its own:

    one        narrative fails while governor rejects: with narrative's approval the council would approve, without it it rejects
    required   lore fails, whose vote a sovereign action must have: the case is held
    all        everybody fails: the case is held, and nobody's approval is made up
    rules      as `one`, under a policy that lets the rule judge stand in, tagged with the fault
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import orjson
import pytest

from council.replay import replay
from council.service import Reviewed
from policies.contracts.answer import Answer
from policies.policy import Policy
from policies.verdicts import MEMBERS, Member
from tests.faults.model_fault_cases import CASES, FaultCase
from tests.models.councils import (
    OpenCouncil,
    council_document,
    council_with,
    open_council_of,
    slowest_answer_s,
    votes_of,
)
from tests.models.faulty_world import FaultyWorld, new_world
from tests.models.stopwatch import stopwatch
from tests.unit.requests import as_bytes

GRACE_S = 0.9
"""What a review may take beside its members' wall clock, seconds: the table's half (L1), and a little more for a machine that is
busy with other tests; less than the clock of a broken member, so that one kept twice over is seen."""


class Outcome(NamedTuple):
    """What came of one review."""

    answer: dict[str, Any]
    body: bytes
    reviewed: Reviewed
    took_s: float
    world: FaultyWorld
    policy: Policy

    def limit_s(self, case: FaultCase) -> float:
        """Return when the review must have ended, seconds; the healthy members' server may be slow on a busy machine."""
        return max(float(case.timeout_s), slowest_answer_s(orjson.loads(self.body))) + GRACE_S

    def abstained(self, member: Member) -> str | None:
        """Return why a member has no vote, as the answer says it."""
        kind: str | None = votes_of(self.answer)[member].get("abstained")
        return kind

    @property
    def calls(self) -> dict[str, int]:
        """Calls per member, as the record says it."""
        return {reply["member"]: len(reply["attempts"]) for reply in self._replies()}

    def failed(self, member: Member) -> str | None:
        """Return how a member's model failed, as the record says it."""
        kinds: list[str | None] = [reply["failed"] for reply in self._replies() if reply["member"] == member]
        assert len(kinds) == 1
        return kinds[0]

    def _replies(self) -> list[dict[str, Any]]:
        replies: list[dict[str, Any]] = orjson.loads(self.body)["models"]["replies"]
        return replies


class Scene(NamedTuple):
    """A council about to decide, in a world of its own."""

    world: FaultyWorld
    policy: Policy
    council: OpenCouncil

    async def outcome(self) -> Outcome:
        """Review the request."""
        async with stopwatch() as watch:
            reviewed = await self.council.service.review(as_bytes(council_document()))
        assert await self.world.settles(lambda world: world.busy == 0), (
            "L2: no call stays open, though the council lives on"
        )
        (record,) = await self.council.records()
        return Outcome(orjson.loads(reviewed.answer), record.body, reviewed, watch.took_s, self.world, self.policy)


async def _outcomes(case: FaultCase, port: int) -> list[Outcome]:
    """Review the request in four worlds at once, when all four are open."""
    failing = {"narrative": case.mode, "governor": "ok:reject"}
    async with AsyncExitStack() as stack:
        scenes = [
            await stack.enter_async_context(_scene(case, port, failing)),
            await stack.enter_async_context(_scene(case, port, {"lore": case.mode})),
            await stack.enter_async_context(_scene(case, port, {}, default=case.mode)),
            await stack.enter_async_context(_scene(case, port, failing, on_failure="rules")),
        ]
        return await asyncio.gather(*[scene.outcome() for scene in scenes])


@asynccontextmanager
async def _scene(case: FaultCase, port: int, models: dict[str, str], **more: Any) -> AsyncIterator[Scene]:
    """Open a council; members whose model does not break have time enough on any machine."""
    world = new_world(port)
    slowest: dict[str, str] = {
        member: case.timeout_s for member in MEMBERS if models.get(member, more.get("default")) == case.mode
    }
    policy = council_with(world.base_url, models, timeout_s="20", slowest=slowest, retries=case.retries, **more)
    async with open_council_of(policy) as council:
        yield Scene(world, policy, council)


@pytest.fixture(params=CASES, ids=lambda case: case.id)
def case(request: pytest.FixtureRequest) -> FaultCase:
    """One fault of one row."""
    found: FaultCase = request.param
    return found


async def test_a_model_that_fails_costs_a_vote_and_never_a_verdict(case: FaultCase, fault_server: int) -> None:
    """L1 to L18, L20; I6, I7, I9, I10."""
    one, required, everybody, stood_in = outcomes = await _outcomes(case, fault_server)
    for outcome in outcomes:
        Answer.model_validate(outcome.answer)
        assert outcome.took_s <= outcome.limit_s(case), "L1: within the deadline"
        assert max(outcome.calls.values()) <= 1 + case.retries, "I10"
        assert all(calls <= outcome.calls[member] for member, calls in outcome.world.counts.items()), "none is left out"
        assert await outcome.world.settles(lambda world: world.sockets == 0), "a closed council leaves no connection"
        assert replay(outcome.body, outcome.policy) == (), "I7: the record alone gives the same bytes"
    assert one.calls == {member: case.calls if member == "narrative" else 1 for member in MEMBERS}
    assert one.world.counts == {member: calls for member, calls in one.calls.items() if not case.is_gone or calls == 1}
    assert (one.failed("narrative"), one.abstained("narrative")) == (case.kind, case.kind)
    assert (required.failed("lore"), required.abstained("lore")) == (case.kind, case.kind)
    if case.kind is None:
        assert [outcome.answer["final_verdict"] for outcome in outcomes] == ["approve"] * 4
        return
    assert one.answer["final_verdict"] == "reject", "I6: a missing vote is no approval, and no smaller council either"
    assert required.answer["final_verdict"] == everybody.answer["final_verdict"] == "quarantine"
    assert {everybody.abstained(member) for member in MEMBERS} <= {case.kind, "unreachable"}, "a breaker may be open"
    assert (stood_in.abstained("narrative"), stood_in.answer["final_verdict"]) == (None, "approve")
    assert votes_of(stood_in.answer)["narrative"]["degraded"] == case.kind
    may_pass = case.kind in ("timeout", "unreachable")
    assert (everybody.reviewed.retry_after_s is not None) >= may_pass


def test_every_row_of_the_table_has_its_case() -> None:
    assert {case.row for case in CASES} | {"L19"} == {f"L{number}" for number in range(1, 21)}
