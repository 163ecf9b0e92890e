"""Sovereign actions from the world's file: every fault named with file, line and key."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from policies.contracts.effects import EFFECT_OPS
from policies.cursor import REQUIRED, Place
from world.realm.sovereign_rules import (
    NO_SOVEREIGNTY,
    PLACEHOLDERS,
    SovereignKind,
    SovereignRules,
    TargetKind,
    effects_of,
)
from world.realm.state import Territory

_MILLI: Final = 1_000
_MOST: Final = 1_000_000
_TARGETS: Final[tuple[TargetKind, ...]] = ("none", "territory", "faction")
_NAMED: Final = {
    "faction_id": "faction",
    "from": "faction",
    "to": "faction",
    "territory_id": "territory",
    "meter": "meter",
}
"""Keys of effects that name something of the world."""


def sovereign_rules(
    place: Place, factions: Sequence[str], territories: Mapping[str, Territory], meters: Sequence[str]
) -> SovereignRules:
    """Read what factions may do as a whole; without the key nothing."""
    if place.value is None:
        return NO_SOVEREIGNTY
    fields = place.fields({"treasury_most": REQUIRED, "actions": REQUIRED})
    if not fields:
        return NO_SOVEREIGNTY
    known = {"faction": tuple(factions), "territory": tuple(territories), "meter": tuple(meters)}
    most = _MILLI * fields["treasury_most"].integer(0, _MOST)
    kinds = {name: _kind(name, item, known, most) for name, item in sorted(fields["actions"].entries().items())}
    return SovereignRules(most, kinds)


def _kind(name: str, place: Place, known: Mapping[str, Sequence[str]], most: int) -> SovereignKind:
    required = ("told", "cost", "cooldown", "uses", "window", "target", "effects")
    fields = place.fields({**dict.fromkeys(required, REQUIRED), "factions": []})
    if not fields:
        return SovereignKind(name, "", 0, 0, 1, 1, "none", (), ())
    kind = SovereignKind(
        kind=name,
        told=fields["told"].text(200),
        cost=_MILLI * fields["cost"].integer(0, _MOST),
        cooldown=fields["cooldown"].integer(0, 100_000),
        uses=fields["uses"].integer(1, 1_000),
        window=fields["window"].integer(1, 10_000),
        target=fields["target"].choice(_TARGETS),
        factions=tuple(sorted(item.choice(known["faction"]) for item in fields["factions"].items())),
        effects=(),
    )
    if kind.cost > most:
        fields["cost"].fault("is more than a treasury ever holds", f"raise treasury_most to {kind.cost // _MILLI}")
    items = fields["effects"].items()
    if not items:
        fields["effects"].fault("is empty", "say what the action does")
    return kind._replace(effects=tuple([_effect(item, kind, known) for item in items]))


def _effect(place: Place, kind: SovereignKind, known: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
    """Read one effect: its words are tried with a faction and a target of this world in their places."""
    effect = place.value
    if not isinstance(effect, dict):
        place.fault("must be a mapping", "write {op: meter_delta, meter: stability, amount: -3}")
        return {}
    for key, value in effect.items():
        if isinstance(value, str) and value.startswith("$"):
            if value not in PLACEHOLDERS[kind.target]:
                places = ", ".join(PLACEHOLDERS[kind.target])
                place.at(key, value).fault(f"{value} stands for nothing here", f"known: {places}")
                return {}
        elif key in _NAMED and value is not None and value not in known[_NAMED[key]]:
            names = ", ".join(known[_NAMED[key]])
            place.at(key, value).fault(f"there is no {_NAMED[key]} {value!r}", f"known: {names}")
            return {}
    _tried(place, kind._replace(effects=(effect,)), known)
    return effect


def _tried(place: Place, kind: SovereignKind, known: Mapping[str, Sequence[str]]) -> None:
    actor, other = known["faction"][0], known["faction"][-1]
    target = {"none": None, "faction": other, "territory": (*known["territory"], "")[0]}[kind.target]
    try:
        effects_of(kind, faction=actor, target=target, controller=other)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"][1:])
        fix = f"effects: {', '.join(EFFECT_OPS)}" if not at else f"look at {at}"
        place.fault(f"is no effect of the world: {first['msg'].lower()}", fix)
