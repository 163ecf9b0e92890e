"""What a model may ask to change: less of an effect, none of it, or what canon says already. Never more, and nothing new.

The rules that bound a change saw it as it was proposed. A condition that raised an amount, turned it round or named another
winner would put something into the world that no rule looked at, and a text that talks a model into it would have won
it. So every condition only takes away (council.md, the merge; reliability.md, injection 2; register row S0-61):

    drop   any effect
    max    an amount above zero: from zero up to below the amount
    min    an amount below zero: from above the amount up to zero
    set    the object of a fact, or who receives a territory: to what a lock of this request says of the same subject
           and predicate
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, Literal

from agents.visible import one_line
from policies.contracts.effects import BOUNDED_FIELDS, VALUED_FIELDS, FactionDelta, MeterDelta
from policies.numbers import scaled
from policies.votes import AMOUNT_SCALE, Modification
from world.canon_terms import facts_of, locks_of
from world.case import Case

Action = Literal["drop", "max", "min", "set"]
ACTIONS: Final = ("drop", "max", "min", "set")
FIELDS: Final = ("amount", "to", "object")
"""Fields that a condition may name. `trigger_id` is none: a trigger that fires instead of another one is a new change."""


class InapplicableError(Exception):
    """the effect cannot bear this condition"""


def actions_on(case: Case, at: int) -> tuple[Action, ...]:
    """Return what may be asked of the effect at a position of `case.effects`; `set` only where canon has a word for it."""
    effect = case.effects[at]
    if isinstance(effect, FactionDelta | MeterDelta):
        steps = scaled(effect.amount, AMOUNT_SCALE[effect.op])
        return ("drop", "max") if steps > 0 else ("drop", "min") if steps < 0 else ("drop",)
    return ("drop", "set") if canon_says(case, at) else ("drop",)


def canon_says(case: Case, at: int) -> tuple[str, ...]:
    """Return what the locks of the request say where an effect would say something; empty where they are silent."""
    effect = case.effects[at]
    said = {fact.effect: fact for fact in facts_of(case.effects)}.get(at)
    if said is None or effect.op not in _SETTABLE:
        return ()
    constraints = case.request.lore_constraints
    found: dict[str, None] = {}
    for lock in locks_of(constraints):
        constraint = constraints[lock.at]
        is_same = (lock.subject, lock.predicate) == (said.subject, said.predicate)
        if isinstance(constraint, str) or not is_same or lock.mode == "forbidden_assertion":
            continue
        if constraint.object is not None:
            found[constraint.object] = None
    if effect.op == "territory_transfer":
        return tuple([name for name in found if name in case.request.world_snapshot.factions])
    return tuple(found)


_SETTABLE: Final = {op: field for op, fields in VALUED_FIELDS.items() for field in fields if field in FIELDS}


def condition_of(item: Mapping[str, Any], case: Case, because: str) -> Modification:
    """Read one condition of a reply: `effect`, `action`, `field`, `bound`, `value`, of the types that the schema names.

    Args:
        item: the condition as the model wrote it.
        case: the case under judgement.
        because: its reason, already fit to be shown.

    Raises:
        InapplicableError: where the change has no such effect, or the effect cannot bear it.
    """
    origin = item["effect"]
    if origin not in case.origins:
        raise InapplicableError("names an effect that the change does not have")
    at = case.origins.index(origin)
    action: Action = item["action"]
    if action == "drop":
        if item["bound"] is not None or item["value"] is not None:
            raise InapplicableError("drops an effect and changes it too")
        return Modification(origin, drop=True, because=because)
    if action == "set":
        return _set(item, case, at, because)
    return _bounded(item, case, at, because)


def _bounded(item: Mapping[str, Any], case: Case, at: int, because: str) -> Modification:
    effect, bound = case.effects[at], item["bound"]
    if not isinstance(effect, FactionDelta | MeterDelta) or item["field"] != BOUNDED_FIELDS[effect.op]:
        raise InapplicableError("bounds a field that is no amount")
    if bound is None or item["value"] is not None:
        raise InapplicableError("bounds an amount without exactly one bound")
    if not isfinite(bound) or abs(bound) > 100:
        raise InapplicableError("has a bound outside -100 to 100")
    scale = AMOUNT_SCALE[effect.op]
    limit, amount = scaled(bound, scale), scaled(effect.amount, scale)
    if item["action"] == "max" and 0 <= limit < amount:
        return Modification(case.origins[at], field="amount", max=limit, because=because)
    if item["action"] == "min" and amount < limit <= 0:
        return Modification(case.origins[at], field="amount", min=limit, because=because)
    raise InapplicableError("has a bound that does not bring the amount nearer to zero")


def _set(item: Mapping[str, Any], case: Case, at: int, because: str) -> Modification:
    op, value = case.effects[at].op, item["value"]
    if item["field"] is None or item["field"] != _SETTABLE.get(op):
        raise InapplicableError("sets a field that the effect does not have")
    if value is None or item["bound"] is not None:
        raise InapplicableError("sets a field without exactly one value")
    canon = canon_says(case, at)
    chosen = next((text for text in canon if value in (text, one_line(text))), None)
    if chosen is None:
        raise InapplicableError("sets a value that no lock of the request names")
    return Modification(case.origins[at], field=item["field"], value=chosen, because=because)
