"""The review service: one request in, one recorded verdict out, whatever is retried, raced or killed.

A verdict exists once its record is committed and not before; the caller is answered from the record. The same key and body
return the same bytes for ever (council.md, procedure 1 and 9; register rows S0-82, S0-88, S0-116).
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import orjson

from agents.tracing import NoTracer, Tracer, current_correlation_id
from council.docket import Docket
from council.errors import DecisionPendingError, KeyConflictError, UnknownRealmError
from council.graph import CouncilGraph
from council.journal import Journal, Opening
from council.ledger.port import KeyTakenError, Ledger, NewRecord, StoredRecord, answer_bytes, decision_id_of
from council.moments import iso
from council.purse import LedgerPurse
from council.record import Inputs, Written, write_record
from council.review import Review
from council.spending import retry_after_s, spend_of
from policies.contracts.reading import ReadRequest, read_request
from policies.faults import Fault, InvalidInputError
from policies.policy import Policy
from policies.strict_json import MAX_BYTES
from world.case import open_case

logger = logging.getLogger(__name__)

TOPIC_DECIDED: Final = "council.decided"
TOPIC_HELD: Final = "council.held"


class Reviewed(NamedTuple):
    """An answered request."""

    answer: bytes
    """JSON of the `Answer` contract."""
    decision_id: str
    is_stored: bool
    """Whether the answer was already on record."""
    realm_id: str
    decision_type: str
    path: str
    verdict: str
    retry_after_s: int | None = None
    """When it may be worth asking again, under another key: a quarantine because models could not be reached."""


class Intake(NamedTuple):
    """A valid request on its way in."""

    read: ReadRequest
    key: str
    correlation_id: str | None
    started: float
    """Monotonic seconds at its arrival."""


class UnderWay(NamedTuple):
    """A key that is being decided."""

    fingerprint: str
    finished: asyncio.Future[None]
    """Done once the decision is recorded or has failed."""


class Clock(NamedTuple):
    """The two clocks of a review, handed in so that tests can fix them."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.perf_counter


class CouncilService:
    """Reviews requests against the live policy and records every decision.

    Args:
        ledger: where decisions are recorded.
        current_policy: returns the live policy; asked once per review, so that a reload never splits one.
        graph: the compiled council.
        purse: what is told when a decision's costs are on record.
        tracer: opens a span around every review.
        default_deadline_ms: how long a request that names no deadline is waited for, milliseconds; None: to the end.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        current_policy: Callable[[], Policy],
        graph: CouncilGraph,
        purse: LedgerPurse | None = None,
        tracer: Tracer = NoTracer(),  # noqa: B008 - stateless
        clock: Clock = Clock(),  # noqa: B008 - immutable
        max_bytes: int = MAX_BYTES,
        default_deadline_ms: int | None = None,
    ) -> None:
        self._ledger = ledger
        self._current_policy = current_policy
        self._docket = Docket(graph)
        self._journal = Journal(ledger)
        self._purse = purse
        self._tracer = tracer
        self._clock = clock
        self._max_bytes = max_bytes
        self._default_deadline_ms = default_deadline_ms
        self._under_way: dict[str, UnderWay] = {}
        self._late: set[asyncio.Task[Reviewed]] = set()
        self._remembered: Policy | None = None

    async def review(
        self, raw: bytes | str, *, idempotency_key: str | None = None, correlation_id: str | None = None
    ) -> Reviewed:
        """Review one request and record the decision.

        Args:
            raw: the body, JSON.
            idempotency_key: header form of `request_id`.
            correlation_id: header form of the body's field; the body's own wins.

        Raises:
            InvalidInputError: for a body that is not a valid request, with every fault.
            UnknownRealmError: for a realm that the policy does not know.
            KeyConflictError: for a key that was used with another body.
            DecisionPendingError: where the request's deadline passes first; the decision still gets made.
            LedgerUnavailableError: where the record cannot be written; nothing was decided.
        """
        started = self._clock.monotonic()
        read = read_request(raw, max_bytes=self._max_bytes)
        key = _request_key(read, idempotency_key)
        # Without a key nobody can ask for this decision again, so one is drawn that nobody else has.
        intake = Intake(read, key or f"anonymous:{uuid.uuid4()}", correlation_id, started)
        deadline_ms = read.request.deadline_ms or self._default_deadline_ms
        if deadline_ms is None:
            return await self._decide_once(intake)
        task = asyncio.ensure_future(self._decide_once(intake))
        self._late.add(task)
        task.add_done_callback(self._seen)
        left_s = deadline_ms / 1000 - (self._clock.monotonic() - started)
        done, _ = await asyncio.wait([task], timeout=max(0.0, left_s))
        if not done:
            # The caller may go: from here on a killed process loses nothing (reliability.md, rule c).
            await self._journal.opened(decision_id_of(intake.key))
            raise DecisionPendingError(decision_id_of(intake.key))
        return task.result()

    async def resume(self) -> int:
        """Take up reviews whose process is gone, and decide them; return how many.

        Raises:
            LedgerUnavailableError: where the record store cannot be read now.
        """
        orphans = await self._journal.orphans(self._clock.now())
        for orphan in orphans:
            read = read_request(orphan.request, max_bytes=len(orphan.request))
            intake = Intake(read, orphan.request_key, orphan.correlation_id, self._clock.monotonic())
            logger.info("review_taken_up", extra={"decision_id": orphan.decision_id, "realm_id": orphan.realm_id})
            task = asyncio.ensure_future(self._decide_once(intake))
            self._late.add(task)
            task.add_done_callback(self._seen)
        return len(orphans)

    async def close(self) -> None:
        """Let decisions that outlived their callers' deadlines finish."""
        if self._late:
            await asyncio.wait(self._late)

    def _seen(self, task: asyncio.Task[Reviewed]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that a decision nobody waits for any more raises no warning

    async def _decide_once(self, intake: Intake) -> Reviewed:
        """Decide a key once: whoever asks while it is under way waits for the first, and then reads its record."""
        key, request = intake.key, intake.read.request
        current_correlation_id.set(request.correlation_id or intake.correlation_id)
        while (first := self._under_way.get(key)) is not None:
            if first.fingerprint != intake.read.fingerprint:
                raise KeyConflictError(key, decision_id_of(key))
            await asyncio.shield(first.finished)
            stored = await self._ledger.find_by_key(key)
            if stored is not None:
                return _stored_answer(stored, intake.read)
        finished = asyncio.get_running_loop().create_future()
        self._under_way[key] = UnderWay(intake.read.fingerprint, finished)
        try:
            with self._tracer.workflow(key, request.realm_id) as span:
                reviewed = await self._decide(intake)
                span.concluded(reviewed.verdict, reviewed.path)
                return reviewed
        finally:
            del self._under_way[key]
            finished.set_result(None)

    async def _decide(self, intake: Intake) -> Reviewed:
        read, policy = intake.read, self._current_policy()
        realm = policy.realm(read.request.realm_id)
        if realm is None:
            stored = await self._ledger.find_by_key(intake.key)
            if stored is not None:
                return _stored_answer(stored, read)
            raise UnknownRealmError(read.request.realm_id, sorted(policy.realms))
        review = Review(open_case(read.request), policy, realm, decision_id_of(intake.key))
        review.open()
        # Without models, deciding again is cheaper than looking first: a key that is on record is found by the append.
        if not review.asked:
            return await self._conclude(intake, review)
        stored = await self._ledger.find_by_key(intake.key)
        if stored is not None:
            return _stored_answer(stored, read)
        return await self._with_models(intake, review)

    async def _with_models(self, intake: Intake, review: Review) -> Reviewed:
        """Decide a review that asks models, so that a kill at any moment loses no reply that has arrived."""
        decision_id, correlation_id = review.decision_id, intake.read.request.correlation_id or intake.correlation_id
        await self._remember(review.policy)
        opening = Opening(intake.read, intake.key, correlation_id, self._clock.now())
        try:
            review = await self._journal.take_up(review, opening)
            reviewed = await self._conclude(intake, review)
        finally:
            self._journal.closed(decision_id)
            if self._purse is not None:
                self._purse.closed(decision_id, sum(reply.picodollars for reply in review.replies.values()))
        return reviewed._replace(retry_after_s=retry_after_s(review))

    async def _conclude(self, intake: Intake, review: Review) -> Reviewed:
        """Carry a review through the graph and record what comes of it."""
        read, policy = intake.read, review.policy
        if not review.is_fast:
            await self._docket.decide(review)
        inputs = Inputs(
            read.request,
            read.canonical,
            intake.key,
            read.fingerprint,
            review.decision_id,
            read.request.correlation_id or intake.correlation_id,
            iso(self._clock.now()),
        )
        elapsed_ms = int((self._clock.monotonic() - intake.started) * 1000)
        written = _write(inputs, review, elapsed_ms)
        await self._remember(policy)
        was_opened = await self._journal.opened(review.decision_id)
        try:
            stored = await self._ledger.append(_new_record(inputs, review, written, was_opened=was_opened))
        except KeyTakenError as taken:
            return _stored_answer(taken.stored, read)
        return _reviewed(stored, is_stored=False)

    async def _remember(self, policy: Policy) -> None:
        """Keep the policies that decide beside the records that name them, so that replay needs no file."""
        if policy is self._remembered:
            return
        for known in (policy, *policy.shadows):
            await self._ledger.put_policy(known.content_hash, orjson.dumps(known.document))
        self._remembered = policy


def _write(inputs: Inputs, review: Review, elapsed_ms: int) -> Written:
    concluded = review.concluded
    assert concluded is not None
    mode = review.realm.mode
    return write_record(
        inputs,
        review.policy,
        mode,
        review.found,
        review.assessed,
        concluded,
        review.shadows(),
        elapsed_ms,
        review.heard(),
    )


def _new_record(inputs: Inputs, review: Review, written: Written, *, was_opened: bool) -> NewRecord:
    concluded = review.concluded
    assert concluded is not None
    return NewRecord(
        realm_id=inputs.request.realm_id,
        request_key=inputs.request_key,
        fingerprint=inputs.fingerprint,
        decision_id=inputs.decision_id,
        recorded_at=inputs.recorded_at,
        body=written.body,
        answer=written.answer,
        decision_type=inputs.request.decision_type,
        verdict=concluded.final_verdict,
        path=concluded.path,
        held=concluded.is_held,
        policy_hash=review.policy.content_hash,
        correlation_id=inputs.correlation_id,
        topic=TOPIC_HELD if concluded.is_held else TOPIC_DECIDED,
        event=_event(inputs, review),
        was_opened=was_opened,
        spend=spend_of(review.replies.values()),
    )


def _event(inputs: Inputs, review: Review) -> bytes:
    concluded = review.concluded
    assert concluded is not None
    return orjson.dumps(
        {
            "decision_id": inputs.decision_id,
            "realm_id": inputs.request.realm_id,
            "correlation_id": inputs.correlation_id,
            "final_verdict": concluded.final_verdict,
            "brief": review.brief,
        }
    )


def _request_key(read: ReadRequest, header: str | None) -> str | None:
    body = read.request.request_id
    if header is not None and not 1 <= len(header) <= 128:
        raise InvalidInputError([Fault("", "the header Idempotency-Key is empty or over 128 characters", "shorten it")])
    if header is not None and body is not None and header != body:
        fix = "send one of them, or the same value in both"
        raise InvalidInputError([Fault("/request_id", "differs from the header Idempotency-Key", fix)])
    return body if body is not None else header


def _stored_answer(stored: StoredRecord, read: ReadRequest) -> Reviewed:
    if stored.fingerprint != read.fingerprint:
        raise KeyConflictError(stored.request_key, stored.decision_id)
    return _reviewed(stored, is_stored=True)


def _reviewed(stored: StoredRecord, *, is_stored: bool) -> Reviewed:
    return Reviewed(
        answer_bytes(stored),
        stored.decision_id,
        is_stored,
        stored.realm_id,
        stored.decision_type,
        stored.path,
        stored.verdict,
    )
