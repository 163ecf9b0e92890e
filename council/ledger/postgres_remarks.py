"""PostgreSQL's statements over remarks."""

from collections.abc import Sequence
from typing import Any, Final

from council.ledger.remark_rows import REMARK_CHUNK, REMARK_COLUMNS, ROW_COLUMNS, remark_rows
from council.ledger.remarks import Remark

REMARKS_OF: Final = f"SELECT {REMARK_COLUMNS} FROM remarks WHERE decision_id = ANY($1) ORDER BY seq"
SCAN_REMARKS: Final = (
    f"SELECT {REMARK_COLUMNS}, seq FROM remarks WHERE seq > $1 AND ($2::text IS NULL OR realm_id = $2)"
    f" ORDER BY seq LIMIT {REMARK_CHUNK}"
)
_REALMS = "SELECT decision_id, realm_id FROM records WHERE decision_id = ANY($1)"


async def add_remarks(connection: Any, remarks: Sequence[Remark]) -> None:
    """Insert checked remarks in a transaction of their own.

    Raises:
        UnknownDecisionError: where a decision is not on record.
    """
    async with connection.transaction():
        found = await connection.fetch(_REALMS, [remark.decision_id for remark in remarks])
        rows = remark_rows(remarks, {row[0]: row[1] for row in found})
        await connection.copy_records_to_table("remarks", columns=ROW_COLUMNS, records=rows)
