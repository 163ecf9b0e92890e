"""What concerns a realm as a whole: the ranking of its factions, its triggers, what a faction is about to do (S0-70, S0-72).

    ranking   a share that moved by 0.2 points or more, or a rank    its change in ppm / 20, so that two points are all of it
                                                                     (domain.md C5); another rank 600 at least, the lead 800
    trigger   fired, for as long as it rests                         900 where major, else 600
              waiting for the council's word                         500
    campaign  a sovereign action under way                           500, + 100 per faction that objects (300 at most),
                                                                     + 200 once the council is asked

Rankings and triggers are known to everybody. A sovereign action is known to its faction, to whom it is done and to whoever
objected, until the council has spoken: then the verdict tells of it.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from policies.numbers import PPM
from story.context.happened import Span
from story.context.items import Candidate, HeardVerdict
from world.realm.rules import WorldRules
from world.realm.shares import realm_shares
from world.realm.state import Proposed, Realm, TriggerState
from world.realm.triggers import Trigger

TELLING: Final = 2_000
"""Least change of a realm share that is told, ppm."""
SATURATES: Final = PPM // 50
"""Change of a realm share that is as big as changes get, ppm."""
RESTS: Final = 96
"""Ticks for which a trigger is at work where the world's rules are not at hand."""
LEAST_FOR_RANK: Final = 600
LEAST_FOR_LEAD: Final = 800


def ranks_of(shares: dict[str, int]) -> dict[str, int]:
    """Return each faction's rank, from 1; equal shares have equal ranks."""
    return {name: 1 + sum(other > share for other in shares.values()) for name, share in shares.items()}


def ranking_candidates(span: Span) -> Iterator[Candidate]:
    """Yield what there is to tell of each faction's place among the others."""
    old, new = realm_shares(span.before), realm_shares(span.now)
    were, are = ranks_of(old), ranks_of(new)
    for faction, share in new.items():
        former = were.get(faction, len(are))
        change = share - old.get(faction, 0)
        if abs(change) < TELLING and are[faction] == former:
            continue
        yield Candidate(
            item_id=f"ranking/{faction}",
            kind="ranking",
            subject=faction,
            scope="global",
            magnitude=_ranking_magnitude(change, former, are[faction]),
            tick=span.now.tick_number,
            factions=(faction,),
            entities=(faction,),
            facts={
                "faction": faction,
                "direction": _direction(change, former, are[faction]),
                "rank": are[faction],
                "former_rank": former,
                "share_ppm": share,
                "change_ppm": change,
            },
        )


def _ranking_magnitude(change: int, former: int, rank: int) -> int:
    moved = min(1_000, abs(change) * 1_000 // SATURATES)
    if rank == former:
        return moved
    return max(moved, LEAST_FOR_LEAD if 1 in (rank, former) else LEAST_FOR_RANK)


def _direction(change: int, former: int, rank: int) -> str:
    if rank == 1 and former != 1:
        return "leads"
    return "rises" if rank < former or (rank == former and change > 0) else "falls"


def trigger_candidates(span: Span, verdicts: Sequence[HeardVerdict], rules: WorldRules | None) -> Iterator[Candidate]:
    """Yield the triggers that are at work."""
    refused = {each.subject: each.tick for each in verdicts if each.verdict in ("reject", "quarantine")}
    for trigger_id, state in sorted(span.now.triggers.items()):
        trigger = rules.trigger(trigger_id) if rules is not None else None
        if state.pending_since is not None:
            yield _trigger(span.now, trigger_id, trigger, "waiting", state.pending_since, 500)
        elif state.last_fired is not None and _is_at_work(span.now, state, trigger, refused.get(trigger_id)):
            magnitude = 600 if trigger is not None and trigger.severity == "minor" else 900
            yield _trigger(span.now, trigger_id, trigger, "fired", state.last_fired, magnitude)


def _is_at_work(realm: Realm, state: TriggerState, trigger: Trigger | None, refused: int | None) -> bool:
    """Whether a trigger has fired and rests; one that the council refused rests too, and nothing has happened."""
    assert state.last_fired is not None
    is_fired = state.fired_in_season == realm.season_id and (refused is None or refused < state.last_fired)
    return is_fired and realm.tick_number - state.last_fired <= (trigger.cooldown if trigger is not None else RESTS)


def _trigger(
    realm: Realm, trigger_id: str, trigger: Trigger | None, phase: str, tick: int, magnitude: int
) -> Candidate:
    factions, places = _causes(realm, trigger)
    return Candidate(
        item_id=f"trigger/{trigger_id}",
        kind="trigger",
        subject=trigger_id,
        scope="global",
        magnitude=magnitude,
        tick=tick,
        places=places,
        factions=factions,
        entities=(trigger_id, *places, *factions),
        facts={
            "trigger": trigger_id,
            "phase": phase,
            "severity": trigger.severity if trigger is not None else "major",
        },
        is_event=phase == "fired",
    )


def _causes(realm: Realm, trigger: Trigger | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the factions and the places that a trigger's condition reads."""
    names = trigger.when.signals if trigger is not None else ()
    after = {name.removeprefix("share_").removeprefix("territories_") for name in names}
    fought = [name for name, each in sorted(realm.territories.items()) if each.phase == "conflict"]
    return tuple(sorted(after.intersection(realm.factions))), tuple(fought) if "conflicts" in names else ()


def campaign_candidates(span: Span) -> Iterator[Candidate]:
    """Yield the sovereign actions under way."""
    for action in span.now.proposed:
        yield _campaign(action, span.now)


def _campaign(action: Proposed, realm: Realm) -> Candidate:
    territory = realm.territories.get(action.target or "")
    holder = territory.controller if territory is not None else None
    objectors = sorted({faction for faction, _ in action.objections})
    sufferer = holder if territory is not None else action.target
    sides = sorted({name for name in (action.faction_id, sufferer, *objectors) if name is not None})
    places = (territory.territory_id,) if territory is not None else ()
    return Candidate(
        # Never by the action's own id: whoever proposes it chooses that.
        item_id=f"campaign/{action.faction_id}/{action.kind}/{action.since}",
        kind="campaign",
        subject=action.target or action.faction_id,
        scope="regional" if territory is not None else "global",
        magnitude=min(1_000, 500 + 100 * min(3, len(objectors)) + 200 * action.is_asked),
        tick=action.closes + 1 if action.is_asked else action.since,
        places=places,
        factions=tuple(sides),
        entities=tuple(dict.fromkeys([action.kind, *places, action.target or action.faction_id, *sides])),
        seen_by=tuple(sides),
        facts={
            "faction": action.faction_id,
            "campaign": action.kind,
            "target": action.target,
            "is_asked": action.is_asked,
            "objectors": objectors,
        },
    )
