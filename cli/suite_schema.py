"""The JSON Schemas of suites and of the lines of run logs: what editors and other programs check them by.

The suite's says what stands where; that its names exist and that its expectations can hold only `council eval run` knows.
"""

from typing import Any, Final, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

from evals.decisions import AXES
from evals.results import RUN_SCHEMA, CaseResult, Gate, RunHeader
from evals.suite import SUITE_SCHEMA
from evals.suite_expectations import FIELDS, PATHS
from policies.verdicts import DECISION_TYPES, VERDICTS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_ID: Final = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"}
_EXACT: Final = {"type": ["integer", "string"], "description": 'a whole number, "0.4" or "2/5"'}
_LABEL: Final = {"enum": [*VERDICTS]}
_REQUEST: Final = {"type": "object", "description": "a decision request: council schema request"}
_NAMES: Final = {"type": "array", "items": {"type": "string"}}


def suite_schema() -> dict[str, Any]:
    """Return the schema of a suite's file, included files among them."""
    case, query = _case(), _query()
    cases = {"type": "array", "items": {"$ref": "#/$defs/case"}}
    bases = {"type": "object", "additionalProperties": {"$ref": "#/$defs/base"}}
    suite = _object(
        {
            "schema": {"const": SUITE_SCHEMA},
            "id": {"type": "string", "maxLength": 80},
            "version": {"type": "integer", "minimum": 1},
            "about": {"type": "string"},
            "policy": {"type": "string", "description": "policy file, relative to this one"},
            "gates": {"type": "array", "maxItems": 100, "items": {"type": "string", "examples": ["accuracy >= 0.9"]}},
            "include": {**_NAMES, "maxItems": 64},
            "bases": bases,
            "cases": cases,
            "queries": {"type": "array", "items": {"$ref": "#/$defs/query"}},
        },
        ["schema", "id", "version"],
    )
    included = _object({"schema": {"const": SUITE_SCHEMA}, "bases": bases, "cases": cases}, [])
    definitions = {"base": _base(), "case": case, "expect": _expect(), "query": query}
    return {
        "$schema": DIALECT,
        "$id": "council.suite",
        "title": "Suite",
        "anyOf": [suite, included],
        "$defs": definitions,
    }


def run_schema() -> dict[str, Any]:
    """Return the schema of one line of a run log."""
    end = {"results": {"type": "integer", "minimum": 0}, "gates": {"type": "array", "items": _named(Gate)}}
    lines = [
        _line("run", {"schema": {"const": RUN_SCHEMA}}, _named(RunHeader)),
        _line("result", {}, _named(CaseResult)),
        _line("end", {}, _object(end, [*end])),
    ]
    return {"$schema": DIALECT, "$id": "council.run", "title": "RunLogLine", "oneOf": lines, "$defs": {}}


def _line(kind: str, more: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    properties = {"kind": {"const": kind}, **more, **fields["properties"]}
    return _object(properties, ["kind", *more, *fields["required"]])


def _named(kind: type[Any]) -> dict[str, Any]:
    """Return the schema of a NamedTuple as logs hold it: an object of its fields."""
    hints = get_type_hints(kind)
    required = [name for name in hints if name not in kind._field_defaults]
    return _object({name: _typed(hint) for name, hint in hints.items()}, required)


def _typed(hint: Any) -> dict[str, Any]:
    items = get_args(hint)
    if get_origin(hint) is tuple and hasattr(items[0], "_fields"):
        return {"type": "array", "items": _named(items[0])}
    return TypeAdapter(hint).json_schema()


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**found, "required": required} if required else found


def _base() -> dict[str, Any]:
    either = _object({"file": {"type": "string"}, "request": _REQUEST}, [])
    return {**either, "minProperties": 1, "maxProperties": 1}


def _case() -> dict[str, Any]:
    entry = _object(
        {
            "id": _ID,
            "about": {"type": "string", "maxLength": 300, "description": "what happens, one line"},
            "reason": {"type": "string", "description": "why the label is right"},
            "label": _LABEL,
            "axis": {"enum": [*AXES]},
            "tags": {**_NAMES, "uniqueItems": True},
            "base": {"type": "string"},
            "request": _REQUEST,
            "file": {"type": "string", "description": "JSON file of a request, relative to this one"},
            "set": {
                "type": "object",
                "propertyNames": {"pattern": "^/."},
                "description": 'JSON pointer → value; "/list/-" appends, null removes',
            },
            "expect": {"$ref": "#/$defs/expect"},
        },
        ["id", "about"],
    )
    one_source = [{"required": [source]} for source in ("base", "request", "file")]
    return {**entry, "oneOf": one_source, "dependentRequired": {"label": ["reason"]}}


def _query() -> dict[str, Any]:
    time = {"type": "string", "examples": ["2026-03-01", "2026-03-01T12:00:00Z"]}
    where = _object(
        {
            "realm": {"type": "string"},
            "decision_type": {"enum": [*DECISION_TYPES]},
            "verdict": _LABEL,
            "path": {"enum": [*PATHS]},
            "policy": {"type": "string", "pattern": "^[0-9a-f]{6,64}$"},
            "labelled": {"type": "boolean"},
            "since": time,
            "until": time,
        },
        [],
    )
    return _object(
        {
            "id": _ID,
            "about": {"type": "string"},
            "axis": {"enum": [*AXES]},
            "tags": {**_NAMES, "uniqueItems": True},
            "where": where,
            "limit": {"type": "integer", "minimum": 1},
            "expect": {"$ref": "#/$defs/expect"},
        },
        ["id"],
    )


def _expect() -> dict[str, Any]:
    exactly = {**_object({"exactly": _NAMES}, []), "required": ["exactly"]}
    none = {**_object({"none": {"const": True}}, []), "required": ["none"]}
    band = {**_object({"min": _EXACT, "max": _EXACT}, []), "minProperties": 1}
    modification = _object(
        {
            "effect": {"type": "integer", "minimum": 0},
            "drop": {"const": True},
            "field": {"enum": [*FIELDS]},
            "max": {"type": "number"},
            "min": {"type": "number"},
            "value": {},
        },
        ["effect"],
    )
    verdicts = {"type": "array", "minItems": 1, "items": _LABEL}
    return _object(
        {
            "verdict": {"anyOf": [{"enum": [*VERDICTS, "label"]}, verdicts]},
            "vetoes": {"anyOf": [_NAMES, exactly, none]},
            "path": {"enum": [*PATHS]},
            "evidence": _NAMES,
            "modifications": {"type": "array", "items": modification},
            "confidence": band,
            "cost_usd": band,
            "latency_ms": band,
        },
        [],
    )
