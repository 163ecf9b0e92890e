"""`council world tick`: ticks now."""

import asyncio
from typing import Annotated, Any, NamedTuple

import typer

from cli.console import draw, progress
from cli.errors import CliError
from cli.options import AsJson, Database, PolicyFile
from cli.output import write_json
from cli.render_world_tick import render_ticks
from cli.running import new_app
from cli.world_opening import RealmName, living_world, realm_named
from gateway.settings import read_settings
from gateway.world_bootstrap import LivingWorld
from world.errors import MovedOnError

app = new_app()
TRIES = 5


class TickRow(NamedTuple):
    """One tick that was run."""

    wire: dict[str, Any]
    """The `world_tick_result` of 000 §5.2."""
    settled: int
    """Questions that the council answered after it."""
    hash: str
    """Of the realm's state after the tick and its decisions."""


@app.command()
def tick(
    count: Annotated[int, typer.Argument(metavar="[N]", min=1, max=10_000, help="How many.")] = 1,
    *,
    realm: RealmName = None,
    policy: PolicyFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Run ticks now, have the council settle what they raise, and show what changed.

    The council decides in this process, or at COUNCIL_COUNCIL_URL. With --json each tick is one line: the world_tick_result
    with "settled" and "hash".
    """
    settings = read_settings(database_url=database, policy_path=policy)

    async def run() -> list[TickRow]:
        async with living_world(settings) as world:
            realm_id = await realm_named(world.store, realm)
            with progress("ticks", count) as step:
                rows = []
                for _ in range(count):
                    rows.append(await _ticked(world, realm_id))
                    step()
            await world.ticker.leave(realm_id)
            return rows

    rows = asyncio.run(run())
    if as_json:
        for row in rows:
            write_json({**row.wire, "settled": row.settled, "hash": row.hash})
    else:
        draw(*render_ticks(rows))


async def _ticked(world: LivingWorld, realm_id: str) -> TickRow:
    for _ in range(TRIES):
        try:
            found = await world.ticker.run(realm_id)
            break
        except MovedOnError:
            continue
    else:
        raise CliError(f"realm {realm_id!r} keeps moving on", "another process applies decisions to it; try again")
    if found is None:
        fix = "'council worker' ticks it; wait a minute for its lease to end, or stop it"
        raise CliError(f"another process ticks realm {realm_id!r}", fix)
    settled = await world.verdicts.settle(realm_id)
    return TickRow(found.wire, settled, (await world.store.latest(realm_id)).hash)
