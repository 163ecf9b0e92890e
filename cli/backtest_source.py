"""Recorded history for commands that decide it anew: an export with its sidecar, or a ledger by way of an export."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import NamedTuple

from cli.console import progress
from cli.output import note
from evals.errors import EvalsError
from evals.history import History, open_history


class Source(NamedTuple):
    """A history and what people call it."""

    history: History
    name: str


@contextmanager
def history_from(file: str | None, database: str | None, realm: str | None) -> Iterator[Source]:
    """Open recorded history for the time of a command.

    Args:
        file: an export, or "-"; None for a ledger.
        database: URL of the ledger; None for that of the settings.
        realm: of a ledger's realms only this one.

    Raises:
        CliError, EvalsError, LedgerError: where it cannot be read.
    """
    if file is not None and file != "-" and database is None:
        path = Path(file)
        yield Source(_opened(path, _version(), file), path.name)
        return
    from cli.eval_sources import decisions_from  # noqa: PLC0415 - a ledger's drivers, which an export does without

    with decisions_from(file, database, realm) as export:
        yield Source(_opened(export.path, None, export.name), "standard input" if file == "-" else "the ledger")


def _opened(path: Path, made_by: str | None, name: str) -> History:
    try:
        size = path.stat().st_size
    except OSError as error:
        told = f"cannot read {name!r}: {(error.strerror or str(error)).lower()}"
        raise EvalsError(told, "name a file that 'council export FILE' wrote") from None
    with progress("reading (bytes)", size) as advance:
        return open_history(path, note=note, advance=advance, made_by=made_by, name=name)


def _version() -> str:
    try:
        return version_of("world-council")
    except PackageNotFoundError:
        return "source"
