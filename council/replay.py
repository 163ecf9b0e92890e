"""Replay: recompute a decision from its record alone and compare every byte (council.md, replay; S0-88, S0-110, I7).

The record holds every input that is not a pure function. What follows from them (signals, rules, rule votes, merge, verdict,
answer) is computed again and written again; a record that no longer says the same is named field by field.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from agents.asking import Reply, Slot, reply_from_wire
from council.record import SCHEMA, DamagedRecordError, Inputs, read_record, write_record
from council.review import Review, deliberate
from policies.canonical import canonical_json, plain_canonical_json
from policies.contracts.reading import validate_request
from policies.faults import InvalidInputError, pointer
from policies.policy import Policy
from world.case import open_case


class Difference(NamedTuple):
    """One place where the record and its recomputation disagree."""

    path: str
    """JSON pointer into the record."""
    recorded: Any
    recomputed: Any


_ABSENT = "(absent)"


def replay(body: bytes, policy: Policy) -> tuple[Difference, ...]:
    """Recompute one record under the policy that decided it.

    Args:
        body: canonical JSON of the record.
        policy: the policy of the record's hash, with its shadows.

    Returns:
        Every difference; empty where the record says what it must.
    """
    try:
        document = read_record(body)
    except DamagedRecordError as error:
        return (Difference("", "damaged", str(error)),)
    if document.get("schema") != SCHEMA:
        return (Difference("/schema", document.get("schema"), SCHEMA),)
    if document["policy"]["hash"] != policy.content_hash:
        return (Difference("/policy/hash", document["policy"]["hash"], policy.content_hash),)
    try:
        again = rewrite(document, policy, _canonical_request(document, body))
    except InvalidInputError as error:
        return (Difference("/request", "accepted", str(error)),)
    if again == body:
        return ()
    return tuple(differences(document, orjson.loads(again))) or (Difference("", "other bytes", "same content"),)


def rewrite(document: Mapping[str, Any], policy: Policy, canonical_request: bytes) -> bytes:
    """Return the record as it would be written today from the inputs that it holds."""
    review = redecide(document, policy)
    concluded = review.concluded
    assert concluded is not None
    inputs = Inputs(
        review.case.request,
        canonical_request,
        document["request_key"],
        document["fingerprint"],
        document["decision_id"],
        document.get("correlation_id"),
        document["recorded_at"],
    )
    written = write_record(
        inputs, policy, review.realm.mode, review.found, review.assessed, concluded, review.shadows(),
        document["elapsed_ms"], review.heard(),
    )  # fmt: skip
    return written.body


def _canonical_request(document: Mapping[str, Any], body: bytes) -> bytes:
    """Return the request's canonical bytes: where the quick writer gives bytes that stand in the record, they are it."""
    quick = plain_canonical_json(document["request"])
    return quick if quick in body else canonical_json(document["request"])


def redecide(document: Mapping[str, Any], policy: Policy) -> Review:
    """Decide a recorded case under a policy, with the replies of models that the record holds.

    Raises:
        InvalidInputError: where the recorded request is not valid, or the policy does not know the realm.
    """
    case = open_case(validate_request(document["request"]))
    realm = policy.realm(case.request.realm_id)
    if realm is None:
        raise InvalidInputError([])
    return deliberate(case, policy, realm, recorded_replies(document))


def recorded_replies(document: Mapping[str, Any]) -> dict[Slot, Reply]:
    """Return what models said, which no rule can recompute; their votes are read from it again."""
    replies = [reply_from_wire(wire) for wire in document.get("models", {}).get("replies", ())]
    return {reply.slot: reply for reply in replies}


def differences(recorded: Any, recomputed: Any, *at: str | int) -> Iterator[Difference]:
    """Yield every place where two JSON values differ, in document order."""
    if isinstance(recorded, dict) and isinstance(recomputed, dict):
        for key in sorted(recorded.keys() | recomputed.keys()):
            yield from differences(recorded.get(key, _ABSENT), recomputed.get(key, _ABSENT), *at, key)
    elif isinstance(recorded, list) and isinstance(recomputed, list):
        for index in range(max(len(recorded), len(recomputed))):
            left = recorded[index] if index < len(recorded) else _ABSENT
            right = recomputed[index] if index < len(recomputed) else _ABSENT
            yield from differences(left, right, *at, index)
    elif recorded != recomputed or type(recorded) is not type(recomputed):
        yield Difference(pointer(*at), recorded, recomputed)
