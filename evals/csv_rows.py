"""CSV files that people write: rows with their line numbers, and every fault of the file at once. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from evals.errors import FileFault, InvalidFileError
from policies.faults import did_you_mean

MAX_FAULTS: Final = 30
"""Most faults that are told: a file of another kind would have one a line."""


class Row(NamedTuple):
    """One row."""

    line: int
    """Line of the file that it begins on, counted from 1."""
    fields: Mapping[str, str]
    """By column, without spaces around; "" where nothing stands."""


class Complaints:
    """Faults of one file as they are found.

    Args:
        file: name for faults.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._faults: list[FileFault] = []

    def add(self, line: int, key: str, message: str, fix: str) -> None:
        """Keep one fault; past MAX_FAULTS they are only counted."""
        self._faults.append(FileFault(self.file, line, key, message, fix))

    def finish(self) -> None:
        """Raise what was found, in the order of the file.

        Raises:
            InvalidFileError: where there is anything.
        """
        faults = _merged(sorted(self._faults, key=lambda fault: fault.line))
        if len(faults) > MAX_FAULTS:
            more = FileFault(
                self.file, 0, "", f"and {len(faults) - MAX_FAULTS} more faults", "put the first ones right"
            )
            faults = [*faults[:MAX_FAULTS], more]
        if faults:
            raise InvalidFileError(faults)


def _merged(faults: Sequence[FileFault]) -> list[FileFault]:
    """Return each fault once, at its first line; one that stands on more lines says on how many."""
    lines = Counter([(fault.key, fault.message) for fault in faults])
    firsts = {(fault.key, fault.message): fault for fault in reversed(faults)}
    told = [
        fault._replace(message=f"{fault.message} (and on {lines[what] - 1} more lines)") if lines[what] > 1 else fault
        for what, fault in firsts.items()
    ]
    return sorted(told, key=lambda fault: fault.line)


def read_rows(data: bytes, complaints: Complaints, needed: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Return the rows of a CSV file with a header line; faulty rows are complained of and left out.

    Raises:
        InvalidFileError: where the file cannot be read as rows of these columns at all.
    """
    reader = csv.reader(io.StringIO(_text(data, complaints), newline=""), strict=True)
    header: list[str] | None = None
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells, start, complaints, needed, optional)
            elif len(cells) != len(header):
                told = f"has {len(cells)} fields where the header has {len(header)}"
                complaints.add(start, "", told, "write a text that holds a comma in double quotes")
            else:
                rows.append(Row(start, dict(zip(header, map(str.strip, cells), strict=True))))
    except csv.Error as error:
        complaints.add(
            line, "", f"is not CSV: {error}", "close every double quote; two of them stand for one in a text"
        )
    if header is None:
        complaints.add(0, "", "holds no rows", f"begin with the header line {','.join(needed)}")
    return rows


def _text(data: bytes, complaints: Complaints) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        complaints.add(data.count(b"\n", 0, error.start) + 1, "", "is not UTF-8", "save it as UTF-8")
        complaints.finish()
        raise AssertionError("unreachable") from error


def _header(
    cells: Sequence[str], line: int, complaints: Complaints, needed: Sequence[str], optional: Sequence[str]
) -> list[str]:
    names = [cell.strip() for cell in cells]
    known = (*needed, *optional)
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        complaints.add(line, "", "has no commas", "separate the columns by commas")
        complaints.finish()
    for name in dict.fromkeys(names):
        if name not in known:
            complaints.add(line, name, "is no column of such a file", did_you_mean(name, known))
        elif names.count(name) > 1:
            complaints.add(line, name, "is a column twice", "keep one of them")
    for name in needed:
        if name not in names:
            complaints.add(line, name, "the column is missing", f"begin with the header line {','.join(needed)}")
    complaints.finish()
    return names
