"""When a territory would change hands if things went on as in the last hour (domain.md C3). Pure, in whole ticks."""

from collections.abc import Mapping
from typing import Final

from policies.numbers import PPM
from world.realm.contests import LEAD, ROUND_TICKS, ROUNDS
from world.realm.state import Conflict, Territory

HORIZON: Final = 2_880
"""Furthest projection, ticks: 30 days. What lies beyond is not in sight."""


def projected_ticks(now: Territory, before: Territory | None, elapsed: int, tick: int) -> int | None:
    """Return the ticks until a territory changes hands at its present pace; None where it does not in sight.

    In a fight: the rounds that the challenger still needs, where it leads; one that is won and waits for the council is not
    projected. Before one: until the nearest rival meets the owner,
    and then four rounds. Where nobody controls it: until the first holds half.

    Args:
        before: the same territory at the start of the span.
        elapsed: length of that span, ticks.
        tick: the realm's tick.
    """
    if now.conflict is not None:
        return _rounds_left(now.conflict, tick)
    if before is None or elapsed < 1:
        return None
    found = _until_half(now, before, elapsed) if now.controller is None else _until_won(now, before, elapsed, tick)
    return found if found is not None and found <= HORIZON else None


def rival_of(territory: Territory) -> str | None:
    """Return the challenger of a fight, else the strongest faction that does not control the territory."""
    if territory.conflict is not None:
        return territory.conflict.challenger
    return _first({name: share for name, share in territory.shares.items() if name != territory.controller})


def next_round_in(fight: Conflict, tick: int) -> int:
    """Return the ticks until the running round is decided, 1 to 12."""
    return ROUND_TICKS - (tick - fight.since) % ROUND_TICKS


def _rounds_left(fight: Conflict, tick: int) -> int | None:
    if fight.asked_since is not None:
        return None
    is_round_won = fight.for_challenger * 1_000 > fight.for_owner * (1_000 + LEAD)
    if fight.won < fight.held or (fight.won == fight.held and not is_round_won):
        return None
    return (ROUNDS - fight.won - 1) * ROUND_TICKS + next_round_in(fight, tick)


def _until_won(now: Territory, before: Territory, elapsed: int, tick: int) -> int | None:
    rival = rival_of(now)
    if rival is None or now.controller is None or before.controller != now.controller:
        return None
    gap, was = _gap(now.shares, now.controller, rival), _gap(before.shares, now.controller, rival)
    meet = _ticks_to_close(gap, was - gap, elapsed)
    if meet is None:
        return None
    if now.phase == "protected":
        meet = max(meet, now.protected_until - tick + 1)
    return meet + ROUNDS * ROUND_TICKS


def _until_half(now: Territory, before: Territory, elapsed: int) -> int | None:
    first = _first(now.shares)
    if first is None:
        return None
    missing = max(0, PPM - 2 * now.shares[first])
    return _ticks_to_close(missing, 2 * (now.shares[first] - before.shares.get(first, 0)), elapsed)


def _ticks_to_close(gap: int, closed: int, elapsed: int) -> int | None:
    """Return the ticks in which a gap closes of which `closed` was closed in `elapsed` ticks, rounded up, at least 1."""
    if gap <= 0:
        return 1
    return -(-gap * elapsed // closed) if closed > 0 else None


def _gap(shares: Mapping[str, int], owner: str, rival: str) -> int:
    return shares.get(owner, 0) - shares.get(rival, 0)


def _first(shares: Mapping[str, int]) -> str | None:
    return min(shares, key=lambda faction: (-shares[faction], faction), default=None)
