"""The JSON Schema of what models said: the part `models` of a record (`council.record/1`)."""

from typing import Any, Final, get_args

from council.opinions import Why
from policies.verdicts import ABSTENTIONS, MEMBERS, VERDICTS

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_SLOT: Final[dict[str, Any]] = {"member": {"enum": list(MEMBERS)}, "round": {"enum": [1, 2]}}
_KIND: Final = {"enum": [*ABSTENTIONS, None]}


def heard_schema() -> dict[str, Any]:
    """Return the schema of what models said and what the council made of it."""
    return _object(
        {
            "replies": {
                "type": "array",
                "items": _reply(),
                "description": "Raw: replay reads the votes from them again.",
            },
            "opinions": {"type": "array", "items": _opinion(), "description": "Per round, one per seated member."},
        }
    )


def _reply() -> dict[str, Any]:
    attempt = {"raw": {"type": ["string", "null"]}, "failed": _KIND, "because": _TEXT, "latency_ms": _COUNT}
    usage = {"input": _COUNT, "cached": _COUNT, "output": _COUNT, "is_estimated": {"type": "boolean"}}
    return _object(
        {
            **_SLOT,
            "variant": {"enum": ["full", "twin"], "description": "twin: asked without the texts that players wrote."},
            "prompt": {**_TEXT, "description": "Name and version, such as lore/1; empty where nobody was asked."},
            "prompt_hash": {**_TEXT, "description": "SHA-256 of the prompt's static text."},
            "model": {**_TEXT, "description": "Endpoint and model, as the policy names them."},
            "parameters": {"type": "object"},
            "request_hash": {**_TEXT, "description": "SHA-256 of the messages."},
            "attempts": {"type": "array", "items": _object(attempt)},
            "failed": _KIND,
            "because": _TEXT,
            "usage": _object(usage),
            "picodollars": _COUNT,
            "is_priced": {"type": "boolean"},
            "latency_ms": _COUNT,
            "retry_after_s": _COUNT,
        },
        optional=("retry_after_s",),
    )


def _opinion() -> dict[str, Any]:
    vote = {"anyOf": [_vote(), {"type": "null"}]}
    return _object(
        {
            **_SLOT,
            "rule_vote": _vote(),
            "model_vote": vote,
            "twin_vote": vote,
            "counted": {"enum": ["rules", "model"]},
            "why": {"enum": list(get_args(Why))},
        }
    )


def _vote() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "member": {"enum": list(MEMBERS)},
            "verdict": {"enum": [*VERDICTS, None]},
            "confidence": {"type": "integer", "minimum": 0, "maximum": 1000},
            "source": {"enum": ["rules", "model"]},
            "abstained": {"enum": list(ABSTENTIONS)},
            "degraded": {"enum": list(ABSTENTIONS)},
            "reasons": {"type": "array"},
            "modifications": {"type": "array"},
            "claims": {"type": "array"},
        },
        "required": ["member", "verdict", "confidence", "source", "reasons", "modifications"],
        "additionalProperties": False,
    }


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
