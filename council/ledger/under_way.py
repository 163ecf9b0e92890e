"""Reviews under way, as the ledger keeps them until their records are written (reliability.md, measured fact 1, S1 and S15).

Working state, not history: a review's row and its replies are deleted in the transaction that writes its record.
"""

from typing import NamedTuple, Protocol


class OpenReview(NamedTuple):
    """A review that was begun and is not on record yet."""

    decision_id: str
    """`decision_id_of(request_key)`: the databases refuse another."""
    request_key: str
    fingerprint: str
    """SHA-256 (hex) of the canonical request."""
    realm_id: str
    policy_hash: str
    """Content hash of the policy that the review was begun under, which `put_policy` has stored."""
    correlation_id: str | None
    request: bytes
    """The request as canonical JSON: enough to decide it again."""
    opened_at: str
    """ISO 8601 UTC with milliseconds and "Z", so that text order is time order."""
    leased_until: str
    """Until then somebody is at work on it; in the form of `opened_at`."""


class JournalledReply(NamedTuple):
    """What a member's model answered, kept as it came."""

    decision_id: str
    slot: str
    """Whose reply in which round, such as "lore/1/full"."""
    reply: bytes


class ReviewsUnderWay(Protocol):
    """The part of a ledger that keeps reviews until they are on record."""

    async def open_review(self, review: OpenReview) -> OpenReview:
        """Keep a review that begins; return after it is committed.

        Where its decision id is open already, the lease moves to the new one and everything else stays as it was: a review
        keeps the policy that it started with (S15). Where its decision is on record, nothing is kept.

        Returns:
            The review as it is kept.

        Raises:
            UnknownPolicyError: where the review's policy was never stored.
            RecordRefusedError: for an id that is not its key's, or a text that the database cannot hold.
            LedgerUnavailableError: where the database cannot be written now.
        """
        ...

    async def journal_reply(self, decision_id: str, slot: str, reply: bytes) -> None:
        """Keep a reply of an open review; return after it is committed.

        The first reply of a slot stays. Where the review is not open, nothing is kept.

        Raises:
            RecordRefusedError: for a text that the database cannot hold.
            LedgerUnavailableError: where the database cannot be written now.
        """
        ...

    async def journalled(self, decision_id: str) -> dict[str, bytes]:
        """Return the replies of an open review by their slots, in order of these."""
        ...

    async def find_open(self, decision_id: str) -> OpenReview | None:
        """Return an open review."""
        ...

    async def claim_orphans(self, now: str, leased_until: str, limit: int = 20) -> tuple[OpenReview, ...]:
        """Lease open reviews that nobody is at work on any more; no two callers are given the same one.

        A review whose decision is on record all the same (two processes decided it) is never given; its row is deleted.

        Args:
            now: reviews whose lease ended before it are orphans.
            leased_until: the end of their new lease, later than `now`.
            limit: most reviews to lease.

        Returns:
            The reviews with their new lease, the oldest first.
        """
        ...


def by_age(review: OpenReview) -> tuple[str, str]:
    """Return what sorts reviews the oldest first; ids part those of one moment."""
    return (review.opened_at, review.decision_id)
