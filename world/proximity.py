"""How near a change comes to a locked fact, and whether it meets one head-on (domain.md C5; register row S0-49).

A cheap direct check for triage; what follows from locks by derivation is the lore member's work (`world.canon`).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from policies.contracts.effects import Effect
from policies.contracts.request import LoreConstraint, WorldSnapshot

FARTHEST: Final = 2
"""Hops searched; what lies farther counts as not near at all."""


def canon_conflict(effects: Iterable[Effect], locks: Sequence[str | LoreConstraint]) -> bool:
    """Return whether an effect says of a locked subject and predicate something else than the lock.

    A `forbidden_assertion` is met the other way round: by saying just that, or anything where the lock names no object.
    """
    if not locks:
        return False
    for effect in effects:
        if effect.op == "canon_assert":
            subject, predicate, says = effect.subject, effect.predicate, effect.object
        elif effect.op == "territory_transfer":
            subject, predicate, says = effect.territory_id, "controller", effect.to
        else:
            continue
        for lock in locks:
            if isinstance(lock, str) or lock.subject != subject or lock.predicate != predicate:
                continue
            is_same = lock.object == says
            if (is_same or lock.object is None) if lock.mode == "forbidden_assertion" else not is_same:
                return True
    return False


def canon_proximity(
    effects: Sequence[Effect], locks: Sequence[str | LoreConstraint], snapshot: WorldSnapshot
) -> int | None:
    """Return 1000 / (1 + hops) to the nearest locked fact, permille; 0 beyond two hops, None without a structured lock.

    Ids that stand together are one hop apart: a territory and its neighbours, a territory and who controls it. An
    effect that names a lock's subject or object is at no distance.

    Example: a delta for the faction that controls a locked territory is one hop away, 500.
    """
    locked = _locked(locks) if locks else None
    if not locked:
        return None
    near = _touched(effects)
    seen = set(near)
    for hops in range(FARTHEST + 1):
        if not locked.isdisjoint(near):
            return 1000 // (1 + hops)
        if hops < FARTHEST:
            near = _around(near, snapshot) - seen
            seen |= near
    return 0


def _locked(locks: Sequence[str | LoreConstraint]) -> set[str]:
    ids = set()
    for lock in locks:
        if not isinstance(lock, str):
            ids.add(lock.subject)
            if lock.object is not None:
                ids.add(lock.object)
    return ids


def _touched(effects: Sequence[Effect]) -> set[str]:
    """Return the ids that the effects name."""
    ids: set[str] = set()
    for effect in effects:
        if effect.op == "faction_delta":
            ids.add(effect.faction_id)
        elif effect.op == "territory_transfer":
            ids.update((effect.territory_id, effect.to, effect.from_ or effect.to))
        elif effect.op == "meter_delta":
            ids.add(effect.meter)
        elif effect.op == "trigger_fire":
            ids.add(effect.trigger_id)
        else:
            ids.update((effect.subject, effect.object))
    return ids


def _around(ids: set[str], snapshot: WorldSnapshot) -> set[str]:
    """Return the ids one hop away."""
    found: set[str] = set()
    for name, place in snapshot.territories.items():
        if name in ids:
            found.update(place.neighbors)
            if place.controller is not None:
                found.add(place.controller)
        elif place.controller in ids or not ids.isdisjoint(place.neighbors):
            found.add(name)
    return found
