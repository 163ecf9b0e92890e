"""The mildest cure of an objection: the largest amounts, in hundredths of a point, with which it no longer stands.

Every trial applies the effects anew and asks the same objection again, so a bound that is found is a bound that works.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from policies.contracts.effects import Effect, FactionDelta, MeterDelta
from policies.numbers import scaled
from policies.votes import AMOUNT_SCALE, Modification
from world.case import Case, with_effects

CENTS: Final = 100
"""Bounds are written to the hundredth of a point: fine enough for play, short enough for people."""


def largest_cure(
    case: Case,
    culprits: Collection[int],
    dropped: Collection[int],
    is_cured: Callable[[Sequence[Effect]], bool],
    because: Mapping[int, str],
) -> tuple[Modification, ...] | None:
    """Return the mildest modifications that cure the change, or None where even dropping all culprits does not.

    Amounts of all culprits shrink in proportion, by bisection; effects without an amount among them are dropped.

    Args:
        case: the case under judgement.
        culprits: positions in `case.effects` whose amounts may shrink toward zero.
        dropped: positions that are dropped outright.
        is_cured: whether the objections are gone with these effects.
        because: reason per position, for the modification.
    """
    cents = {at: _cents(case.effects[at]) for at in culprits}
    most = max([abs(amount) for amount in cents.values()], default=0)

    def trial(step: int) -> list[Effect]:
        kept = []
        for at, effect in enumerate(case.effects):
            if at in dropped:
                continue
            if at in cents:
                amount = _part(cents[at], step, most)
                if amount:
                    kept.append(_resized(effect, amount / CENTS))
            else:
                kept.append(effect)
        return kept

    if not is_cured(trial(0)):
        return None
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_cured(trial(middle)) else (low, middle)
    bounds = {at: _part(amount, low, most) for at, amount in cents.items()}
    return tuple([_modification(case, at, bounds.get(at), because.get(at, "")) for at in sorted({*cents, *dropped})])


def applied(case: Case, modifications: Sequence[Modification]) -> Case:
    """Return the case with bounded amounts and without dropped effects."""
    wanted = {modification.effect: modification for modification in modifications}
    effects: list[Effect] = []
    origins: list[int] = []
    for effect, origin in zip(case.effects, case.origins, strict=True):
        wish = wanted.get(origin)
        if wish is not None and wish.drop:
            continue
        bound = None if wish is None else wish.min if wish.max is None else wish.max
        amount = None if bound is None else bound / AMOUNT_SCALE[effect.op]
        effects.append(effect if amount is None else effect.model_copy(update={"amount": amount}))
        origins.append(origin)
    return with_effects(case, tuple(effects), tuple(origins))


def _resized(effect: Effect, amount: float) -> Effect:
    """Return an effect with another amount; it is only tried out, so it is built without validation, which is quicker."""
    if isinstance(effect, FactionDelta):
        return FactionDelta.model_construct(op=effect.op, faction_id=effect.faction_id, amount=amount)
    if isinstance(effect, MeterDelta):
        return MeterDelta.model_construct(op=effect.op, meter=effect.meter, amount=amount)
    return effect


def _cents(effect: Effect) -> int:
    """Return an effect's amount in hundredths of a point, rounded toward zero."""
    if not isinstance(effect, FactionDelta | MeterDelta):
        return 0
    scale = AMOUNT_SCALE[effect.op]
    steps = scaled(effect.amount, scale)
    cents = abs(steps) * CENTS // scale
    return cents if steps > 0 else -cents


def _part(amount: int, step: int, most: int) -> int:
    """Return `amount * step / most` rounded toward zero."""
    if most == 0:
        return 0
    part = abs(amount) * step // most
    return part if amount > 0 else -part


def _modification(case: Case, at: int, bound: int | None, because: str) -> Modification:
    origin = case.origins[at]
    if not bound:
        return Modification(origin, drop=True, because=because)
    steps = bound * (AMOUNT_SCALE[case.effects[at].op] // CENTS)
    if bound > 0:
        return Modification(origin, field="amount", max=steps, because=because)
    return Modification(origin, field="amount", min=steps, because=because)
