"""`council story context`: what the next chapter would hear of the world."""

import asyncio
from typing import Any

from cli.console import draw
from cli.options import AsJson, Database, PolicyFile
from cli.output import write_json
from cli.render_story_why import render_context
from cli.running import new_app
from cli.story_opening import StoryName, Why, tale_named, telling
from gateway.settings import read_settings
from story.context.payload import explained, payload

app = new_app()


@app.command()
def context(
    story_id: StoryName,
    *,
    why: Why = False,
    policy: PolicyFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show what a story's next chapter would hear of the world, and what not.

    Nothing is told and nothing changes. --why adds how relevance came about, term by term.
    """
    settings = read_settings(database_url=database, policy_path=policy)

    async def read() -> dict[str, Any]:
        async with telling(settings) as found:
            await tale_named(found.story.store, story_id)
            tale, heard = await found.story.teller.context(story_id)
            document = {"story_id": story_id, "chapter": tale.chapter + 1, **payload(heard)}
            chosen = explained(heard)
            return {**document, "why": chosen} if why else {**document, "chosen": _chosen(chosen)}

    document = asyncio.run(read())
    if as_json:
        write_json(document)
    else:
        draw(*render_context(document))


def _chosen(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"item_id": each["item_id"], "kind": each["kind"], "why": each["why"]} for each in found["chosen"]]
