"""From a ledger to the lines of an export, a few records in memory at a time."""

from collections.abc import AsyncIterator, Callable
from typing import Final

import orjson

from council.ledger.port import Ledger, StoredRecord
from council.shelf import PolicyMissingError
from evals.decisions import Decision
from evals.export_lines import ExportCounts, ExportHeader, decision_line, end_line, header_line, policy_line
from evals.remarks import NOTHING, Said, by_decision
from policies.loading import shadow_hashes

CHUNK: Final = 64
"""Records in memory at once; the remarks on them are looked up together."""
Write = Callable[[bytes], None]
"""Takes one line, without its line feed."""


async def export_ledger(
    ledger: Ledger,
    header: ExportHeader,
    write: Write,
    advance: Callable[[], None],
    redact: Callable[[Decision], Decision] | None = None,
) -> ExportCounts:
    """Write every decision that the header speaks of, with the policies that decided and what people said since.

    Args:
        advance: called after every decision.
        redact: what takes people out of a decision, where the header says so; None where everything is exported as it is.

    Raises:
        PolicyMissingError: where a policy is not in the ledger: such an export could not be replayed.
    """
    policies = _PolicyLines(ledger, write)
    decisions = 0
    write(header_line(header))
    async for chunk in chunks(ledger.scan(header.realm_id, header.after)):
        said = by_decision(await ledger.remarks_of([stored.decision_id for stored in chunk]))
        for stored in chunk:
            await policies.need(stored.policy_hash)
            decision = decision_of(stored, said.get(stored.decision_id, NOTHING))
            write(decision_line(redact(decision)) if redact else decision_line(decision, stored.body))
            decisions += 1
            advance()
    counts = ExportCounts(decisions, policies.written)
    write(end_line(counts))
    return counts


def decision_of(stored: StoredRecord, said: Said = NOTHING) -> Decision:
    """Return a stored record as recorded data, with what people said of it."""
    record = orjson.loads(stored.body)
    return Decision(record, stored.position, stored.hash, stored.previous, said.labels, said.outcomes)


async def chunks(records: AsyncIterator[StoredRecord]) -> AsyncIterator[list[StoredRecord]]:
    """Yield records CHUNK at a time, so that what belongs to them is looked up together."""
    chunk: list[StoredRecord] = []
    async for stored in records:
        chunk.append(stored)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


class _PolicyLines:
    """Writes each policy once, its shadows first, when a decision names it."""

    def __init__(self, ledger: Ledger, write: Write) -> None:
        self._ledger = ledger
        self._write = write
        self._known: set[str] = set()

    @property
    def written(self) -> int:
        return len(self._known)

    async def need(self, content_hash: str) -> None:
        if content_hash in self._known:
            return
        document = await self._ledger.policy(content_hash)
        if document is None:
            raise PolicyMissingError(content_hash)
        self._known.add(content_hash)
        for shadow in shadow_hashes(orjson.loads(document)):
            await self.need(shadow)
        self._write(policy_line(content_hash, document))
