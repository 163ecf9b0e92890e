"""From bytes to a valid decision request: strict JSON, strict fields, and effects that the snapshot can bear."""

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from policies.canonical import canonical_json, plain_canonical_json, sha256_hex
from policies.contracts.effects import EFFECT_OPS, FactionDelta, MeterDelta, TerritoryTransfer
from policies.contracts.request import DecisionRequest
from policies.faults import Fault, InvalidInputError, did_you_mean, pointer
from policies.strict_json import MAX_BYTES, parse_strict

_TRANSPORT_FIELDS = ("request_id", "correlation_id", "deadline_ms")


class ReadRequest(NamedTuple):
    """A valid request with the canonical bytes that the record keeps."""

    request: DecisionRequest
    canonical: bytes
    """RFC 8785 bytes of the whole body."""
    fingerprint: str
    """SHA-256 of the body without its transport fields: two bodies with one fingerprint ask the same thing."""


def read_request(raw: bytes | str, *, max_bytes: int = MAX_BYTES) -> ReadRequest:
    """Read one decision request.

    Raises:
        InvalidInputError: with every fault found: malformed or hostile JSON, unknown fields, wrong types, effects on
            factions, territories or meters that the snapshot lacks.
    """
    tree, canonical, is_plain = parse_strict(raw, max_bytes=max_bytes)
    request = validate_request(tree)
    if not tree.keys().isdisjoint(_TRANSPORT_FIELDS):
        asked = {key: value for key, value in tree.items() if key not in _TRANSPORT_FIELDS}
        write = plain_canonical_json if is_plain else canonical_json
        return ReadRequest(request, canonical, sha256_hex(write(asked)))
    return ReadRequest(request, canonical, sha256_hex(canonical))


def validate_request(tree: Any) -> DecisionRequest:
    """Validate an already parsed body.

    Raises:
        InvalidInputError: with every fault found.
    """
    try:
        request = DecisionRequest.model_validate(tree)
    except ValidationError as error:
        raise InvalidInputError(list(_faults(error, tree))) from None
    faults = list(_dangling_references(request))
    if faults:
        raise InvalidInputError(faults)
    return request


def _faults(error: ValidationError, tree: Any) -> Iterator[Fault]:
    for detail in error.errors(include_url=False, include_input=False):
        yield describe(detail["type"], detail["loc"], detail["msg"], detail.get("ctx", {}), tree)


def describe(kind: str, loc: tuple[str | int, ...], message: str, context: dict[str, Any], tree: Any) -> Fault:
    """Turn one pydantic error into a fault that names the place and the fix, never the value."""
    match kind:
        case "missing":
            message, fix = "required field is missing", f"add {loc[-1]!r}"
        case "extra_forbidden":
            message, fix = "unknown field", "remove it, or correct its name"
        case "union_tag_invalid":
            message, fix = "unknown effect", f"op must be one of: {', '.join(EFFECT_OPS)}"
        case "union_tag_not_found":
            message, fix = "effect has no op", f"op must be one of: {', '.join(EFFECT_OPS)}"
        case "literal_error":
            message, fix = "not one of the known values", f"use one of: {context.get('expected', '')}"
        case "string_pattern_mismatch":
            message, fix = "holds characters that are not allowed here", "remove control characters and spaces"
        case "model_type" | "dict_type":
            message, fix = "must be an object", "send {...} with named fields"
        case "timezone_aware":
            message, fix = "has no time zone", 'end the time with Z or an offset such as "+07:00"'
        case _:
            message, fix = message[0].lower() + message[1:], _general_fix(kind)
    return Fault(_path(loc, tree), message, fix)


_FIXES: Final = {
    "string_type": "send a text in quotes",
    "int_type": "send a whole number, not in quotes",
    "int_parsing": "send a whole number",
    "int_from_float": "send a whole number",
    "float_type": "send a number, not in quotes",
    "float_parsing": "send a number",
    "finite_number": "send a finite number",
    "bool_type": "send true or false",
    "bool_parsing": "send true or false",
    "list_type": "send a list: [...]",
    "tuple_type": "send a list: [...]",
    "datetime_type": 'send a moment such as "2026-03-01T10:00:00Z"',
    "datetime_parsing": 'send a moment such as "2026-03-01T10:00:00Z"',
    "datetime_from_date_parsing": 'send a moment such as "2026-03-01T10:00:00Z"',
}


def _general_fix(kind: str) -> str:
    if kind in _FIXES:
        return _FIXES[kind]
    fixes = {
        "_type": "send the JSON type that the contract names (council schema)",
        "_parsing": "write it in the form that the contract names (council schema)",
        "too_long": "shorten it",
        "too_short": "lengthen it",
        "_equal": "send a value within the bound",
        "_than": "send a value within the bound",
    }
    return next((fix for ending, fix in fixes.items() if kind.endswith(ending)), "see the contract: council schema")


def _path(loc: tuple[str | int, ...], tree: Any) -> str:
    # pydantic puts union tags such as "faction_delta" into the location; they are not in the document.
    kept: list[str | int] = []
    node = tree
    for position, segment in enumerate(loc):
        is_last = position == len(loc) - 1
        if isinstance(node, dict) and isinstance(segment, str) and (segment in node or is_last):
            kept.append(segment)
            node = node.get(segment)
        elif isinstance(node, list) and isinstance(segment, int) and segment < len(node):
            kept.append(segment)
            node = node[segment]
    return pointer(*kept)


def _dangling_references(request: DecisionRequest) -> Iterator[Fault]:
    snapshot = request.world_snapshot
    known_by_kind: dict[str, Collection[str]] = {
        "faction": snapshot.factions,
        "territory": snapshot.territories,
        "meter": snapshot.meters,
    }

    def missing(kind: str, name: str, *segments: str | int) -> Iterator[Fault]:
        known = known_by_kind[kind]
        if name not in known:
            plural = {"faction": "factions", "territory": "territories", "meter": "meters"}[kind]
            where = f"name one that /world_snapshot/{plural} has ({did_you_mean(name, list(known))})"
            yield Fault(pointer("proposed_change", *segments), f"{kind} is not in the snapshot", where)

    actor = request.proposed_change.actor
    if actor is not None and actor.faction_id is not None:
        yield from missing("faction", actor.faction_id, "actor", "faction_id")
    for index, effect in enumerate(request.proposed_change.effects):
        at = ("effects", index)
        if isinstance(effect, FactionDelta):
            yield from missing("faction", effect.faction_id, *at, "faction_id")
        elif isinstance(effect, MeterDelta):
            yield from missing("meter", effect.meter, *at, "meter")
        elif isinstance(effect, TerritoryTransfer):
            yield from missing("territory", effect.territory_id, *at, "territory_id")
            yield from missing("faction", effect.to, *at, "to")
            territory = snapshot.territories.get(effect.territory_id)
            if territory is not None and territory.controller != effect.from_:
                fix = "send the controller that /world_snapshot/territories names, or a fresh snapshot"
                yield Fault(pointer("proposed_change", *at, "from"), "does not control the territory", fix)
