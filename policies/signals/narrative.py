"""Signals and thresholds of the Narrative Impact member: payoff, not dry numbers (register row S0-54)."""

from typing import Final

from policies.evidence import SignalSpec, ThresholdSpec, Unit

_S54: Final = "S0-54"
_C1: Final = "S0-38, S0-54; domain.md C1"


def _spec(name: str, unit: Unit, high: int, meaning: str, source: str = _S54) -> SignalSpec:
    return SignalSpec(name, "narrative", unit, 0, high, meaning, source)


SIGNALS: Final[tuple[SignalSpec, ...]] = (
    _spec("stakes", "permille", 1000, "Highest stakes that a setup event names: personal 200 to sovereign 1,000.", _C1),
    _spec("risk_taken", "permille", 1000, "Highest risk that a setup event names: 1 is 0, 5 is 1,000.", _C1),
    _spec(
        "setup_events", "count", 512, "Events that prepared this change: of its factions, or aimed at what it names."
    ),
    _spec(
        "setup_spread",
        "count",
        512,
        "Distinct chapters of the setup; where they are fewer than three, distinct ticks if those are more.",
    ),
    _spec("involved_users", "count", 512, "Distinct users of the setup."),
    _spec("involved_factions", "count", 64, "Distinct factions that the change and its setup involve."),
    _spec("named_things", "count", 576, "Effects, or events' targets, that name a place, a trigger or a fact."),
    _spec("is_named", "flag", 1, "Some effect, target or the sim's summary names a thing: not numbers alone."),
    _spec("dry_share", "ppm", 1_000_000, "Largest move of influence in a change that names nothing; else 0."),
    _spec("dry_meter", "milli", 100_000, "Largest move of a meter in a change that names nothing; else 0."),
    _spec("payoff_owed", "permille", 1000, "What the gravest effect asks to be earned: a trigger 1,000."),
    _spec("payoff_earned", "permille", 1000, "What setup, spread, involvement and stakes have earned."),
    _spec("trigger_effects", "count", 64, "Triggers that the change fires."),
    _spec(
        "pressure_ticks",
        "ticks",
        97,
        "Where a trigger fires: ticks in a row, up to now, with a majority faction or a meter in its dangerous half.",
        "S0-54; companions.md, triggers",
    ),
    _spec("prose_length", "count", 8000, "Characters of player text; recorded, and read by no rule."),
)

THRESHOLDS: Final[dict[str, ThresholdSpec]] = {
    "setup_least": ThresholdSpec(
        2, "count", 1, 20, "Setup events without which a fired trigger is unprepared: one act is no story yet.", _S54
    ),
    "pressure_least": ThresholdSpec(
        3,
        "ticks",
        1,
        96,
        "Ticks of pressure that prepare a trigger without any player's act.",
        "companions.md: age_of_iron needs 3 consecutive ticks",
    ),
    "unearned_tolerance": ThresholdSpec(
        350,
        "permille",
        0,
        1000,
        "How far the payoff owed may exceed what was earned: everyday changes need no story of their own.",
        _S54,
    ),
    "dry_share_limit": ThresholdSpec(
        20_000,
        "ppm",
        1_000,
        200_000,
        "Influence that may move in a change that names nothing: two points, from which a move is world news.",
        "S0-54; domain.md C5",
    ),
    "dry_meter_limit": ThresholdSpec(
        5_000, "milli", 500, 100_000, "Points of a meter that may move in a change that names nothing.", "domain.md C4"
    ),
}
