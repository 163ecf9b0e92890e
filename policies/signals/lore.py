"""Signals and thresholds of the Lore Consistency judge: canon locks and what follows from them (register row S0-53)."""

from typing import Final

from policies.evidence import SignalSpec, ThresholdSpec

_C8: Final = "S0-53; domain.md C8"
_VETO: Final = "S0-62; domain.md C8"


def _count(name: str, high: int, meaning: str, source: str) -> SignalSpec:
    return SignalSpec(name, "lore", "count", 0, high, meaning, source)


SIGNALS: Final[tuple[SignalSpec, ...]] = (
    _count("canon_locks", 256, "Structured canon locks of the request: those that code compares.", _C8),
    _count("canon_text_locks", 256, "Constraints in plain words: counted, never judged by rules.", _C8),
    _count("canon_locks_touched", 256, "Locks of whose subject and predicate the change speaks.", _C8),
    _count("canon_direct_violations", 64, "Effects that break a lock's own fact.", _VETO),
    _count("canon_derived_violations", 512, "Contradictions with what follows from facts, by effects or actor.", _VETO),
    _count("canon_needs_human", 128, "Effects that break a lock which only a person may open.", _VETO),
)

THRESHOLDS: Final[dict[str, ThresholdSpec]] = {
    "direct_reject": ThresholdSpec(
        1,
        "count",
        1,
        64,
        "Direct violations of locks that never move (immutable, forbidden_assertion) from which the vote is reject; "
        "fewer are dropped from the change.",
        "S0-62: a canon lock violation is a hard veto, so one is enough",
    ),
    "text_lock_doubt": ThresholdSpec(
        1,
        "count",
        0,
        64,
        "How much one constraint in plain words takes from confidence, in structured locks; 0 ignores them.",
        "domain.md C8: code does not read prose, so what it could not check must show",
    ),
}
