"""The World Governor: is the realm still balanced, and still standing, after this change (register row S0-51)?

Its business: how influence and territory are spread among factions, how near the realm's meters are to ruin, and
whether the change brings collapse nearer. Not its business: who earned the change and by what means (fairness, risk),
whether canon allows it (lore), whether it makes a good story (narrative). A change that leaves the realm no more
lopsided and no nearer to ruin is none of its concern: the weak may rise.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple

from agents.bounding import applied, largest_cure
from policies.contracts.effects import Effect, FactionDelta, MeterDelta, TerritoryTransfer
from policies.evidence import Evidence, Signal
from policies.faults import pointer
from policies.verdicts import Verdict, strictest
from policies.votes import Modification, Reason, Vote
from world.case import Case
from world.change import apply_effects
from world.meters import is_harmful
from world.standing import Baseline, baseline_of, evenness_of, holders, measure, strongest

Remedy = Literal["shares", "territories", "meters", "all"]

_EFFECTS = "/proposed_change/effects"
_FACTIONS = ("/world_snapshot/factions", _EFFECTS)
_PLACES = ("/world_snapshot/territories", _EFFECTS)
_METERS = ("/world_snapshot/meters", _EFFECTS)
_POINTERS: Final[dict[str, tuple[str, ...]]] = {
    "hhi_star_before": ("/world_snapshot/factions",),
    "hhi_star_after": _FACTIONS,
    "hhi_star_rise": _FACTIONS,
    "top_share_after": _FACTIONS,
    "top_share_rise": _FACTIONS,
    "share_swing": _FACTIONS,
    "territory_count": ("/world_snapshot/territories",),
    "territory_top_share_after": _PLACES,
    "territory_top_share_rise": _PLACES,
    "meter_margin_after": _METERS,
    "meter_harm": _METERS,
    "collapse_risk": ("/world_snapshot", _EFFECTS),
    "collapse_risk_rise": ("/world_snapshot", _EFFECTS),
    "collapse_coverage": ("/world_snapshot",),
}


class Objection(NamedTuple):
    """One thing that the governor holds against the change."""

    verdict: Verdict
    text: str
    evidence: tuple[str, ...]
    remedy: Remedy
    """Which effects have to give way."""
    excess: int
    """How far beyond its threshold, permille of it."""


def find_evidence(case: Case) -> Evidence:
    """Return the realm's balance and collapse risk before and after the change."""
    values = measure(case.after, baseline_of(case))
    signals = [Signal(name, value, _POINTERS[name]) for name, value in values.items()]
    even = evenness_of(case.after)
    if even is not None:
        top = pointer("world_snapshot", "factions", strongest(case.after.shares), "influence")
        signals.append(Signal("evenness_after", even, (top, _EFFECTS)))
    return tuple(signals)


def judge(case: Case, values: Mapping[str, int], thresholds: Mapping[str, int]) -> Vote:
    """Return the governor's vote by rules.

    Confidence is 500 permille at a threshold and grows linearly with the distance from it, as a part of the
    threshold, to 1,000 at once the threshold's own size: for an approval the nearest threshold counts, for an
    objection the one most exceeded.
    """
    found = objections(values, thresholds)
    if not found:
        return Vote("governor", "approve", _calm(values, thresholds), (_approval(values, thresholds),))
    verdict = strictest(*[objection.verdict for objection in found])
    reasons = tuple([Reason(objection.text, objection.evidence) for objection in found])
    confidence = 500 + min(1000, max([objection.excess for objection in found])) // 2
    if verdict != "modify":
        return Vote("governor", verdict, confidence, reasons)
    cure = _cure(case, found, thresholds)
    if cure is None:
        hopeless = Reason("no smaller amount cures this", reasons[0].evidence)
        return Vote("governor", "reject", confidence, (*reasons, hopeless))
    return Vote("governor", "modify", confidence, reasons, cure)


def objections(values: Mapping[str, int], thresholds: Mapping[str, int]) -> list[Objection]:
    """Return what the governor holds against a change with these values; nothing where it is sound."""
    found: list[Objection] = []
    if values.get("share_swing"):
        found += _against_shares(values, thresholds)
    if values.get("territory_top_share_rise", 0) > 0:
        found += _against_territories(values, thresholds)
    if values.get("meter_harm"):
        found += _against_meters(values, thresholds)
    if values.get("collapse_risk_rise", 0) > 0:
        found += _against_collapse(values, thresholds)
    return found


def _against_shares(values: Mapping[str, int], limits: Mapping[str, int]) -> list[Objection]:
    found: list[Objection] = []
    star, rise = values["hhi_star_after"], values["hhi_star_rise"]
    cited = ("hhi_star_before", "hhi_star_after", "hhi_star_rise")
    if star >= limits["concentration_veto"] and rise >= limits["concentration_material"]:
        text = f"influence is already too concentrated to rise further: HHI* {star} permille, up {rise}"
        found.append(Objection("reject", text, cited, "shares", _excess(star, limits["concentration_veto"])))
    elif star >= limits["concentration_limit"] and rise >= limits["concentration_noise"]:
        text = f"influence would concentrate to HHI* {star} permille, up {rise}"
        found.append(Objection("modify", text, cited, "shares", _excess(star, limits["concentration_limit"])))
    top, lift = values["top_share_after"], values["top_share_rise"]
    if top >= limits["dominance_share"] and lift > limits["dominance_noise"]:
        text = f"one faction would hold {_percent(top)} of the realm, up {_percent(lift)}"
        shown = ("top_share_after", "top_share_rise")
        found.append(Objection("modify", text, shown, "shares", _excess(top, limits["dominance_share"])))
    swing = values["share_swing"]
    if swing > limits["swing_limit"]:
        text = f"one faction would gain {_percent(swing)} of the realm at one stroke"
        found.append(Objection("modify", text, ("share_swing",), "shares", _excess(swing, limits["swing_limit"])))
    return found


def _against_territories(values: Mapping[str, int], limits: Mapping[str, int]) -> list[Objection]:
    held = values["territory_top_share_after"]
    if values["territory_count"] < limits["territory_least"] or held <= limits["territory_limit"]:
        return []
    text = f"one faction would control {_percent(held)} of all strategic value"
    cited = ("territory_top_share_after", "territory_top_share_rise", "territory_count")
    return [Objection("modify", text, cited, "territories", _excess(held, limits["territory_limit"]))]


def _against_meters(values: Mapping[str, int], limits: Mapping[str, int]) -> list[Objection]:
    found: list[Objection] = []
    left, harm = values["meter_margin_after"], values["meter_harm"]
    floor, swing = limits["meter_floor"], limits["meter_swing_limit"]
    if left < floor:
        text = f"a meter would stand {_points(left)} points from ruin, {_points(harm)} nearer than now"
        excess = (floor - left) * 1000 // floor
        found.append(Objection("modify", text, ("meter_margin_after", "meter_harm"), "meters", excess))
    if harm > swing:
        text = f"a meter would move {_points(harm)} points toward ruin at one stroke"
        found.append(Objection("modify", text, ("meter_harm",), "meters", _excess(harm, swing)))
    return found


def _against_collapse(values: Mapping[str, int], limits: Mapping[str, int]) -> list[Objection]:
    risk, rise = values["collapse_risk"], values["collapse_risk_rise"]
    cited = ("collapse_risk", "collapse_risk_rise", "collapse_coverage")
    is_rising = rise >= limits["collapse_noise"]
    if rise >= limits["collapse_rise_veto"] or (is_rising and risk >= limits["collapse_veto"]):
        coverage = values["collapse_coverage"]
        is_known = coverage >= limits["collapse_evidence"]
        text = f"collapse risk would be {risk} permille, up {rise}"
        text += "" if is_known else f", but only {coverage} permille of it can be computed: a person must look"
        excess = max(_excess(risk, limits["collapse_veto"]), _excess(rise, limits["collapse_rise_veto"]))
        return [Objection("reject" if is_known else "quarantine", text, cited, "all", excess)]
    if is_rising and risk >= limits["collapse_limit"]:
        text = f"collapse risk would rise by {rise} to {risk} permille"
        return [Objection("modify", text, cited, "all", _excess(risk, limits["collapse_limit"]))]
    return []


def _cure(case: Case, found: Sequence[Objection], limits: Mapping[str, int]) -> tuple[Modification, ...] | None:
    """Return the mildest modifications after which nothing is held against the change, or None.

    Shares, territories and meters are cured one after the other, each by its own effects; where something is then left
    to hold against the change, all harmful effects shrink together.
    """
    base = baseline_of(case)

    def left(effects: Sequence[Effect]) -> list[Objection]:
        return objections(measure(apply_effects(base.state, effects), base), limits)

    def is_cured(remedy: Remedy, effects: Sequence[Effect]) -> bool:
        return all(objection.remedy != remedy for objection in left(effects))

    apart: list[Modification] = []
    rest = case
    for remedy in _APART:
        held = [objection for objection in found if objection.remedy == remedy]
        if held:
            culprits, dropped = _culprits(rest, base, {remedy})
            because = dict.fromkeys({*culprits, *dropped}, held[0].text)
            cure = largest_cure(rest, culprits, dropped, partial(is_cured, remedy), because)
            apart += cure or ()
            rest = applied(rest, cure or ())
    if apart and not left(rest.effects):
        return tuple(apart)
    culprits, dropped = _culprits(case, base, {"all", *[objection.remedy for objection in found]})
    because = dict.fromkeys({*culprits, *dropped}, found[0].text)
    return largest_cure(case, culprits, dropped, lambda trial: not left(trial), because) or None


_APART: Final[tuple[Remedy, ...]] = ("territories", "meters", "shares")


def _culprits(case: Case, base: Baseline, remedies: set[Remedy]) -> tuple[list[int], list[int]]:
    """Return positions of the effects that shrink, and of those that are dropped."""
    shrinking, dropped = [], []
    is_all = "all" in remedies
    rising = _rising(case, base)
    for at, effect in enumerate(case.effects):
        match effect:
            case FactionDelta() if is_all or "shares" in remedies:
                if (effect.amount > 0) == (effect.faction_id in rising):
                    shrinking.append(at)
            case MeterDelta() if (is_all or "meters" in remedies) and is_harmful(effect.meter, effect.amount):
                shrinking.append(at)
            case TerritoryTransfer() if "territories" in remedies and effect.to == _landlord(case, base):
                dropped.append(at)
            case _:
                pass
    return shrinking, dropped


def _rising(case: Case, base: Baseline) -> set[str]:
    """Return the factions whose gain is at fault: the strongest of the realm to be, and whoever gains most."""
    before, after = base.state.shares, case.after.shares
    gains = {name: share - before[name] for name, share in after.items()}
    return {strongest(after), strongest(gains)} if gains else set()


def _landlord(case: Case, base: Baseline) -> str:
    return strongest(holders(case.after.controllers, base.worth))


def _approval(values: Mapping[str, int], limits: Mapping[str, int]) -> Reason:
    star = values.get("hhi_star_after")
    if star is None:
        return Reason("nothing here moves the realm's balance")
    where = "balanced" if star < limits["concentration_watch"] else "lopsided, within bounds"
    text = f"the realm is {where}: HHI* {star} permille, {values['hhi_star_rise']:+d}"
    cited = ("hhi_star_after", "hhi_star_rise")
    if "collapse_risk" not in values:
        return Reason(text, cited)
    return Reason(f"{text}; collapse risk {values['collapse_risk']} permille", (*cited, "collapse_risk"))


_NEAR: Final[tuple[tuple[str, str], ...]] = (
    ("hhi_star_after", "concentration_limit"),
    ("top_share_after", "dominance_share"),
    ("share_swing", "swing_limit"),
    ("meter_harm", "meter_swing_limit"),
    ("collapse_risk", "collapse_limit"),
)


def _calm(values: Mapping[str, int], limits: Mapping[str, int]) -> int:
    """Return the confidence of an approval: distance from the nearest threshold; 1,000 where nothing is worsened."""
    if (
        values.get("hhi_star_rise", 0) <= 0
        and values.get("collapse_risk_rise", 0) <= 0
        and not values.get("meter_harm")
    ):
        return 1000
    room = 1000
    for name, limit in _NEAR:
        value = values.get(name)
        if value is not None:
            room = min(room, max(0, (limits[limit] - value) * 1000 // limits[limit]))
    return 500 + room // 2


def _excess(value: int, limit: int) -> int:
    return (value - limit) * 1000 // limit


def _percent(ppm: int) -> str:
    return f"{ppm // 10_000}.{ppm // 1_000 % 10} %"


def _points(milli: int) -> str:
    return f"{milli // 1000}.{milli // 100 % 10}"
