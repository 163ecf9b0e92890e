"""Records for the ledger's tests: small, whole, and told apart by their number."""

import hashlib
from typing import Any

from council.ledger.port import NewRecord, decision_id_of
from policies.canonical import canonical_json

POLICY_HASH = "a" * 64
POLICY = b'{"id":"default"}'


def sample(number: int, **fields: Any) -> NewRecord:
    """Return the record with a number; `fields` replace what they name, in its columns and its body alike."""
    key = fields.get("request_key", f"key-{number}")
    columns = {
        "realm_id": "aelvyndor",
        "request_key": key,
        "fingerprint": hashlib.sha256(key.encode()).hexdigest(),
        "decision_id": decision_id_of(key),
        "recorded_at": f"2026-11-21T10:00:{number % 60:02d}.{number // 60:03d}Z",
        "decision_type": "sovereign_action",
        "verdict": "approve",
        "path": "fast",
        "held": False,
        "policy_hash": POLICY_HASH,
        "correlation_id": None,
        **fields,
    }
    answer = {
        "final_verdict": columns["verdict"],
        "decision_id": columns["decision_id"],
        "reasons": [f"reason {number}"],
    }
    apart = ("policy_hash", "verdict", "was_opened", "spend")
    body = {name: value for name, value in columns.items() if name not in apart and value is not None}
    body |= {"answer": answer, "policy": {"hash": columns["policy_hash"]}, "schema": "council.record/1"}
    return NewRecord(
        body=canonical_json(body),
        answer=canonical_json(answer),
        topic="council.decided",
        event=canonical_json({"number": number}),
        **columns,
    )
