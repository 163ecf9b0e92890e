"""Amounts held to a part of what was requested: the cure that members use where support, not the amount, is in doubt.

The bound is a part of the amount in the request itself, never of the amount under judgement, so that a change that was
already bounded is not bounded again and judging it once more finds nothing.
"""

from collections.abc import Collection
from typing import Final

from policies.contracts.effects import FactionDelta, MeterDelta
from policies.numbers import scaled
from policies.votes import AMOUNT_SCALE, Modification
from world.case import Case

_AMOUNTS: Final = (FactionDelta, MeterDelta)
CENTS: Final = 100
"""Bounds are written to the hundredth of a point."""


def hold_to_part(case: Case, part: int, whole: int, ops: Collection[str], because: str) -> tuple[Modification, ...]:
    """Return bounds for the effects whose amount exceeds `part / whole` of the amount requested; none where none does.

    Args:
        case: the case under judgement.
        part: numerator, 0 to `whole`.
        whole: denominator, above 0.
        ops: kinds of effect that are held: "faction_delta", "meter_delta".
        because: reason written into each bound.

    A bound is rounded toward zero to the hundredth of a point: 12 points at 25 percent may be 3 at most.
    """
    bounds = []
    asked = case.request.proposed_change.effects
    for effect, origin in zip(case.effects, case.origins, strict=True):
        requested = asked[origin]
        if effect.op not in ops or not isinstance(effect, _AMOUNTS) or not isinstance(requested, _AMOUNTS):
            continue
        scale = AMOUNT_SCALE[effect.op]
        limit = _part(abs(scaled(requested.amount, scale)), part, whole, scale // CENTS)
        if abs(scaled(effect.amount, scale)) > limit:
            bounds.append(_bound(origin, limit if effect.amount > 0 else -limit, because))
    return tuple(bounds)


def _part(amount: int, part: int, whole: int, step: int) -> int:
    return amount * part // whole // step * step


def _bound(origin: int, limit: int, because: str) -> Modification:
    if limit >= 0:
        return Modification(origin, field="amount", max=limit, because=because)
    return Modification(origin, field="amount", min=limit, because=because)
