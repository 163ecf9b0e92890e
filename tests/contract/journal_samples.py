"""Reviews under way and spending for the ledger's tests, told apart by their number."""

import hashlib
from typing import Any

from council.ledger.port import OpenReview, Spend, decision_id_of
from tests.contract.ledger_samples import POLICY_HASH

OPENED_AT = "2026-11-21T10:00:00.000Z"
LEASED_UNTIL = "2026-11-21T10:00:30.000Z"
LATER = "2026-11-21T10:01:00.000Z"
NEW_LEASE = "2026-11-21T10:02:00.000Z"


def open_sample(number: int, **fields: Any) -> OpenReview:
    """Return the review of the decision that `sample(number)` records; `fields` replace what they name."""
    key = f"key-{number}"
    review = OpenReview(
        decision_id=decision_id_of(key),
        request_key=key,
        fingerprint=hashlib.sha256(key.encode()).hexdigest(),
        realm_id="aelvyndor",
        policy_hash=POLICY_HASH,
        correlation_id=None,
        request=b'{"number":%d}' % number,
        opened_at=OPENED_AT,
        leased_until=LEASED_UNTIL,
    )
    return review._replace(**fields)


def spend_sample(member: str = "lore", model: str = "small", *, scale: int = 1) -> Spend:
    """Return spending whose amounts all differ, so that none can stand for another."""
    return Spend(
        member,
        model,
        calls=2 * scale,
        input_tokens=1000 * scale,
        cached_tokens=600 * scale,
        output_tokens=70 * scale,
        picodollars=5_000_000 * scale,
        unpriced_calls=scale,
        replies=3 * scale,
    )
