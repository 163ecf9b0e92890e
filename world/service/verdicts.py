"""Verdicts reach the world exactly once: questions are asked, and what the council lets happen is applied (S0-83, S0-111).

Idempotent by decision id, compare-and-set on the snapshot; a realm that moved on is read again and the change looked at anew, so
that what no longer fits is dropped by name and never bent. A question without an answer stays open and is asked again, later
each time.

The realm's mode is the council's to honour: what it answers is its verdict under `enforce`, and approve where the mode lets
nothing be blocked (S0-107). The world applies what was answered, in every mode.
"""

import logging
from typing import Any, Final, NamedTuple

import orjson

from policies.contracts.answer import Answer
from policies.contracts.reading import validate_request
from policies.contracts.request import DecisionRequest
from policies.faults import InvalidInputError
from world.errors import MovedOnError
from world.persistence.acts import LedgerRow
from world.persistence.messages import Question
from world.persistence.port import Advance, WorldStore
from world.realm.rules import WorldRules
from world.review.port import ReviewClient, ReviewError, ReviewRefusedError, ReviewUnavailableError
from world.service.clock import Clock
from world.service.realms import RealmReader, snapshot_of
from world.service.settlement import events_of, given_up, record_of, settled_by, transitions_of

logger = logging.getLogger(__name__)
TRIES: Final = 5
"""How often a decision is tried against a realm that keeps moving on."""
FIRST_WAIT_MS: Final = 1_000
"""Pause after a question's first failure; it doubles with every further one."""
LONGEST_WAIT_MS: Final = 300_000


class Application(NamedTuple):
    """What applying a decision came to."""

    snapshot_id: str
    is_repeat: bool
    """Whether it had been applied before."""
    effects: int
    """Effects that took hold."""
    dropped: tuple[str, ...]
    """What no longer fitted the realm, by name."""


class _Failed(NamedTuple):
    """A question that the council could not be asked."""

    tries: int
    not_before: int
    """Milliseconds since 1970."""


class Verdicts:
    """Asks open questions and applies their verdicts.

    Args:
        store: where the world is.
        realms: reads the latest state.
        rules: the world's rules.
        council: asks the council; None where another process does.
        clock: milliseconds since 1970.
    """

    def __init__(
        self, store: WorldStore, realms: RealmReader, rules: WorldRules, council: ReviewClient | None, clock: Clock
    ) -> None:
        self._store = store
        self._realms = realms
        self._rules = rules
        self._council = council
        self._clock = clock
        self._failed: dict[str, _Failed] = {}

    async def settle(self, realm_id: str | None = None, limit: int = 100) -> int:
        """Ask the open questions and apply what came of them; return how many were answered now."""
        settled = 0
        for question in await self._store.questions(realm_id, "open", limit):
            if self._council is not None and self._is_due(question.question_id):
                settled += await self._ask(question, self._council)
        for question in await self._store.questions(realm_id, "answered", limit):
            try:
                await self.apply(question)
            except MovedOnError:
                logger.warning("verdict_waits", extra={"question_id": question.question_id})
        return settled

    async def apply(self, question: Question) -> Application:
        """Apply the verdict of a question that was answered."""
        assert question.answer is not None
        answer = Answer.model_validate_json(question.answer)
        request = validate_request(orjson.loads(question.request))
        return await self.apply_decision(request, answer, question)

    async def apply_decision(
        self,
        request: DecisionRequest,
        answer: Answer,
        question: Question | None = None,
        *,
        expected: str | None = None,
    ) -> Application:
        """Apply one decision: what it lets happen becomes the realm's next revision.

        Args:
            question: what the world had asked; without it, the one whose id is the request's.
            expected: snapshot id that the caller wants it applied to and no other; None: to the latest, whichever it is.

        Raises:
            MovedOnError: where the realm does not stand at `expected`, or moved on at every try.
        """
        done = await self._store.applied(answer.decision_id)
        if done is not None:
            return Application(done.snapshot_id, True, 0, ())
        if question is None and request.request_id is not None:
            question = await self._store.question(request.request_id)
        for attempt in range(TRIES):
            try:
                return await self._applied(request, answer, question, expected)
            except MovedOnError:
                again = await self._store.applied(answer.decision_id)
                if again is not None:
                    return Application(again.snapshot_id, True, 0, ())
                if attempt == TRIES - 1 or expected is not None:
                    raise
        raise AssertionError("the last try raises")

    def _is_due(self, question_id: str) -> bool:
        failed = self._failed.get(question_id)
        return failed is None or self._clock() >= failed.not_before

    async def _ask(self, question: Question, council: ReviewClient) -> bool:
        try:
            request = validate_request(orjson.loads(question.request))
            reply = await council.review(
                request, request_key=question.question_id, correlation_id=question.correlation_id
            )
        except ReviewUnavailableError as error:
            self._wait(question.question_id, error.retry_after_s)
            logger.warning("question_unanswered", extra=_said(question, error))
            return False
        except (ReviewError, InvalidInputError) as error:
            logger.error("question_refused", extra=_said(question, error))
            await self._give_up(question)
            return False
        self._failed.pop(question.question_id, None)
        answer = orjson.dumps(reply.answer.model_dump(mode="json", by_alias=True))
        await self._store.answer(question.question_id, "answered", answer, reply.answer.decision_id)
        return True

    def _wait(self, question_id: str, told_s: float | None) -> None:
        tries = self._failed[question_id].tries + 1 if question_id in self._failed else 1
        pause = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(tries - 1, 16))
        told = int(told_s * 1_000) if told_s is not None else 0
        self._failed[question_id] = _Failed(tries, self._clock() + max(pause, told))

    async def _give_up(self, question: Question) -> None:
        """Close a question that never will be answered; what waits for it is refused, which is the safe side."""
        realm, now = await self._realms.current(question.realm_id), self._clock()
        found = given_up(question, realm, self._rules)
        record = record_of(found, {"verdict": None, "question_id": question.question_id})
        step = Advance(
            realm_id=realm.realm_id,
            expected=realm.snapshot_id,
            snapshot=snapshot_of(found.realm, record, now),
            expired=(question.question_id,),
        )
        try:
            await self._store.advance(step, None, now)
        except MovedOnError:
            self._wait(question.question_id, None)

    async def _applied(
        self, request: DecisionRequest, answer: Answer, question: Question | None, expected: str | None
    ) -> Application:
        realm = await self._realms.current(request.realm_id)
        if expected not in (None, realm.snapshot_id):
            raise MovedOnError(realm.realm_id, str(expected), realm.snapshot_id)
        row, now = await self._disputed(question), self._clock()
        found = settled_by(answer, request, realm, self._rules, question=question, row=row)
        transitions = transitions_of(row, request, answer)
        told = {"decision_id": answer.decision_id, "verdict": answer.final_verdict}
        record = record_of(found, {**told, "decision_type": request.decision_type})
        is_expired = question is not None and question.state == "expired"
        following = question.correlation_id if question is not None else request.correlation_id
        step = Advance(
            realm_id=realm.realm_id,
            expected=realm.snapshot_id,
            snapshot=snapshot_of(found.realm, record, now),
            events=events_of(answer, request, found, transitions, row, following),
            transitions=transitions,
            applied=question.question_id if question is not None and not is_expired else None,
            decision_id=answer.decision_id,
        )
        await self._store.advance(step, None, now)
        return Application(step.snapshot.snapshot_id, False, len(found.kept), found.dropped)

    async def _disputed(self, question: Question | None) -> LedgerRow | None:
        """Return the act that a dispute is about."""
        if question is None or not question.subject.startswith("event:"):
            return None
        return await self._store.row(question.realm_id, question.subject.removeprefix("event:"))


def _said(question: Question, error: Exception) -> dict[str, Any]:
    """Return what a log line says of a question that failed: codes alone, for messages may quote what a player wrote (S0-89)."""
    codes = {"question_id": question.question_id, "realm_id": question.realm_id, "error": type(error).__name__}
    return {**codes, "problem": error.problem} if isinstance(error, ReviewRefusedError) else codes
