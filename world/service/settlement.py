"""What settling a question writes: the record that a replay reads, what is told, what becomes of a disputed act (K17). Pure."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from policies.contracts.answer import Answer
from policies.contracts.effects import Effect, TerritoryTransfer
from policies.contracts.request import DecisionRequest
from policies.numbers import scaled
from world.persistence.acts import LedgerRow, Transition
from world.persistence.messages import NewEvent, Question
from world.realm.conditions import effects_allowed
from world.realm.revising import concluded, effects_to_wire
from world.realm.rules import WorldRules
from world.realm.state import Realm
from world.realm.telling import asked_of, conditions_told

_OF_THE_REALM: Final = ("move", "trigger", "action")
"""What a question may be about that everybody may know of; a single act is its player's own business."""


class Settled(NamedTuple):
    """A realm after a question, and what made it so."""

    realm: Realm
    subject: str
    asked: tuple[Effect, ...]
    allowed: tuple[Effect, ...]
    kept: tuple[Effect, ...]
    """Effects that took hold."""
    dropped: tuple[str, ...]
    """What no longer fitted the realm, by name."""


def settled_by(
    answer: Answer,
    request: DecisionRequest,
    realm: Realm,
    rules: WorldRules,
    *,
    question: Question | None,
    row: LedgerRow | None,
) -> Settled:
    """Settle a question by its answer.

    Args:
        question: None where somebody else than the world asked.
        row: the act that a dispute is about.
    """
    subject = question.subject if question is not None else ""
    if row is not None:
        # An act under dispute counts by its points, in the tick in which it is accepted, and not twice.
        late = () if row.state == "in_review" else (f"the act {row.event_id!r} is {row.state} by now",)
        return Settled(concluded(realm, subject, (), (), rules).realm, subject, (), (), (), late)
    asked, allowed = request.proposed_change.effects, effects_allowed(request.proposed_change.effects, answer)
    found = concluded(realm, subject, asked, allowed, rules)
    return Settled(found.realm, subject, asked, allowed, found.kept, found.dropped)


def given_up(question: Question, realm: Realm, rules: WorldRules) -> Settled:
    """Close a question that the council refuses to take: nothing of it happens, and a disputed act is left to expire."""
    found = concluded(realm, question.subject, (), (), rules)
    return Settled(found.realm, question.subject, (), (), (), found.dropped)


def record_of(settled: Settled, told: Mapping[str, Any]) -> bytes:
    """Return what a revision's snapshot keeps of what made it (`world.realm.revising.redo` reads it back).

    Args:
        told: the decision's id and verdict, or why there is none.
    """
    document = {
        "made_by": "verdict",
        **told,
        "subject": settled.subject,
        "asked": effects_to_wire(settled.asked),
        "allowed": effects_to_wire(settled.allowed),
        "dropped": list(settled.dropped),
    }
    return orjson.dumps(document)


def transitions_of(row: LedgerRow | None, request: DecisionRequest, answer: Answer) -> tuple[Transition, ...]:
    """Return what becomes of a disputed act by its verdict (K17); one that is not in review any more stays as it is."""
    if row is None or row.state != "in_review":
        return ()
    because = f"the council said {answer.final_verdict}: {answer.decision_id}"
    points = None
    match answer.final_verdict:
        case "approve":
            state: Any = "accepted"
        case "modify":
            state, points = "accepted", _points_left(row, request, answer)
        case "reject":
            state = "rejected"
        case _:
            state = "quarantined"
    return (Transition(row.sequence, state, because, points, "in_review"),)


def events_of(
    answer: Answer,
    request: DecisionRequest,
    settled: Settled,
    transitions: tuple[Transition, ...],
    row: LedgerRow | None,
    correlation_id: str | None,
) -> tuple[NewEvent, ...]:
    """Return what is told: to everybody what was decided and which territories it gave to others, to a player what became of
    the act."""
    payload = {
        "decision_id": answer.decision_id,
        "verdict": answer.final_verdict,
        "decision_type": request.decision_type,
        "about": settled.subject.partition(":")[0],
        "summary": request.proposed_change.summary,
        "effects": effects_to_wire(settled.kept),
        "dropped": list(settled.dropped),
        "subject": settled.subject if settled.subject.partition(":")[0] in _OF_THE_REALM else "",
        "faction_id": request.proposed_change.actor.faction_id if request.proposed_change.actor is not None else None,
        "asked_of": asked_of(request.proposed_change.effects),
        "stood_against": _stood_against(answer),
        "conditions": _conditions(answer, request),
    }
    told = [NewEvent("decision_applied", orjson.dumps(payload), correlation_id=correlation_id)]
    told += [
        NewEvent("territory_changed", orjson.dumps(each), correlation_id=correlation_id)
        for each in _taken(answer, settled)
    ]
    if row is not None:
        for transition in transitions:
            outcome = orjson.dumps(
                {"event_id": row.event_id, "state": transition.state, "decision_id": answer.decision_id}
            )
            told.append(NewEvent("review_settled", outcome, row.user_id, correlation_id))
    return tuple(told)


def _taken(answer: Answer, settled: Settled) -> list[dict[str, Any]]:
    """Return what is told of each territory that a verdict gave to another: as a tick tells it, and by which decision."""
    return [
        {
            "territory_id": effect.territory_id,
            "name": settled.realm.territories[effect.territory_id].name,
            "from": effect.from_,
            "to": effect.to,
            "decision_id": answer.decision_id,
        }
        for effect in settled.kept
        if isinstance(effect, TerritoryTransfer)
    ]


def _stood_against(answer: Answer) -> str:
    """Return the rule that stopped or bounded a change; "votes" where members did, "" where nothing stood against it."""
    if answer.final_verdict == "approve":
        return ""
    return next((veto.rule for veto in answer.vetoes if veto.mode == "enforce"), "votes")


def _conditions(answer: Answer, request: DecisionRequest) -> list[str]:
    """Return what a verdict requires, without its numbers."""
    required = answer.required_modifications if answer.final_verdict == "modify" else ()
    return conditions_told(request.proposed_change.effects, required)


def _points_left(row: LedgerRow, request: DecisionRequest, answer: Answer) -> int:
    """Return the points that count where a verdict bounds what an act moves: the same part of them."""
    points = row.score.normalized if row.score is not None else 0
    asked = sum(
        scaled(effect.amount, 10_000) for effect in request.proposed_change.effects if effect.op == "faction_delta"
    )
    allowed = effects_allowed(request.proposed_change.effects, answer)
    left = sum(scaled(effect.amount, 10_000) for effect in allowed if effect.op == "faction_delta")
    return max(0, points * left // asked) if asked else points
