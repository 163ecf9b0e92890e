"""The JSON Schema of the lines of an export (`council.export/1`), around that of the records in it.

Its lines are written by `evals.export_lines`; a test validates real exports against it.
"""

from typing import Any, Final, get_args

from evals.decisions import AXES
from evals.export_lines import EXPORT_SCHEMA, Replies, Summaries
from policies.verdicts import VERDICTS

_TEXT: Final = {"type": "string"}
_NAMED: Final = {"type": "string", "minLength": 1}
_MOMENT: Final = {"type": "string", "format": "date-time", "pattern": "^.{10}T.{8}\\.[0-9]{3}Z$"}
_HASH: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_LINK: Final = {
    "type": "string",
    "pattern": "^([0-9a-f]{64})?$",
    "description": "SHA-256, 64 zeros before the first record; empty in a redacted export, which proves nothing.",
}
_COUNT: Final = {"type": "integer", "minimum": 0}


def export_schema() -> dict[str, Any]:
    """Return the schema of one line; that of a record stands under `$defs` as `Record`."""
    return {
        "description": "One line of an export: a header, policies before the decisions that name them, an end line.",
        "oneOf": [_header(), _policy(), _decision(), _end()],
    }


def _header() -> dict[str, Any]:
    redaction = _object(
        {
            "method": _TEXT,
            "replies": {"enum": list(get_args(Replies))},
            "summaries": {"enum": list(get_args(Summaries))},
        }
    )
    return _object(
        {
            "kind": {"const": "header"},
            "schema": {"const": EXPORT_SCHEMA},
            "redacted": {"anyOf": [{"const": False}, redaction]},
            "realm": {"type": ["string", "null"], "description": "The one realm that was exported; null for all."},
            "after": {**_COUNT, "description": "Position that every chain starts behind."},
        }
    )


def _policy() -> dict[str, Any]:
    document = {"type": "object", "description": "The policy with every default written out."}
    return _object({"kind": {"const": "policy"}, "hash": _HASH, "document": document})


def _decision() -> dict[str, Any]:
    label = _object(
        {
            "labeller": _NAMED,
            "verdict": {"enum": list(VERDICTS)},
            "labelled_at": _MOMENT,
            "axis": {"enum": list(AXES)},
            "note": _NAMED,
        },
        optional=("axis", "note"),
    )
    outcome = _object(
        {"reporter": _NAMED, "outcome": _NAMED, "reported_at": _MOMENT, "note": _NAMED}, optional=("note",)
    )
    return _object(
        {
            "kind": {"const": "decision"},
            "realm_id": _TEXT,
            "position": {"type": "integer", "minimum": 1},
            "hash": _LINK,
            "previous": _LINK,
            "body": {"$ref": "#/$defs/Record"},
            "labels": {"type": "array", "items": label, "minItems": 1},
            "outcomes": {"type": "array", "items": outcome, "minItems": 1},
        },
        optional=("labels", "outcomes"),
    )


def _end() -> dict[str, Any]:
    return _object({"kind": {"const": "end"}, "decisions": _COUNT, "policies": _COUNT})


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
