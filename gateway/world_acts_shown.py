"""What callers read of acts: sims what became of theirs, players their own part, game masters what is held; for OpenAPI."""

from typing import Any, Literal

from gateway.shown import Shown
from policies.verdicts import DecisionType


class ReasonTold(Shown):
    """Why an act is where it is."""

    kind: str
    told: str
    fix: str = ""
    path: str = ""
    """Field of the act that is to blame, as a JSON pointer; empty: none by itself."""


class AnomalyShown(Shown):
    """How odd an act is, 0 to 1,000, and the terms of it."""

    score: int
    terms: dict[str, Any]


class ActTaken(Shown):
    """What became of one act."""

    event_id: str
    state: Literal["accepted", "in_review", "quarantined", "rejected", "limited", "conflict"]
    """limited: too fast, not entered; conflict: its id stands in the ledger with another body."""
    normalized_points: float | None
    """Points as the server scores them; null where it was not scored."""
    territory_id: str | None
    """Where it counts; null: wherever its faction is present."""
    reasons: list[ReasonTold]
    anomaly: AnomalyShown | None
    is_repeat: bool
    """Whether its id stood in the ledger before: it counts once."""
    retry_after_s: int | None = None
    """Of a limited act: seconds to wait."""


class ActsTaken(Shown):
    """What became of a batch, in its order."""

    events: list[ActTaken]


class FactionContribution(Shown):
    """What a player did for, or against, a faction."""

    faction_id: str
    points: float
    territories: dict[str, float]
    elsewhere: float
    """Points of acts that named no territory."""


class ContributionShown(Shown):
    """What a player's accepted acts came to."""

    total_points: float
    factions: list[FactionContribution]


class DeedShown(Shown):
    """An act of the caller's own."""

    sequence: int
    event_id: str
    action_type: str
    faction_id: str | None
    territory_id: str | None
    is_against: bool
    state: Literal["accepted", "rejected", "pending"]
    because: str
    points: float | None
    tick_number: int
    received_at: str


class MineShown(ContributionShown):
    """The caller's contribution, and one page of the acts behind it."""

    realm_id: str
    user_id: str
    acts: list[DeedShown]
    next: int
    has_more: bool


class HeldAct(Shown):
    """An act that waits, with everything that judged it."""

    sequence: int
    event_id: str
    user_id: str
    action_type: str
    faction_id: str | None
    territory_id: str | None
    is_against: bool
    state: str
    because: str
    points: float | None
    anomaly: AnomalyShown
    tick_number: int
    received_at: str
    correlation_id: str | None


class QuestionShown(Shown):
    """A question to the council that is not settled."""

    question_id: str
    subject: str
    decision_type: DecisionType
    summary: str
    state: Literal["open", "asked", "answered"]
    tick_number: int
    decision_id: str | None
    correlation_id: str | None


class QueueShown(Shown):
    """What waits in a realm."""

    realm_id: str
    acts: list[HeldAct]
    questions: list[QuestionShown]
    """Oldest first, at most 100."""
    next: int
    has_more: bool
