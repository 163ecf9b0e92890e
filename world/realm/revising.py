"""What happens to a realm between two ticks: a pure function of its state and of what was recorded, so that it can be replayed.

A revision is made by a verdict, by a question that the council never takes, by a sovereign action that is proposed, or by an
objection to one. Its snapshot keeps what made it (`Snapshot.result`), and `redo` makes it again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter

from policies.contracts.effects import Effect, TriggerFire
from world.realm.applying import StaleError, apply_effects, revised
from world.realm.contests import held
from world.realm.rules import WorldRules
from world.realm.sovereign import Proposal, Refusal, action_of, conclude, object_to, propose
from world.realm.state import Realm
from world.realm.triggers import refused

_EFFECTS: Final[TypeAdapter[tuple[Effect, ...]]] = TypeAdapter(tuple[Effect, ...])


class Concluded(NamedTuple):
    """A realm after a question was settled."""

    realm: Realm
    kept: tuple[Effect, ...]
    """Effects that took hold."""
    dropped: tuple[str, ...]
    """What no longer fitted the realm, by name."""


def concluded(
    realm: Realm, subject: str, asked: Sequence[Effect], allowed: Sequence[Effect], rules: WorldRules
) -> Concluded:
    """Settle a question: what the verdict lets happen happens as far as it still fits, and nothing waits for it any more.

    Args:
        subject: what was asked about (`NewQuestion.subject`); empty where the world did not ask.
        asked: effects of the change that was asked about.
        allowed: those that the verdict lets happen, its modifications applied.
    """
    late = _too_late(realm, subject) if allowed else ()
    changed, kept, dropped = _apply_what_fits(realm, () if late else allowed, rules)
    settled = _settled(changed, subject, asked, kept, rules, is_refused=not allowed)
    return Concluded(revised(realm, settled), kept, (*late, *dropped))


def redo(realm: Realm, made_by: Mapping[str, Any], rules: WorldRules) -> Realm:
    """Make a revision again from what its snapshot recorded.

    Raises:
        ValueError: where the record describes no revision, or one that the realm would not have taken up.
    """
    match made_by.get("made_by"):
        case "verdict":
            asked, allowed = _EFFECTS.validate_python(made_by["asked"]), _EFFECTS.validate_python(made_by["allowed"])
            return concluded(realm, made_by["subject"], asked, allowed, rules).realm
        case "proposal":
            wanted, following = Proposal(**made_by["proposal"]), made_by.get("correlation_id")
            after = propose(realm, wanted, rules, correlation_id=following)
        case "objection":
            keys = {name: made_by[name] for name in ("faction_id", "user_id")}
            after = object_to(realm, made_by["action_id"], **keys)
        case other:
            raise ValueError(f"no revision is made by {other!r}")
    if isinstance(after, Refusal):
        raise ValueError(f"the realm would not have taken it up: {after.told}")
    return revised(realm, after)


def effects_to_wire(effects: Sequence[Effect]) -> list[dict[str, Any]]:
    """Return effects as requests carry them."""
    return [effect.model_dump(mode="json", by_alias=True) for effect in effects]


def _too_late(realm: Realm, subject: str) -> tuple[str, ...]:
    """Name what is no longer asked: a sovereign action or a conquest that has been settled since."""
    kind, _, name = subject.partition(":")
    if kind == "action" and action_of(realm, name) is None:
        return (f"the sovereign action {name!r} is no longer under way",)
    if kind == "move" and not _waits(realm, name):
        return (f"the territory {name!r} no longer waits for a verdict",)
    return ()


def _apply_what_fits(realm: Realm, effects: Sequence[Effect], rules: WorldRules) -> Concluded:
    """Apply effects; one that no longer fits is dropped by name, and the others are tried again."""
    left = list(effects)
    dropped: list[str] = []
    while left:
        try:
            return Concluded(apply_effects(realm, left, rules).realm, tuple(left), tuple(dropped))
        except StaleError as error:
            dropped.append(error.reason)
            del left[error.effect]
    return Concluded(realm, (), tuple(dropped))


def _settled(
    realm: Realm, subject: str, asked: Sequence[Effect], kept: Sequence[Effect], rules: WorldRules, *, is_refused: bool
) -> Realm:
    """Return the realm with whatever waited for this verdict waiting no more."""
    kind, _, name = subject.partition(":")
    if kind == "action":
        realm = conclude(realm, name, rules, is_granted=bool(kept))
    if kind == "move" and _waits(realm, name):
        kept_by_owner = held(realm.territories[name], realm.tick_number)
        realm = replace(realm, territories={**realm.territories, name: kept_by_owner})
    wanted = {effect.trigger_id for effect in asked if isinstance(effect, TriggerFire)}
    fired = {effect.trigger_id for effect in kept if isinstance(effect, TriggerFire)}
    states = dict(realm.triggers)
    for trigger_id in sorted({*wanted, *([name] if kind == "trigger" else [])} - fired):
        state = states.get(trigger_id)
        if state is not None and (is_refused or state.pending_since is not None):
            states[trigger_id] = refused(state, tick=realm.tick_number)
    return replace(realm, triggers=states)


def _waits(realm: Realm, territory_id: str) -> bool:
    territory = realm.territories.get(territory_id)
    return territory is not None and territory.conflict is not None and territory.conflict.asked_since is not None
