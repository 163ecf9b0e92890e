"""`council world sovereign`: what factions do as a whole: what is under way and what could be, a proposal, an objection."""

import uuid
from typing import Annotated, Any

import typer

from cli.console import draw
from cli.errors import CliError
from cli.options import AsJson, Database
from cli.output import note, write_json, write_line
from cli.render_world_sovereign import render_actions
from cli.running import new_app
from cli.text import clean
from cli.wire_values import id_of
from cli.world_opening import RealmName, WorldFile, realm_named, run_with_store, world_file
from gateway.settings import Settings
from world.persistence.port import WorldStore
from world.realm.rules import WorldRules
from world.realm.sovereign import Proposal, Refusal
from world.realm.state import Realm
from world.service.clock import system_clock
from world.service.realms import RealmReader
from world.service.sovereign import Sovereignty, Taken
from world.views.actions import action_view, actions_view, sovereignty_view

Faction = Annotated[str, typer.Argument(metavar="FACTION", help="Faction that speaks.")]
User = Annotated[str, typer.Option("--user", "-u", metavar="USER", help="Who speaks for it.")]
ActionId = Annotated[
    str | None,
    typer.Option("--id", metavar="ACTION", help="Names the action: the same again is the same; else a new one."),
]

app = new_app()


@app.callback(invoke_without_command=True)
def sovereign(
    context: typer.Context,
    *,
    realm: RealmName = None,
    world: WorldFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List, propose and object to what factions do as a whole: costly, seldom, decided by the council.

    Without a command: the list.
    """
    if context.invoked_subcommand is None:
        _list(realm, world, database, as_json=as_json)


@app.command("list")
def list_actions(
    *, realm: RealmName = None, world: WorldFile = None, database: Database = None, as_json: AsJson = False
) -> None:
    """List what is under way, and what each faction could do now."""
    _list(realm, world, database, as_json=as_json)


@app.command("propose")
def propose(
    faction: Faction,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What it does, as the list names it.")],
    *,
    user: User,
    target: Annotated[
        str | None, typer.Option("--target", "-t", metavar="TARGET", help="Territory or faction that it is done to.")
    ] = None,
    action_id: ActionId = None,
    realm: RealmName = None,
    world: WorldFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Propose an action for a faction: its cost leaves the treasury, others may object, then the council is asked."""
    proposal = Proposal(id_of("--id", action_id or f"act-{uuid.uuid4()}"), kind, faction, id_of("--user", user), target)

    async def work(store: WorldStore, settings: Settings) -> None:
        rules = world_file(world, settings).rules
        realm_id = await realm_named(store, realm)
        found = await _sovereignty(store, rules).propose(realm_id, proposal)
        _tell(_taken(found), realm_id, await RealmReader(store).current(realm_id), rules, as_json=as_json)

    run_with_store(database, work)


@app.command("object")
def object_to(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="Action under way, as the list names it.")],
    faction: Faction,
    *,
    user: User,
    realm: RealmName = None,
    world: WorldFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Object to another faction's action while its window is open; the council is shown who did."""
    speaker = id_of("--user", user)

    async def work(store: WorldStore, settings: Settings) -> None:
        rules = world_file(world, settings).rules
        realm_id = await realm_named(store, realm)
        found = await _sovereignty(store, rules).object_to(realm_id, action, faction_id=faction, user_id=speaker)
        _tell(_taken(found), realm_id, await RealmReader(store).current(realm_id), rules, as_json=as_json)

    run_with_store(database, work)


def _list(realm: str | None, world: str | None, database: str | None, *, as_json: bool) -> None:
    async def work(store: WorldStore, settings: Settings) -> None:
        rules = world_file(world, settings).rules
        realm_id = await realm_named(store, realm)
        document = _document(await RealmReader(store).current(realm_id), rules)
        if as_json:
            write_json(document)
        else:
            draw(*render_actions(document))

    run_with_store(database, work)


def _document(realm: Realm, rules: WorldRules) -> dict[str, Any]:
    return {
        "realm_id": realm.realm_id,
        "tick_number": realm.tick_number,
        "snapshot_id": realm.snapshot_id,
        "actions": actions_view(realm, rules),
        "factions": sovereignty_view(realm, rules),
    }


def _sovereignty(store: WorldStore, rules: WorldRules) -> Sovereignty:
    return Sovereignty(store, RealmReader(store), rules, system_clock)


def _taken(found: Taken | Refusal) -> Taken:
    """Return what was taken up.

    Raises:
        CliError: where the rules refuse it.
    """
    if isinstance(found, Refusal):
        raise CliError(found.told, found.fix)
    return found


def _tell(taken: Taken, realm_id: str, realm: Realm, rules: WorldRules, *, as_json: bool) -> None:
    action = action_view(taken.action, realm, rules)
    if as_json:
        write_json(
            {"realm_id": realm_id, "snapshot_id": taken.snapshot_id, "is_repeat": taken.is_repeat, "action": action}
        )
        return
    against = f", against it {', '.join(action['objections'])}" if action["objections"] else ""
    write_line(f"{clean(action['action_id'])}: {clean(action['faction_id'])}, {clean(action['kind'])}{clean(against)}")
    write_line(f"others may object up to tick {action['closes']}; the tick after it asks the council")
    if taken.is_repeat:
        note("it had been said before: nothing was done now")
