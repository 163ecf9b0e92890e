"""Control of territories as something to tell: taken, kept, at war, contested (S0-71, domain.md C3).

    taken      it changed hands         500 + 100 per strategic value     control/<territory>            known to everybody
    war        a conflict goes on       400 + 80, + 50 per round          control/<territory>/war        known to everybody
    kept       its owner beat it off    300 + 80                          control/<territory>/kept       known to everybody
    contested  a challenger is near     200 + 60                          control/<territory>/contested  to both sides, and
                                                                                                         one step around

Each has an id of its own, so that a war that was told does not silence the fall of the place; a chapter tells one of them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from story.context.happened import Changed, Span
from story.context.items import Candidate, Scope
from world.realm.contests import PROTECTION, ROUND_TICKS
from world.realm.state import Territory
from world.views.projection import rival_of

REGIONAL: Final = 4
"""Strategic value from which a territory concerns a region."""
RUMOUR_STEPS: Final = 1
"""Steps around a contested territory within which anybody sees what is coming."""
MOST: Final = 1_000


def control_candidates(span: Span) -> Iterator[Candidate]:
    """Yield what there is to tell of each territory, in order of ids."""
    for _, now in sorted(span.now.territories.items()):
        for found in (_taken(now, span), _war(now, span), _kept(now, span), _contested(now, span)):
            if found is not None:
                yield found


def scope_of(territory: Territory) -> Scope:
    """Return how far a change in a territory reaches."""
    return "regional" if territory.strategic_value >= REGIONAL else "local"


def taken_magnitude(territory: Territory) -> int:
    """Return how big a change of hands is, 0 to 1,000."""
    return min(MOST, 500 + 100 * territory.strategic_value)


def _taken(now: Territory, span: Span) -> Candidate | None:
    change = _change_of(now, span)
    if change is None or now.controller is None:
        return None
    facts = {"change": "taken", "former": change.former}
    found = _item(now, "", change.tick, taken_magnitude(now), facts, change.former)
    return found._replace(correlation_id=change.correlation_id, is_event=True)


def _change_of(now: Territory, span: Span) -> Changed | None:
    """Return the latest change of hands: as an event told it, else as the two states show it."""
    told = span.hands.get(now.territory_id)
    if told is not None and told.new == now.controller and told.tick >= now.changed_at:
        return told if told.tick >= span.since else None
    before = span.before.territories.get(now.territory_id)
    if before is None or now.controller is None or before.controller == now.controller:
        return None
    return Changed(now.changed_at, before.controller, now.controller, None)


def _war(now: Territory, span: Span) -> Candidate | None:
    fight = now.conflict
    if fight is None:
        return None
    rounds = fight.won + fight.held
    tick = fight.asked_since if fight.asked_since is not None else fight.since + rounds * ROUND_TICKS
    magnitude = min(MOST, 400 + 80 * now.strategic_value + 50 * rounds)
    facts = {"change": "war", "rival": fight.challenger}
    return _item(now, "/war", min(tick, span.now.tick_number), magnitude, facts, fight.challenger)


def _kept(now: Territory, span: Span) -> Candidate | None:
    """A conflict that its owner won: the protection after it began without a change of hands."""
    tick = now.protected_until - PROTECTION
    if now.phase != "protected" or now.controller is None or tick == now.changed_at or tick < span.since:
        return None
    before = span.before.territories.get(now.territory_id)
    fight = before.conflict if before is not None else None
    rival = fight.challenger if fight is not None else span.challengers.get(now.territory_id)
    if rival is None or rival == now.controller:
        return None
    magnitude = min(MOST, 300 + 80 * now.strategic_value)
    return _item(now, "/kept", tick, magnitude, {"change": "kept", "rival": rival}, rival)._replace(is_event=True)


def _contested(now: Territory, span: Span) -> Candidate | None:
    rival = rival_of(now)
    if now.phase != "contested" or rival is None or now.controller is None:
        return None
    before = span.before.territories.get(now.territory_id)
    is_old = before is not None and before.phase == "contested"
    tick = span.before.tick_number if is_old else span.now.tick_number
    magnitude = min(MOST, 200 + 60 * now.strategic_value)
    found = _item(now, "/contested", tick, magnitude, {"change": "contested", "rival": rival}, rival)
    return found._replace(seen_by=tuple(sorted({now.controller, rival})), seen_within=RUMOUR_STEPS)


def _item(
    now: Territory, suffix: str, tick: int, magnitude: int, facts: Mapping[str, object], other: str | None
) -> Candidate:
    sides = tuple(sorted({name for name in (now.controller, other) if name is not None}))
    return Candidate(
        item_id=f"control/{now.territory_id}{suffix}",
        kind="control",
        subject=now.territory_id,
        scope=scope_of(now),
        magnitude=magnitude,
        tick=tick,
        places=(now.territory_id,),
        factions=sides,
        entities=(now.territory_id, *sides),
        facts={"territory": now.territory_id, "controller": now.controller, **facts},
    )
