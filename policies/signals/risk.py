"""Signals and thresholds of the Risk Sentinel: odd patterns in events, and warnings of the sim (register row S0-55)."""

from typing import Final

from policies.evidence import SignalSpec, ThresholdSpec, Unit

_C6: Final = "S0-55; domain.md C6"
_FLAGS: Final = "S0-55, S0-58"


def _spec(name: str, unit: Unit, high: int, meaning: str, source: str) -> SignalSpec:
    return SignalSpec(name, "risk", unit, 0, high, meaning, source)


SIGNALS: Final[tuple[SignalSpec, ...]] = (
    _spec("event_velocity", "permille", 1000, "Fastest account or device against the expected pace (V).", _C6),
    _spec("entropy_deficit", "permille", 1000, "How mechanical the busiest accounts act (E); from 20 events on.", _C6),
    _spec("timing_deficit", "permille", 1000, "How much too regular the moments of events are (Et).", _C6),
    _spec("action_deficit", "permille", 1000, "How much too narrow the mix of actions is (Ea).", _C6),
    _spec("sequence_deficit", "permille", 1000, "How much too predictable the next action is (Ec).", _C6),
    _spec("replay_count", "count", 512, "Events equal to an earlier one in id or in every typed field.", _C6),
    _spec("anomaly_score", "permille", 1000, "Noisy-OR of velocity, entropy and replay (A).", _C6),
    _spec("foreign_realm_events", "count", 512, "Supporting events of another realm.", "S0-55, S0-33"),
    _spec("stray_events", "count", 512, "Supporting events far from the others in time.", "S0-55, S0-39"),
    _spec(
        "dubious_support", "permille", 1000, "Part of the support that is foreign (twice) or astray (once).", "S0-55"
    ),
    _spec("stated_severity", "permille", 1000, "Severity of the gravest risk flag that states one.", _FLAGS),
    _spec("text_flags", "count", 128, "Risk flags in plain words, without a severity.", _FLAGS),
    _spec("actor_flagged", "flag", 1, "A risk flag names the actor, or the actor's faction.", _FLAGS),
    _spec(
        "injection_marks",
        "count",
        14,
        "Kinds of marks of text that speaks to a model; recorded, and read by no judge.",
        "reliability.md, injection 6",
    ),
)

THRESHOLDS: Final[dict[str, ThresholdSpec]] = {
    "review_score": ThresholdSpec(
        400,
        "permille",
        100,
        1000,
        "Concern from which amounts are held back to what is trusted.",
        "domain.md C6: in_review",
    ),
    "quarantine_score": ThresholdSpec(
        700, "permille", 100, 1000, "Concern from which the case is held for a person.", "domain.md C6: quarantined"
    ),
    "flag_text_severity": ThresholdSpec(
        500, "permille", 0, 1000, "Severity of a risk flag in plain words: code does not read how grave it is.", "S0-58"
    ),
    "actor_flag_weight": ThresholdSpec(
        400,
        "permille",
        0,
        1000,
        "Added to the gravest flag by noisy-OR where a flag names the actor: 500 then makes 700.",
        "S0-55; a warning about who asks weighs more than one about the scene",
    ),
}
