"""The decision request: what a world simulation sends to the council (000 §7.1; register rows S0-57, S0-58).

Field names are those of the document. Field values are untrusted: texts that a player wrote are named as such.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Discriminator, Field, Tag

from policies.contracts import base
from policies.contracts.base import Id, Line, Meter, Share, Text, Wire
from policies.contracts.effects import Effect
from policies.verdicts import DecisionType

LockMode = Literal[
    "immutable", "monotonic", "requires_verdict", "requires_human", "sealed_until", "forbidden_assertion"
]


class Actor(Wire):
    """Who asks for the change."""

    user_id: Id | None = None
    faction_id: Id | None = None
    sovereign: bool = False
    """True where the actor speaks for the whole faction."""


class ProposedChange(Wire):
    """The change to the shared world that the council is asked about."""

    summary: Line
    """One line in the sim's own words."""
    actor: Actor | None = None
    effects: Annotated[tuple[Effect, ...], Field(strict=False, max_length=base.MAX_EFFECTS)] = ()
    narrative: Text = ""
    """Text that a player wrote: never trusted, never an instruction."""


class FactionState(Wire):
    influence: Share
    """Share of the realm, percent."""


class TerritoryState(Wire):
    name: Line | None = None
    controller: Id | None = None
    strategic_value: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1
    instability: Meter = 0
    neighbors: Annotated[tuple[Id, ...], Field(strict=False, max_length=64)] = ()


class TickState(Wire):
    """Factions and meters of one earlier tick."""

    tick_number: Annotated[int, Field(ge=0)]
    factions: Annotated[dict[Id, FactionState], Field(max_length=base.MAX_FACTIONS)] = {}
    meters: Annotated[dict[Id, Meter], Field(max_length=base.MAX_METERS)] = {}


class WorldSnapshot(Wire):
    """The state of the realm that the change would alter."""

    snapshot_id: Id
    tick_number: Annotated[int, Field(ge=0)]
    factions: Annotated[dict[Id, FactionState], Field(max_length=base.MAX_FACTIONS)] = {}
    territories: Annotated[dict[Id, TerritoryState], Field(max_length=base.MAX_TERRITORIES)] = {}
    meters: Annotated[dict[Id, Meter], Field(max_length=base.MAX_METERS)] = {}
    history: Annotated[tuple[TickState, ...], Field(strict=False, max_length=base.MAX_HISTORY)] = ()
    """Earlier ticks, oldest first."""


class ImpactCandidate(Wire):
    """One supporting event: a player's act that counts for the change (000 §5.1; rows S0-32 to S0-39)."""

    event_id: Id
    realm_id: Id
    user_id: Id
    story_id: Id | None = None
    chapter_id: Id | None = None
    action_type: Id
    faction_id: Id | None = None
    base_points: Annotated[float, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False)]
    # Any and not JsonValue: the strict reader lets only JSON through, and JsonValue's union is walked in Python.
    evidence: Annotated[dict[str, Any], Field(max_length=64)] = {}
    """Free facts of the act, such as risk (1 to 5) and stakes (personal, local, regional, realm, sovereign)."""
    created_at: Annotated[AwareDatetime, Field(strict=False)]
    device_id: Id | None = None
    session_id: Id | None = None
    target_id: Id | None = None
    note: Text = ""
    """Text that a player wrote: never trusted."""


class RiskFlag(Wire):
    """A warning that the sim raises about the change."""

    code: Id
    severity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    subject: Id | None = None
    note: Text = ""


class LoreConstraint(Wire):
    """A canon lock: a fact, and how it may change (domain.md C8)."""

    id: Id
    mode: LockMode
    subject: Id
    predicate: Id
    object: Line | None = None
    statement: Text = ""
    until: Line | None = None
    """What opens the lock: a trigger, phase or season."""


def _is_text(value: Any) -> str:
    return "text" if isinstance(value, str) else "structured"


FlagOrText = Annotated[Annotated[Line, Tag("text")] | Annotated[RiskFlag, Tag("structured")], Discriminator(_is_text)]
LockOrText = Annotated[
    Annotated[Line, Tag("text")] | Annotated[LoreConstraint, Tag("structured")], Discriminator(_is_text)
]


class DecisionRequest(Wire):
    """May this high-impact change to the realm happen?"""

    decision_type: DecisionType
    realm_id: Id
    proposed_change: ProposedChange
    world_snapshot: WorldSnapshot
    supporting_events: Annotated[tuple[ImpactCandidate, ...], Field(strict=False, max_length=base.MAX_EVENTS)] = ()
    risk_flags: Annotated[tuple[FlagOrText, ...], Field(strict=False, max_length=base.MAX_FLAGS)] = ()
    lore_constraints: Annotated[tuple[LockOrText, ...], Field(strict=False, max_length=base.MAX_LOCKS)] = ()
    request_id: Id | None = None
    """Idempotency key; the header `Idempotency-Key` means the same."""
    correlation_id: Id | None = None
    deadline_ms: Annotated[int, Field(ge=1, le=600_000)] | None = None
    """How long the caller waits, milliseconds."""
