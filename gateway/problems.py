"""Problem documents (RFC 9457): one table from error class to status, and nothing of the input in any of them.

A fault's path is shown only where its segments are plain identifiers or indices, "*" elsewhere: keys of a body are input too.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import orjson

from council.errors import DecisionPendingError, KeyConflictError, UnknownRealmError
from council.ledger.port import InvalidCursorError, LedgerUnavailableError, RecordRefusedError
from policies.faults import Fault, InvalidInputError

MEDIA_TYPE: Final = "application/problem+json"
MAX_FAULTS: Final = 32
"""Most faults that one problem lists."""
_PREFIX: Final = "urn:problem-type:council:"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}|\d{1,6}|")
# Suggestions name what the body itself holds ("did you mean", "known"): good on a command line, an echo here.
_SUGGESTION = re.compile(r" \((?:did you mean|known:).*\)$", re.DOTALL)


class Problem(NamedTuple):
    """One refusal or failure as the caller sees it."""

    slug: str
    """Last part of the problem's type URI."""
    status: int
    title: str
    detail: str = ""
    headers: Mapping[str, str] = {}
    more: Mapping[str, Any] = {}
    """Further members of the document."""

    def document(self, correlation_id: str) -> bytes:
        """Return the JSON document."""
        members: dict[str, Any] = {"type": _PREFIX + self.slug, "title": self.title, "status": self.status}
        if self.detail:
            members["detail"] = self.detail
        return orjson.dumps({**members, **self.more, "correlation_id": correlation_id})


UNAUTHORIZED: Final = Problem(
    "unauthorized",
    401,
    "the service token is missing or wrong",
    "send the header Authorization: Bearer with the token of COUNCIL_SERVICE_TOKEN",
    {"WWW-Authenticate": 'Bearer realm="council"'},
)
NOT_JSON: Final = Problem(
    "unsupported-media-type", 415, "the body is not declared as JSON", "send Content-Type: application/json"
)
ENCODED: Final = Problem(
    "unsupported-media-type",
    415,
    "the body is compressed",
    "send it without a Content-Encoding",
    {"Accept-Encoding": ""},
)
SLOW_BODY: Final = Problem(
    "request-timeout", 408, "the body did not arrive in time", "send it at once", {"Connection": "close"}
)
OVERLOADED: Final = Problem(
    "overloaded", 503, "too many reviews are under way", "send the same request again later", {"Retry-After": "1"}
)
BAD_KEY: Final = Problem(
    "invalid-header",
    400,
    "the header Idempotency-Key cannot be used",
    "send 1 to 128 letters, digits and . : @ / + - _, with or without quotes",
)
NOT_FOUND: Final = Problem("not-found", 404, "nothing is here", "GET /openapi.json lists what is")
NO_DECISION: Final = Problem(
    "decision-not-found",
    404,
    "no decision of this id is on record",
    "a decision that is under way appears here once its record is committed",
)
NOT_READY: Final = Problem(
    "not-ready",
    503,
    "reviews cannot be decided or recorded now",
    "the record store does not answer, or its schema is not the one this version writes",
    {"Retry-After": "1"},
)
DEFECT: Final = Problem(
    "internal-error",
    500,
    "this is a defect of the council, not of the request",
    "nothing was acknowledged; report it with the correlation id",
)


def too_large(max_bytes: int) -> Problem:
    """Return the problem of a body over the limit."""
    detail = f"send at most {max_bytes} bytes"
    return Problem("body-too-large", 413, "the body is too large", detail, {"Connection": "close"})


def http_problem(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem of a bare HTTP status."""
    if status == 404:
        return NOT_FOUND
    phrase = HTTPStatus(status).phrase.lower()
    return Problem(phrase.replace(" ", "-"), status, phrase, "", headers or {})


def invalid_parameters(faults: Sequence[Fault]) -> Problem:
    """Return the problem of query or path parameters that cannot be used."""
    return _faulty("invalid-parameters", 422, "the parameters are not valid", faults)


def problem_of(error: Exception) -> Problem | None:
    """Return the problem of an error that a caller can do something about; None for a defect of ours."""
    for kind, told in _TABLE.items():
        if isinstance(error, kind):
            return told(error)
    return None


def _invalid(error: Any) -> Problem:
    if all(fault.path == "" for fault in error.faults):
        return _faulty("unreadable-body", 400, "the body is not one strict JSON object", error.faults)
    return _faulty("invalid-request", 422, "the body is not a valid decision request", error.faults)


def _unknown_realm(error: Any) -> Problem:
    detail = "send the id of a realm that the policy names"
    return Problem("unknown-realm", 422, "the policy knows no such realm", detail, {}, {"known_realms": error.known})


def _key_conflict(error: Any) -> Problem:
    detail = "send a new key, or the same body as before"
    title = "the idempotency key already answered another body"
    return Problem("key-conflict", 422, title, detail, {}, {"decision_id": error.decision_id})


def _unavailable(error: Any) -> Problem:
    detail = "nothing of this call was acknowledged; send the same request with the same key again"
    headers = {"Retry-After": str(max(1, error.retry_after_s))}
    return Problem("ledger-unavailable", 503, "the record store cannot be used now", detail, headers)


def _refused(_: Any) -> Problem:
    return Problem("record-refused", 422, "the record store cannot hold this request", "sending it again does not help")


def _bad_cursor(_: Any) -> Problem:
    fault = Fault("/cursor", "is not a cursor that a page returned", "start again without it")
    return invalid_parameters([fault])


_TABLE: Final[dict[type[Exception], Callable[[Any], Problem]]] = {
    InvalidInputError: _invalid,
    UnknownRealmError: _unknown_realm,
    KeyConflictError: _key_conflict,
    LedgerUnavailableError: _unavailable,
    RecordRefusedError: _refused,
    InvalidCursorError: _bad_cursor,
}


class Pending(NamedTuple):
    """A decision that is still being made: what 202 says."""

    location: str
    body: bytes


def pending(error: DecisionPendingError) -> Pending:
    """Return where a decision that outlived its deadline will stand."""
    body = orjson.dumps({"status": "pending", "decision_id": error.decision_id})
    return Pending(f"/internal/council/decisions/{error.decision_id}", body)


def _faulty(slug: str, status: int, title: str, faults: Sequence[Fault]) -> Problem:
    told = [_told(fault) for fault in faults[:MAX_FAULTS]]
    more: dict[str, Any] = {"faults": told}
    detail = "every fault is listed with its fix"
    if len(faults) > MAX_FAULTS:
        detail = f"the first {MAX_FAULTS} of {len(faults)} faults are listed"
    return Problem(slug, status, title, detail, {}, more)


def _told(fault: Fault) -> dict[str, str]:
    told = {"path": safe_path(fault.path), "message": fault.message}
    fix = _SUGGESTION.sub("", fault.fix)
    return {**told, "fix": fix} if fix else told


def safe_path(path: str) -> str:
    """Return a JSON pointer in which every segment that is no plain identifier or index is "*".

    >>> safe_path("/world_snapshot/factions/<b>x/influence")
    '/world_snapshot/factions/*/influence'
    """
    head, *segments = path.split("/")
    return "/".join([head, *(segment if _PLAIN.fullmatch(segment) else "*" for segment in segments)])
