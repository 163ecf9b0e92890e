"""Records of decisions made away from a ledger: what the runner keeps of every case, in the form of a real record. Pure."""

from typing import Any

import orjson

from council.ledger.port import decision_id_of
from council.record import Inputs, write_record
from council.review import Review
from policies.contracts.reading import ReadRequest


def record_of(
    review: Review, read: ReadRequest, request_key: str, recorded_at: str, elapsed_ms: int = 0
) -> dict[str, Any]:
    """Return the record's document of a concluded review.

    Args:
        review: decided by `council.review.deliberate`, or by the graph.
        read: the request that it decided.
        request_key: idempotency key; the decision's id follows from it.
        recorded_at: ISO 8601 UTC with milliseconds and "Z".
        elapsed_ms: from intake to verdict.
    """
    concluded = review.concluded
    if concluded is None:
        raise ValueError("the review is not concluded")
    inputs = Inputs(
        read.request, read.canonical, request_key, read.fingerprint, decision_id_of(request_key),
        read.request.correlation_id, recorded_at,
    )  # fmt: skip
    written = write_record(
        inputs, review.policy, review.realm.mode, review.found, review.assessed, concluded, review.shadows(), elapsed_ms,
        review.heard(),
    )  # fmt: skip
    document: dict[str, Any] = orjson.loads(written.body)
    return document
