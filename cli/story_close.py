"""`council story close`: what the player did in a chapter."""

import asyncio
from functools import partial
from typing import Annotated, Any

import typer

from cli.console import draw
from cli.errors import CliError
from cli.options import AsJson, Database, PolicyFile
from cli.output import read_bytes, write_json
from cli.render_story import render_close
from cli.running import new_app
from cli.story_opening import ChapterNumber, StoryName, chapter_named, telling
from cli.story_options import close_option, in_file, told_as
from gateway.settings import read_settings
from policies.strict_json import parse_strict
from story.tale.outcome import ChapterOutcome, outcome_from

app = new_app()
MAX_BYTES = 1_048_576


@app.command()
def close(
    story_id: StoryName,
    chapter: ChapterNumber = None,
    *,
    deed: Annotated[
        list[str] | None,
        typer.Option(
            "--deed", metavar="ACT[:FACTION[:TERRITORY]][@BEAT]", help="What the player did; may be repeated."
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="For the threat rules, such as empire_encounter; may be repeated."),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TERRITORY", help="Where the hero is now.")] = None,
    losses: Annotated[int, typer.Option("--losses", min=0, max=100, help="How much the hero lost.")] = 0,
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", metavar="FILE", help="All of it as JSON instead; '-' reads standard input."),
    ] = None,
    policy: PolicyFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Close a chapter with what the player did, and send the deeds to the world.

    Shows what the player reads of it, and what the world made of each deed. Closing again with the same outcome changes nothing.
    """
    if outcome is not None and (deed or tag or to or losses):
        raise CliError("--outcome and single options are both given", "write everything into the file, or nothing")
    settings = read_settings(database_url=database, policy_path=policy)
    name = in_file if outcome is not None else partial(close_option, deeds=deed or [], tags=tag or [])
    with told_as(name):
        done = _read(outcome) if outcome is not None else _given(deed or [], tag or [], to, losses)

    async def run() -> dict[str, Any]:
        from gateway.story_views import closed_view  # noqa: PLC0415 - with the gateway, which --help must not wait for

        async with telling(settings) as found:
            store = found.story.store
            number = (await chapter_named(store, story_id, chapter)).told.number
            told = await found.story.watched.close(story_id, number, done)
            await found.story.send()
            return {**closed_view(told.chapter, await store.deeds(story_id, number)), "is_repeat": told.is_repeat}

    with told_as(name):
        document = asyncio.run(run())
    if as_json:
        write_json(document)
    else:
        draw(*render_close(document))


def _read(file: str) -> ChapterOutcome:
    return outcome_from(parse_strict(read_bytes(file), max_bytes=MAX_BYTES).value)


def _given(deeds: list[str], tags: list[str], to: str | None, losses: int) -> ChapterOutcome:
    entered = [{"territory_id": to}] if to is not None else []
    return outcome_from({"deeds": [_deed(each) for each in deeds], "tags": tags, "entered": entered, "losses": losses})


def _deed(text: str) -> dict[str, str | int]:
    named, mark, beat = text.strip().rpartition("@")
    is_placed = bool(mark) and beat.isascii() and beat.isdigit()
    parts = [part.strip() for part in (named if is_placed else text).split(":")]
    if not parts[0] or len(parts) > 3:
        fix = "such as patrol_complete:empire:far-wilds, or patrol_complete:empire@2 for the second beat"
        raise CliError(f"--deed {text!r} is not ACT[:FACTION[:TERRITORY]][@BEAT]", fix)
    keys = dict(zip(("action_type", "faction_id", "territory_id"), parts, strict=False))
    return {**{key: value for key, value in keys.items() if value}, **({"beat": int(beat)} if is_placed else {})}
