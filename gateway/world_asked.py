"""What the world's endpoints are asked, as models: strict bodies and query parameters (register row S0-86)."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from policies.contracts.answer import Answer
from policies.contracts.base import Id, Line, Wire
from policies.contracts.request import ImpactCandidate
from world.service.rulings import HeldState, Word
from world.views.history import MOST_TICKS

MAX_ACTS: Final = 500
"""Most acts of one batch."""
MAX_LIMIT: Final = 500
_MOST: Final = 2**53 - 1
Whole = Annotated[int, Field(ge=0, le=_MOST)]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]


class ActsAsked(Wire):
    """Several acts at once: of one realm, in the order in which they happened."""

    events: Annotated[tuple[ImpactCandidate, ...], Field(strict=False, min_length=1, max_length=MAX_ACTS)]


class TickAsked(Wire):
    """A tick to be run."""

    realm_id: Id
    tick_number: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    """Number of the tick that is wanted: sent again, it returns what it returned. Without it the next tick runs."""


class ApplyAsked(Wire):
    """A decision to be applied: by its id, or as the answer that the council gave, which must be the one on record."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["decision_id"]}, {"required": ["answer"]}]})

    decision_id: Id | None = None
    answer: Answer | None = None
    expected_snapshot_id: Id | None = None
    """Snapshot that it is to be applied to and no other; without it, to the latest: what no longer fits is left out by name."""


class RulingAsked(Wire):
    """What a game master says of an act in quarantine, or of the appeal against one that expired."""

    realm_id: Id
    event_id: Id
    ruling: Word
    """release: it counts in the next tick, and an appeal is granted; reject: it does not count."""
    by: Id
    """Who says it."""
    because: Line


class SovereignAsked(Wire):
    """A sovereign action that a faction's leader proposes; the game server vouches for who leads a faction."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action_id": "annex-42", "realm_id": "realm-1", "kind": "annexation", "faction_id": "veil",
                    "user_id": "u-123", "target": "far-wilds",
                }
            ]
        }
    )  # fmt: skip

    action_id: Id
    """Names the action for ever: sent again, it is the same action and paid for once."""
    realm_id: Id
    kind: Id
    """One of the world's file: `GET /api/world/{realm}/actions` lists them."""
    faction_id: Id
    """Faction that acts."""
    user_id: Id
    """Who proposes it for the faction."""
    target: Id | None = None
    """Territory or faction that it is done to, where the kind has one."""


class ObjectionAsked(Wire):
    """An objection of another faction to a sovereign action under way."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"realm_id": "realm-1", "faction_id": "empire", "user_id": "u-7"}]}
    )

    realm_id: Id
    faction_id: Id
    """Faction that objects."""
    user_id: Id
    """Who speaks for it; a second objection of the same player says no more."""


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class EventsQuery(_Query):
    """Which events."""

    after: Whole | None = None
    """Sequence behind which to begin; `next` of the page before."""
    since_tick: Whole | None = None
    """First tick whose events are wanted; instead of `after`."""
    limit: Limit = 100


class PageQuery(_Query):
    """Which page of a list that is ordered by sequence."""

    after: Whole = 0
    """`next` of the page before."""
    limit: Limit = 100


class TerritoriesQuery(_Query):
    """Which territories, in order of ids."""

    after: Id | None = None
    """`next` of the page before."""
    limit: Limit = 100


class HistoryQuery(_Query):
    """Which ticks."""

    model_config = ConfigDict(populate_by_name=True)

    first: Annotated[Whole | None, Field(alias="from")] = None
    """First tick; without it, so that the range ends with `to`."""
    last: Annotated[Whole | None, Field(alias="to")] = None
    """Last tick, included; without it the latest."""
    limit: Annotated[int, Field(ge=1, le=MOST_TICKS)] = MOST_TICKS


class QueueQuery(PageQuery):
    """Which held acts."""

    realm_id: Id
    state: HeldState = "quarantined"
    """quarantined: wait for a person; in_review: wait for the council; expired: got no verdict in time, open to appeal."""
