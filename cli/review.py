"""`council review`: requests in, verdicts out, on record."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from cli.complaints import complain
from cli.console import draw, progress
from cli.deciding import Answered, Decider, here, there
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson, Database, PolicyFile
from cli.output import json_text, note, read_bytes, write_line
from cli.render_list import Listed, listed
from cli.render_summary import Outcome, render_summary
from cli.running import new_app
from cli.showing import draw_answer, draw_stored
from cli.telling import told

if TYPE_CHECKING:
    from cli.live import LiveVotes

app = new_app()
_TOGETHER = 32
"""Reviews under way at once: they share commits of the record."""


@app.command()
def review(
    files: Annotated[list[str], typer.Argument(metavar="FILE|-...", help="Requests; '-' is standard input.")],
    *,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Ask the server there instead.")] = None,
    live: Annotated[bool, typer.Option("--live", "-l", help="Show the votes of models as they arrive.")] = False,
    brief: Annotated[bool, typer.Option("--brief", "-b", help="Only the table, where there are many.")] = False,
    policy: PolicyFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Review decision requests and show each verdict with its reasons.

    Decides in this process and records in the database, which is made where there is none. The same request sent again
    gets its one answer. With --url the request goes to a running server with COUNCIL_SERVICE_TOKEN. With --json each
    file is answered by one line, its answer or {"error": ...}. A file that cannot be judged leaves the others
    untouched; the exit code is then 2.
    """
    if url is not None and (policy is not None or database is not None):
        raise CliError(
            "--url asks a server, which has its own policy and database", "leave out --policy and --database"
        )
    if url is not None and live:
        raise CliError(
            "--live shows votes of models that are asked from here", "leave out --url, or watch: council tail"
        )
    answered, failed = asyncio.run(_review_all(files, url, policy, database, is_live=live))
    if as_json:
        _write_lines(files, answered, failed)
    else:
        _draw(answered, brief=brief)
    for file, error in failed.items():
        complain(CliError(f"{file}: {error.what}", error.fix, error.details), as_json=as_json)
    if failed:
        raise typer.Exit(Exit.UNJUDGED)


async def _review_all(
    files: Sequence[str], url: str | None, policy: str | None, database: str | None, *, is_live: bool
) -> tuple[dict[str, Answered], dict[str, CliError]]:
    answered: dict[str, Answered] = {}
    failed: dict[str, CliError] = {}
    wanted = list(dict.fromkeys(files))
    votes = _live_votes() if is_live else None
    opened = there(url) if url is not None else here(database, policy, votes)
    async with opened as decider:
        shown = progress("reviewing", len(wanted) if len(wanted) > 1 and votes is None else None)
        with shown as advance, votes.showing() if votes is not None else nullcontext():
            async for file, outcome in _outcomes(decider, wanted):
                if isinstance(outcome, CliError):
                    failed[file] = outcome
                else:
                    answered[file] = outcome
                advance()
    return answered, failed


def _live_votes() -> "LiveVotes":
    from cli.live import LiveVotes  # noqa: PLC0415 - rich's live display, which a quiet review does without

    return LiveVotes()


async def _outcomes(decider: Decider, files: Sequence[str]) -> AsyncIterator[tuple[str, Answered | CliError]]:
    for start in range(0, len(files), _TOGETHER):
        together = files[start : start + _TOGETHER]
        for file, outcome in zip(
            together, await asyncio.gather(*(_one(decider, file) for file in together)), strict=True
        ):
            yield file, outcome


async def _one(decider: Decider, file: str) -> Answered | CliError:
    try:
        if file == "-" and sys.stdin.isatty():
            note("council: reading one JSON request from the keyboard; end it with ctrl-d")
        return await decider.review(read_bytes(file))
    except Exception as error:
        said = told(error)
        if said is None:
            raise
        return said


def _write_lines(files: Sequence[str], answered: dict[str, Answered], failed: dict[str, CliError]) -> None:
    for file in dict.fromkeys(files):
        if file in answered:
            write_line(answered[file].answer.decode())
        else:
            error = failed[file]
            write_line(json_text({"error": {"file": file, "what": error.what, "details": error.details}}))


def _draw(answered: dict[str, Answered], *, brief: bool) -> None:
    is_many = len(answered) > 1
    for file, found in answered.items():
        if not (brief and is_many):
            _draw_one(found)
        if found.was_on_record:
            note(f"{file}: this request was on record already; its stored answer stands")
    if is_many:
        draw(*render_summary([Outcome(_name(file), _row(found)) for file, found in answered.items()]))


def _draw_one(found: Answered) -> None:
    if found.stored is not None:
        draw_stored(found.stored)
    else:
        draw_answer(orjson.loads(found.request), orjson.loads(found.answer))


def _row(found: Answered) -> Listed:
    if found.stored is not None:
        return listed(found.stored.body, found.stored.position)
    request, answer = orjson.loads(found.request), orjson.loads(found.answer)
    return Listed(
        answer["record"]["position"],
        "",
        request["realm_id"],
        request["decision_type"],
        answer["final_verdict"],
        answer["path"],
        answer["confidence"],
        answer["final_verdict"] == "quarantine",
        request["proposed_change"]["summary"],
        answer["decision_id"],
    )


def _name(file: str) -> str:
    return "(standard input)" if file == "-" else Path(file).name
