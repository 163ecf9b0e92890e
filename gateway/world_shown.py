"""What callers read of a realm as it is, as models: the OpenAPI document is made from them."""

from typing import Literal

from gateway.shown import Shown
from gateway.world_acts_shown import ContributionShown
from policies.verdicts import DecisionType, Verdict
from world.realm.state import Phase

Change = float | None
"""None where the realm is too young to tell."""


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


class TerritoriesShown(Heading):
    """One page of territories, in order of ids."""

    territories: list[TerritoryShown]
    next: str | None
    has_more: bool
