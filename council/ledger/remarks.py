"""What people say of a decision after it was made: labels and outcomes, kept beside the records and never inside them.

A record says what was known when it was decided, so nothing is ever added to it. Remarks are rows of their own, append-only:
who changes his mind says so again, and the later remark counts.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Literal, NamedTuple, Protocol

RemarkKind = Literal["label", "outcome"]


class Remark(NamedTuple):
    """One thing that one person said of one decision."""

    decision_id: str
    kind: RemarkKind
    author: str
    """Who labels or reports."""
    said: str
    """A label's verdict, or an outcome in free words such as "reverted"."""
    said_at: str
    """ISO 8601 UTC with milliseconds and "Z"."""
    axis: str | None = None
    """What a labelled case is about; None for outcomes."""
    note: str = ""


class Remarks(Protocol):
    """The part of a ledger that keeps what people said."""

    async def add_remarks(self, remarks: Sequence[Remark]) -> None:
        """Keep remarks in their order, all of them or none; return after they are committed.

        Raises:
            UnknownDecisionError: naming every decision that is not on record.
            RecordRefusedError: for a remark that says nothing, a label that is no verdict, a time of another form, or a
                text that no database holds.
            LedgerUnavailableError: where the database cannot be written now.
        """
        ...

    async def remarks_of(self, decision_ids: Sequence[str]) -> tuple[Remark, ...]:
        """Return the remarks of some decisions, in the order in which they were kept."""
        ...

    def scan_remarks(self, realm_id: str | None = None) -> AsyncIterator[Remark]:
        """Stream all remarks in the order in which they were kept, holding few at a time.

        Args:
            realm_id: only those of this realm's decisions.
        """
        ...
