"""The risk that a realm collapses, now and eight ticks ahead (domain.md C7; the third hard veto, register row S0-64).

R = max(R_now, R_projected), a weighted sum of clamped ramps, permille. A request does not carry every term: what
cannot be computed from it is left out, the sum is renormalised over the rest, and the coverage says how much of the
weights that was. Left out always: the drop of active players against a 28-day median, and the depth of the trigger
cascade, neither of which a request states.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from policies.contracts.request import TickState, WorldSnapshot
from policies.numbers import PPM, scaled
from world.balance import ramp
from world.change import METER_MAX, RealmState, clamp, normalised_shares
from world.warning import early_warning

HORIZON: Final = 8
"""Ticks projected ahead, and ticks of history whose mean is the input of each (two hours of play)."""
CONFLICT_INSTABILITY: Final = 60
"""Instability, 0 to 100, from which a territory counts as an open conflict."""
WEIGHTS: Final = {"concentration": 300, "stability": 200, "inflation": 100, "conflicts": 100, "early_warning": 50}
"""Computable terms of C7 and their weights out of 1,000."""


class Inputs(NamedTuple):
    """What recent ticks did to the realm, as a sum over `ticks` of them: the mean input is the sum divided by them."""

    ticks: int
    """Ticks covered; 0 where there is no history."""
    shares: Mapping[str, int]
    """Change of share per faction, ppm."""
    stability: int
    """Change of the stability meter, milli."""


class Background(NamedTuple):
    """What a change does not alter within the horizon: the other terms of the risk, and the recent inputs."""

    others: int
    """Sum of weight * permille over inflation, conflicts and early warning, as far as computable."""
    weight: int
    """Sum of the weights in `others`."""
    inputs: Inputs


class CollapseRisk(NamedTuple):
    """The risk and what it was made of, permille each."""

    now: int
    projected: int
    """Worst of the next eight ticks, with inputs as they were and with the strongest faction's doubled."""
    coverage: int
    """Weights that could be computed."""

    @property
    def risk(self) -> int:
        """R of C7: the worse of now and projected."""
        return max(self.now, self.projected)


NO_INPUTS: Final = Inputs(0, {}, 0)


def background_of(snapshot: WorldSnapshot, before: RealmState) -> Background:
    """Read the terms that the change leaves alone, and the mean inputs of the last ticks."""
    others = weight = 0
    inflation = before.meters.get("inflation")
    if inflation is not None:
        weight += WEIGHTS["inflation"]
        others += WEIGHTS["inflation"] * ramp(inflation, 5_000, 25_000)
    conflicts = _conflicts(snapshot)
    if conflicts is not None:
        weight += WEIGHTS["conflicts"]
        others += WEIGHTS["conflicts"] * ramp(conflicts, 250, 750)
    history = snapshot.history
    warning = early_warning([tick.meters["stability"] for tick in history if "stability" in tick.meters])
    if warning is not None:
        weight += WEIGHTS["early_warning"]
        others += WEIGHTS["early_warning"] * warning
    return Background(others, weight, recent_inputs(snapshot, before) if history else NO_INPUTS)


def recent_inputs(snapshot: WorldSnapshot, before: RealmState) -> Inputs:
    """Return what the last eight ticks changed in sum; between the first and the last of them the steps cancel out."""
    oldest = _oldest(snapshot.history, snapshot.tick_number)
    if oldest is None:
        return NO_INPUTS
    ticks = snapshot.tick_number - oldest.tick_number
    past = normalised_shares(oldest.factions)
    shares = {name: share - past[name] for name, share in before.shares.items()} if _same(past, before.shares) else {}
    stability = 0
    if "stability" in oldest.meters and "stability" in before.meters:
        stability = before.meters["stability"] - scaled(oldest.meters["stability"], 1000)
    return Inputs(ticks, shares, stability)


def collapse_risk(state: RealmState, background: Background) -> CollapseRisk | None:
    """Return the risk of a realm in this state, or None where no term of it can be computed."""
    stability = state.meters.get("stability")
    shares = list(state.shares.values())
    has_shares = len(shares) > 1
    weight = background.weight + (300 if has_shares else 0) + (200 if stability is not None else 0)
    if weight == 0:
        return None
    now = _risk(_star(shares) if has_shares else None, stability, background, weight)
    inputs = background.inputs
    if inputs.ticks == 0:
        return CollapseRisk(now, now, weight)
    drift = [inputs.shares.get(name, 0) for name in state.shares]
    worst = _worst(shares, drift, stability, background, weight)
    if has_shares:
        strongest = shares.index(max(shares))
        if drift[strongest] > 0:
            drift[strongest] *= 2
            worst = max(worst, _worst(shares, drift, stability, background, weight))
    return CollapseRisk(now, max(now, worst), weight)


def _worst(shares: list[int], drift: list[int], stability: int | None, background: Background, weight: int) -> int:
    """Return the worst risk of the horizon's ticks.

    Shares move along a line, and HHI* is convex along it, so its greatest value stands at one end; stability moves one
    way. Where both are worst at the far end that end is the worst tick of all; only where they disagree, or a share ran
    into zero and bent the line, is every tick computed.
    """
    inputs = background.inputs
    far = _at(HORIZON, shares, drift, inputs.ticks)
    star = _star(far) if len(shares) > 1 else None
    level = _level(stability, inputs, HORIZON)
    is_level_worst = stability is None or level is None or level <= stability
    end = _risk(star, level, background, weight)
    if is_level_worst and (star is None or (star >= _star(shares) and 0 not in far)):
        return end
    for tick in range(1, HORIZON):
        at = _star(_at(tick, shares, drift, inputs.ticks)) if star is not None else None
        end = max(end, _risk(at, _level(stability, inputs, tick), background, weight))
    return end


def _at(tick: int, shares: list[int], drift: list[int], ticks: int) -> list[int]:
    """Return shares `tick` ticks ahead, none below zero; their sum is free, for HHI* takes them relative to it."""
    return [max(0, share + step * tick // ticks) for share, step in zip(shares, drift, strict=True)]


def _level(stability: int | None, inputs: Inputs, tick: int) -> int | None:
    return None if stability is None else clamp(stability + inputs.stability * tick // inputs.ticks, 0, METER_MAX)


def _risk(star: int | None, stability: int | None, background: Background, weight: int) -> int:
    total = background.others
    if star is not None:
        total += 300 * ramp(star, 200_000, 600_000)
    if stability is not None:
        total += 200 * ramp(METER_MAX - stability, 40_000, 90_000)
    return total // weight


def _star(shares: list[int]) -> int:
    n, total = len(shares), sum(shares)
    square = total * total
    return (n * sum([share * share for share in shares]) - square) * PPM // ((n - 1) * square)


def _conflicts(snapshot: WorldSnapshot) -> int | None:
    """Return territories in open conflict, permille of those whose instability is stated; None where none states it."""
    stated = [place.instability for place in snapshot.territories.values() if "instability" in place.model_fields_set]
    if not stated:
        return None
    return sum([level >= CONFLICT_INSTABILITY for level in stated]) * 1000 // len(stated)


def _oldest(history: Sequence[TickState], now: int) -> TickState | None:
    """Return the oldest tick of the last eight before now, or None."""
    within = [tick for tick in history if now - HORIZON <= tick.tick_number < now]
    return min(within, key=lambda tick: tick.tick_number) if within else None


def _same(past: Mapping[str, int], now: Mapping[str, int]) -> bool:
    return past.keys() == now.keys()
