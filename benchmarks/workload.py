"""The requests that benchmarks send: the examples that convene the council, in turn, and an everyday act that does not."""

import json
from pathlib import Path
from typing import Any

_EXAMPLES = Path(__file__).parent.parent / "examples" / "requests"
_EVERYDAY = ("01-", "02-")


def council_requests() -> list[bytes]:
    """Return every example that the council sits on: all decision types and verdicts, four to twenty kilobytes as files."""
    return [_body(path) for path in sorted(_EXAMPLES.glob("*.json")) if not path.name.startswith(_EVERYDAY)]


def sovereign_request() -> bytes:
    """Return a sound sovereign action of the size that the contract shows: two effects, eight events, five members."""
    events = [
        {
            "event_id": f"5b7d1c1e-0000-4000-8000-00000000000{index}",
            "realm_id": "realm-1",
            "user_id": f"u-{index % 5}",
            "story_id": "s-123",
            "chapter_id": f"c-{index:03}",
            "action_type": "faction_quest_complete",
            "faction_id": "free_cities",
            "base_points": 25,
            "evidence": {"risk": 4, "stakes": "regional"},
            "created_at": f"2026-03-01T1{index}:07:00Z",
        }
        for index in range(8)
    ]
    document = json.loads(everyday_request())
    document["decision_type"] = "sovereign_action"
    document["proposed_change"]["actor"]["sovereign"] = True
    document["proposed_change"]["effects"] = [
        {"op": "faction_delta", "faction_id": "free_cities", "amount": 2.0},
        {"op": "meter_delta", "meter": "stability", "amount": 2.0},
    ]
    return json.dumps({**document, "supporting_events": events}, separators=(",", ":")).encode()


def everyday_request() -> bytes:
    """Return a small act of one player: what nine in ten requests are."""
    return json.dumps(
        {
            "decision_type": "impact_dispute",
            "realm_id": "realm-1",
            "proposed_change": {
                "summary": "A patrol holds the road for a night",
                "actor": {"user_id": "u-123", "faction_id": "free_cities"},
                "effects": [{"op": "faction_delta", "faction_id": "free_cities", "amount": 0.1}],
            },
            "world_snapshot": {
                "snapshot_id": "snap-1042",
                "tick_number": 1042,
                "factions": {
                    "empire": {"influence": 41.5},
                    "veil": {"influence": 32.5},
                    "free_cities": {"influence": 26.0},
                },
                "meters": {"stability": 62.0, "tension": 35.0},
            },
        },
        separators=(",", ":"),
    ).encode()


def _body(path: Path) -> bytes:
    """Return an example as a sim would send it, without the request id that would make it the same decision for ever."""
    document: dict[str, Any] = json.loads(path.read_bytes())
    document.pop("request_id", None)
    return json.dumps(document, separators=(",", ":")).encode()
