"""Verdicts among a realm's events, and which of them everybody may read: one rule, as a function and as a condition of SQL."""

from collections.abc import Mapping
from typing import Any, Final

VERDICT: Final = "decision_applied"
"""Kind of the event that a verdict leaves."""
_DISPUTE: Final = "impact_dispute"
_OF_THE_WORLD: Final = ("move", "trigger", "action")
"""What a question is about that concerns everybody; of a dispute over a player's act, what is held is nobody else's business."""
VERDICT_INDEX: Final = "world_events_public_verdicts"
"""Index of the verdicts that everybody may read."""


def is_of_one_act(told: Mapping[str, Any], about: str | None) -> bool:
    """Return whether a verdict is over one player's act: game masters alone read it, the player is told what became of the act.

    This is the rule of every way to read verdicts: summary, events, history and feed.

    Args:
        told: what is kept of the verdict; one without a decision type might be over an act.
        about: first word of the question's subject; empty or None where the world did not ask.
    """
    return told.get("decision_type", _DISPUTE) == _DISPUTE and about not in _OF_THE_WORLD


def is_hidden(kind: str, payload: Mapping[str, Any]) -> bool:
    """Return whether an event is only for those who read what is hidden."""
    return kind == VERDICT and is_of_one_act(payload, payload.get("about"))


def public_verdict(*, is_postgres: bool) -> str:
    """Return the condition that an event is a verdict which everybody may read: of an index, and word for word of its query.

    It looks for members as `orjson` writes them, without spaces; quotes inside of a text are escaped, so that none can be
    taken for one. What it finds still passes `is_hidden`.
    """
    of_an_act = _holds("decision_type", _DISPUTE, is_postgres=is_postgres)
    of_the_world = " OR ".join([_holds("about", each, is_postgres=is_postgres) for each in _OF_THE_WORLD])
    typed = _holds("decision_type", None, is_postgres=is_postgres)
    return f"kind = '{VERDICT}' AND user_id IS NULL AND ({of_the_world} OR ({typed} AND NOT {of_an_act}))"


def _holds(key: str, value: str | None, *, is_postgres: bool) -> str:
    member = (f'"{key}":' if value is None else f'"{key}":"{value}"').encode().hex()
    if is_postgres:
        return f"position(decode('{member}', 'hex') IN payload) > 0"
    return f"instr(payload, X'{member}') > 0"
