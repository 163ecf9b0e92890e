"""Signals and thresholds of the World Governor: macro balance of the realm and its factions (register row S0-51)."""

from typing import Final

from policies.evidence import SignalSpec, ThresholdSpec, Unit

_C4: Final = "S0-51; domain.md C4"
_C7: Final = "S0-64; domain.md C7"


def _spec(name: str, unit: Unit, limits: tuple[int, int], meaning: str, source: str) -> SignalSpec:
    return SignalSpec(name, "governor", unit, *limits, meaning, source)


SIGNALS: Final[tuple[SignalSpec, ...]] = (
    _spec("hhi_star_before", "permille", (0, 1000), "Concentration of influence now: HHI*, 0 at perfect balance.", _C4),
    _spec("hhi_star_after", "permille", (0, 1000), "Concentration of influence once the change has happened.", _C4),
    _spec("hhi_star_rise", "permille", (-1000, 1000), "Concentration after less before.", _C4),
    _spec("top_share_after", "ppm", (0, 1_000_000), "Share of the strongest faction after the change.", _C4),
    _spec("top_share_rise", "ppm", (-1_000_000, 1_000_000), "That faction's share after less before.", _C4),
    _spec("share_swing", "ppm", (0, 1_000_000), "Largest rise of one faction's share in this change.", _C4),
    _spec("evenness_after", "permille", (0, 1000), "Pielou's evenness J of influence after the change.", _C4),
    _spec(
        "territory_top_share_after",
        "ppm",
        (0, 1_000_000),
        "Part of all strategic value that its largest holder controls after the change.",
        _C4,
    ),
    _spec(
        "territory_top_share_rise",
        "ppm",
        (-1_000_000, 1_000_000),
        "That holder's part after less before.",
        "domain.md C4",
    ),
    _spec(
        "territory_count", "count", (0, 512), "Territories that the snapshot shows.", "companions.md, world simulation"
    ),
    _spec(
        "meter_margin_after",
        "milli",
        (0, 100_000),
        "Least distance to its ruinous end of the meters that the change worsens.",
        "domain.md C4, C7",
    ),
    _spec("meter_harm", "milli", (0, 100_000), "Largest step of one meter toward its ruinous end.", "domain.md C4"),
    _spec("collapse_risk", "permille", (0, 1000), "Risk that the realm collapses, now or within eight ticks.", _C7),
    _spec("collapse_risk_rise", "permille", (-1000, 1000), "Collapse risk with the change less without it.", _C7),
    _spec("collapse_coverage", "permille", (0, 1000), "Share of the risk's weights that could be computed.", _C7),
)

THRESHOLDS: Final[dict[str, ThresholdSpec]] = {
    "concentration_watch": ThresholdSpec(
        80,
        "permille",
        10,
        400,
        "Below it the realm is balanced; from it a rise is mentioned and lowers confidence.",
        _C4,
    ),
    "concentration_limit": ThresholdSpec(200, "permille", 50, 600, "HHI* from which a further rise is bounded.", _C4),
    "concentration_veto": ThresholdSpec(400, "permille", 100, 900, "HHI* from which a rise is rejected.", _C4),
    "concentration_noise": ThresholdSpec(
        5,
        "permille",
        1,
        50,
        "Least rise of HHI* that is bounded; half the rise that is rejected, so a quarter point of play passes.",
        "domain.md C4: a rise of 10 is material",
    ),
    "concentration_material": ThresholdSpec(10, "permille", 1, 100, "Least rise of HHI* that is rejected.", _C4),
    "dominance_share": ThresholdSpec(
        700_000,
        "ppm",
        400_000,
        950_000,
        "Share that no change may lift a faction to or further beyond; age_of_iron's own bound.",
        "companions.md: Empire influence above 70 %",
    ),
    "dominance_noise": ThresholdSpec(
        1_000, "ppm", 0, 50_000, "Rise of a dominant faction that is still tolerated: a tenth of a point.", _C4
    ),
    "swing_limit": ThresholdSpec(
        150_000,
        "ppm",
        20_000,
        600_000,
        "Largest rise of one faction's share in one change: about two days of unopposed play.",
        "domain.md C2: a territory of 100,000 people stakes 1/15 a day",
    ),
    "territory_limit": ThresholdSpec(
        700_000,
        "ppm",
        400_000,
        1_000_000,
        "Part of strategic value beyond which a transfer is dropped.",
        "domain.md C4",
    ),
    "territory_least": ThresholdSpec(
        4,
        "count",
        2,
        64,
        "Territories that a snapshot must show before its concentration means anything.",
        "companions.md: 5 to 8 territories in a realm",
    ),
    "meter_floor": ThresholdSpec(
        20_000,
        "milli",
        0,
        60_000,
        "Distance to ruin that no change may push a meter below: stability 20 is four fifths up C7's ramp.",
        "domain.md C7: stability 60 to 10",
    ),
    "meter_swing_limit": ThresholdSpec(
        25_000,
        "milli",
        2_000,
        100_000,
        "Largest harm to one meter in one change: a quarter of its scale.",
        "domain.md C4",
    ),
    "collapse_limit": ThresholdSpec(
        500, "permille", 100, 950, "Collapse risk from which a change that raises it is bounded.", "domain.md C7"
    ),
    "collapse_veto": ThresholdSpec(700, "permille", 200, 1000, "Collapse risk from which a rise is rejected.", _C7),
    "collapse_noise": ThresholdSpec(
        20, "permille", 1, 200, "Least rise of collapse risk that counts as one.", "domain.md C7"
    ),
    "collapse_rise_veto": ThresholdSpec(250, "permille", 50, 1000, "Rise of collapse risk that is rejected.", _C7),
    "collapse_evidence": ThresholdSpec(
        500,
        "permille",
        0,
        1000,
        "Coverage below which a collapse objection asks for a person instead of rejecting: the evidence is incomplete.",
        _C7,
    ),
}
