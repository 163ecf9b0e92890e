"""`council story chapter`: a chapter as its player reads it."""

from typing import Any

import orjson

from cli.console import draw
from cli.options import AsJson, Database
from cli.output import write_json
from cli.render_story import render_chapter, render_recap
from cli.render_story_why import render_why
from cli.running import new_app
from cli.story_opening import ChapterNumber, StoryName, Why, chapter_named, run_with_stories
from story.ledger.port import StoryStore

app = new_app()


@app.command()
def chapter(
    story_id: StoryName,
    number: ChapterNumber = None,
    *,
    why: Why = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Read a chapter that was told; the last one unless numbered.

    --why adds the plan, what was chosen and left out of the world with the numbers, and the deeds that came of it.
    """

    async def show(store: StoryStore) -> dict[str, Any]:
        from gateway.story_views import planned_view, why_view  # noqa: PLC0415 - costs more than reading the chapter

        found = await chapter_named(store, story_id, number)
        tale = await store.tale(story_id)
        shown = {**planned_view(found, tale), "recap": _recap(found.recap)}
        deeds = await store.deeds(story_id, found.told.number)
        return {**shown, "why": why_view(found, deeds)} if why else shown

    document = run_with_stories(database, show)
    if as_json:
        write_json(document)
        return
    draw(*render_chapter(document))
    if document["recap"] is not None:
        draw(*render_recap(document["recap"]))
    if why:
        draw(*render_why(document["why"]))


def _recap(stored: bytes | None) -> Any:
    return orjson.loads(stored) if stored is not None else None
