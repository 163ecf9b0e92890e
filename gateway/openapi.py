"""The OpenAPI document: made from the models, with what no framework describes, the review endpoint and the feed, written out."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from gateway.examples import ANSWER, DECISION_ID, REQUEST
from gateway.feed_declared import feed_paths
from gateway.feed_routes import STREAM, TICKET
from gateway.review_endpoint import PATH
from gateway.shown import PendingShown, ProblemShown, declared
from gateway.story_asked import CloseAsked, PlanAsked
from gateway.world_asked import ActsAsked, ApplyAsked, ObjectionAsked, RulingAsked, SovereignAsked, TickAsked
from policies.contracts.answer import Answer
from policies.contracts.request import DecisionRequest

VERSION: Final = "1.0.0"
"""Version of the HTTP interface, apart from the product's."""
_REF: Final = "#/components/schemas/{model}"
_ID: Final = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"^[A-Za-z0-9_.:@/+\-]+$"}
_ASKED: Final = (ActsAsked, TickAsked, ApplyAsked, RulingAsked, SovereignAsked, ObjectionAsked, PlanAsked, CloseAsked)
_ABOUT: Final = (
    "Decides whether a high-impact change to a shared game world may happen, and records why. Errors are RFC 9457 problem"
    " documents; they never repeat what was sent. Every response carries X-Correlation-Id."
)


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the application."""
    document = get_openapi(
        title="World Council", version=VERSION, openapi_version="3.1.0", description=_ABOUT, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for framework_model in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework_model, None)
    wire = [(DecisionRequest, "validation"), (Answer, "serialization"), (PendingShown, "serialization")]
    _, definitions = models_json_schema([*wire, (ProblemShown, "serialization")], ref_template=_REF)  # type: ignore[list-item]  # the mode is a Literal
    schemas.update(definitions["$defs"])
    # Apart: an answer that is sent would otherwise get another name than one that is returned.
    _, asked = models_json_schema([(model, "validation") for model in _ASKED], ref_template=_REF)
    for name, schema in asked["$defs"].items():
        schemas.setdefault(name, schema)
    components["securitySchemes"] = {
        "service_token": {
            "type": "http",
            "scheme": "bearer",
            "description": "COUNCIL_SERVICE_TOKEN of the service, or a JWT for council:internal.",
        },
        "user_token": {"type": "http", "scheme": "bearer", "description": "A user's JWT for council:user."},
    }
    document["paths"][PATH] = {"post": _review()}
    if any(getattr(route, "path", None) == STREAM for route in app.routes):
        document["paths"].update(feed_paths())
    for path, item in document["paths"].items():
        for operation in item.values():
            operation["security"] = _security(path)
    metrics = document["paths"]["/metrics"]["get"]["responses"]["200"]
    metrics["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return document


def _security(path: str) -> list[dict[str, list[str]]]:
    """Return whose token a path takes; an empty one among several means that it may be left out."""
    if path.startswith("/internal/"):
        return [{"service_token": []}]
    if not path.startswith("/api/"):
        return []
    is_own = path.endswith("/me") or path == TICKET or path.startswith("/api/story/")
    return [{"user_token": []}] if is_own else [{}, {"user_token": []}]


def _review() -> dict[str, Any]:
    problems = {str(status): told for status, told in declared(400, 401, 403, 408, 413, 415, 422, 503).items()}
    return {
        "tags": ["decisions"],
        "operationId": "review",
        "summary": "Review a change",
        "description": (
            "Decides one request and answers once its record is committed. The same key and body always get the same"
            " bytes; the same key with another body is refused. Where `deadline_ms` passes first, the answer is 202, the"
            " decision goes on, and Location tells where it will stand."
        ),
        "parameters": [
            _header("Idempotency-Key", "One key per decision; the body's `request_id` means the same.", _ID),
            _header("X-Correlation-Id", "Written to the log and the record, and sent back.", {"type": "string"}),
            _header("traceparent", "W3C trace context: its trace id serves where no id is sent.", {"type": "string"}),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": _REF.format(model="DecisionRequest")},
                    "examples": {"canon_break": {"summary": "A change that breaks canon", "value": REQUEST}},
                }
            },
        },
        "responses": {"200": _decided(), "202": _pending(), **problems},
    }


def _decided() -> dict[str, Any]:
    replayed = {"description": "true where the answer was on record.", "schema": {"const": "true", "type": "string"}}
    return {
        "description": "The verdict, recorded.",
        "headers": {
            "Idempotent-Replayed": replayed,
            "X-Correlation-Id": _text("The id to look for in logs."),
            "Retry-After": _text(
                "Only where models could not be reached and the case is held for want of votes: seconds after which it may"
                " be sent again, under another key."
            ),
        },
        "content": {
            "application/json": {
                "schema": {"$ref": _REF.format(model="Answer")},
                "examples": {"canon_break": {"summary": "The change breaks canon", "value": ANSWER}},
            }
        },
    }


def _pending() -> dict[str, Any]:
    return {
        "description": "The deadline passed; the decision goes on.",
        "headers": {
            "Location": _text("Where the decision will stand."),
            "Retry-After": _text("Seconds to wait before asking."),
        },
        "content": {
            "application/json": {
                "schema": {"$ref": _REF.format(model="PendingShown")},
                "examples": {"pending": {"value": {"status": "pending", "decision_id": DECISION_ID}}},
            }
        },
    }


def _text(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}
