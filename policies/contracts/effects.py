"""The effects that a proposed change may have, and the modifications that a verdict may require of them.

Design: council.md, contracts. Effects outside this list are refused with the list of known ones.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from policies.contracts.base import Id, Line, Wire

Points = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]


class FactionDelta(Wire):
    """A faction's share of influence rises or falls."""

    op: Literal["faction_delta"]
    faction_id: Id
    amount: Points
    """Percentage points of influence, -100 to 100."""


class TerritoryTransfer(Wire):
    """A territory changes its controller."""

    op: Literal["territory_transfer"]
    territory_id: Id
    from_: Id | None = Field(alias="from")
    """The faction that controls it now; null where nobody does."""
    to: Id


class MeterDelta(Wire):
    """A meter of the realm rises or falls."""

    op: Literal["meter_delta"]
    meter: Id
    amount: Points
    """Points on the meter's scale of 0 to 100."""


class TriggerFire(Wire):
    """A world trigger fires."""

    op: Literal["trigger_fire"]
    trigger_id: Id


class CanonAssert(Wire):
    """A fact about the world becomes true: subject, predicate, object."""

    op: Literal["canon_assert"]
    subject: Id
    predicate: Id
    object: Line


Effect = Annotated[FactionDelta | TerritoryTransfer | MeterDelta | TriggerFire | CanonAssert, Field(discriminator="op")]
EFFECT_OPS: Final = ("faction_delta", "territory_transfer", "meter_delta", "trigger_fire", "canon_assert")
BOUNDED_FIELDS: Final = {"faction_delta": "amount", "meter_delta": "amount"}
"""The numeric field of each effect that can be bounded by a modification; other effects can only be dropped or re-valued."""
VALUED_FIELDS: Final = {"territory_transfer": ("to",), "trigger_fire": ("trigger_id",), "canon_assert": ("object",)}


class RequiredModification(Wire):
    """One machine-applicable condition of a `modify` verdict (register row S0-61; council.md, the merge).

    Exactly one of these holds: `drop` is true, or `field` is named with `max` and/or `min`, or `field` with `value`.
    """

    effect: Annotated[int, Field(ge=0)]
    """Index into `proposed_change.effects`."""
    drop: bool = False
    """The effect must not happen at all."""
    field: str | None = None
    """The effect's field that is bounded or set."""
    max: float | None = None
    """Upper bound, in the field's own unit."""
    min: float | None = None
    """Lower bound, in the field's own unit."""
    value: Any = None
    """The value that the field must have."""
    asked_by: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Members whose votes asked for it, in seat order."""
    because: str = ""
    """Why, in a sentence."""
