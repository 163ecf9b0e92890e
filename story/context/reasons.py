"""Why the council stopped something, in the words of the world's people: rules have names that nobody outside of it knows."""

from collections.abc import Mapping
from typing import Final

VOTES: Final = "votes"
_REASONS: Final[Mapping[str, str]] = {
    "canon_lock": "canon_lock",
    "canon_needs_human": "canon_lock",
    "realm_collapse": "instability",
    "collapse_unproven": "instability",
    "meter_floor": "instability",
    "swing_floor": "instability",
    "concentration_floor": "dominance",
    "dominance_floor": "dominance",
    "unprepared_trigger": "thin_evidence",
    "unearned_trigger": "thin_evidence",
    "want_of_votes": "want_of_votes",
}


def reason_of(rule: str) -> str:
    """Return the reason of `story/data/pools.yaml` that a rule stands for: the council's own word where it is no known one.

    Args:
        rule: id of the rule that stood against a change; "" where nothing did.
    """
    return _REASONS.get(rule, VOTES) if rule else ""
