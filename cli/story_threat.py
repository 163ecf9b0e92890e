"""`council story threat`: what threatens a hero."""

from typing import Any

import orjson

from cli.console import draw
from cli.options import AsJson, Database
from cli.output import write_json
from cli.render_story_why import render_threat
from cli.running import new_app
from cli.story_opening import StoryName, Why, run_with_stories, tale_named
from story.ledger.port import StoryStore
from story.tale.documents import tale_from
from story.tale.plain import plain
from story.tale.tale import Tale
from story.threat.pressure import compute_threat_pressure, shown_tone
from story.threat.prompt_block import prompt_block

app = new_app()


@app.command()
def threat(
    story_id: StoryName,
    *,
    why: Why = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show what threatens a story's hero, in the words that prose may use.

    --why adds the environment with its numbers, what of the player decides it, and the block that a story model is given.
    """

    async def read(store: StoryStore) -> Tale:
        return tale_from(orjson.loads((await tale_named(store, story_id)).tale))

    document = threat_document(run_with_stories(database, read), is_why=why)
    if as_json:
        write_json(document)
    else:
        draw(*render_threat(document))


def threat_document(tale: Tale, *, is_why: bool) -> dict[str, Any]:
    """Return what threatens a tale's hero; numbers only where they are asked for (S4-67)."""
    environment = tale.threat
    pressure = compute_threat_pressure(environment)
    signs = {
        "a Watcher follows": environment.watcher_active,
        "soldiers of the Empire are about": bool(environment.enforcement_intensity),
        "a Lieutenant's unit is out": environment.lieutenant_unit_deployed,
        "the Tower does not keep its shape": environment.tower_instability > 0,
        "an echo of somebody walks the Tower": environment.identity_echo_present,
        "something is not as it should be": environment.world_anomaly_active,
    }
    document: dict[str, Any] = {
        "story_id": tale.story_id,
        "chapter": tale.chapter,
        "pressure": pressure,
        "tone": shown_tone(pressure, "en"),
        "at_work": [told for told, is_so in signs.items() if is_so],
    }
    if not is_why:
        return document
    block = prompt_block(environment, tale.language)
    return {**document, "environment": plain(environment), "player": plain(tale.player), "prompt_block": block}
