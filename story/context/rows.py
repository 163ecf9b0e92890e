"""Rows of `world_context` on the wire, shared by what a chapter hears and by the council's brief on one decision (000 §9)."""

from typing import Any


def ranking_row(rank: int, faction_id: str, share_ppm: int, change_ppm: int) -> dict[str, Any]:
    """Return a row of `faction_ranking`: shares of the realm in millionths."""
    return {"rank": rank, "faction_id": faction_id, "share_ppm": share_ppm, "change_ppm": change_ppm}


def control_row(territory_id: str, controller: str | None, *, is_changed: bool) -> dict[str, Any]:
    """Return a row of `local_territory_control`."""
    return {"territory_id": territory_id, "controller": controller, "is_changed": is_changed}


def trigger_row(trigger_id: str, phase: str) -> dict[str, Any]:
    """Return a row of `active_triggers`.

    Args:
        phase: fired, or waiting for the council's word.
    """
    return {"trigger_id": trigger_id, "phase": phase}
