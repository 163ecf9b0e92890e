"""Recorded history, opened to be decided anew: its columns, its policies, and where each decision's line stands."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from evals.backtest import Anew, Redecide, Rows
from evals.columns import Columns
from evals.errors import FileFault, InvalidFileError
from evals.sidecar import Note, columns_beside
from policies.loading import policy_from_document
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError

Steps = Callable[[int], None]


class History(NamedTuple):
    """One export, ready to be decided anew."""

    path: Path
    columns: Columns
    policies: Mapping[str, Policy]
    """The policies that decided, by content hash."""


def open_history(
    path: Path, *, note: Note, advance: Steps | None = None, made_by: str | None = None, name: str = ""
) -> History:
    """Open an export.

    Args:
        path: the export.
        note: told in a sentence what a user should know of the sidecar.
        advance: told how many bytes were read, where the export has to be read.
        name: what faults call it, where that is not its path.
        made_by: version of this product; None keeps no sidecar, as for a file that is soon gone.

    Raises:
        InvalidFileError: for the first line that is wrong, a broken chain, a missing end.
        EvalsError: where the file cannot be read.
    """

    def read() -> Columns:
        # What parses and judges records costs half a second to import, which a good sidecar does without.
        from evals.checked_reading import read_checked  # noqa: PLC0415

        return read_checked(path, name=name, advance=advance)

    columns = read() if made_by is None else columns_beside(path, read, note, made_by=made_by)
    if columns.unreplayed:
        note(
            f"{columns.unreplayed} is not decided again as it is recorded ('council replay' says where): "
            "every decision is judged anew from its request"
        )
    return History(path, columns, {name: _policy(path, columns, name) for name in columns.policies})


def redecide_with(history: History, new: Policy, advance: Steps | None = None) -> Redecide:
    """Return what judges decisions of a history anew, by their rows."""

    def redecide(rows: Rows) -> Iterator[Anew]:
        if not rows.size:
            return
        from evals.redeciding import Place, Task, redecide_all  # noqa: PLC0415 - as above

        columns = history.columns
        task = Task(history.path, new.document, columns.documents, columns.is_redacted)
        arrays = columns.arrays
        places = [
            Place(offset, length)
            for offset, length in zip(arrays.offsets[rows].tolist(), arrays.lengths[rows].tolist(), strict=True)
        ]
        for found in redecide_all(task, places, advance=advance):
            yield Anew(*found)

    return redecide


def _policy(path: Path, columns: Columns, content_hash: str) -> Policy:
    try:
        return policy_from_document(columns.documents[content_hash])
    except InvalidPolicyError as error:
        told = f"the policy {content_hash[:12]} cannot be read: {error.faults[0]}"
        fix = "read the export with the version that wrote it"
        raise InvalidFileError([FileFault(str(path), 0, "document", told, fix)]) from None
