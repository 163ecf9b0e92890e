"""The parts of a realm as callers read them: factions, territories, meters, triggers, campaigns (S0-77; companions.md, reads)."""

from typing import Any

from world.realm.contests import ROUNDS
from world.realm.rules import WorldRules
from world.realm.shares import realm_shares
from world.realm.state import Conflict, Realm, Territory, TriggerState
from world.realm.triggers import Trigger
from world.views.moment import Moment, meter_changes, share_changes
from world.views.projection import next_round_in, projected_ticks, rival_of
from world.views.units import moment_text, percent, percent_or_none, points, points_or_none


def heading(moment: Moment) -> dict[str, Any]:
    """Return which state a view shows."""
    realm = moment.realm
    return {
        "realm_id": realm.realm_id,
        "season_id": realm.season_id,
        "tick_number": realm.tick_number,
        "snapshot_id": realm.snapshot_id,
        "hash": moment.hash,
        "made_at": moment_text(moment.made_at),
        "tick_s": moment.tick_s,
    }


def factions_view(moment: Moment) -> list[dict[str, Any]]:
    """Return the factions, strongest first: share of the realm, its change, rank, territories held."""
    shares, changes = realm_shares(moment.realm), share_changes(moment)
    held = moment.realm.territories.values()
    return [
        {
            "faction_id": faction,
            "rank": 1 + sum(1 for other in shares.values() if other > shares[faction]),
            "share": percent(shares[faction]),
            "change_per_tick": percent_or_none(changes[faction].per_tick),
            "change_per_hour": percent_or_none(changes[faction].per_hour),
            "territories": [each.territory_id for each in held if each.controller == faction],
        }
        for faction in sorted(shares, key=lambda name: (-shares[name], name))
    ]


def territories_view(moment: Moment) -> list[dict[str, Any]]:
    """Return the territories in order of ids."""
    return [_territory(moment, each) for _, each in sorted(moment.realm.territories.items())]


def meters_view(moment: Moment) -> list[dict[str, Any]]:
    """Return the meters in order of names, 0 to 100, with their changes."""
    changes = meter_changes(moment)
    return [
        {
            "meter": name,
            "level": points(level),
            "change_per_tick": points_or_none(changes[name].per_tick),
            "change_per_hour": points_or_none(changes[name].per_hour),
        }
        for name, level in sorted(moment.realm.meters.items())
    ]


def campaigns_view(moment: Moment) -> list[dict[str, Any]]:
    """Return the territories that are contested or fought over, nearest to their end first."""
    found = [
        {
            "territory_id": each.territory_id,
            "name": each.name,
            "phase": each.phase,
            "owner": each.controller,
            "challenger": rival_of(each),
            "conflict": _conflict(each.conflict, moment.realm.tick_number),
            "projected_ticks": projected(moment, each),
        }
        for each in moment.realm.territories.values()
        if each.phase in ("contested", "conflict")
    ]
    far = 1 << 30
    return sorted(found, key=lambda each: (each["projected_ticks"] or far, each["territory_id"]))


def triggers_view(realm: Realm, rules: WorldRules) -> list[dict[str, Any]]:
    """Return the triggers that are at work: those that wait for the council, rise, or have fired and rest."""
    found = []
    for trigger_id, state in sorted(realm.triggers.items()):
        trigger = rules.trigger(trigger_id)
        phase = _phase(trigger, state, realm) if trigger is not None else None
        if trigger is not None and phase is not None:
            found.append(
                {
                    "trigger_id": trigger_id,
                    "phase": phase,
                    "severity": trigger.severity,
                    "told": trigger.told,
                    "held": state.held,
                    "sustain": trigger.sustain,
                    "last_fired": state.last_fired,
                    "pending_since": state.pending_since,
                }
            )
    return found


def projected(moment: Moment, each: Territory) -> int | None:
    """Return the ticks until a territory changes hands at the last hour's pace; None where it does not in sight."""
    earlier = moment.hour_ago
    if earlier is None:
        return projected_ticks(each, None, 0, moment.realm.tick_number)
    before = earlier.realm.territories.get(each.territory_id)
    return projected_ticks(each, before, earlier.ticks, moment.realm.tick_number)


def _territory(moment: Moment, each: Territory) -> dict[str, Any]:
    realm = moment.realm
    return {
        "territory_id": each.territory_id,
        "name": each.name,
        "controller": each.controller,
        "phase": each.phase,
        "strategic_value": each.strategic_value,
        "population": each.population,
        "neighbors": list(each.neighbors),
        "shares": {faction: percent(share) for faction, share in sorted(each.shares.items())},
        "instability": points(each.instability),
        "changed_at": each.changed_at,
        "protected_until": each.protected_until if each.phase == "protected" else None,
        "conflict": _conflict(each.conflict, realm.tick_number),
        "projected_ticks": projected(moment, each),
    }


def _conflict(fight: Conflict | None, tick: int) -> dict[str, Any] | None:
    if fight is None:
        return None
    return {
        "challenger": fight.challenger,
        "since": fight.since,
        "rounds_won": fight.won,
        "rounds_held": fight.held,
        "rounds_to_win": ROUNDS,
        "next_round_in": next_round_in(fight, tick) if fight.asked_since is None else None,
        "asked_since": fight.asked_since,
        "points_challenger": points(fight.for_challenger),
        "points_owner": points(fight.for_owner),
    }


def _phase(trigger: Trigger, state: TriggerState, realm: Realm) -> str | None:
    if state.pending_since is not None:
        return "waiting"
    rests = state.last_fired is not None and realm.tick_number - state.last_fired <= trigger.cooldown
    if state.fired_in_season == realm.season_id and (trigger.once or rests):
        return "fired"
    if rests:
        return "resting"
    return "rising" if state.held > 0 and state.is_armed else None
