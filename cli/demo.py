"""`council demo`: the council at work on the example requests, and a day of the world that it governs."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cli.console import console, draw
from cli.deciding import Answered, here
from cli.errors import CliError
from cli.ledger import place_of
from cli.options import AsJson, PolicyFile
from cli.output import note, write_json, write_line
from cli.render_list import listed
from cli.render_summary import Outcome, render_summary
from cli.running import new_app
from cli.showing import draw_stored

app = new_app()
_EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "requests"


@app.command()
def demo(
    requests: Annotated[
        Path, typer.Option("--requests", metavar="DIR", help="Where the requests are: *.json.", show_default=False)
    ] = _EXAMPLES,
    policy: PolicyFile = None,
    database: Annotated[
        str | None, typer.Option("--database", "-d", metavar="URL", help="Keep the decisions there.")
    ] = None,
    world: Annotated[bool, typer.Option("--world/--no-world", help="Also play a day of the shared world.")] = True,
    story: Annotated[bool, typer.Option("--story/--no-story", help="Also tell three chapters of one player.")] = True,
    language: Annotated[str, typer.Option("--language", "-l", help="Of the story: en, vi or es.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Review the example requests and show every decision.

    Decides in a database that is thrown away, unless --database names one to keep. After a table of all verdicts it plays a
    day of the shared world, as 'council world demo' does, and tells a story in it, as 'council story demo' does. With --json
    there is neither, and each decision is one line: {"file", "position", "hash", "previous", "body"}.
    """
    files = sorted(requests.glob("*.json")) if requests.is_dir() else []
    if not files:
        raise CliError(f"no request (*.json) in {str(requests)!r}", "name the directory with --requests DIR")
    with tempfile.TemporaryDirectory(prefix="council-demo-") as directory:
        where = database or f"sqlite:///{Path(directory).as_posix()}/demo.db"
        asyncio.run(_demo(files, where, policy, as_json=as_json))
    if world and not as_json:
        _play_a_day(policy)
    if story and not as_json:
        _tell_a_story(language, policy)
    if database is None and not as_json:
        write_line("")
        note(
            "nothing was kept; next, in .venv/bin: council review examples/requests/FILE, then council explain ID --flip"
        )


def _play_a_day(policy: str | None) -> None:
    # Late: whoever wants JSON or reviews only need not load the world.
    from cli.render_world_day import render_day  # noqa: PLC0415
    from cli.world_demo import day  # noqa: PLC0415
    from world.demo.day import DAY, SEED  # noqa: PLC0415

    write_line("\n" + "═" * console().width)
    note("council: a day of the shared world, played in seconds ...")
    draw(*render_day(day(SEED, DAY, None, policy)))


def _tell_a_story(language: str, policy: str | None) -> None:
    # Late: as above.
    from cli.render_story_demo import render_story_demo  # noqa: PLC0415
    from cli.story_demo import read_language, story_of  # noqa: PLC0415
    from cli.story_demo_play import SEED  # noqa: PLC0415

    write_line("\n" + "═" * console().width)
    draw(*render_story_demo(story_of(read_language(language), SEED, policy)))


async def _demo(files: list[Path], database: str, policy: str | None, *, as_json: bool) -> None:
    outcomes = []
    async with here(database, policy) as decider:
        for file in files:
            found = await decider.review(file.read_bytes())
            assert found.stored is not None
            outcomes.append(Outcome(file.name, listed(found.stored.body, found.stored.position)))
            _show(file, found, as_json=as_json)
    if not as_json:
        draw(*render_summary(outcomes))


def _show(file: Path, found: Answered, *, as_json: bool) -> None:
    assert found.stored is not None
    if as_json:
        body = orjson.Fragment(found.stored.body)
        write_json({"file": file.name, **place_of(found.stored), "body": body})
        return
    write_line(f"\n── {file.name} " + "─" * max(0, 96 - len(file.name)))
    draw_stored(found.stored)
