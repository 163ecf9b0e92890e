"""`council story demo`: three chapters of one player, through a world that changes under them."""

import asyncio
import logging
from typing import Annotated

import typer

from cli.console import draw
from cli.options import AsJson, PolicyFile
from cli.output import write_json
from cli.render_story_demo import render_story_demo
from cli.running import new_app
from cli.story_demo_play import SEED, Clock, Played, play
from cli.story_opening import telling
from gateway.settings import read_settings
from story.languages import LANGUAGES, Language

app = new_app()


@app.command()
def demo(
    *,
    language: Annotated[str, typer.Option("--language", "-l", help="en, vi or es.")] = "en",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed is another story.")] = SEED,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Play three chapters of one player through a world that changes under them.

    Between the chapters people act, the realm ticks, and the real council decides in this process, by its rules; each chapter
    then tells what of it this hero could know. The same seed tells the same story. Nothing is kept, and no model is asked.
    """
    played = story_of(read_language(language), seed, policy)
    if as_json:
        write_json(played.document())
    else:
        draw(*render_story_demo(played))


def read_language(text: str) -> Language:
    """Read the language of an option.

    Raises:
        BadParameter: for one that stories are not written in.
    """
    found = next((each for each in LANGUAGES if each == text), None)
    if found is None:
        raise typer.BadParameter(f"stories are written in {', '.join(LANGUAGES)}", param_hint="--language")
    return found


def story_of(language: Language, seed: int, policy: str | None) -> Played:
    """Play the story over stores that are thrown away."""
    settings = read_settings(database_url="memory://", policy_path=policy, story_model="", story_critic="")

    async def run() -> Played:
        async with telling(settings, clock := Clock()) as found:
            return await play(found, clock, language, seed)

    logging.getLogger("world").addHandler(logging.NullHandler())
    return asyncio.run(run())
