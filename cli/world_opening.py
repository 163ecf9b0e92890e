"""The world as the commands see it: its store opened from the settings, its file, and the council where one is needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.errors import CliError
from gateway.settings import Settings, read_settings
from world.persistence import opening
from world.persistence.port import WorldStore
from world.realm.rules_document import World, default_world_path, load_world

if TYPE_CHECKING:
    from gateway.world_bootstrap import LivingWorld

T = TypeVar("T")
RealmName = Annotated[
    str | None, typer.Option("--realm", "-r", metavar="REALM", help="The realm; the only one there is, unless given.")
]
WorldFile = Annotated[
    str | None, typer.Option("--world", metavar="FILE", help="World file instead of COUNCIL_WORLD_PATH.")
]


def run_with_store(
    database: str | None, work: Callable[[WorldStore, Settings], Awaitable[T]], *, create: bool = False
) -> T:
    """Run work over the store of a database URL, or of the settings where that is None.

    Args:
        create: whether to make a SQLite file that is missing.

    Raises:
        WorldError: where the store cannot be used.
    """
    settings = read_settings(database_url=database)

    async def run() -> T:
        store = opening.open_world_store(settings.database_url.get_secret_value(), create=create)
        try:
            return await work(store, settings)
        finally:
            await store.close()

    return asyncio.run(run())


@asynccontextmanager
async def living_world(settings: Settings) -> AsyncIterator["LivingWorld"]:
    """Open the world with its council: in this process, or where the settings say.

    Raises:
        WorldError: where the store cannot be used.
    """
    # Late: the council loads LangGraph, which a missing database must not wait for.
    from gateway.bootstrap import open_council  # noqa: PLC0415
    from gateway.world_bootstrap import open_world  # noqa: PLC0415

    council = await open_council(settings)
    try:
        world = await open_world(settings, council)
        try:
            yield world
        finally:
            await world.close()
    finally:
        await council.close()


def world_file(path: str | None, settings: Settings) -> World:
    """Read the world's file: the option's, the settings' or the shipped one.

    Raises:
        InvalidPolicyError: with every fault of the file.
    """
    return load_world(path or settings.world_path or default_world_path())


async def realm_named(store: WorldStore, wanted: str | None) -> str:
    """Return the realm that is meant: the one that is named, or the only one there is.

    Raises:
        CliError: where there is none, or several and none is named.
    """
    known = await store.realms()
    if wanted is not None and (wanted in known or not known):
        return wanted
    if not known:
        raise CliError("there is no realm here yet", "'council world seed' makes one")
    if wanted is not None:
        raise CliError(f"there is no realm {wanted!r}", f"known: {', '.join(known[:10])}")
    if len(known) > 1:
        raise CliError(f"there are {len(known)} realms", f"name one with --realm: {', '.join(known[:10])}")
    return known[0]
