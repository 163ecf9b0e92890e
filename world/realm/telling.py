"""What of a verdict is told to players and to the story: what it was about and what it required, never its numbers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from policies.contracts.effects import Effect, RequiredModification
from policies.votes import Modification
from world.realm.revising import effects_to_wire

_SUBJECTS: Final = ("territory_id", "trigger_id", "subject", "faction_id")


def asked_of(effects: Sequence[Effect]) -> str:
    """Return what a change is about: the first place, trigger, subject or faction of its effects; "" where they name none."""
    return subject_of(effects_to_wire(effects))


def subject_of(effects: Iterable[Mapping[str, Any]]) -> str:
    """Return the first place, trigger, subject or faction that effects name, as requests write them."""
    return next((str(each[key]) for each in effects for key in _SUBJECTS if each.get(key)), "")


def conditions_told(effects: Sequence[Effect], required: Sequence[Modification | RequiredModification]) -> list[str]:
    """Return required modifications without their numbers, each once: lowered:faction_delta, dropped:canon_assert, raised:…

    Where the very effect that was asked about (`asked_of`) is dropped, it is `withheld:` and not merely dropped: a change of
    which only the rest is left was not granted in part.
    """
    wires = effects_to_wire(effects)
    main = next((index for index, each in enumerate(wires) if subject_of([each])), None)
    codes = [f"{_kind(each, is_main=each.effect == main)}:{effects[each.effect].op}" for each in required]
    return list(dict.fromkeys(codes))


def _kind(required: Modification | RequiredModification, *, is_main: bool) -> str:
    if required.drop:
        return "withheld" if is_main else "dropped"
    return "lowered" if required.max is not None else "raised" if required.min is not None else "changed"
