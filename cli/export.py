"""`council export`: recorded decisions as a file that proves itself, streamed."""

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.console import progress
from cli.errors import CliError
from cli.ledger import Opened, run_with_ledger
from cli.options import AsJson, Database, Realm
from cli.output import note, write_line
from cli.running import new_app
from cli.text import counted
from evals.decisions import Decision
from evals.export_lines import ExportCounts, ExportHeader, Redaction
from evals.exporting import Write, export_ledger
from evals.pseudonyms import MIN_KEY_BYTES
from evals.redaction import METHOD, Redactor

app = new_app()
Redact = Callable[[Decision], Decision]


@app.command()
def export(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Where to write; '-' is standard output.")] = "-",
    realm: Realm = None,
    after: Annotated[int, typer.Option(min=0, metavar="POSITION", help="Only records behind this position.")] = 0,
    redact: Annotated[bool, typer.Option("--redact", help="Leave people out: ids and texts of players.")] = False,
    redact_key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With --redact: variable that holds the key; a random one unless given."),
    ] = None,
    redact_summaries: Annotated[
        bool, typer.Option("--redact-summaries", help="With --redact: the sim's one-line summaries too.")
    ] = False,
    keep_replies: Annotated[
        bool, typer.Option("--keep-replies", help="With --redact: keep what models wrote; it may repeat players.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write records as JSON Lines.

    A header, every policy before the first decision that it made, the decisions in chain order with labels and outcomes,
    and an end line with the counts, so that a cut file is noticed (docs/schemas/export.schema.json). A decision's hash is
    SHA-256 over the canonical JSON of {"body", "position", "previous", "realm_id"}: a reader can prove the chain. The
    output is JSON Lines with and without --json.

    With --redact names become pseudonyms that nobody can compute without the key, the same for the same name, and texts
    become words without meaning. Such an export proves nothing, and says so.
    """
    asked = (redact_key_env is not None, redact_summaries, keep_replies)
    if any(asked) and not redact:
        raise CliError("options of a redaction were given without one", "add --redact")
    redaction = _redaction(keep_replies=keep_replies, redact_summaries=redact_summaries) if redact else None
    take_out = Redactor(_key(redact_key_env), redaction).redact if redaction else None
    header = ExportHeader(redaction, realm, after)
    if file == "-":
        counts = export_to(lambda line: write_line(line.decode()), database, header, take_out)
    else:
        counts = export_to_file(Path(file), database, header, take_out)
    if file != "-" or sys.stderr.isatty():
        note(f"{counted(counts.decisions, 'decision')} written{f' to {file}' if file != '-' else ''}")


def export_to(write: Write, database: str | None, header: ExportHeader, redact: Redact | None = None) -> ExportCounts:
    """Write the export of a database, or of the settings' one where that is None, line by line.

    Args:
        redact: takes people out of a decision, where the header says so.

    Raises:
        CliError: where the header names a realm that is not on record.
        LedgerError: where the database cannot be used.
    """

    async def work(ledger: Opened) -> ExportCounts:
        await _check_realm(ledger, header.realm_id)
        with progress("exporting", await total_records(ledger, header.realm_id)) as advance:
            return await export_ledger(ledger, header, write, advance, redact)

    return run_with_ledger(database, work)


def export_to_file(
    path: Path, database: str | None, header: ExportHeader, redact: Redact | None = None
) -> ExportCounts:
    """Write beside the target and move into place, so that a broken export never looks whole.

    Raises:
        CliError: where the file cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as opened:
            counts = export_to(lambda line: opened.writelines((line, b"\n")), database, header, redact)
        partial.replace(path)
    except OSError as error:
        fix = "name a file in a directory that you may write to, with room on its disk"
        raise CliError(f"cannot write {str(path)!r}: {(error.strerror or str(error)).lower()}", fix) from None
    return counts


async def total_records(ledger: Opened, realm: str | None) -> int:
    """Return how many records the chains hold, for a progress bar."""
    names = await ledger.realms() if realm is None else (realm,)
    heads = [await ledger.head(name) for name in names]
    return sum(head.position for head in heads if head is not None)


def _redaction(*, keep_replies: bool, redact_summaries: bool) -> Redaction:
    return Redaction(METHOD, "kept" if keep_replies else "dropped", "replaced" if redact_summaries else "kept")


def _key(variable: str | None) -> bytes:
    """Return the key in an environment variable, or a new one that ends with the process."""
    if variable is None:
        return secrets.token_bytes(32)
    key = os.environ.get(variable, "").encode()
    if len(key) < MIN_KEY_BYTES:
        what = f"the variable {variable!r} holds no key" if not key else f"the key in {variable!r} is too short"
        raise CliError(what, f"put at least {MIN_KEY_BYTES} bytes into it that nobody can guess: openssl rand -hex 32")
    return key


async def _check_realm(ledger: Opened, realm: str | None) -> None:
    if realm is not None and realm not in await ledger.realms():
        raise CliError(f"no realm {realm!r} is on record", "'council list' shows the realms of the decisions on record")
