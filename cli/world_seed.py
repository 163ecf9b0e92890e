"""`council world seed`: a realm from the world's file."""

import re
from typing import Annotated, Final

import typer

from cli.errors import CliError
from cli.options import AsJson, Database
from cli.output import write_json, write_line
from cli.running import new_app
from cli.text import clean
from cli.world_opening import WorldFile, run_with_store, world_file
from gateway.settings import Settings
from world.persistence.port import WorldStore
from world.service.clock import system_clock
from world.service.realms import first_snapshot

app = new_app()
DEFAULT_REALM = "aelvyndor"
_NAME: Final = re.compile(r"[\w.:@/+\-]{1,128}")
"""What an act or a decision request takes as an id: under another name nobody could ever act in the realm."""


@app.command()
def seed(
    *,
    realm: Annotated[str, typer.Option("--realm", "-r", metavar="REALM", help="Name of the realm.")] = DEFAULT_REALM,
    world: WorldFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a realm from the world's file; one that exists is left as it is.

    Safe to run again and again. The database is made where a SQLite file is missing.
    """

    if not _NAME.fullmatch(realm):
        raise CliError(
            f"the realm cannot be called {realm!r}", "--realm takes 1 to 128 of: letters, digits, _ . : @ / + -"
        )

    async def make(store: WorldStore, settings: Settings) -> None:
        found = world_file(world, settings)
        is_new = await store.create(first_snapshot(found.new_realm(realm), system_clock()))
        latest = await store.latest(realm)
        if as_json:
            write_json(
                {
                    "realm_id": realm,
                    "is_new": is_new,
                    "tick_number": latest.tick_number,
                    "snapshot_id": latest.snapshot_id,
                    "hash": latest.hash,
                }
            )
            return
        name = clean(realm)
        if not is_new:
            write_line(f"realm {name} exists and stands at {latest.snapshot_id}; nothing was changed")
            return
        factions, territories = len(found.seed.factions), len(found.seed.territories)
        rules = f"{clean(found.rules.rules_id)} v{found.rules.version}"
        write_line(
            f"realm {name} made from {rules}: {factions} factions, {territories} territories, hash {latest.hash[:12]}"
        )
        write_line(
            "next: council world status, council world tick, or council worker for a tick every quarter of an hour"
        )

    run_with_store(database, make, create=True)
