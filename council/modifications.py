"""Required modifications: merged from the votes that asked, tightest bound first, and applied exactly.

What members ask for is combined per effect and field. Bounds that cannot both hold drop the effect and are named
(council.md, the merge; register row S0-61).
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from policies.contracts.effects import Effect
from policies.verdicts import STRICTNESS, Member
from policies.votes import AMOUNT_SCALE, Modification, Vote, modification_to_wire


class Required(NamedTuple):
    """One merged condition and who asked for it."""

    modification: Modification
    asked_by: tuple[Member, ...]


class Combined(NamedTuple):
    """All conditions of a `modify` verdict."""

    required: tuple[Required, ...]
    """At most one per effect that is dropped, else one per effect and field, by effect index and field."""
    contradictions: tuple[str, ...]
    """Sentences naming effects dropped because no value satisfies everyone."""


def combine(votes: Iterable[Vote]) -> Combined:
    """Combine the modifications of all votes at modify or stricter; an abstention stands where its rules' conditions are kept."""
    asked: dict[int, list[tuple[Member, Modification]]] = {}
    for vote in votes:
        if vote.verdict is None or STRICTNESS[vote.verdict] >= STRICTNESS["modify"]:
            for modification in vote.modifications:
                asked.setdefault(modification.effect, []).append((vote.member, modification))
    required: list[Required] = []
    contradictions: list[str] = []
    for effect in sorted(asked):
        conditions, contradiction = _for_effect(effect, asked[effect])
        required.extend(conditions)
        contradictions.extend(contradiction)
    return Combined(tuple(required), tuple(contradictions))


def covers(conditions: Combined, others: Combined) -> bool:
    """Tell whether conditions leave nothing standing that others would have cut."""
    by_field = {(item.modification.effect, item.modification.field): item.modification for item in conditions.required}
    dropped = {effect for (effect, _), item in by_field.items() if item.drop}
    return all(
        other.modification.effect in dropped
        or _is_tighter(by_field.get((other.modification.effect, other.modification.field)), other.modification)
        for other in others.required
    )


def required_to_wire(required: Required, op: str) -> dict[str, Any]:
    """Return a merged condition as it stands in the answer (`RequiredModification`)."""
    return {**modification_to_wire(required.modification, op), "asked_by": list(required.asked_by)}


def is_applicable(modification: Modification, effects: Sequence[Effect]) -> bool:
    """Tell whether a modification names an effect that exists and a bound, value or drop that it can bear."""
    if not 0 <= modification.effect < len(effects):
        return False
    if modification.drop:
        return modification.field is None
    effect = effects[modification.effect]
    if modification.field == "amount" and effect.op in AMOUNT_SCALE:
        return modification.value is None and (modification.max is not None or modification.min is not None)
    fields = {"territory_transfer": "to", "trigger_fire": "trigger_id", "canon_assert": "object"}
    is_bounded = modification.max is not None or modification.min is not None
    return modification.field == fields.get(effect.op) and modification.value is not None and not is_bounded


def _is_tighter(mine: Modification | None, other: Modification) -> bool:
    if mine is None or other.drop or mine.value != other.value:
        return False
    is_upper = other.max is None or (mine.max is not None and mine.max <= other.max)
    return is_upper and (other.min is None or (mine.min is not None and mine.min >= other.min))


def _for_effect(effect: int, asked: list[tuple[Member, Modification]]) -> tuple[list[Required], list[str]]:
    droppers = [(member, item) for member, item in asked if item.drop]
    if droppers:
        return [_dropped(effect, droppers)], []
    fields: dict[str, list[tuple[Member, Modification]]] = {}
    for member, item in asked:
        fields.setdefault(item.field or "", []).append((member, item))
    conditions = []
    for field in sorted(fields):
        tightest = _tightest(effect, field, fields[field])
        if tightest is None:
            sentence = f"effect {effect} is dropped: no {field!r} satisfies {_names(fields[field])}"
            return [_dropped(effect, fields[field], sentence)], [sentence]
        conditions.append(tightest)
    return conditions, []


def _dropped(effect: int, asked: list[tuple[Member, Modification]], because: str = "") -> Required:
    return Required(Modification(effect, drop=True, because=because or _reasons(asked)), _members(asked))


def _tightest(effect: int, field: str, asked: list[tuple[Member, Modification]]) -> Required | None:
    uppers = [item.max for _, item in asked if item.max is not None]
    lowers = [item.min for _, item in asked if item.min is not None]
    values = {item.value for _, item in asked if item.value is not None}
    upper, lower = min(uppers, default=None), max(lowers, default=None)
    is_empty = upper is not None and lower is not None and lower > upper
    if is_empty or len(values) > 1:
        return None
    value = next(iter(values), None)
    condition = Modification(effect, field=field, max=upper, min=lower, value=value, because=_reasons(asked))
    return Required(condition, _members(asked))


def _members(asked: list[tuple[Member, Modification]]) -> tuple[Member, ...]:
    return tuple(dict.fromkeys(member for member, _ in asked))


def _names(asked: list[tuple[Member, Modification]]) -> str:
    return " and ".join(_members(asked))


def _reasons(asked: list[tuple[Member, Modification]]) -> str:
    return "; ".join(dict.fromkeys(item.because for _, item in asked if item.because))
