"""Labels of a file into a ledger: all of them or none."""

from typing import NamedTuple

from council.ledger.port import Ledger
from evals.csv_rows import Complaints
from evals.label_files import LabelRow, read_label_file
from evals.remarks import NOTHING, by_decision, label_remark


class Imported(NamedTuple):
    """What became of a file of labels."""

    kept: int
    known: int
    """Labels that the ledger had already, word for word and with the same time."""
    decisions: int
    """Decisions that the file labels."""


async def import_labels(ledger: Ledger, data: bytes, file: str, labeller: str | None, now: str) -> Imported:
    """Keep the labels of a CSV file.

    Args:
        data: the file's bytes.
        file: its name, for faults.
        labeller: of the rows that name none; None where every row must name one.
        now: when labels without `labelled_at` were given, ISO 8601 UTC with milliseconds.

    Raises:
        InvalidFileError: with every fault of the file; nothing of it is kept then.
    """
    complaints = Complaints(file)
    rows = read_label_file(data, complaints, labeller, now)
    await _check_known(ledger, rows, complaints)
    complaints.finish()
    fresh = await _fresh(ledger, rows)
    await ledger.add_remarks([label_remark(row.decision_id, row.label) for row in fresh])
    return Imported(len(fresh), len(rows) - len(fresh), len({row.decision_id for row in rows}))


async def _check_known(ledger: Ledger, rows: list[LabelRow], complaints: Complaints) -> None:
    known: dict[str, bool] = {}
    for row in rows:
        if row.decision_id not in known:
            known[row.decision_id] = await ledger.get(row.decision_id) is not None
        if not known[row.decision_id]:
            told = f"no decision has the id {row.decision_id!r}"
            complaints.add(
                row.line, "decision_id", told, "'council list --json' shows whole ids; --database names another ledger"
            )


async def _fresh(ledger: Ledger, rows: list[LabelRow]) -> list[LabelRow]:
    """Return the labels that are not kept yet, so that a file may be read twice."""
    said = by_decision(await ledger.remarks_of(sorted({row.decision_id for row in rows if row.is_dated})))
    return [row for row in rows if not row.is_dated or row.label not in said.get(row.decision_id, NOTHING).labels]
