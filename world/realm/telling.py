"""What of a verdict is told to players and to the story: what it was about and what it required, never its numbers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from policies.contracts.effects import Effect
from world.realm.revising import effects_to_wire

_SUBJECTS: Final = ("territory_id", "trigger_id", "subject", "faction_id")


def asked_of(effects: Sequence[Effect]) -> str:
    """Return what a change is about: the place, trigger, subject or faction of its first effect; "" where it names none."""
    return subject_of(effects_to_wire(effects[:1]))


def subject_of(effects: Iterable[Mapping[str, Any]]) -> str:
    """Return the first place, trigger, subject or faction that effects name, as requests write them."""
    return next((str(each[key]) for each in effects for key in _SUBJECTS if each.get(key)), "")


def condition_code(op: str, *, drop: bool, has_max: bool, has_min: bool) -> str:
    """Return a required modification without its numbers: dropped:canon_assert, lowered:faction_delta, raised:…, changed:…"""
    kind = "dropped" if drop else "lowered" if has_max else "raised" if has_min else "changed"
    return f"{kind}:{op}"
