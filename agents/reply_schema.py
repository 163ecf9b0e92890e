"""The form of a model's reply: strict JSON Schema, evidence first and the verdict last, so that it follows from the reasons.

A model writes its reply in the order of the schema's properties. Only what OpenAI's strict mode, vLLM, LM Studio and Ollama all
take is used: every field required, nothing else allowed, no defaults, no union but with null, arrays bounded. What a
schema cannot say (an effect that exists, a bound that helps) is checked by `agents.parsing`, which trusts no endpoint.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from agents.conditions import ACTIONS, FIELDS
from agents.facts import names_shown
from policies.contracts.base import MAX_EFFECTS
from policies.verdicts import VERDICTS, Member

MAX_FINDINGS: Final = 7
MAX_CLAIMS: Final = 8
MAX_CITED: Final = 8
"""Signals that one claim cites."""
MAX_MODIFICATIONS: Final = MAX_EFFECTS
REPLY_FIELDS: Final = ("findings", "reasoning", "modifications", "claims", "verdict", "confidence")
FINDING_FIELDS: Final = ("evidence", "says")
MODIFICATION_FIELDS: Final = ("effect", "action", "field", "bound", "value", "because")
CLAIM_FIELDS: Final = ("rule", "evidence")

_TEXT: Final = {"type": "string"}


@lru_cache(maxsize=8)
def reply_schema(member: Member) -> Mapping[str, Any]:
    """Return the schema of a member's reply: the same for every case, so that an endpoint compiles it once."""
    cited = {"type": "string", "enum": list(names_shown(member))}
    finding = _object(FINDING_FIELDS, {"evidence": cited, "says": _TEXT})
    claim = _object(CLAIM_FIELDS, {"rule": _TEXT, "evidence": _array(cited, MAX_CITED)})
    fields = {
        "findings": _array(finding, MAX_FINDINGS),
        "reasoning": _TEXT,
        "modifications": _array(_modification(), MAX_MODIFICATIONS),
        "claims": _array(claim, MAX_CLAIMS),
        "verdict": {"type": "string", "enum": list(VERDICTS)},
        "confidence": {"type": "number", "description": "from 0 to 1"},
    }
    return _object(REPLY_FIELDS, fields)


def _modification() -> dict[str, Any]:
    fields = {
        "effect": {"type": "integer"},
        "action": {"type": "string", "enum": list(ACTIONS)},
        "field": {"type": ["string", "null"], "enum": [*FIELDS, None]},
        "bound": {"type": ["number", "null"]},
        "value": {"type": ["string", "null"]},
        "because": _TEXT,
    }
    return _object(MODIFICATION_FIELDS, fields)


def _array(items: Mapping[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


def _object(order: tuple[str, ...], fields: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: fields[name] for name in order}
    return {"type": "object", "properties": properties, "required": list(order), "additionalProperties": False}
