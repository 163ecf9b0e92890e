"""`council world replay`: a realm played again from its first snapshot."""

from typing import Annotated

import typer

from cli.console import progress
from cli.exits import Exit
from cli.options import AsJson, Database
from cli.output import write_json, write_line
from cli.running import new_app
from cli.text import clean, counted
from cli.world_opening import RealmName, realm_named, run_with_store, world_file
from gateway.settings import Settings
from world.persistence.port import WorldStore
from world.service.replay import Replayed, replay

app = new_app()


@app.command("replay")
def replay_realm(
    *,
    realm: RealmName = None,
    worlds: Annotated[
        list[str] | None,
        typer.Option(
            "--world", metavar="FILE", help="World file of an earlier version that made ticks; may be repeated."
        ),
    ] = None,
    until: Annotated[
        int | None, typer.Option("--until", min=0, metavar="TICK", help="Last tick; all unless given.")
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Play a realm again from its first snapshot; any difference exits with 1.

    Every tick is run anew from the acts that counted in it, every decision applied anew: the chain of hashes must be the same.
    """

    async def play(store: WorldStore, settings: Settings) -> Replayed:
        realm_id = await realm_named(store, realm)
        rules = [world_file(path, settings).rules for path in (None, *(worlds or ()))]
        total = until if until is not None else (await store.latest(realm_id)).tick_number
        with progress("ticks", total + 1) as step:
            return await replay(store, realm_id, rules, until=until, told=lambda _: step())

    found = run_with_store(database, play)
    if as_json:
        write_json(_document(found))
    else:
        for line in _lines(found):
            write_line(line)
    if found.difference is not None:
        raise typer.Exit(Exit.MISMATCH)


def _document(found: Replayed) -> dict[str, object]:
    difference = found.difference._asdict() if found.difference is not None else None
    return {**found._asdict(), "is_same": found.difference is None, "difference": difference}


def _lines(found: Replayed) -> list[str]:
    ran = [counted(found.ticks, "tick"), counted(found.decisions, "decision")]
    ran += [f"{counted(found.steps, 'step')} of sovereign actions"] if found.steps else []
    same = f"{', '.join(ran[:-1])} and {ran[-1]} came out the same"
    if found.difference is None:
        return [f"✓ realm {clean(found.realm_id)}: {same}, last hash {found.last[:12]}"]
    wrong = found.difference
    parts = f"   differs in: {clean(', '.join(wrong.parts[:8]))}" if wrong.parts else ""
    return [
        f"✗ realm {clean(found.realm_id)} differs at {clean(wrong.snapshot_id)} (tick {wrong.tick_number}): {clean(wrong.told)}",
        f"   stored {wrong.stored[:12]}, replayed {wrong.replayed[:12] or 'nothing'}",
        *([parts] if parts else []),
        f"   before it {same}",
    ]
