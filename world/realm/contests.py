"""Who controls a territory: from peace over challenge and rounds to a decision, with hysteresis (domain.md C3).

    stable     a challenger comes within three points of the owner, both at 7 % or more        -> contested
    contested  the challenger reaches the owner's share                                        -> conflict
               it falls back beyond five points                                                -> stable
    conflict   shares are frozen; one round every 12 ticks, to the side with more points by 5 % (a draw is the owner's);
               four rounds decide; the winner takes four points from the loser                 -> protected
    protected  96 ticks in which nothing begins                                                -> stable

A territory that nobody controls goes to whoever holds half of it. One of great strategic value does not change hands by the tick
alone: the challenger has won, everything there stands still, and the council is asked (000 §6.2).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from policies.numbers import PPM
from world.realm.pot import FLOOR, Acts
from world.realm.state import Conflict, Territory

NEAR: Final = 30_000
"""Distance to the owner at which a challenger contests, ppm."""
FAR: Final = 50_000
"""Distance at which a contest is given up again."""
PRESENT: Final = 70_000
"""Least share of both sides of a contest."""
ROUND_TICKS: Final = 12
ROUNDS: Final = 4
"""Rounds that decide, of seven."""
LEAD: Final = 50
"""Least lead of a challenger in a round, permille of the owner's points."""
SPOILS: Final = 40_000
"""Share that the loser of a conflict gives to the winner, ppm."""
PROTECTION: Final = 96


class Move(NamedTuple):
    """A territory that changed hands."""

    territory_id: str
    old: str | None
    new: str


class Contested(NamedTuple):
    """A territory after the question of its control."""

    territory: Territory
    move: Move | None = None
    is_asked: bool = False
    """Whether the challenger has won just now, and the council is to be asked."""


def is_frozen(territory: Territory) -> bool:
    """Whether acts fight the round instead of moving shares."""
    return territory.phase == "conflict"


def contest(territory: Territory, acts: Mapping[str, Acts], tick: int, asked_value: int | None = None) -> Contested:
    """Take one tick's step of a territory's control; shares have moved already, unless they are frozen.

    Args:
        asked_value: strategic value from which a territory that was won waits for the council; None: none does.
    """
    match territory.phase:
        case "conflict" if territory.conflict is not None and territory.conflict.asked_since is not None:
            return Contested(territory)
        case "conflict":
            found = _fight(territory, acts, tick)
            is_great = asked_value is not None and territory.strategic_value >= asked_value
            return _waiting(territory, tick) if found.move is not None and is_great else found
        case "protected" if tick <= territory.protected_until:
            return Contested(territory)
        case _:
            return _look(territory, tick)


def _look(territory: Territory, tick: int) -> Contested:
    if territory.controller is None:
        first = _first(territory.shares)
        if first is None or 2 * territory.shares[first] < PPM:
            return Contested(replace(territory, phase="stable"))
        return _taken(territory, first, tick)
    rival = _rival(territory)
    if rival is None:
        return Contested(replace(territory, phase="stable"))
    mine, theirs = territory.shares.get(territory.controller, 0), territory.shares[rival]
    if theirs >= mine and theirs >= PRESENT:
        return Contested(replace(territory, phase="conflict", conflict=Conflict(rival, tick)))
    distance = FAR if territory.phase == "contested" else NEAR
    is_near = mine - theirs <= distance and min(mine, theirs) >= PRESENT
    return Contested(replace(territory, phase="contested" if is_near else "stable"))


def _fight(territory: Territory, acts: Mapping[str, Acts], tick: int) -> Contested:
    fight, owner = territory.conflict, territory.controller
    assert fight is not None
    assert owner is not None
    fight = fight._replace(
        for_challenger=fight.for_challenger + _gained(acts, fight.challenger),
        for_owner=fight.for_owner + _gained(acts, owner),
    )
    if (tick - fight.since) % ROUND_TICKS:
        return Contested(replace(territory, conflict=fight))
    fight = _scored(fight)
    if fight.won >= ROUNDS:
        return _taken(_spoiled(territory, winner=fight.challenger, loser=owner), fight.challenger, tick)
    if fight.held >= ROUNDS:
        kept = _spoiled(territory, winner=owner, loser=fight.challenger)
        return Contested(replace(kept, phase="protected", conflict=None, protected_until=tick + PROTECTION))
    return Contested(replace(territory, conflict=fight))


def _waiting(territory: Territory, tick: int) -> Contested:
    """Return the territory with its conflict won, and not yet taken."""
    fight = territory.conflict
    assert fight is not None
    won = fight._replace(won=ROUNDS, for_challenger=0, for_owner=0, asked_since=tick)
    return Contested(replace(territory, conflict=won), None, is_asked=True)


def held(territory: Territory, tick: int) -> Territory:
    """Return a territory whose conquest the council refused: its owner keeps it as it stands, and peace is kept for a while."""
    return replace(territory, phase="protected", conflict=None, protected_until=tick + PROTECTION)


def _scored(fight: Conflict) -> Conflict:
    has_won = fight.for_challenger * 1000 > fight.for_owner * (1000 + LEAD)
    return fight._replace(won=fight.won + has_won, held=fight.held + (not has_won), for_challenger=0, for_owner=0)


def _taken(territory: Territory, by: str, tick: int) -> Contested:
    taken = replace(
        territory, controller=by, phase="protected", conflict=None, protected_until=tick + PROTECTION, changed_at=tick
    )
    return Contested(taken, Move(territory.territory_id, territory.controller, by))


def _spoiled(territory: Territory, *, winner: str, loser: str) -> Territory:
    spoils = min(SPOILS, max(0, territory.shares.get(loser, 0) - FLOOR))
    shares = {**territory.shares, winner: territory.shares.get(winner, 0) + spoils}
    shares[loser] = shares.get(loser, 0) - spoils
    return replace(territory, shares=dict(sorted(shares.items())))


def _gained(acts: Mapping[str, Acts], faction: str) -> int:
    return acts[faction].gained if faction in acts else 0


def _first(shares: Mapping[str, int]) -> str | None:
    return min(shares, key=lambda faction: (-shares[faction], faction), default=None)


def _rival(territory: Territory) -> str | None:
    return _first({faction: share for faction, share in territory.shares.items() if faction != territory.controller})
