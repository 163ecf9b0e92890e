"""What happened in a realm, as callers read it: events of its durable sequence, and the verdicts among them. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from world.persistence.port import Event
from world.views.units import moment_text

VERDICT: Final = "decision_applied"
"""Kind of the event that a verdict leaves."""
_PERSONAL: Final = "impact_dispute"
_OF_THE_WORLD: Final = ("move", "trigger", "action")
"""What a question is about that concerns everybody; of a dispute over a player's act, what is held is nobody else's business."""


def event_view(event: Event) -> dict[str, Any]:
    """Return one event."""
    return {
        "sequence": event.sequence,
        "tick_number": event.tick_number,
        "kind": event.kind,
        "at": moment_text(event.made_at),
        "is_personal": event.user_id is not None,
        "correlation_id": event.correlation_id,
        "payload": orjson.loads(event.payload),
    }


def verdicts_view(events: Sequence[Event], *, shows_disputes: bool, most: int) -> list[dict[str, Any]]:
    """Return the latest verdicts, newest first.

    Args:
        events: of kind `VERDICT`, newest first.
        shows_disputes: whether verdicts over single acts are shown: to game masters only.
        most: most verdicts returned.
    """
    found = []
    for event in events:
        told = orjson.loads(event.payload)
        is_personal = told["decision_type"] == _PERSONAL and told.get("about") not in _OF_THE_WORLD
        if is_personal and not shows_disputes:
            continue
        found.append(
            {
                "decision_id": told["decision_id"],
                "verdict": told["verdict"],
                "decision_type": told["decision_type"],
                "summary": told["summary"],
                "effects": len(told["effects"]),
                "dropped": told["dropped"],
                "tick_number": event.tick_number,
                "sequence": event.sequence,
                "at": moment_text(event.made_at),
            }
        )
    return found[:most]
