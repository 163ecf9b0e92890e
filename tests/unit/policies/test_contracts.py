"""The wire contracts refuse what they must and name the place and the fix (S0-57 to S0-61, S0-86)."""

from collections.abc import Callable
from typing import Any

import pytest

from policies.contracts.reading import read_request
from policies.faults import InvalidInputError
from tests.unit.requests import as_bytes, request_document

Change = Callable[[dict[str, Any]], None]


def at(path: str, value: Any) -> Change:
    """Return a change that sets one place, named by a JSON pointer; a missing list item is appended."""

    def change(document: dict[str, Any]) -> None:
        *parents, last = path.strip("/").split("/")
        node: Any = document
        for parent in parents:
            node = node[int(parent)] if isinstance(node, list) else node[parent]
        if isinstance(node, list):
            if int(last) == len(node):
                node.append(value)
            else:
                node[int(last)] = value
        else:
            node[last] = value

    return change


EFFECT = "/proposed_change/effects/0"
BAD: dict[str, tuple[Change, str, str]] = {
    "unknown field": (at("/verdict", "approve"), "/verdict", "unknown field"),
    "unknown nested field": (at("/proposed_change/actor/level", 9), "/proposed_change/actor/level", "unknown field"),
    "unknown decision type": (at("/decision_type", "coup"), "/decision_type", "not one of the known values"),
    "wrong type": (at("/world_snapshot/tick_number", "1042"), "/world_snapshot/tick_number", "valid integer"),
    "a number as text": (at("/realm_id", 7), "/realm_id", "valid string"),
    "yes for a number": (at(f"{EFFECT}/amount", True), f"{EFFECT}/amount", "valid number"),
    "over-long summary": (at("/proposed_change/summary", "x" * 501), "/proposed_change/summary", "at most 500"),
    "over-long narrative": (at("/proposed_change/narrative", "x" * 8001), "/proposed_change/narrative", "at most 8000"),
    "a control character in an id": (at("/realm_id", "realm\u0000"), "/realm_id", "characters that are not allowed"),
    "an unknown effect": (at(EFFECT, {"op": "delete_realm"}), EFFECT, "unknown effect"),
    "an effect without op": (at(EFFECT, {"amount": 1}), EFFECT, "effect has no op"),
    "an unknown effect field": (at(f"{EFFECT}/by", "u-1"), f"{EFFECT}/by", "unknown field"),
    "an effect out of range": (at(f"{EFFECT}/amount", 101), f"{EFFECT}/amount", "less than or equal to 100"),
    "a faction that is not there": (
        at(f"{EFFECT}/faction_id", "empyre"),
        f"{EFFECT}/faction_id",
        "not in the snapshot",
    ),
    "an actor of a faction that is not there": (
        at("/proposed_change/actor/faction_id", "orcs"),
        "/proposed_change/actor/faction_id",
        "not in the snapshot",
    ),
    "a territory that is not there": (
        at("/proposed_change/effects/1/territory_id", "t-9"),
        "/proposed_change/effects/1/territory_id",
        "not in the snapshot",
    ),
    "a meter that is not there": (
        at("/proposed_change/effects/2/meter", "joy"),
        "/proposed_change/effects/2/meter",
        "not in the snapshot",
    ),
    "a territory taken from the wrong faction": (
        at("/proposed_change/effects/1/from", "free_cities"),
        "/proposed_change/effects/1/from",
        "does not control",
    ),
    "a missing field": (lambda d: d.pop("world_snapshot"), "/world_snapshot", "required field is missing"),
    "a share above the whole": (
        at("/world_snapshot/factions/empire/influence", 141),
        "/world_snapshot/factions/empire/influence",
        "less than or equal to 100",
    ),
    "a naive time": (
        at("/supporting_events/0/created_at", "2026-03-01T10:00:00"),
        "/supporting_events/0/created_at",
        "no time zone",
    ),
    "a structured flag without severity": (at("/risk_flags/0", {"code": "x"}), "/risk_flags/0/severity", "missing"),
    "a lock of unknown mode": (at("/lore_constraints/1/mode", "maybe"), "/lore_constraints/1/mode", "known values"),
    "too many effects": (
        at("/proposed_change/effects", [{"op": "trigger_fire", "trigger_id": "t"}] * 65),
        "/proposed_change/effects",
        "at most 64",
    ),
    "a deadline of nothing": (at("/deadline_ms", 0), "/deadline_ms", "greater than or equal to 1"),
}


@pytest.mark.parametrize(("change", "path", "message"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_named_by_path_without_repeating_the_value(change: Change, path: str, message: str) -> None:
    document = request_document()
    change(document)
    with pytest.raises(InvalidInputError) as refused:
        read_request(as_bytes(document))
    faults = {fault.path: str(fault) for fault in refused.value.faults}
    assert path in faults
    assert message in faults[path]


def test_every_fault_is_named_at_once() -> None:
    document = request_document(realm_id="", decision_type="coup", extra=1)
    with pytest.raises(InvalidInputError) as refused:
        read_request(as_bytes(document))
    assert {fault.path for fault in refused.value.faults} == {"/realm_id", "/decision_type", "/extra"}


def test_the_request_of_the_design_is_accepted() -> None:
    read = read_request(as_bytes(request_document()))
    assert [effect.op for effect in read.request.proposed_change.effects] == [
        "faction_delta",
        "territory_transfer",
        "meter_delta",
        "trigger_fire",
        "canon_assert",
    ]
    assert read.request.risk_flags[0] == "first_of_season"


def test_flags_and_locks_may_be_plain_strings_or_objects() -> None:
    read = read_request(as_bytes(request_document()))
    assert [type(flag).__name__ for flag in read.request.risk_flags] == ["str", "RiskFlag"]
    assert [type(lock).__name__ for lock in read.request.lore_constraints] == ["str", "LoreConstraint"]


def test_two_bodies_that_ask_the_same_have_one_fingerprint() -> None:
    """Order of keys, spelling of numbers and the transport's own fields are not part of the question."""
    plain = read_request(as_bytes(request_document()))
    reordered = dict(reversed(request_document(request_id="r-1", correlation_id="c-1", deadline_ms=900).items()))
    assert read_request(as_bytes(reordered)).fingerprint == plain.fingerprint


def test_two_bodies_that_ask_differently_have_two_fingerprints() -> None:
    other = request_document()
    other["proposed_change"]["effects"][0]["amount"] = 12.5
    assert read_request(as_bytes(other)).fingerprint != read_request(as_bytes(request_document())).fingerprint
