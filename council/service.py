"""The review service: one request in, one recorded verdict out, whatever is retried, raced or killed.

A verdict exists once its record is committed and not before; the caller is answered from the record. The same key and body
return the same bytes for ever (council.md, procedure 1 and 9; register rows S0-82, S0-88, S0-116).
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import orjson

from council.docket import Docket
from council.errors import DecisionPendingError, KeyConflictError, UnknownRealmError
from council.graph import CouncilGraph
from council.ledger.port import KeyTakenError, Ledger, NewRecord, StoredRecord, answer_bytes, decision_id_of
from council.record import Inputs, Written, write_record
from council.review import Review
from policies.contracts.reading import ReadRequest, read_request
from policies.faults import Fault, InvalidInputError
from policies.policy import Policy
from policies.strict_json import MAX_BYTES
from world.case import open_case

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
        has_models: whether any member has a model (then every case runs alone).
        default_deadline_ms: how long a request that names no deadline is waited for, milliseconds; None: to the end.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        current_policy: Callable[[], Policy],
        graph: CouncilGraph,
        has_models: bool = False,
        clock: Clock = Clock(),  # noqa: B008 - immutable
        max_bytes: int = MAX_BYTES,
        default_deadline_ms: int | None = None,
    ) -> None:
        self._ledger = ledger
        self._current_policy = current_policy
        self._docket = Docket(graph, has_models=has_models)
        self._has_models = has_models
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
            raise DecisionPendingError(decision_id_of(intake.key))
        return task.result()

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
        key = intake.key
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
            return await self._decide(intake)
        finally:
            del self._under_way[key]
            finished.set_result(None)

    async def _decide(self, intake: Intake) -> Reviewed:
        read, policy = intake.read, self._current_policy()
        realm = policy.realm(read.request.realm_id)
        # Without models, deciding again is cheaper than looking first: a key that is on record is found by the append.
        if realm is None or self._has_models:
            stored = await self._ledger.find_by_key(intake.key)
            if stored is not None:
                return _stored_answer(stored, read)
        if realm is None:
            raise UnknownRealmError(read.request.realm_id, sorted(policy.realms))
        review = Review(open_case(read.request), policy, realm)
        review.open()
        if not review.is_fast:
            await self._docket.decide(review)
        inputs = Inputs(
            read.request,
            read.canonical,
            intake.key,
            read.fingerprint,
            decision_id_of(intake.key),
            read.request.correlation_id or intake.correlation_id,
            self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        elapsed_ms = int((self._clock.monotonic() - intake.started) * 1000)
        written = _write(inputs, review, elapsed_ms)
        if policy is not self._remembered:
            await self._remember(policy)
        try:
            stored = await self._ledger.append(_new_record(inputs, review, written))
        except KeyTakenError as taken:
            return _stored_answer(taken.stored, read)
        return _reviewed(stored, is_stored=False)

    async def _remember(self, policy: Policy) -> None:
        """Keep the policies that decide beside the records that name them, so that replay needs no file."""
        for known in (policy, *policy.shadows):
            await self._ledger.put_policy(known.content_hash, orjson.dumps(known.document))
        self._remembered = policy


def _write(inputs: Inputs, review: Review, elapsed_ms: int) -> Written:
    concluded = review.concluded
    assert concluded is not None
    mode = review.realm.mode
    return write_record(
        inputs, review.policy, mode, review.found, review.assessed, concluded, review.shadows(), elapsed_ms
    )


def _new_record(inputs: Inputs, review: Review, written: Written) -> NewRecord:
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
