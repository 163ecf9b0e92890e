"""What callers read of what happened: a tick, a decision that was applied, events, a range of ticks; for OpenAPI."""

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.shown import Shown
from gateway.world_shown import Change
from policies.verdicts import Verdict
from world.realm.state import Phase


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
