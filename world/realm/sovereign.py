"""Sovereign actions: a faction's leader proposes, others may stand against it, then the council is asked (S0-48; companions.md).

    proposed     the cost leaves the treasury, a use is counted, the cooldown begins
    counterplay  for a few ticks others object, and acts for and against it become what the council is shown
    asked        the window has closed: the council decides
    applied      its effects happen, as far as the verdict lets them
    refused      cost and use come back, the cooldown stays

A faction has one action under way at a time. Pure, whole numbers.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple, TypeVar

from policies.contracts.effects import Effect
from policies.faults import did_you_mean
from world.realm.rules import WorldRules
from world.realm.sovereign_rules import SovereignKind, SovereignRules, effects_of
from world.realm.state import Proposed, Realm, Treasury

T = TypeVar("T")
RefusalKind = Literal[
    "unknown_kind", "unknown_faction", "not_yours", "unknown_target", "own_target", "under_way", "cooldown", "spent",
    "too_costly", "conflict", "decided", "unknown_action", "too_late", "own_action",
]  # fmt: skip


class Refusal(NamedTuple):
    """Why an action or an objection is not taken up."""

    kind: RefusalKind
    told: str
    fix: str


class Proposal(NamedTuple):
    """What a faction's leader wants; the game server vouches for who leads a faction."""

    action_id: str
    """Names it for ever; the same id again is the same action."""
    kind: str
    faction_id: str
    user_id: str
    target: str | None = None


def propose(
    realm: Realm, proposal: Proposal, rules: WorldRules, *, correlation_id: str | None = None
) -> Realm | Refusal:
    """Return the realm with an action under way, or why there is none.

    Args:
        correlation_id: stays with the action for all that follows from it (S0-95).
    """
    kind = rules.sovereign.kinds.get(proposal.kind)
    if kind is None:
        near = did_you_mean(proposal.kind, list(rules.sovereign.kinds))
        return Refusal("unknown_kind", f"there is no sovereign action {proposal.kind!r}", near)
    refusal = (
        _who_refused(realm, proposal, kind)
        or _target_refused(realm, proposal, kind)
        or not_now(realm, proposal.faction_id, kind)
    )
    if refusal is not None:
        return refusal
    purse, number = realm.treasuries.get(proposal.faction_id, Treasury()), realm.tick_number
    used = {**purse.used, kind.kind: (realm.season_id, _used(purse, kind.kind, realm.season_id) + 1)}
    spent = Treasury(purse.points - kind.cost, _sorted(used), _sorted({**purse.last, kind.kind: number}))
    action = Proposed(
        proposal.action_id, kind.kind, proposal.faction_id, proposal.user_id, proposal.target, number,
        number + kind.window, correlation_id=correlation_id,
    )  # fmt: skip
    return replace(
        realm,
        treasuries=_sorted({**realm.treasuries, proposal.faction_id: spent}),
        proposed=tuple(sorted([*realm.proposed, action])),
    )


def object_to(realm: Realm, action_id: str, *, faction_id: str, user_id: str) -> Realm | Refusal:
    """Return the realm with an objection to an action, or why there is none; a second one of the same account says no more."""
    action = action_of(realm, action_id)
    if action is None:
        return Refusal("unknown_action", f"no action {action_id!r} is under way", "read the realm's sovereign actions")
    if action.is_asked or realm.tick_number > action.closes:
        return Refusal("too_late", "its window for counterplay has closed", f"object up to tick {action.closes}")
    if faction_id not in realm.factions:
        return Refusal("unknown_faction", f"the realm has no faction {faction_id!r}", _known(realm))
    if faction_id == action.faction_id:
        others = ", ".join(each for each in realm.factions if each != faction_id)
        return Refusal("own_action", "a faction cannot object to its own action", f"others may: {others}")
    objections = tuple(sorted({*action.objections, (faction_id, user_id)}))
    return _with(realm, action._replace(objections=objections))


def action_of(realm: Realm, action_id: str) -> Proposed | None:
    """Return an action under way."""
    return next((each for each in realm.proposed if each.action_id == action_id), None)


def not_now(realm: Realm, faction_id: str, kind: SovereignKind) -> Refusal | None:
    """Return what keeps a faction from an action of a kind as the realm stands; None: nothing does."""
    purse = realm.treasuries.get(faction_id, Treasury())
    if any(each.faction_id == faction_id for each in realm.proposed):
        return Refusal("under_way", "the faction has an action under way", "wait for its verdict")
    free_from = free_again(realm, faction_id, kind)
    if free_from is not None:
        return Refusal("cooldown", "the faction did this too recently", f"from tick {free_from} on")
    if uses_left(realm, faction_id, kind) == 0:
        return Refusal(
            "spent", f"the faction has used this {kind.uses} times in this season", "wait for the next season"
        )
    if purse.points < kind.cost:
        held, cost = purse.points / 1_000, kind.cost / 1_000
        return Refusal(
            "too_costly", f"the treasury holds {held:g} points, it costs {cost:g}", "let the faction's acts fill it"
        )
    return None


def free_again(realm: Realm, faction_id: str, kind: SovereignKind) -> int | None:
    """Return the tick from which on the cooldown is over; None where it is."""
    last = realm.treasuries.get(faction_id, Treasury()).last.get(kind.kind)
    if last is None or realm.tick_number - last > kind.cooldown:
        return None
    return last + kind.cooldown + 1


def uses_left(realm: Realm, faction_id: str, kind: SovereignKind) -> int:
    """Return how often a faction may still do this in the season; 0 where it has used it up."""
    used = _used(realm.treasuries.get(faction_id, Treasury()), kind.kind, realm.season_id)
    return max(0, kind.uses - used)


def wanted_effects(realm: Realm, action: Proposed, rules: WorldRules) -> tuple[Effect, ...]:
    """Return what an action would do to the realm as it is."""
    territory = realm.territories.get(action.target or "")
    controller = territory.controller if territory is not None else None
    kind = rules.sovereign.kinds[action.kind]
    return effects_of(kind, faction=action.faction_id, target=action.target, controller=controller)


class Closed(NamedTuple):
    """The realm after its windows of counterplay were looked at."""

    realm: Realm
    asked: tuple[str, ...]
    """Actions that the council is to be asked about."""


def close_windows(realm: Realm) -> Closed:
    """Ask about the actions whose window has closed."""
    due = [each for each in realm.proposed if not each.is_asked and realm.tick_number > each.closes]
    for action in due:
        realm = _with(realm, action._replace(is_asked=True))
    return Closed(realm, tuple([each.action_id for each in due]))


def conclude(realm: Realm, action_id: str, rules: WorldRules, *, is_granted: bool) -> Realm:
    """Return the realm without an action under way: refused, its cost and its use come back, and its cooldown stays."""
    action = action_of(realm, action_id)
    if action is None:
        return realm
    left = replace(realm, proposed=tuple([each for each in realm.proposed if each.action_id != action_id]))
    if is_granted:
        return left
    purse, kind = realm.treasuries[action.faction_id], rules.sovereign.kinds.get(action.kind)
    season, count = purse.used[action.kind]
    points = purse.points if kind is None else min(rules.sovereign.treasury_most, purse.points + kind.cost)
    returned = purse._replace(points=points, used=_sorted({**purse.used, action.kind: (season, max(0, count - 1))}))
    return replace(left, treasuries=_sorted({**realm.treasuries, action.faction_id: returned}))


def earned(
    treasuries: Mapping[str, Treasury], by_faction: Mapping[str, int], rules: SovereignRules
) -> dict[str, Treasury]:
    """Return the treasuries with what a tick's acts came to, milli-points; none holds more than its most."""
    if not rules.kinds:
        return dict(treasuries)
    after = dict(treasuries)
    for faction, points in by_faction.items():
        purse = after.get(faction, Treasury())
        after[faction] = purse._replace(points=max(purse.points, min(rules.treasury_most, purse.points + points)))
    return _sorted(after)


def _who_refused(realm: Realm, proposal: Proposal, kind: SovereignKind) -> Refusal | None:
    if proposal.faction_id not in realm.factions:
        return Refusal("unknown_faction", f"the realm has no faction {proposal.faction_id!r}", _known(realm))
    if kind.factions and proposal.faction_id not in kind.factions:
        return Refusal(
            "not_yours", f"{kind.kind!r} is not an action of this faction", f"of: {', '.join(kind.factions)}"
        )
    return None


def _target_refused(realm: Realm, proposal: Proposal, kind: SovereignKind) -> Refusal | None:
    match kind.target:
        case "none":
            known: tuple[str, ...] = ()
            is_sound = proposal.target is None
        case "territory":
            known, is_sound = tuple(realm.territories), proposal.target in realm.territories
        case "faction":
            known, is_sound = realm.factions, proposal.target in realm.factions
    if not is_sound:
        told = f"{kind.kind!r} is done to nothing" if not known else f"{kind.kind!r} is done to a {kind.target}"
        return Refusal("unknown_target", told, f"known: {', '.join(known)}" if known else "leave the target out")
    territory = realm.territories.get(proposal.target or "") if kind.target == "territory" else None
    mine = proposal.target == proposal.faction_id or (
        territory is not None and territory.controller == proposal.faction_id
    )
    if mine:
        return Refusal("own_target", "it would be done to the faction itself", "name another target")
    return None


def _used(purse: Treasury, kind: str, season: str) -> int:
    last_season, count = purse.used.get(kind, (season, 0))
    return count if last_season == season else 0


def _with(realm: Realm, action: Proposed) -> Realm:
    return replace(
        realm, proposed=tuple([action if each.action_id == action.action_id else each for each in realm.proposed])
    )


def _known(realm: Realm) -> str:
    return f"known: {', '.join(realm.factions)}"


def _sorted(values: Mapping[str, T]) -> dict[str, T]:
    return dict(sorted(values.items()))
