"""What the world's endpoints refuse, as problem documents (RFC 9457): one table from error class to status."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from council.errors import CouncilError
from gateway.problems import Problem, problem_of
from policies.faults import InvalidInputError
from world.errors import LeaseLostError, MovedOnError, StoreUnavailableError, UnknownRealmError
from world.realm.sovereign import Refusal, RefusalKind
from world.review.port import ReviewUnavailableError
from world.service.rulings import Unruled

NO_REALM: Final = Problem("realm-not-found", 404, "there is no such realm", "council world seed makes one")
UNKNOWN_REALM: Final = Problem(
    "unknown-realm",
    422,
    "the world has no realm of this realm_id",
    "send the realm_id of one that there is; council world seed makes one",
)
NO_ACT: Final = Problem(
    "act-not-found",
    404,
    "no act of this event_id stands in the realm's ledger",
    "GET /internal/world/queue lists what waits",
)
IN_REVIEW: Final = Problem(
    "in-review", 409, "the council decides about the act", "wait for its verdict; what it holds can be ruled on then"
)
HELD_ELSEWHERE: Final = Problem(
    "realm-held",
    409,
    "another worker is running a tick of this realm",
    "nothing was done; ask again when it is through",
    {"Retry-After": "1"},
)
BATCH_KEY: Final = Problem(
    "invalid-header",
    400,
    "the header Idempotency-Key is not that of the one event",
    "leave it out, or send the event's own event_id; every event of a batch is its own key",
)
ACTION_KEY: Final = Problem(
    "invalid-header",
    400,
    "the header Idempotency-Key is not the action's id",
    "leave it out, or send the action_id of the body: it is the key",
)
KEY_CONFLICT: Final = Problem(
    "key-conflict",
    422,
    "the event id stands in the ledger with another body",
    "send a new event id, or the same body as before",
)
WRONG_ANSWER: Final = Problem(
    "answer-differs",
    422,
    "the answer sent is not the one on record",
    "send only the decision_id: the record is what is applied",
)
BAD_SIGNATURE_TITLE: Final = "the body is not signed as this service asks"


def bad_signature(detail: str) -> Problem:
    """Return the problem of a body whose signature does not hold."""
    return Problem("bad-signature", 401, BAD_SIGNATURE_TITLE, detail, {"WWW-Authenticate": 'Signature realm="council"'})


def rejected(told: Mapping[str, Any]) -> Problem:
    """Return the problem of an act that does not count, with the field that is to blame; what judged it stands beside."""
    why = told["reasons"][0]
    fix = why.get("fix", "")
    fault = {"path": why.get("path", ""), "message": why["told"], "fix": fix}
    return Problem("act-rejected", 422, why["told"], fix, {}, {"faults": [fault], "event": dict(told)})


_SOVEREIGN: Final[Mapping[RefusalKind, tuple[int, str, str | None]]] = {
    "unknown_kind": (422, "/kind", "the world has no such sovereign action"),
    "not_yours": (422, "/kind", None),
    "unknown_faction": (422, "/faction_id", "the realm has no such faction"),
    "own_action": (422, "/faction_id", None),
    "unknown_target": (422, "/target", None),
    "own_target": (422, "/target", None),
    "conflict": (422, "/action_id", "the id is that of another action"),
    "decided": (409, "/action_id", "the action has been decided"),
    "unknown_action": (404, "/action_id", "no such action is under way"),
    "too_late": (409, "/action_id", None),
    "under_way": (409, "/faction_id", None),
    "cooldown": (409, "/kind", None),
    "spent": (409, "/kind", None),
    "too_costly": (409, "/kind", None),
}
"""Per refusal its status, the field that is to blame, and what is said where the world's own words repeat what was sent."""


def sovereign_refused(refusal: Refusal) -> Problem:
    """Return the problem of a sovereign action or an objection that the rules refuse: 422 what never could be, 409 not now."""
    status, path, told = _SOVEREIGN[refusal.kind]
    told = told or refusal.told
    fault = {"path": path, "message": told, "fix": refusal.fix}
    return Problem("sovereign-refused", status, told, refusal.fix, {}, {"reason": refusal.kind, "faults": [fault]})


def unruled(found: Unruled) -> Problem:
    """Return the problem of a ruling that changes nothing."""
    if found.row is None:
        return NO_ACT
    return IN_REVIEW if found.kind == "in_review" else already_ruled(found.row.state, found.row.because)


def already_ruled(state: str, because: str) -> Problem:
    """Return the problem of an act that somebody else has ruled on (reliability.md, S18)."""
    more = {"state": state, "because": because}
    return Problem("already-ruled", 409, "the act is not held any more", "read the queue again", {}, more)


def wrong_tick(latest: int) -> Problem:
    """Return the problem of a tick that is not the next one."""
    detail = f"send tick_number {latest + 1}, or leave it out for the next tick"
    return Problem("wrong-tick", 409, "the realm is not at the tick before", detail, {}, {"tick_number": latest})


def world_problem_of(error: Exception) -> Problem | None:
    """Return the problem of an error that a caller of the world can do something about; None for a defect of ours."""
    if isinstance(error, (CouncilError, InvalidInputError)):
        return problem_of(error)
    for kind, told in _TABLE.items():
        if isinstance(error, kind):
            return told(error)
    return None


def _no_realm(_: Any) -> Problem:
    return NO_REALM


def _unavailable(error: Any) -> Problem:
    detail = "nothing of this call was committed; send the same request again"
    headers = {"Retry-After": str(max(1, error.retry_after_s))}
    return Problem("world-unavailable", 503, "the world's store cannot be used now", detail, headers)


def _council_away(error: Any) -> Problem:
    after = max(1, round(error.retry_after_s or 1))
    detail = "nothing was applied; send the same request again"
    return Problem("council-unavailable", 503, "the council does not answer now", detail, {"Retry-After": str(after)})


def _lost(_: Any) -> Problem:
    return HELD_ELSEWHERE


def _moved_on(error: Any) -> Problem:
    more = {"latest_snapshot_id": error.latest}
    detail = "nothing was applied; read the realm again"
    return Problem("moved-on", 409, "the realm does not stand at the snapshot expected", detail, {}, more)


_TABLE: Final[dict[type[Exception], Callable[[Any], Problem]]] = {
    UnknownRealmError: _no_realm,
    StoreUnavailableError: _unavailable,
    ReviewUnavailableError: _council_away,
    LeaseLostError: _lost,
    MovedOnError: _moved_on,
}
