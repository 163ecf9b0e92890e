"""Acts as callers read them: a player's own, without what would teach a cheat; all of them, for game masters. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

from world.persistence.acts import LedgerRow
from world.persistence.messages import Question
from world.views.units import moment_text, points, points_or_none


def contribution_view(found: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return what a player's accepted acts came to, in points; acts against a faction stand under it as they were scored.

    Args:
        found: milli-points by faction and territory ("" where an act named none).
    """
    factions = [
        {
            "faction_id": faction,
            "points": points(sum(places.values())),
            "territories": {place: points(milli) for place, milli in sorted(places.items()) if place},
            "elsewhere": points(places.get("", 0)),
        }
        for faction, places in sorted(found.items())
    ]
    total = sum(sum(places.values()) for places in found.values())
    return {"total_points": points(total), "factions": factions}


def deed_view(row: LedgerRow) -> dict[str, Any]:
    """Return a player's own act: what is being looked at is pending, whichever way, and its anomaly stays unsaid."""
    is_pending = row.state in ("in_review", "quarantined")
    return {
        "sequence": row.sequence,
        "event_id": row.event_id,
        "action_type": row.action_type,
        "faction_id": row.faction_id,
        "territory_id": row.territory_id,
        "is_against": row.is_against,
        "state": "pending" if is_pending else row.state,
        "because": "" if is_pending else row.because,
        "points": _counted(row),
        "tick_number": row.tick,
        "received_at": moment_text(row.received_at),
    }


def held_view(row: LedgerRow) -> dict[str, Any]:
    """Return an act with everything that judged it: for game masters."""
    return {
        "sequence": row.sequence,
        "event_id": row.event_id,
        "user_id": row.user_id,
        "action_type": row.action_type,
        "faction_id": row.faction_id,
        "territory_id": row.territory_id,
        "is_against": row.is_against,
        "state": row.state,
        "because": row.because,
        "points": points_or_none(row.score.normalized if row.score is not None else None),
        "anomaly": {"score": row.anomaly, "terms": dict(row.terms)},
        "tick_number": row.tick,
        "received_at": moment_text(row.received_at),
        "correlation_id": row.correlation_id,
    }


def question_view(question: Question) -> dict[str, Any]:
    """Return a question to the council that is not settled."""
    request = orjson.loads(question.request)
    return {
        "question_id": question.question_id,
        "subject": question.subject,
        "decision_type": request["decision_type"],
        "summary": request["proposed_change"]["summary"],
        "state": question.state,
        "tick_number": question.tick_number,
        "decision_id": question.decision_id,
        "correlation_id": question.correlation_id,
    }


def _counted(row: LedgerRow) -> float | None:
    if row.state == "rejected" or row.score is None:
        return None
    return points(row.score.normalized)
