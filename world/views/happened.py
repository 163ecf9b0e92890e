"""What happened in a realm, as callers read it: events of its durable sequence, and the verdicts among them. Pure."""

from collections.abc import Sequence
from typing import Any

import orjson

from world.persistence.messages import Event
from world.persistence.verdicts_told import is_hidden
from world.views.units import moment_text


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


def verdicts_view(events: Sequence[Event], *, shows_disputes: bool) -> list[dict[str, Any]]:
    """Return the latest verdicts, newest first.

    Args:
        events: verdicts, newest first.
        shows_disputes: whether verdicts over single acts are shown: to game masters only.
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
    return found
