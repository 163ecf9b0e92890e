"""What the story's endpoints declare in the OpenAPI document: examples, and the problems that are theirs beside the world's."""

from typing import Any, Final

import orjson

from gateway.examples import CORRELATION_ID
from gateway.problems import Problem
from gateway.rate_limits import Limited, too_many_chapters
from gateway.story_problems import NO_STORY, conflict
from gateway.world_declared import CORRELATION, RETRY
from gateway.world_declared import declared as world_declared

BEGUN: Final[dict[str, Any]] = {
    "story_id": "s-123",
    "realm_id": "realm-1",
    "user_id": "u-123",
    "hero": {
        "name": "Linh",
        "place": "contested-borderlands",
        "archetype": "seeker",
        "language": "en",
        "faction_id": "free_cities",
    },
}
"""The first plan of a story."""
CLOSED: Final[dict[str, Any]] = {
    "outcome": {
        "deeds": [
            {
                "action_type": "patrol_complete",
                "faction_id": "free_cities",
                "territory_id": "contested-borderlands",
                "risk": 3,
            }
        ],
        "tags": ["empire_encounter"],
        "losses": 10,
        "player": {"notoriety": 12},
    }
}
"""The end of its first chapter."""
_PROBLEMS: Final[dict[int, Problem]] = {
    404: NO_STORY,
    409: conflict("chapter 1 was closed with another outcome"),
    429: too_many_chapters(Limited(6, "user")),
}
_MEANINGS: Final = {
    404: "There is no such story.",
    409: "Another chapter is due, or it was closed otherwise.",
    429: "Too many chapters were planned for this user; nothing was told.",
}


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI declarations of problem responses, 500 among them."""
    found = world_declared(*[status for status in statuses if status not in _PROBLEMS])
    return {**found, **{status: _declared(_PROBLEMS[status]) for status in statuses if status in _PROBLEMS}}


def not_found(problem: Problem) -> dict[int | str, dict[str, Any]]:
    """Return the declaration of a 404 of its own."""
    return {404: _declared(problem)}


def body(model: str, example: dict[str, Any], summary: str) -> dict[str, Any]:
    """Return the declaration of a body with an example of it."""
    content = {
        "schema": {"$ref": f"#/components/schemas/{model}"},
        "examples": {"example": {"summary": summary, "value": example}},
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _declared(problem: Problem) -> dict[str, Any]:
    status = problem.status
    example = {"summary": problem.title, "value": orjson.loads(problem.document(CORRELATION_ID))}
    return {
        "description": _MEANINGS[status],
        "headers": {**CORRELATION, **(RETRY if status == 429 else {})},
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemShown"},
                "examples": {problem.slug: example},
            }
        },
    }
