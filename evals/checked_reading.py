"""An export read whole and checked: every line, every link, and whether its records still replay."""

from dataclasses import replace
from pathlib import Path

from evals.column_reading import Steps, read_columns
from evals.columns import Columns
from evals.exports import open_export
from evals.redeciding import unreplayed


def read_checked(path: Path, *, name: str = "", advance: Steps | None = None) -> Columns:
    """Return an export as columns that say whether merging recorded votes anew can be relied on.

    Raises:
        InvalidFileError: for the first line that is wrong, a broken chain, a missing end.
        EvalsError: where the file cannot be read.
    """
    columns = read_columns(open_export(path, name=name), advance=advance)
    return replace(columns, unreplayed=unreplayed(columns, path))
