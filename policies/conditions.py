"""Conditions on a change, applied exactly as written: what a `modify` verdict lets happen (register row S0-61)."""

from collections.abc import Sequence
from typing import Any

from policies.contracts.effects import Effect, FactionDelta, MeterDelta
from policies.numbers import scaled
from policies.votes import AMOUNT_SCALE, Modification, wire_number


def apply_modifications(
    effects: Sequence[Effect], required: Sequence[Modification]
) -> tuple[tuple[Effect, ...], tuple[int, ...]]:
    """Apply conditions to a change exactly.

    Returns:
        The effects that are left, and for each its index in `effects`.
    """
    by_effect: dict[int, list[Modification]] = {}
    for condition in required:
        by_effect.setdefault(condition.effect, []).append(condition)
    left = [
        (_changed(effect, by_effect.get(index, ())), index)
        for index, effect in enumerate(effects)
        if not any(condition.drop for condition in by_effect.get(index, ()))
    ]
    return tuple([effect for effect, _ in left]), tuple([index for _, index in left])


def _changed(effect: Effect, conditions: Sequence[Modification]) -> Effect:
    changes: dict[str, Any] = {}
    for condition in conditions:
        if condition.value is not None:
            changes[str(condition.field)] = condition.value
        elif isinstance(effect, FactionDelta | MeterDelta):
            scale = AMOUNT_SCALE[effect.op]
            amount = scaled(effect.amount, scale)
            if condition.max is not None:
                amount = min(amount, condition.max)
            if condition.min is not None:
                amount = max(amount, condition.min)
            changes["amount"] = float(wire_number(amount, scale))
    return effect.model_copy(update=changes) if changes else effect
