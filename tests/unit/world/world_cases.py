"""Requests for the tests of the world and of the members: a sound realm, and changes to it by keyword."""

from typing import Any

from policies.contracts.reading import validate_request
from policies.contracts.request import DecisionRequest
from world.case import Case, open_case


def delta(faction: str, amount: float) -> dict[str, Any]:
    return {"op": "faction_delta", "faction_id": faction, "amount": amount}


def meter(name: str, amount: float) -> dict[str, Any]:
    return {"op": "meter_delta", "meter": name, "amount": amount}


def transfer(place: str, giver: str | None, taker: str) -> dict[str, Any]:
    return {"op": "territory_transfer", "territory_id": place, "from": giver, "to": taker}


def trigger(name: str) -> dict[str, Any]:
    return {"op": "trigger_fire", "trigger_id": name}


def fact(subject: str, predicate: str, thing: str) -> dict[str, Any]:
    return {"op": "canon_assert", "subject": subject, "predicate": predicate, "object": thing}


def place(controller: str | None, value: float = 2, **fields: Any) -> dict[str, Any]:
    return {"controller": controller, "strategic_value": value, **fields}


def event(number: int, **fields: Any) -> dict[str, Any]:
    """One act: user u-<number>, chapter c-<number>, for the Empire, risk 3 and regional stakes, one per hour."""
    return {
        "event_id": f"e-{number}",
        "realm_id": "realm-1",
        "user_id": f"u-{number}",
        "chapter_id": f"c-{number}",
        "action_type": "faction_quest_complete",
        "faction_id": "empire",
        "base_points": 25,
        "evidence": {"risk": 3, "stakes": "regional"},
        "created_at": f"2026-03-01T{number % 24:02d}:00:00Z",
        **fields,
    }


def tick(number: int, shares: dict[str, float], **meters: float) -> dict[str, Any]:
    return {
        "tick_number": number,
        "factions": {name: {"influence": share} for name, share in shares.items()},
        "meters": meters,
    }


SHARES = {"empire": 41.0, "veil": 33.0, "free_cities": 26.0}
PLACES = {
    "t-1": place("empire", neighbors=["t-2"]),
    "t-2": place("empire", neighbors=["t-1", "t-3"]),
    "t-3": place("veil", 3, name="Glass Harbor", neighbors=["t-2"]),
    "t-4": place("veil"),
    "t-5": place("free_cities"),
}


def request(
    *effects: dict[str, Any],
    decision_type: str = "impact_dispute",
    shares: dict[str, float] | None = None,
    meters: dict[str, float] | None = None,
    places: dict[str, Any] | None = None,
    history: list[dict[str, Any]] | None = None,
    events: list[dict[str, Any]] | None = None,
    flags: list[Any] | None = None,
    locks: list[Any] | None = None,
    actor: dict[str, Any] | None = None,
    summary: str = "The realm changes",
    narrative: str = "",
) -> DecisionRequest:
    change: dict[str, Any] = {"summary": summary, "effects": list(effects), "narrative": narrative}
    if actor is not None:
        change["actor"] = actor
    factions = SHARES if shares is None else shares
    return validate_request(
        {
            "decision_type": decision_type,
            "realm_id": "realm-1",
            "proposed_change": change,
            "world_snapshot": {
                "snapshot_id": "snap-1042",
                "tick_number": 1042,
                "factions": {name: {"influence": share} for name, share in factions.items()},
                "territories": PLACES if places is None else places,
                "meters": {"stability": 62, "tension": 35, "chaos": 18} if meters is None else meters,
                "history": history or [],
            },
            "supporting_events": events or [],
            "risk_flags": flags or [],
            "lore_constraints": locks or [],
        }
    )


def case(*effects: dict[str, Any], **fields: Any) -> Case:
    return open_case(request(*effects, **fields))
