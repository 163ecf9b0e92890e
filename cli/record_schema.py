"""The JSON Schema of a record (`council.record/1`), around those of the request and the answer that it holds.

The record is written by `council.record` as plain JSON; this is its description for readers outside. A test validates
real records against it.
"""

from typing import Any, Final

from cli.heard_schema import heard_schema
from policies.verdicts import ABSTENTIONS, DECISION_TYPES, MEMBERS, REALM_MODES, RULE_MODES, RULE_OUTCOMES, VERDICTS

SCHEMA: Final = "council.record/1"
"""Same as `council.record.SCHEMA`, whose module would load the whole council; a test holds the two together."""
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_HASH: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_FRACTION: Final = {"type": "string", "pattern": "^[0-9]+(/[0-9]+)?$", "description": "An exact fraction."}
_VERDICT: Final = {"enum": list(VERDICTS)}
_PATH: Final = {"enum": ["fast", "council", "veto"]}
_MEMBERS: Final = {"type": "array", "items": {"enum": list(MEMBERS)}}


def record_schema(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a record, given those of its request and answer (their definitions under `$defs`)."""
    return _object(
        {
            "schema": {"const": SCHEMA},
            "decision_id": _TEXT,
            "realm_id": _TEXT,
            "decision_type": {"enum": list(DECISION_TYPES)},
            "request_key": _TEXT,
            "fingerprint": {**_HASH, "description": "SHA-256 of the request without its transport fields."},
            "correlation_id": _TEXT,
            "recorded_at": {"type": "string", "format": "date-time"},
            "elapsed_ms": {"type": "integer", "minimum": 0},
            "policy": _object({"id": _TEXT, "version": {"type": "integer"}, "hash": _HASH}),
            "mode": {"enum": list(REALM_MODES)},
            "request": request,
            "path": _PATH,
            "invoked_by": {**_TEXTS, "description": "Invocation rules that held; empty on the fast path."},
            "seated": _MEMBERS,
            "evidence": {"type": "array", "items": _signal()},
            "rules": {"type": "array", "items": _rule()},
            "merge": {"anyOf": [_merge(), {"type": "null"}]},
            "modifications": {"anyOf": [_modifications(), {"type": "null"}]},
            "shadows": {"type": "array", "items": _shadow()},
            "held": {"type": "boolean", "description": "Whether the case waits for a person."},
            "council_verdict": _VERDICT,
            "answer": _without(answer, "record"),
            "models": heard_schema(),
        },
        optional=("correlation_id", "models"),
    )


def _signal() -> dict[str, Any]:
    pointers = {**_TEXTS, "description": "JSON pointers into the request."}
    return _object({"name": _TEXT, "value": {"type": "integer"}, "from": pointers})


def _rule() -> dict[str, Any]:
    return _object(
        {
            "rule": _TEXT,
            "outcome": {"enum": list(RULE_OUTCOMES)},
            "mode": {"enum": list(RULE_MODES)},
            "fired": {"type": "boolean"},
            "because": _TEXT,
            "missing": _TEXTS,
            "error": _TEXT,
        },
        optional=("because", "missing", "error"),
    )


def _merge() -> dict[str, Any]:
    term = _object(
        {
            "member": _TEXT,
            "weight": _FRACTION,
            "confidence": {
                "type": "integer",
                "minimum": 0,
                "maximum": 1000,
                "description": "What the vote claimed, where the policy's calibration says what that is worth: the unit.",
            },
            "unit": {"type": "integer", "minimum": 0, "maximum": 1000},
            "counted_at": _VERDICT,
            "voted": {"type": "boolean"},
            "abstained": {"enum": list(ABSTENTIONS)},
        },
        optional=("confidence", "abstained"),
    )
    return _object(
        {
            "rule": {"enum": ["quota", "plurality", "median", "strictest"]},
            "verdict": _VERDICT,
            "decided_by": {"enum": ["veto", "floor", "votes", "want_of_votes"]},
            "confidence": _FRACTION,
            "coverage": _FRACTION,
            "quorum": _FRACTION,
            "shares": _object(dict.fromkeys(VERDICTS, _FRACTION)),
            "quotas": _object(dict.fromkeys(VERDICTS[1:], _FRACTION)),
            "tags": _TEXTS,
            "votes_outcome": {"enum": [*VERDICTS, None]},
            "rules_outcome": {"enum": [*RULE_OUTCOMES, None]},
            "terms": {"type": "array", "items": term},
        }
    )


def _modifications() -> dict[str, Any]:
    required = {"type": "array", "items": {"$ref": "#/$defs/RequiredModification"}}
    rules = {"type": "array", "items": _rule()}
    return _object({"required": required, "contradictions": _TEXTS, "rules_on_modified": rules})


def _shadow() -> dict[str, Any]:
    return _object(
        {
            "id": _TEXT,
            "version": {"type": "integer"},
            "hash": _HASH,
            "verdict": _VERDICT,
            "path": _PATH,
            "confidence": _FRACTION,
        }
    )


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _without(schema: dict[str, Any], field: str) -> dict[str, Any]:
    properties = {name: value for name, value in schema["properties"].items() if name != field}
    required = [name for name in schema["required"] if name != field]
    return {**schema, "properties": properties, "required": required}
