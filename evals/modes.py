"""How a case is decided: by rules, or again from what its record holds. Models are in `evals.model_council`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from council.moments import iso
from council.review import Review, deliberate
from evals.case_results import result_of, unjudged
from evals.records import record_of
from evals.rejudging import Unjudged, rejudge
from evals.results import CaseResult
from evals.tasks import Task
from policies.policy import Policy
from world.case import open_case

Decide = Callable[[Task], Awaitable[CaseResult]]
"""Decides one case, whatever the mode; a case that cannot be judged is a result too."""


class Clock(NamedTuple):
    """The two clocks of a run, handed in so that tests can fix them."""

    now: Callable[[], datetime]
    """Aware."""
    monotonic: Callable[[], float]
    """Seconds."""


class PolicyShelf(Protocol):
    """Where the policies that once decided are found."""

    def policy(self, content_hash: str) -> Policy | None:
        """Return one by its hash; None where it is not at hand."""
        ...


def by_rules(policy: Policy, clock: Clock) -> Decide:
    """Decide every case by rules alone: members with a model vote by their rules."""

    async def decide(task: Task) -> CaseResult:
        refused = not_judged(task, policy)
        if refused is not None or task.read is None:
            return refused or unjudged(task.subject, task.error)
        realm = policy.realm(task.read.request.realm_id)
        assert realm is not None
        began_s = clock.monotonic()
        review = deliberate(open_case(task.read.request), policy, realm)
        return concluded(task, review, clock, began_s)

    return decide


def from_records(policy: Policy, shelf: PolicyShelf) -> Decide:
    """Decide recorded cases again under a policy, with the votes that models gave then.

    Latency and cost are those on record. What the record cannot answer is not judged, and says why.

    Args:
        shelf: where the policies are that decided.
    """

    async def decide(task: Task) -> CaseResult:
        if task.decision is None or task.read is None:
            return unjudged(task.subject, task.error or "nothing is on record for this case")
        record = task.decision.record
        again = rejudge(task.decision, shelf.policy(task.decision.policy_hash), policy)
        if isinstance(again, Unjudged):
            return unjudged(task.subject, again.told)
        elapsed_ms = record["elapsed_ms"]
        written = record_of(again.review, task.read, record["request_key"], record["recorded_at"], elapsed_ms)
        return result_of(task.subject, written, elapsed_ms)

    return decide


def not_judged(task: Task, policy: Policy) -> CaseResult | None:
    """Return the result of a case that no mode can judge; None where it can be."""
    if task.read is None:
        return unjudged(task.subject, task.error)
    realm_id = task.read.request.realm_id
    if policy.realm(realm_id) is None:
        return unjudged(task.subject, f"the policy does not know the realm {realm_id!r}")
    return None


def concluded(task: Task, review: Review, clock: Clock, began_s: float) -> CaseResult:
    """Return the result of a review that is concluded, measured to now."""
    assert task.read is not None
    elapsed_ms = int((clock.monotonic() - began_s) * 1000)
    record = record_of(review, task.read, task.request_key, iso(clock.now()), elapsed_ms)
    return result_of(task.subject, record, elapsed_ms)
