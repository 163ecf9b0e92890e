"""What the world's endpoints return, as models: the OpenAPI document is made from them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.shown import Shown
from policies.verdicts import DecisionType, Verdict
from world.realm.sovereign_rules import TargetKind
from world.realm.state import Phase

Change = float | None
"""None where the realm is too young to tell."""


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


class MoveShown(Shown):
    """A territory that changed hands."""

    territory_id: str
    from_: Annotated[str | None, Field(alias="from")]
    to: str


class TickShown(Shown):
    """What a tick did (000 §5.2)."""

    realm_id: str
    tick_number: int
    faction_deltas: dict[str, float]
    """Percentage points of the realm with one decimal; factions that moved less are left out."""
    territory_changes: list[MoveShown]
    trigger_fired: list[str]
    snapshot_id: str


class AppliedShown(Shown):
    """What applying a decision came to."""

    decision_id: str
    realm_id: str
    verdict: Verdict
    mode: Literal["log_only", "review_only", "enforce"]
    """How the council acts in the realm: only where it enforces can a verdict stop anything."""
    advisory: Verdict | None
    """What it would have said where it does not enforce."""
    snapshot_id: str
    """The realm's snapshot that this decision made."""
    is_repeat: bool
    """Whether it had been applied before: nothing was done now."""
    effects: int
    """Effects that took hold."""
    dropped: list[str]
    """What no longer fitted the realm, by name."""


class FactionShown(Shown):
    """One faction."""

    faction_id: str
    rank: int
    share: float
    """Of the realm, percent."""
    change_per_tick: Change
    """Percentage points against the end of the tick before."""
    change_per_hour: Change
    territories: list[str]


class ConflictShown(Shown):
    """A fight over a territory: four rounds of seven decide it."""

    challenger: str
    since: int
    rounds_won: int
    rounds_held: int
    rounds_to_win: int
    next_round_in: int | None
    """Ticks until the running round is decided; null where the fight is over."""
    asked_since: int | None
    """Tick from which a conquest that was won waits for the council's verdict."""
    points_challenger: float
    points_owner: float


class TerritoryShown(Shown):
    """One territory."""

    territory_id: str
    name: str
    controller: str | None
    phase: Phase
    strategic_value: int
    population: int
    neighbors: list[str]
    shares: dict[str, float]
    """Percent per faction."""
    instability: float
    changed_at: int
    """Tick in which it last changed hands."""
    protected_until: int | None
    conflict: ConflictShown | None
    projected_ticks: int | None
    """Ticks until it changes hands at the last hour's pace; null: not in sight."""


class MeterShown(Shown):
    """One meter, 0 to 100."""

    meter: str
    level: float
    change_per_tick: Change
    change_per_hour: Change


class TriggerShown(Shown):
    """A trigger that is at work."""

    trigger_id: str
    phase: Literal["waiting", "fired", "resting", "rising"]
    """waiting: for the council; rising: its condition holds, not yet long enough."""
    severity: Literal["minor", "major"]
    told: str
    held: int
    sustain: int
    last_fired: int | None
    pending_since: int | None


class CampaignShown(Shown):
    """A territory that is contested or fought over."""

    territory_id: str
    name: str
    phase: Phase
    owner: str | None
    challenger: str | None
    conflict: ConflictShown | None
    projected_ticks: int | None


class ActionShown(Shown):
    """A sovereign action under way."""

    action_id: str
    kind: str
    told: str
    """What it is, in a sentence of the world."""
    faction_id: str
    """Faction that acts."""
    target: str | None
    """Territory or faction that it is done to."""
    phase: Literal["counterplay", "asked"]
    """counterplay: others may object; asked: the council decides."""
    since: int
    """Tick in which it was proposed."""
    closes: int
    """Last tick in which others may object; the tick after it asks the council."""
    objections: list[str]
    """Factions that stand against it."""


class KindShown(Shown):
    """What one faction could do."""

    kind: str
    told: str
    target: TargetKind
    """What it is done to."""
    cost: float
    """Points of the treasury; they come back where the council refuses."""
    window: int
    """Ticks in which others may object."""
    cooldown: int
    """Ticks between two of this kind."""
    free_from: int | None
    """Tick from which on the cooldown is over; null where it is."""
    uses_left: int
    """In this season."""
    because: Literal["under_way", "cooldown", "spent", "too_costly"] | None
    """What keeps the faction from it now; null: nothing does."""


class SovereigntyShown(Shown):
    """A faction's treasury, and what it may do with it."""

    faction_id: str
    treasury: float
    """Points that the faction's acts have earned."""
    treasury_most: float
    kinds: list[KindShown]


class SovereignTaken(Shown):
    """A sovereign action after a proposal or an objection."""

    realm_id: str
    snapshot_id: str
    is_repeat: bool
    """Whether the same had been said before: nothing was done now."""
    action: ActionShown


class VerdictShown(Shown):
    """A decision of the council that was applied."""

    decision_id: str
    verdict: Verdict
    decision_type: DecisionType
    summary: str
    effects: int
    dropped: list[str]
    tick_number: int
    sequence: int
    at: str


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


class HeldShown(Shown):
    """How much waits, counted up to 500 each."""

    in_review: int
    quarantined: int
    questions: int


class Heading(Shown):
    """Which state is shown."""

    realm_id: str
    season_id: str
    tick_number: int
    snapshot_id: str
    hash: str
    made_at: str
    tick_s: int


class SummaryShown(Heading):
    """A realm at once."""

    factions: list[FactionShown]
    territories: list[TerritoryShown]
    meters: list[MeterShown]
    triggers: list[TriggerShown]
    campaigns: list[CampaignShown]
    verdicts: list[VerdictShown]
    you: ContributionShown | None = None
    """The caller's own; only with a user's token."""
    held: HeldShown | None = None
    """Only for those who may read what is hidden."""


class FactionsShown(Heading):
    """The factions, strongest first."""

    factions: list[FactionShown]


class ActionsShown(Heading):
    """Sovereign actions: those under way, next to close first, and what each faction could do."""

    actions: list[ActionShown]
    factions: list[SovereigntyShown]


class TerritoriesShown(Heading):
    """One page of territories, in order of ids."""

    territories: list[TerritoryShown]
    next: str | None
    has_more: bool


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


class EventShown(Shown):
    """Something that happened."""

    sequence: int
    tick_number: int
    kind: str
    at: str
    is_personal: bool
    correlation_id: str | None
    payload: dict[str, Any]


class EventsShown(Shown):
    """One page of events in order of their sequence; numbers that are missing belong to other players."""

    realm_id: str
    events: list[EventShown]
    next: int
    """Send it as `after`: for the page after, or later for what has happened since."""
    has_more: bool


class SharesThen(Shown):
    """A faction at the end of a tick."""

    share: float
    change_per_tick: Change
    change_per_hour: Change


class LevelThen(Shown):
    """A meter at the end of a tick."""

    level: float
    change_per_tick: Change
    change_per_hour: Change


class TerritoryThen(Shown):
    """A territory at the end of a tick."""

    controller: str | None
    phase: Phase
    projected_ticks: int | None


class DecisionThen(Shown):
    """A decision applied after a tick and before the next."""

    decision_id: str
    verdict: Verdict


class TickThen(Shown):
    """One tick as it ended, the decisions applied after it included."""

    tick_number: int
    snapshot_id: str
    hash: str
    made_at: str
    factions: dict[str, SharesThen]
    meters: dict[str, LevelThen]
    territories: dict[str, TerritoryThen]
    territory_changes: list[MoveShown]
    trigger_fired: list[str]
    decisions: list[DecisionThen]


class HistoryShown(Shown):
    """A range of ticks, oldest first."""

    realm_id: str
    ticks: list[TickThen]
    next: int | None
    """First tick of the page after; null on the last page."""
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
