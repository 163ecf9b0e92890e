"""Verdicts reach the world exactly once: questions are asked, and what the council lets happen is applied (S0-83, S0-111).

Idempotent by decision id, compare-and-set on the snapshot; a realm that moved on is read again and the change looked at anew, so
that what no longer fits is dropped by name and never bent.
"""

import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from policies.contracts.answer import Answer
from policies.contracts.effects import Effect
from policies.contracts.reading import validate_request
from policies.contracts.request import DecisionRequest
from policies.numbers import scaled
from world.errors import MovedOnError
from world.persistence.port import Advance, LedgerRow, NewEvent, Question, Transition, WorldStore
from world.realm.applying import StaleError, apply_effects, refuse_triggers, revised
from world.realm.conditions import effects_allowed
from world.realm.rules import WorldRules
from world.realm.state import Realm
from world.review.port import ReviewClient, ReviewUnavailableError
from world.service.clock import Clock
from world.service.realms import RealmReader, snapshot_of

logger = logging.getLogger(__name__)
TRIES: Final = 5
"""How often a decision is tried against a realm that keeps moving on."""


class Application(NamedTuple):
    """What applying a decision came to."""

    snapshot_id: str
    is_repeat: bool
    """Whether it had been applied before."""
    effects: int
    """Effects that took hold."""
    dropped: tuple[str, ...]
    """What no longer fitted the realm, by name."""


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

    async def settle(self, realm_id: str | None = None, limit: int = 100) -> int:
        """Ask the open questions and apply what came of them; return how many were settled."""
        settled = 0
        for question in await self._store.questions(realm_id, "open", limit):
            settled += await self._ask(question)
        for question in await self._store.questions(realm_id, "answered", limit):
            await self.apply(question)
        return settled

    async def apply(self, question: Question) -> Application:
        """Apply the verdict of a question that was answered."""
        assert question.answer is not None
        answer = Answer.model_validate_json(question.answer)
        request = validate_request(orjson.loads(question.request))
        return await self.apply_decision(request, answer, question)

    async def apply_decision(
        self, request: DecisionRequest, answer: Answer, question: Question | None = None
    ) -> Application:
        """Apply one decision: what it lets happen becomes the realm's next revision.

        Raises:
            MovedOnError: where the realm moved on at every try.
        """
        done = await self._store.applied(answer.decision_id)
        if done is not None:
            return Application(done.snapshot_id, True, 0, ())
        for attempt in range(TRIES):
            try:
                return await self._applied(request, answer, question)
            except MovedOnError:
                again = await self._store.applied(answer.decision_id)
                if again is not None:
                    return Application(again.snapshot_id, True, 0, ())
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("the last try raises")

    async def _ask(self, question: Question) -> bool:
        if self._council is None:
            return False
        request = validate_request(orjson.loads(question.request))
        try:
            reply = await self._council.review(
                request, request_key=question.question_id, correlation_id=question.correlation_id
            )
        except ReviewUnavailableError as error:
            logger.warning("question_unanswered", extra={"question_id": question.question_id, "reason": str(error)})
            return False
        answer = orjson.dumps(reply.answer.model_dump(mode="json", by_alias=True))
        await self._store.answer(question.question_id, "answered", answer, reply.answer.decision_id)
        return True

    async def _applied(self, request: DecisionRequest, answer: Answer, question: Question | None) -> Application:
        realm = await self._realms.current(request.realm_id)
        about = await self._row_in_review(question)
        # An act under dispute counts by its points, in the tick in which it is accepted, and not twice.
        allowed = () if about is not None else effects_allowed(request.proposed_change.effects, answer)
        changed, kept, dropped = _apply_what_fits(realm, allowed, self._rules)
        if answer.final_verdict in ("reject", "quarantine"):
            changed = refuse_triggers(realm, request.proposed_change.effects)
        if changed is realm:
            changed = revised(realm, realm)
        now = self._clock()
        result = {"decision_id": answer.decision_id, "verdict": answer.final_verdict, "dropped": list(dropped)}
        step = Advance(
            realm_id=realm.realm_id,
            expected=realm.snapshot_id,
            snapshot=snapshot_of(changed, orjson.dumps(result), now),
            events=(_event(answer, request, kept, dropped),),
            transitions=_transitions(about, request, answer),
            applied=question.question_id if question is not None else None,
            decision_id=answer.decision_id,
        )
        await self._store.advance(step, None, now)
        return Application(step.snapshot.snapshot_id, False, len(kept), dropped)

    async def _row_in_review(self, question: Question | None) -> LedgerRow | None:
        """Return the act that a dispute is about, while it waits."""
        if question is None or not question.subject.startswith("event:"):
            return None
        row = await self._store.row(question.realm_id, question.subject.removeprefix("event:"))
        return row if row is not None and row.state == "in_review" else None


def _transitions(row: LedgerRow | None, request: DecisionRequest, answer: Answer) -> tuple[Transition, ...]:
    """Return what becomes of a disputed act by its verdict (K17)."""
    if row is None:
        return ()
    because = f"the council said {answer.final_verdict}: {answer.decision_id}"
    match answer.final_verdict:
        case "approve":
            return (Transition(row.sequence, "accepted", because),)
        case "modify":
            return (Transition(row.sequence, "accepted", because, _points_left(row, request, answer)),)
        case "reject":
            return (Transition(row.sequence, "rejected", because),)
        case _:
            return (Transition(row.sequence, "quarantined", because),)


def _points_left(row: LedgerRow, request: DecisionRequest, answer: Answer) -> int:
    """Return the points that count where a verdict bounds what an act moves: the same part of them."""
    points = row.score.normalized if row.score is not None else 0
    asked = sum(
        scaled(effect.amount, 10_000) for effect in request.proposed_change.effects if effect.op == "faction_delta"
    )
    allowed = effects_allowed(request.proposed_change.effects, answer)
    left = sum(scaled(effect.amount, 10_000) for effect in allowed if effect.op == "faction_delta")
    return max(0, points * left // asked) if asked else points


def _apply_what_fits(
    realm: Realm, effects: Sequence[Effect], rules: WorldRules
) -> tuple[Realm, tuple[Effect, ...], tuple[str, ...]]:
    """Apply effects; one that no longer fits is dropped by name, and the others are tried again."""
    left = list(effects)
    dropped: list[str] = []
    while left:
        try:
            return apply_effects(realm, left, rules).realm, tuple(left), tuple(dropped)
        except StaleError as error:
            dropped.append(error.reason)
            del left[error.effect]
    return realm, (), tuple(dropped)


def _event(answer: Answer, request: DecisionRequest, kept: Sequence[Effect], dropped: Sequence[str]) -> NewEvent:
    payload = {
        "decision_id": answer.decision_id,
        "verdict": answer.final_verdict,
        "decision_type": request.decision_type,
        "summary": request.proposed_change.summary,
        "effects": [effect.model_dump(mode="json", by_alias=True) for effect in kept],
        "dropped": list(dropped),
    }
    return NewEvent("decision_applied", orjson.dumps(payload), correlation_id=request.correlation_id)
