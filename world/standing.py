"""The standing of a realm: how its power is spread and how near it is to ruin, measured against where it stood before.

Values carry the names of the governor's signals (`policies.signals.governor`); one that cannot be computed is left out.
"""

from collections.abc import Mapping
from typing import NamedTuple

from policies.numbers import scaled
from world.balance import evenness, hhi_star
from world.case import Case
from world.change import RealmState
from world.collapse import Background, CollapseRisk, background_of, collapse_risk
from world.meters import margin


class Baseline(NamedTuple):
    """The realm before the change, and what the change cannot alter: computed once, however often a bound is tried."""

    state: RealmState
    star: int | None
    """HHI* now, permille; None with fewer than two factions."""
    worth: Mapping[str, int]
    """Strategic value per territory, milli."""
    background: Background
    risk: CollapseRisk | None


def baseline_of(case: Case) -> Baseline:
    """Measure the realm as the snapshot has it."""
    snapshot, before = case.request.world_snapshot, case.before
    worth = {name: scaled(place.strategic_value, 1000) for name, place in snapshot.territories.items()}
    background = background_of(snapshot, before)
    return Baseline(before, _star(before), worth, background, collapse_risk(before, background))


def measure(after: RealmState, base: Baseline) -> dict[str, int]:
    """Return the governor's values for a realm in the state `after`, in the order of its signals."""
    values: dict[str, int] = {}
    if base.star is not None:
        _measure_shares(after, base, base.star, values)
    if base.worth:
        _measure_territories(after, base, values)
    if after.meters:
        _measure_meters(after, base, values)
    _measure_risk(after, base, values)
    return values


def strongest(shares: Mapping[str, int]) -> str:
    """Return the faction with the greatest share, ties by id; of at least one faction."""
    greatest = max(shares.values())
    names = [name for name, share in shares.items() if share == greatest]
    return names[0] if len(names) == 1 else min(names)


def holders(controllers: Mapping[str, str | None], worth: Mapping[str, int]) -> dict[str, int]:
    """Return the strategic value that each faction controls, milli; what nobody controls counts for none."""
    held: dict[str, int] = {}
    for name, holder in controllers.items():
        if holder is not None:
            held[holder] = held.get(holder, 0) + worth[name]
    return held


def _star(state: RealmState) -> int | None:
    star = hhi_star(state.shares.values())
    return None if star is None else star // 1000


def _measure_shares(after: RealmState, base: Baseline, star_before: int, values: dict[str, int]) -> None:
    before, shares = base.state.shares, after.shares
    star = star_before if shares == before else _star(after) or 0
    top = strongest(shares)
    values["hhi_star_before"] = star_before
    values["hhi_star_after"] = star
    values["hhi_star_rise"] = star - star_before
    values["top_share_after"] = shares[top]
    values["top_share_rise"] = shares[top] - before[top]
    values["share_swing"] = max([share - before[name] for name, share in shares.items()])


def _measure_territories(after: RealmState, base: Baseline, values: dict[str, int]) -> None:
    whole = sum(base.worth.values())
    if whole == 0:
        return
    held = holders(after.controllers, base.worth)
    values["territory_count"] = len(base.worth)
    if not held:
        values["territory_top_share_after"] = values["territory_top_share_rise"] = 0
        return
    top = strongest(held)
    now = held[top] * 1_000_000 // whole
    values["territory_top_share_after"] = now
    if after.controllers == base.state.controllers:
        values["territory_top_share_rise"] = 0
    else:
        then = holders(base.state.controllers, base.worth).get(top, 0) * 1_000_000 // whole
        values["territory_top_share_rise"] = now - then


def _measure_meters(after: RealmState, base: Baseline, values: dict[str, int]) -> None:
    worst, least = 0, None
    before = base.state.meters
    if after.meters != before:
        for name, level in after.meters.items():
            left = margin(name, level) if level != before[name] else None
            if left is not None and (harm := (margin(name, before[name]) or 0) - left) > 0:
                worst = max(worst, harm)
                least = left if least is None else min(least, left)
    if least is not None:
        values["meter_margin_after"] = least
    values["meter_harm"] = worst


def _measure_risk(after: RealmState, base: Baseline, values: dict[str, int]) -> None:
    risk = collapse_risk(after, base.background)
    if risk is None or base.risk is None:
        return
    values["collapse_risk"] = risk.risk
    values["collapse_risk_rise"] = risk.risk - base.risk.risk
    values["collapse_coverage"] = risk.coverage


def evenness_of(state: RealmState) -> int | None:
    """Return Pielou's evenness of influence, permille; None with fewer than two factions."""
    return evenness(state.shares.values())
