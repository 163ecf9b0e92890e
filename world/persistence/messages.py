"""What the world tells and asks, as the store keeps it: events of a realm, questions to the council, messages for the bus."""

from typing import Literal, NamedTuple


class NewEvent(NamedTuple):
    """One thing that happened, for the feed."""

    kind: str
    """Such as tick, territory_changed, conflict_began, trigger_fired, decision_applied, contributed."""
    payload: bytes
    """JSON."""
    user_id: str | None = None
    """Whom alone it is for; None: everybody in the realm."""
    correlation_id: str | None = None


class Event(NamedTuple):
    """An event in a realm's durable sequence."""

    realm_id: str
    sequence: int
    """From 1 without gaps."""
    tick_number: int
    kind: str
    payload: bytes
    user_id: str | None
    made_at: int
    correlation_id: str | None


QuestionState = Literal["open", "asked", "answered", "applied", "expired"]
"""open: to be asked; asked: under way; answered: its verdict waits to be applied; applied; expired: too old."""


class NewQuestion(NamedTuple):
    """A question to the council, in the same transaction as what raised it."""

    question_id: str
    """Also the idempotency key under which the council is asked."""
    subject: str
    """What it is about: trigger:age_of_iron, event:<event id>, action:<sovereign action id>."""
    request: bytes
    """JSON of the `DecisionRequest`."""
    correlation_id: str | None = None


class Question(NamedTuple):
    """A question and what became of it."""

    realm_id: str
    question_id: str
    subject: str
    request: bytes
    state: QuestionState
    tick_number: int
    """Tick in which it was raised."""
    answer: bytes | None
    decision_id: str | None
    correlation_id: str | None


class OutboxRow(NamedTuple):
    """A message that waits for the bus, in order of its number."""

    number: int
    realm_id: str
    topic: str
    key: str
    payload: bytes
    correlation_id: str | None
    part: int = 0
    """Place among the messages of one number, from 0: tellings of one page are marked together."""
