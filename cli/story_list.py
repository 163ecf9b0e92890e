"""`council story list`: the stories of a database."""

from typing import Annotated, Any

import orjson
import typer

from cli.console import draw
from cli.options import AsJson, Database
from cli.output import write_json
from cli.render_story import render_list
from cli.running import new_app
from cli.story_opening import run_with_stories
from story.ledger.port import MAX_PAGE, StoredTale, StoryStore

app = new_app()


@app.command(name="list")
def list_stories(
    *,
    realm: Annotated[str | None, typer.Option("--realm", "-r", metavar="REALM", help="Only this realm's.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List the stories, with how far each is told.

    With --json each story is one line.
    """

    async def show(store: StoryStore) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after = ""
        while page := await store.tales(realm, after=after, limit=MAX_PAGE):
            rows += [await _row(store, each) for each in page]
            after = page[-1].story_id
        return rows

    rows = run_with_stories(database, show)
    if not as_json:
        draw(*render_list(rows))
        return
    for row in rows:
        write_json(row)


async def _row(store: StoryStore, tale: StoredTale) -> dict[str, Any]:
    document = orjson.loads(tale.tale)
    open_chapter = await store.chapter(tale.story_id, tale.chapter + 1)
    last = open_chapter or (await store.chapter(tale.story_id, tale.chapter) if tale.chapter else None)
    return {
        "story_id": tale.story_id,
        "realm_id": tale.realm_id,
        "user_id": tale.user_id,
        "hero": document["hero_name"],
        "language": document["language"],
        "chapters_closed": tale.chapter,
        "is_chapter_open": open_chapter is not None,
        "last_title": last.told.title if last is not None else None,
    }
