"""Signals of triage: what decides whether a case needs a council, and which members (000 §6.2; domain.md C5)."""

from typing import Final

from policies.evidence import SignalSpec, Unit


def _spec(name: str, unit: Unit, high: int, meaning: str, source: str) -> SignalSpec:
    return SignalSpec(name, "triage", unit, 0, high, meaning, source)


_C5: Final = "domain.md C5"

SIGNALS: Final[tuple[SignalSpec, ...]] = (
    _spec("impact_score", "points", 100, "World-impact score with its floors applied.", "S0-46; domain.md C5"),
    _spec("impact_raw_score", "points", 100, "World-impact score before floors.", _C5),
    _spec("impact_floor", "points", 100, "The floor that lifted the score; 0 where none did.", _C5),
    _spec("impact_threshold", "points", 100, "Score from which this realm convenes a council.", "S0-46; domain.md C5"),
    _spec("impact_coverage", "permille", 1000, "Share of the score's weights whose terms could be computed.", _C5),
    _spec(
        "impact_magnitude",
        "permille",
        1000,
        "Largest move: 2 points of share, of strategic value or of a meter are 1,000.",
        "domain.md C4, C5",
    ),
    _spec("impact_scope", "permille", 1000, "How wide the change is felt: one territory 400, the realm 1,000.", _C5),
    _spec(
        "impact_irreversibility",
        "permille",
        1000,
        "How hard it is to undo: by play 0, by a game master 400, by rollback 700, a named thing destroyed 1,000.",
        _C5,
    ),
    _spec("impact_canon_proximity", "permille", 1000, "Nearness to a locked fact: 1,000 / (1 + hops).", _C5),
    _spec("impact_contention", "permille", 1000, "How evenly the events' points stand for and against.", _C5),
    _spec("impact_concentration", "permille", 1000, "Share of supporting points of the largest device or user.", _C5),
    _spec("is_sovereign_action", "flag", 1, "The decision type is sovereign_action.", "S0-48, S0-57"),
    _spec("is_major_trigger", "flag", 1, "The decision type is major_trigger.", "S0-47, S0-57"),
    _spec("is_impact_dispute", "flag", 1, "The decision type is impact_dispute.", "S0-57"),
    _spec("actor_is_sovereign", "flag", 1, "The actor speaks for a whole faction.", "S0-48"),
    _spec("fires_trigger", "flag", 1, "An effect fires a world trigger.", "S0-47"),
    _spec("canon_conflict", "flag", 1, "An effect contradicts a structured canon lock directly.", "S0-49"),
    _spec(
        "anomaly",
        "permille",
        1000,
        "Noisy-OR of the risk flags' severities; a flag without one counts 500.",
        "S0-68; domain.md C6",
    ),
    _spec("flag_severity_max", "permille", 1000, "Severity of the gravest risk flag; 500 where it has none.", "S0-58"),
    _spec("flag_count", "count", 128, "Risk flags raised by the sim.", "S0-58"),
    _spec("effect_count", "count", 64, "Effects of the change.", "S0-58"),
    _spec("event_count", "count", 512, "Supporting events.", "S0-58"),
    _spec("touches_factions", "flag", 1, "An effect moves a faction's influence.", "S0-58"),
    _spec("touches_territories", "flag", 1, "An effect moves a territory.", "S0-58"),
    _spec("touches_meters", "flag", 1, "An effect moves a meter.", "S0-58"),
    _spec("touches_canon", "flag", 1, "An effect asserts a fact.", "S0-58"),
)
