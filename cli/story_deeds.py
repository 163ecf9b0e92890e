"""`council story deeds`: deeds that the world has not taken, and why."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.console import draw
from cli.options import AsJson, Database
from cli.output import write_json
from cli.render_story import render_unsent
from cli.running import new_app
from cli.story_opening import run_with_stories
from story.ledger.port import MAX_PAGE, StoryStore, Unsent, UnsentState
from world.service.clock import system_clock

app = new_app()


@app.command()
def deeds(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most chapters.")] = MAX_PAGE,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List deeds that were given up, and those that wait for the world.

    Each line is a chapter, whose deeds go together. `council worker` sends what waits: again after 2 seconds, then after twice as
    long each time, up to a minute. What the world could not take twelve times is given up, and stays here with the reason. With
    --json each chapter is one object.
    """

    async def show(store: StoryStore) -> tuple[Sequence[Unsent], Mapping[UnsentState, int]]:
        return await store.unsent(limit=limit), await store.unsent_deeds()

    rows, counts = run_with_stories(database, show)
    if not as_json:
        draw(*render_unsent([_row(each) for each in rows], counts, system_clock()))
        return
    for each in rows:
        write_json(_row(each))


def _row(found: Unsent) -> dict[str, Any]:
    return found._asdict()
