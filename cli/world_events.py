"""`council world events`: the durable sequence of what happened in a realm."""

import asyncio
from typing import Annotated

import typer

from cli.console import draw
from cli.options import AsJson, Database
from cli.output import flush, write_json
from cli.render_world_events import event_line
from cli.running import new_app
from cli.world_opening import RealmName, realm_named, run_with_store
from gateway.settings import Settings
from world.persistence.messages import Event
from world.persistence.port import MAX_PAGE, WorldStore
from world.views.happened import event_view

app = new_app()


@app.command()
def events(
    *,
    realm: RealmName = None,
    after: Annotated[
        int | None, typer.Option("--after", min=0, metavar="SEQUENCE", help="Only what came behind this event.")
    ] = None,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, max=MAX_PAGE, help="Latest ones, without --after.")
    ] = 30,
    user: Annotated[
        str | None, typer.Option("--user", "-u", metavar="USER", help="Also what this player alone is told.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep looking; ctrl-c stops.")] = False,
    every_s: Annotated[float, typer.Option("--every", min=0.05, metavar="SECONDS", help="How often to look.")] = 0.5,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened in a realm, in order; --follow keeps looking.

    With --json each event is one line.
    """

    async def show(store: WorldStore, _: Settings) -> None:
        realm_id = await realm_named(store, realm)
        seen = after if after is not None else max(0, await store.last_sequence(realm_id) - lines)
        while True:
            while page := await store.events(realm_id, seen, MAX_PAGE, user):
                for event in page:
                    _show(event, as_json=as_json)
                seen = page[-1].sequence
            flush()
            if not follow:
                return
            await asyncio.sleep(every_s)

    run_with_store(database, show)


def _show(event: Event, *, as_json: bool) -> None:
    if as_json:
        write_json(event_view(event))
    else:
        draw(event_line(event))
