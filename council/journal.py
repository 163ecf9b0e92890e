"""The journal of reviews under way: what a killed review needs to go on, without asking anybody twice.

A review that asks models is opened in the ledger, each reply is kept as it arrives, and the record's own transaction closes
it. Whoever takes it up again, the caller's retry or the next process, decides under the policy it was opened with and asks
only the members whose reply is missing (reliability.md, measured fact 1, S1 and S15).
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson

from agents.asking import Question, Reply, reply_from_wire, reply_to_wire
from agents.ports import Judge
from council.errors import KeyConflictError
from council.ledger.port import Ledger, LedgerError, OpenReview
from council.moments import iso
from council.review import Review
from council.shelf import PolicyShelf
from policies.contracts.reading import ReadRequest
from policies.policy import Policy

logger = logging.getLogger(__name__)

LEASE_MARGIN_S: Final = 10.0
"""Added to the longest time that the models of a review may take: the rest of its work, and a slow database."""


class Opening(NamedTuple):
    """What a review is opened with."""

    read: ReadRequest
    key: str
    correlation_id: str | None
    now: datetime


class JournallingJudge:
    """Keeps every reply in the ledger as it arrives; the review does not wait for that.

    Args:
        judge: asks the models.
        ledger: where replies are kept.
    """

    def __init__(self, judge: Judge, ledger: Ledger) -> None:
        self._judge = judge
        self._ledger = ledger
        self._writing: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Reply:
        """Ask, and keep what came back."""
        reply = await self._judge.ask(question)
        if question.decision_id:
            task = asyncio.create_task(self._keep(question.decision_id, reply))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        return reply

    async def _keep(self, decision_id: str, reply: Reply) -> None:
        try:
            await self._ledger.journal_reply(decision_id, reply.slot.text, orjson.dumps(reply_to_wire(reply)))
        except LedgerError:
            # The decision itself still gets recorded, or fails loudly there; only a killed review would ask again.
            logger.warning("reply_not_journalled", extra={"decision_id": decision_id, "member": reply.slot.member})


class Journal:
    """Opens reviews that ask models, and takes up those that a killed process left.

    Args:
        ledger: where they are kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._shelf = PolicyShelf(ledger)
        self._opening: dict[str, asyncio.Task[OpenReview]] = {}

    async def take_up(self, review: Review, opening: Opening) -> Review:
        """Return the review to decide: the same, or as it was left, with the policy it was opened under and its replies.

        Its row is written meanwhile; `opened` waits for that.

        Raises:
            KeyConflictError: where the key was used with another body.
            PolicyMissingError: where the ledger lost the policy it was opened under.
        """
        found = await self._ledger.find_open(review.decision_id)
        if found is not None:
            if found.fingerprint != opening.read.fingerprint:
                raise KeyConflictError(opening.key, review.decision_id)
            review = await self._left(review, found)
        row = OpenReview(
            decision_id=review.decision_id,
            request_key=opening.key,
            fingerprint=opening.read.fingerprint,
            realm_id=review.case.request.realm_id,
            policy_hash=review.policy.content_hash,
            correlation_id=opening.correlation_id,
            request=opening.read.canonical,
            opened_at=iso(opening.now),
            leased_until=iso(opening.now + timedelta(seconds=longest_s(review.policy))),
        )
        self._opening[review.decision_id] = asyncio.create_task(self._ledger.open_review(row))
        return review

    async def opened(self, decision_id: str) -> bool:
        """Wait until a review's row is committed; False where it was never to be opened.

        Raises:
            LedgerUnavailableError: where it could not be written.
        """
        task = self._opening.get(decision_id)
        if task is not None:
            await asyncio.shield(task)
        return task is not None

    def closed(self, decision_id: str) -> None:
        """Forget a review whose record is committed, or which failed."""
        self._opening.pop(decision_id, None)

    async def orphans(self, now: datetime, *, limit: int = 20) -> tuple[OpenReview, ...]:
        """Claim reviews whose process is gone."""
        return await self._ledger.claim_orphans(iso(now), iso(now + timedelta(seconds=60)), limit)

    async def _left(self, review: Review, found: OpenReview) -> Review:
        policy = await self._shelf.policy(found.policy_hash)
        realm = policy.realm(found.realm_id)
        if realm is None:
            return review
        left = Review(review.case, policy, realm, review.decision_id)
        left.open()
        journalled = await self._ledger.journalled(review.decision_id)
        for raw in journalled.values():
            reply = reply_from_wire(orjson.loads(raw))
            left.replies[reply.slot] = reply
        logger.info("review_resumed", extra={"decision_id": review.decision_id, "model_calls": len(left.replies)})
        return left


def longest_s(policy: Policy) -> float:
    """Return the longest that a review may be under way, seconds: what its lease is for."""
    limits = [member.model.timeout_ms for member in policy.members.values() if member.model is not None]
    rounds = 1 if policy.models.rebuttal_margin is None else 2
    return rounds * max(limits, default=0) / 1000 + LEASE_MARGIN_S
