"""What the ledger's writer is handed, and how a mixed batch is taken apart. Pure.

Records, reviews that open and their replies wait in one queue and share commits. Within one transaction reviews are opened
first, then replies are kept, then records are written and their reviews closed: the order in which one decision hands them in.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from council.ledger.chain import Unlinked
from council.ledger.port import RecordRefusedError, StoredRecord
from council.ledger.under_way import JournalledReply, OpenReview

Write = Unlinked | OpenReview | JournalledReply
"""One thing to be written."""
Outcome = StoredRecord | OpenReview | Exception | None
"""What became of it: the record, the review as it is kept, None for a reply, or why it was refused."""

_NOUNS = {Unlinked: "record", OpenReview: "review", JournalledReply: "reply"}


class Parts(NamedTuple):
    """A batch by what its writes are."""

    records: Sequence[Unlinked]
    reviews: Sequence[OpenReview]
    """One a decision: the first of the batch, with the lease of the last."""
    replies: Sequence[JournalledReply]
    """One a slot: the first."""

    @property
    def decisions(self) -> set[str]:
        """The decisions whose reviews it opens, adds to or closes."""
        closed = {new.decision_id for new, _ in self.records if new.was_opened}
        return closed | {review.decision_id for review in self.reviews} | {reply.decision_id for reply in self.replies}


def parts_of(batch: Sequence[Write]) -> Parts:
    """Take a batch apart."""
    records = [write for write in batch if type(write) is Unlinked]
    if len(records) == len(batch):
        return Parts(records, (), ())
    reviews: dict[str, OpenReview] = {}
    replies: dict[tuple[str, str], JournalledReply] = {}
    for write in batch:
        if isinstance(write, OpenReview):
            first = reviews.get(write.decision_id, write)
            reviews[write.decision_id] = first._replace(leased_until=write.leased_until)
        elif isinstance(write, JournalledReply):
            replies.setdefault((write.decision_id, write.slot), write)
    return Parts(records, list(reviews.values()), list(replies.values()))


def outcomes_of(batch: Sequence[Write], stored: Iterable[StoredRecord], kept: dict[str, OpenReview]) -> list[Outcome]:
    """Put what was written back into the order of its batch.

    Args:
        stored: the batch's records, in order.
        kept: reviews as they are kept, by decision; one that is missing is on record already.
    """
    records = iter(stored)
    outcomes: list[Outcome] = []
    for write in batch:
        if isinstance(write, Unlinked):
            outcomes.append(next(records))
        elif isinstance(write, OpenReview):
            outcomes.append(kept.get(write.decision_id, write))
        else:
            outcomes.append(None)
    return outcomes


def refused(write: Write, error: Exception) -> RecordRefusedError:
    """Return what a database's error means to the caller of one write that brought it about by what it holds."""
    return RecordRefusedError(f"the database refuses this {_NOUNS[type(write)]}: {type(error).__name__}: {error}")
