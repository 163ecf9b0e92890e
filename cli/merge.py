"""`council merge`: the merge as a filter, JSON Lines in and out."""

import sys
from typing import Annotated

import typer

from cli.complaints import complain
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson
from cli.output import json_text, lines_of, note, write_line
from cli.running import new_app
from council.merge_lines import merge_line
from policies.faults import InvalidInputError

app = new_app()


@app.command()
def merge(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON Lines; '-' is standard input.")] = "-",
    as_json: AsJson = False,
) -> None:
    """Merge votes given as JSON Lines, one result a line.

    Each line is {"policy": {"weights": {"lore": "3/2"}, "quotas": {...}}, "votes": [{"member": "lore", "verdict":
    "reject"}], "vetoes": [{"rule": "canon_lock", "outcome": "reject"}]}; every part has a default. A bad line is
    answered by {"error": ...} on its own line and the rest goes on; the exit code is then 2. Blank lines are skipped.
    The output is JSON with and without --json.
    """
    if file == "-" and sys.stdin.isatty():
        note('council: reading JSON Lines from the keyboard, such as {"votes":[{"member":"lore","verdict":"reject"}]}')
    bad = 0
    with lines_of(file) as opened:
        for position, line in enumerate(opened, start=1):
            if line.strip():
                bad += not _answer(position, line.rstrip(b"\r\n"))
    if bad:
        raise typer.Exit(Exit.UNJUDGED)


def _answer(position: int, line: bytes) -> bool:
    """Answer one line; return whether it could be merged."""
    try:
        write_line(merge_line(line).decode())
    except InvalidInputError as error:
        faults = [{"path": fault.path, "message": fault.message, "fix": fault.fix} for fault in error.faults]
        write_line(json_text({"error": {"line": position, "faults": faults}}))
        _teach(position, error)
        return False
    return True


def _teach(position: int, error: InvalidInputError) -> None:
    details = [str(fault) for fault in error.faults]
    complain(
        CliError(f"line {position} cannot be merged", "the other lines are still answered", details), as_json=False
    )
