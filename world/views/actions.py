"""Sovereign actions as everybody reads them: what is under way, and what each faction could do now (S0-48). Pure."""

from typing import Any

from world.realm.rules import WorldRules
from world.realm.sovereign import free_again, not_now, uses_left
from world.realm.sovereign_rules import SovereignKind
from world.realm.state import Proposed, Realm, Treasury
from world.views.units import points


def actions_view(realm: Realm, rules: WorldRules) -> list[dict[str, Any]]:
    """Return the actions under way, next to close first; who proposed and who objected is told by faction, not by player."""
    found = sorted(realm.proposed, key=lambda action: (action.closes, action.action_id))
    return [action_view(each, realm, rules) for each in found]


def action_view(action: Proposed, realm: Realm, rules: WorldRules) -> dict[str, Any]:
    """Return one action under way."""
    kind = rules.sovereign.kinds.get(action.kind)
    return {
        "action_id": action.action_id,
        "kind": action.kind,
        "told": kind.told if kind is not None else "",
        "faction_id": action.faction_id,
        "target": action.target,
        "phase": "asked" if action.is_asked or realm.tick_number > action.closes else "counterplay",
        "since": action.since,
        "closes": action.closes,
        "objections": sorted({faction for faction, _ in action.objections}),
    }


def sovereignty_view(realm: Realm, rules: WorldRules) -> list[dict[str, Any]]:
    """Return each faction's treasury, and what it may do with it, in order of the factions."""
    return [
        {
            "faction_id": faction,
            "treasury": points(realm.treasuries.get(faction, Treasury()).points),
            "treasury_most": points(rules.sovereign.treasury_most),
            "kinds": [
                _kind(realm, faction, kind)
                for _, kind in sorted(rules.sovereign.kinds.items())
                if not kind.factions or faction in kind.factions
            ],
        }
        for faction in realm.factions
    ]


def _kind(realm: Realm, faction_id: str, kind: SovereignKind) -> dict[str, Any]:
    obstacle = not_now(realm, faction_id, kind)
    return {
        "kind": kind.kind,
        "told": kind.told,
        "target": kind.target,
        "cost": points(kind.cost),
        "window": kind.window,
        "cooldown": kind.cooldown,
        "free_from": free_again(realm, faction_id, kind),
        "uses_left": uses_left(realm, faction_id, kind),
        "because": obstacle.kind if obstacle is not None else None,
    }
