"""A verdict reaches the world: approved effects become the next revision of the realm's state, or are refused whole.

Effects are applied as they are written, after the verdict's modifications; what they stood on is looked at again, because the
realm may have moved on while the council thought (register row S0-83). Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from policies.contracts.effects import CanonAssert, Effect, FactionDelta, MeterDelta, TerritoryTransfer, TriggerFire
from policies.numbers import scaled
from world.change import METER_MAX
from world.realm.contests import PROTECTION, Move
from world.realm.rules import WorldRules
from world.realm.shares import realm_shares, shifted
from world.realm.state import Realm, Territory, TriggerState, state_hash
from world.realm.triggers import fire


class StaleError(ValueError):
    """an effect no longer fits the realm; nothing was applied

    Attributes:
        effect: index of the effect.
        reason: what it needs, and what is there.
    """

    def __init__(self, effect: int, reason: str) -> None:
        self.effect = effect
        self.reason = reason
        super().__init__(f"effect {effect}: {reason}")


class Applied(NamedTuple):
    """What applying a decision did."""

    realm: Realm
    moves: tuple[Move, ...]
    fired: tuple[str, ...]


def apply_effects(realm: Realm, effects: Sequence[Effect], rules: WorldRules) -> Applied:
    """Return the realm with a decision's effects, as its next revision.

    Args:
        effects: those that the verdict lets happen, bounds and drops already applied.

    Raises:
        StaleError: where one does not fit any more; nothing is applied then.
    """
    changed, moves, fired = realm, [], []
    for index, effect in enumerate(effects):
        match effect:
            case FactionDelta():
                changed = _shifted(changed, index, effect)
            case TerritoryTransfer():
                changed = _transferred(changed, index, effect)
                moves.append(Move(effect.territory_id, effect.from_, effect.to))
            case MeterDelta():
                changed = replace(changed, meters=_moved(changed, index, {effect.meter: scaled(effect.amount, 1_000)}))
            case TriggerFire():
                changed = _fired(changed, index, effect, rules)
                fired.append(effect.trigger_id)
            case CanonAssert():
                changed = replace(changed, facts={**changed.facts, (effect.subject, effect.predicate): effect.object})
    return Applied(revised(realm, changed), tuple(moves), tuple(fired))


def revised(before: Realm, after: Realm) -> Realm:
    """Return a state as the next revision after another: a decision that changes nothing is in the chain all the same."""
    return replace(after, revision=before.revision + 1, previous=state_hash(before))


def _shifted(realm: Realm, index: int, effect: FactionDelta) -> Realm:
    if effect.faction_id not in realm.factions:
        raise StaleError(index, f"the realm has no faction {effect.faction_id!r}")
    base = realm_shares(replace(realm, standing={}))
    wanted = shifted(realm_shares(realm), {effect.faction_id: scaled(effect.amount, 10_000)})
    return replace(realm, standing={faction: share - base[faction] for faction, share in wanted.items()})


def _transferred(realm: Realm, index: int, effect: TerritoryTransfer) -> Realm:
    territory = realm.territories.get(effect.territory_id)
    if territory is None:
        raise StaleError(index, f"the realm has no territory {effect.territory_id!r}")
    if territory.controller != effect.from_:
        raise StaleError(index, f"{effect.territory_id!r} is held by {territory.controller!r}, not by {effect.from_!r}")
    if effect.to not in realm.factions:
        raise StaleError(index, f"the realm has no faction {effect.to!r}")
    taken = replace(
        territory,
        controller=effect.to,
        shares=_led_by(effect.to, territory),
        phase="protected",
        conflict=None,
        protected_until=realm.tick_number + PROTECTION,
        changed_at=realm.tick_number,
    )
    return replace(realm, territories={**realm.territories, effect.territory_id: taken})


def _led_by(faction: str, territory: Territory) -> dict[str, int]:
    """Return shares in which a faction leads: it changes places with whoever did, so that its control has a footing."""
    shares = {**{faction: 0}, **territory.shares}
    first = min(shares, key=lambda name: (-shares[name], name))
    shares[faction], shares[first] = shares[first], shares[faction]
    return dict(sorted((name, share) for name, share in shares.items() if share))


def _moved(realm: Realm, index: int, amounts: Mapping[str, int]) -> dict[str, int]:
    for name in amounts:
        if name not in realm.meters:
            raise StaleError(index, f"the realm has no meter {name!r}")
    return {name: max(0, min(METER_MAX, level + amounts.get(name, 0))) for name, level in realm.meters.items()}


def _fired(realm: Realm, index: int, effect: TriggerFire, rules: WorldRules) -> Realm:
    trigger = rules.trigger(effect.trigger_id)
    if trigger is None:
        raise StaleError(index, f"the world has no trigger {effect.trigger_id!r}")
    state = realm.triggers.get(effect.trigger_id, TriggerState())
    if trigger.once and state.fired_in_season == realm.season_id:
        raise StaleError(index, f"{effect.trigger_id!r} has fired in this season already")
    states = {**realm.triggers, effect.trigger_id: fire(state, tick=realm.tick_number, season=realm.season_id)}
    return replace(realm, triggers=dict(sorted(states.items())), meters=_moved(realm, index, trigger.meters))
