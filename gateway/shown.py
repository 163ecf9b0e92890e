"""What the HTTP endpoints return, as models: the OpenAPI document is made from them."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from gateway.examples import problem_examples
from policies.contracts.answer import Answer
from policies.verdicts import DecisionType, Path, Verdict


class Shown(BaseModel):
    """Base of what endpoints return."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class DecisionSummary(Shown):
    """One decision as a listing shows it."""

    decision_id: str
    realm_id: str
    position: Annotated[int, Field(ge=1)]
    """Place in the realm's chain, from 1 without gaps."""
    hash: str
    """SHA-256 of the record in its chain."""
    recorded_at: str
    """ISO 8601, UTC."""
    decision_type: DecisionType
    verdict: Verdict
    path: Path
    held: bool
    """Whether the case waits for a person."""
    policy_hash: str
    correlation_id: str | None


class DecisionShown(DecisionSummary):
    """One decision with everything that replay needs."""

    previous: str
    """Hash of the realm's record before; 64 zeros for the first."""
    answer: Answer
    """What the caller was answered."""
    record: dict[str, Any]
    """The record, as `council schema record` describes it."""


class DecisionPage(Shown):
    """One page of decisions, newest first."""

    decisions: list[DecisionSummary]
    next: str | None
    """Send it as `cursor` for the page after; null on the last page."""


class PendingShown(Shown):
    """A verdict that is still being made."""

    status: Annotated[str, Field(pattern="^pending$")]
    decision_id: str


class ReadyShown(Shown):
    """A probe's answer."""

    status: str
    """live; ready; or degraded: cases are decided and recorded, but some members' models do not answer."""
    resting_endpoints: tuple[str, ...] | None = None
    """Model endpoints that are left alone for now; only where there are any."""


class FaultShown(Shown):
    """One thing wrong with what was sent."""

    path: str
    """JSON pointer to it; "*" stands for a segment that is no plain identifier."""
    message: str
    fix: str | None = None


class ProblemShown(BaseModel):
    """A problem document (RFC 9457). It never repeats what was sent."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    type: str
    """What kind of problem, a URN."""
    title: str
    status: int
    detail: str | None = None
    correlation_id: str
    """The id to look for in logs."""
    faults: list[FaultShown] | None = None
    known_realms: list[str] | None = None
    decision_id: str | None = None


_MEANINGS: Final = {
    400: "The body is not one strict JSON object, or a header cannot be used.",
    401: "The token is missing or not good.",
    403: "No role of the token allows this, or the token is for another realm.",
    404: "No decision of this id is on record.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not declared as plain JSON.",
    422: "What was sent is not valid; every fault is listed.",
    500: "A defect of the council; nothing was acknowledged.",
    503: "The record store cannot be used now, or too much is under way; send the same request again.",
}
_CORRELATION: Final = {
    "X-Correlation-Id": {"description": "The id to look for in logs.", "schema": {"type": "string"}},
}
_HEADERS: Final[dict[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": {"description": "Bearer.", "schema": {"type": "string"}}},
    403: {"WWW-Authenticate": {"description": "Bearer, with what is missing.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
}


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI declarations of problem responses, 500 among them."""
    return {status: _declared(status) for status in (*statuses, 500)}


def _declared(status: int) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/ProblemShown"}, "examples": problem_examples(status)}
    return {
        "description": _MEANINGS[status],
        "headers": {**_CORRELATION, **_HEADERS.get(status, {})},
        "content": {"application/problem+json": content},
    }
