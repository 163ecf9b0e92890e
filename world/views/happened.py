"""What happened in a realm, as callers read it: events of its durable sequence, and the verdicts among them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from world.persistence.port import Event
from world.views.units import moment_text

VERDICT: Final = "decision_applied"
"""Kind of the event that a verdict leaves."""
_DISPUTE: Final = "impact_dispute"
_OF_THE_WORLD: Final = ("move", "trigger", "action")
"""What a question is about that concerns everybody; of a dispute over a player's act, what is held is nobody else's business."""


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
    found: list[dict[str, Any]] = []
    for event in events:
        told = orjson.loads(event.payload)
        if is_hidden(event.kind, told) and not shows_disputes:
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
