"""A small valid decision request that tests change one thing of."""

import copy
import json
from typing import Any

_REQUEST: dict[str, Any] = {
    "decision_type": "sovereign_action",
    "realm_id": "realm-1",
    "proposed_change": {
        "summary": "The Empire annexes the Glass Harbor",
        "actor": {"user_id": "u-123", "faction_id": "empire", "sovereign": True},
        "effects": [
            {"op": "faction_delta", "faction_id": "empire", "amount": 12.0},
            {"op": "territory_transfer", "territory_id": "t-3", "from": "veil", "to": "empire"},
            {"op": "meter_delta", "meter": "stability", "amount": -8},
            {"op": "trigger_fire", "trigger_id": "age_of_iron"},
            {"op": "canon_assert", "subject": "gate-of-ash", "predicate": "status", "object": "open"},
        ],
        "narrative": "text that a player wrote",
    },
    "world_snapshot": {
        "snapshot_id": "snap-1042",
        "tick_number": 1042,
        "factions": {
            "empire": {"influence": 41.0},
            "veil": {"influence": 33.0},
            "free_cities": {"influence": 26.0},
        },
        "territories": {
            "t-3": {
                "name": "Glass Harbor",
                "controller": "veil",
                "strategic_value": 3,
                "instability": 20,
                "neighbors": ["t-1"],
            }
        },
        "meters": {"stability": 62, "tension": 35, "chaos": 18},
    },
    "supporting_events": [
        {
            "event_id": "3f0c9d52-6f0e-4b0e-8a43-0c6d1f7f9a01",
            "realm_id": "realm-1",
            "user_id": "u-123",
            "story_id": "s-123",
            "chapter_id": "c-012",
            "action_type": "faction_quest_complete",
            "faction_id": "empire",
            "base_points": 25,
            "evidence": {"risk": 4, "stakes": "regional"},
            "created_at": "2026-03-01T10:00:00Z",
        }
    ],
    "risk_flags": ["first_of_season", {"code": "velocity_spike", "severity": 0.3, "subject": "u-123", "note": "…"}],
    "lore_constraints": [
        "Archons never appear in person.",
        {
            "id": "lock:gate-of-ash",
            "mode": "immutable",
            "subject": "gate-of-ash",
            "predicate": "status",
            "object": "sealed",
            "statement": "The Gate of Ash stays sealed until season 2.",
        },
    ],
}


def request_document(**changes: Any) -> dict[str, Any]:
    """Return a fresh copy of the request (council.md, contracts) with top-level fields replaced."""
    return {**copy.deepcopy(_REQUEST), **changes}


def small_document(**changes: Any) -> dict[str, Any]:
    """Return an everyday change that needs no council: one small delta, no locks, no flags."""
    document = request_document(decision_type="impact_dispute", risk_flags=[], lore_constraints=[])
    document["proposed_change"] = {
        "summary": "A patrol is won",
        "actor": {"user_id": "u-123", "faction_id": "free_cities"},
        "effects": [{"op": "faction_delta", "faction_id": "free_cities", "amount": 0.1}],
    }
    return {**document, **changes}


def as_bytes(document: Any) -> bytes:
    """Return a document as a client would send it."""
    return json.dumps(document).encode()
