"""Labels that were collected elsewhere, as CSV. Pure."""

from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

from council.moments import iso
from evals.csv_rows import Complaints, Row, read_rows
from evals.decisions import AXES, Axis, Label
from policies.faults import did_you_mean
from policies.verdicts import VERDICTS, Verdict

NEEDED: Final = ("decision_id", "verdict")
OPTIONAL: Final = ("labeller", "axis", "note", "labelled_at")


class LabelRow(NamedTuple):
    """One label of a file."""

    line: int
    decision_id: str
    label: Label
    is_dated: bool
    """Whether the file says when it was given, so that the same file read twice gives the same labels."""


def read_label_file(data: bytes, complaints: Complaints, labeller: str | None, now: str) -> list[LabelRow]:
    """Return the labels of a CSV file; what is wrong with them is complained of.

    Args:
        labeller: of the rows that name none; None where every row must name one.
        now: when labels without `labelled_at` were given, ISO 8601 UTC with milliseconds.

    Raises:
        InvalidFileError: where the file holds no such rows at all.
    """
    found: list[LabelRow] = []
    lines: dict[tuple[str, str, str], int] = {}
    for row in read_rows(data, complaints, NEEDED, OPTIONAL):
        label = _label(row, complaints, labeller, now)
        if label is None:
            continue
        decision_id, dated = row.fields["decision_id"], row.fields.get("labelled_at", "")
        first = lines.setdefault((decision_id, label.labeller, label.labelled_at), row.line)
        if first != row.line:
            told = f"{label.labeller!r} has labelled {decision_id!r} on line {first} already"
            complaints.add(row.line, "decision_id", told, "keep one of them, or say in labelled_at when each was given")
            continue
        found.append(LabelRow(row.line, decision_id, label, is_dated=bool(dated)))
    return found


def moment_of(text: str) -> str | None:
    """Return a time as labels carry it, one without a zone taken as UTC; None where it is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _label(row: Row, complaints: Complaints, labeller: str | None, now: str) -> Label | None:
    fields = row.fields
    who, axis, at = fields.get("labeller") or labeller, fields.get("axis") or None, fields.get("labelled_at") or now
    moment = moment_of(at)
    wrong = [
        (not fields["decision_id"], "decision_id", "is empty", "give the id that 'council list --json' shows"),
        (
            fields["verdict"] not in VERDICTS,
            "verdict",
            f"{fields['verdict']!r} is no verdict",
            did_you_mean(fields["verdict"], VERDICTS),
        ),
        (axis not in (None, *AXES), "axis", f"{axis!r} is no axis", did_you_mean(axis or "", AXES)),
        (moment is None, "labelled_at", f"{at!r} is no time", "write 2026-11-21 or 2026-11-21T10:00:00Z"),
        (not who, "labeller", "nobody is named", "fill the column, or give --labeller NAME"),
    ]
    for is_wrong, key, told, fix in wrong:
        if is_wrong:
            complaints.add(row.line, key, told, fix)
    if any(is_wrong for is_wrong, *_ in wrong) or who is None or moment is None:
        return None
    return Label(who, cast("Verdict", fields["verdict"]), moment, cast("Axis | None", axis), fields.get("note", ""))
