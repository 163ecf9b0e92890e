"""Where eval commands take decisions from: an export, or a ledger by way of one."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import Final

from cli.errors import CliError
from cli.export import export_to_file
from evals.errors import InvalidFileError
from evals.export_lines import ExportHeader
from evals.exports import ExportFile, open_export

_LEDGER: Final = "(ledger)"


@contextmanager
def decisions_from(
    file: str | None, database: str | None = None, realm: str | None = None, *, check_chain: bool = True
) -> Iterator[ExportFile]:
    """Open recorded decisions for the time of a command.

    A ledger is exported to a temporary file first, and standard input is copied to one, so that every command reads one
    kind of source, as often as it wants.

    Args:
        file: an export, or "-" for one on standard input; None for a ledger.
        database: URL of the ledger; None for that of the settings.
        realm: of the ledger's realms only this one. An export holds what it was made with.

    Raises:
        CliError: where both a file and a database are given, or a realm that is not on record.
        EvalsError, LedgerError: where the source cannot be read.
    """
    if file is not None and database is not None:
        raise CliError("an export and a database were both given", "leave one of them out")
    if file is not None and file != "-":
        yield open_export(file, check_chain=check_chain)
        return
    if file == "-":
        with tempfile.TemporaryDirectory(prefix="council-") as directory:
            path = Path(directory) / "standard-input"
            with path.open("wb") as copy:
                copyfileobj(sys.stdin.buffer, copy)
            yield open_export(path, check_chain=check_chain, name="standard input")
        return
    with tempfile.TemporaryDirectory(prefix="council-") as directory:
        path = Path(directory) / "ledger"
        export_to_file(path, database, ExportHeader(None, realm, 0))
        try:
            yield open_export(path, check_chain=check_chain, name=_LEDGER)
        except InvalidFileError as error:
            if error.faults[0].file != _LEDGER:
                raise
            told = f"the ledger cannot be relied on: {error.faults[0].message}"
            raise CliError(told, "'council verify' names every bad record; restore the store from a backup") from None
