"""`council export`: the record itself, streamed."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.console import progress
from cli.errors import CliError
from cli.ledger import Opened, run_with_ledger, stored_line
from cli.options import AsJson, Database, Realm
from cli.output import json_text, note, write_line
from cli.running import new_app

app = new_app()


@app.command()
def export(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Where to write; '-' is standard output.")] = "-",
    realm: Realm = None,
    after: Annotated[int, typer.Option(min=0, metavar="POSITION", help="Only records behind this position.")] = 0,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write records as JSON Lines.

    Each line is {"realm_id", "position", "hash", "previous", "body"} in chain order, so that a reader can prove the
    chain: a hash is SHA-256 over the canonical JSON of {"body", "position", "previous", "realm_id"}. The output is JSON
    Lines with and without --json.
    """
    if file == "-":
        count = run_with_ledger(database, lambda ledger: _export(ledger, realm, after, write_line))
    else:
        count = _to_file(Path(file), database, realm, after)
    if file != "-" or sys.stderr.isatty():
        note(f"{count} record{'' if count == 1 else 's'} written{f' to {file}' if file != '-' else ''}")


async def _export(ledger: Opened, realm: str | None, after: int, write: Callable[[str], None]) -> int:
    count = 0
    with progress("exporting", await total_records(ledger, realm)) as advance:
        async for stored in ledger.scan(realm, after):
            write(json_text(stored_line(stored)))
            count += 1
            advance()
    return count


def _to_file(path: Path, database: str | None, realm: str | None, after: int) -> int:
    """Write beside the target and move into place, so that a broken export never looks whole."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as opened:
            count = run_with_ledger(
                database, lambda ledger: _export(ledger, realm, after, lambda line: _line(opened.write, line))
            )
        partial.replace(path)
    except OSError as error:
        fix = "name a file in a directory that you may write to, with room on its disk"
        raise CliError(f"cannot write {str(path)!r}: {(error.strerror or str(error)).lower()}", fix) from None
    return count


def _line(write: Callable[[str], int], line: str) -> None:
    write(line + "\n")


async def total_records(ledger: Opened, realm: str | None) -> int:
    """Return how many records the chains hold, for a progress bar."""
    names = await ledger.realms() if realm is None else (realm,)
    heads = [await ledger.head(name) for name in names]
    return sum(head.position for head in heads if head is not None)
