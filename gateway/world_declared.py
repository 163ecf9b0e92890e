"""The problems that the world's endpoints declare in the OpenAPI document: meanings, headers, and examples of each."""

from typing import Any, Final

import orjson

from gateway.examples import CORRELATION_ID
from gateway.identity_problems import FORBIDDEN, FOREIGN_REALM, refused
from gateway.identity_tokens import Reason
from gateway.problems import (
    DEFECT,
    NO_DECISION,
    NOT_JSON,
    SLOW_BODY,
    Problem,
    invalid_parameters,
    problem_of,
    too_large,
)
from gateway.rate_limits import Limited, too_often
from gateway.world_problems import (
    ACTION_KEY,
    BATCH_KEY,
    HELD_ELSEWHERE,
    IN_REVIEW,
    KEY_CONFLICT,
    NO_ACT,
    NO_REALM,
    UNKNOWN_REALM,
    WRONG_ANSWER,
    already_ruled,
    bad_signature,
    rejected,
    sovereign_refused,
    world_problem_of,
    wrong_tick,
)
from policies.faults import Fault, InvalidInputError
from world.errors import MovedOnError, StoreUnavailableError
from world.realm.sovereign import Refusal
from world.review.port import ReviewUnavailableError


def _of(error: Exception) -> Problem:
    found = world_problem_of(error) or problem_of(error)
    assert found is not None
    return found


_REJECTED: Final = {
    "event_id": "e-7",
    "state": "rejected",
    "normalized_points": None,
    "territory_id": None,
    "reasons": [
        {
            "kind": "foreign_points",
            "told": "base_points is not what the catalogue says of this action",
            "fix": "send 20: only the server scores",
            "path": "/base_points",
        }
    ],
    "anomaly": {"score": 0, "terms": {}},
    "is_repeat": False,
    "retry_after_s": None,
}
_PROBLEMS: Final[dict[int, tuple[Problem, ...]]] = {
    400: (_of(InvalidInputError([Fault("", "an object repeats a key", "give every key once")])), BATCH_KEY, ACTION_KEY),
    401: (refused(Reason.MISSING), refused(Reason.MISSING, is_internal=True), bad_signature("sign the bytes as sent")),
    403: (FORBIDDEN, FOREIGN_REALM),
    404: (
        NO_REALM,
        NO_DECISION,
        NO_ACT,
        sovereign_refused(Refusal("unknown_action", "", "read the realm's sovereign actions")),
    ),
    408: (SLOW_BODY,),
    409: (
        HELD_ELSEWHERE,
        wrong_tick(1_042),
        _of(MovedOnError("realm-1", "snap-1042", "snap-1043")),
        IN_REVIEW,
        already_ruled("accepted", "released by ana: seen in the replay"),
        sovereign_refused(Refusal("cooldown", "the faction did this too recently", "from tick 193 on")),
    ),
    413: (too_large(1_048_576),),
    415: (NOT_JSON,),
    422: (
        invalid_parameters([Fault("/limit", "input should be less than or equal to 500")]),
        UNKNOWN_REALM,
        KEY_CONFLICT,
        WRONG_ANSWER,
        rejected(_REJECTED),
        sovereign_refused(Refusal("unknown_kind", "", "did you mean 'annexation'?")),
    ),
    429: (too_often(Limited(2, "user")),),
    500: (DEFECT,),
    503: (_of(StoreUnavailableError("locked")), _of(ReviewUnavailableError("timeout", "d-1"))),
}
_MEANINGS: Final = {
    400: "The body is not one strict JSON document, or a header cannot be used.",
    401: "The token, or the body's signature, is missing or not good.",
    403: "The caller's role does not allow it, or its token is for another realm.",
    404: "There is no such realm, decision, act or sovereign action.",
    408: "The body did not arrive in time.",
    409: "Somebody else was first, or the realm stands elsewhere; nothing was done.",
    413: "The body is too large.",
    415: "The body is not declared as plain JSON.",
    422: "What was sent is not valid, or does not count; every fault is listed.",
    429: "Too many acts of one user, device or session; they were not entered.",
    500: "A defect of the service; nothing was acknowledged.",
    503: "The store or the council cannot be reached now; send the same request again.",
}
RETRY: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_HEADERS: Final[dict[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": {"description": "What is asked for.", "schema": {"type": "string"}}},
    403: {"WWW-Authenticate": {"description": "What is asked for.", "schema": {"type": "string"}}},
    429: RETRY,
    503: RETRY,
}
CORRELATION: Final = {
    "X-Correlation-Id": {"description": "The id to look for in logs.", "schema": {"type": "string"}},
}
_TEXT: Final = {"schema": {"type": "string"}}
KEPT: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "As the realm stands.",
        "headers": {
            "ETag": {"description": "Strong tag of what is shown: send it as If-None-Match.", **_TEXT},
            "Cache-Control": {"description": "Whether anybody may keep it, and whether it ever changes.", **_TEXT},
            **CORRELATION,
        },
    },
    304: {"description": "What the caller has (If-None-Match) still holds."},
}
"""Declarations of answers that carry a tag."""
TAGGED: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "Tags of what the caller has.",
            "schema": {"type": "string"},
        }
    ]
}
"""What requests may carry for such an answer."""


def body_declared(model: str) -> dict[str, Any]:
    """Return the OpenAPI declaration of a body that is read by hand, strictly."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
    return {"requestBody": {"required": True, "content": content}}


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI declarations of problem responses, 500 among them."""
    return {status: _declared(status) for status in (*statuses, 500)}


def _declared(status: int) -> dict[str, Any]:
    examples = {
        problem.slug: {"summary": problem.title, "value": orjson.loads(problem.document(CORRELATION_ID))}
        for problem in _PROBLEMS[status]
    }
    return {
        "description": _MEANINGS[status],
        "headers": {**CORRELATION, **_HEADERS.get(status, {})},
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemShown"},
                "examples": examples,
            }
        },
    }
