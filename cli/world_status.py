"""`council world status`: a realm at a glance."""

import time
from typing import Any

from cli.console import draw
from cli.options import AsJson, Database
from cli.output import write_json
from cli.render_world import render_status
from cli.running import new_app
from cli.world_opening import RealmName, WorldFile, realm_named, run_with_store, world_file
from gateway.settings import Settings
from world.persistence.port import WorldStore
from world.service.moments import MomentReader
from world.service.scheduling import Schedule
from world.views.summary import Held, summary_view

app = new_app()


@app.command()
def status(
    *,
    realm: RealmName = None,
    world: WorldFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show a realm: factions, territories, conflicts, meters, triggers, next tick.

    With --json: the summary of the HTTP service as a game master reads it, with next_tick_in_s.
    """

    async def show(store: WorldStore, settings: Settings) -> None:
        realm_id = await realm_named(store, realm)
        document = await status_of(store, settings, realm_id, world, now=time.time_ns() // 1_000_000)
        if as_json:
            write_json(document)
        else:
            draw(*render_status(document))

    run_with_store(database, show)


async def status_of(
    store: WorldStore, settings: Settings, realm_id: str, world: str | None, *, now: int
) -> dict[str, Any]:
    """Return what is shown of a realm.

    Args:
        now: milliseconds since 1970.
    """
    found = await MomentReader(store, settings.tick_s).now(realm_id)
    held = Held(
        in_review=len(await store.rows(realm_id, state="in_review", limit=500)),
        quarantined=len(await store.rows(realm_id, state="quarantined", limit=500)),
        questions=len(await store.questions(realm_id, "open", 500)),
    )
    schedule = Schedule(settings.tick_s * 1_000)
    document = summary_view(found.moment, world_file(world, settings).rules, found.verdicts, held=held)
    due_in = schedule.next_at(now) - now if schedule.period(found.moment.made_at) >= schedule.period(now) else 0
    return {**document, "next_tick_in_s": due_in // 1_000}
