"""Stories as the commands see them: the ledger opened from the settings, and the teller with its world where one is needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

from cli.errors import CliError
from gateway.settings import Settings, read_settings
from policies.faults import did_you_mean
from story.errors import UnknownStoryError
from story.ledger.opening import open_story_store
from story.ledger.port import Chapter, StoredTale, StoryStore
from world.service.clock import Clock, system_clock

if TYPE_CHECKING:
    from gateway.story_bootstrap import LivingStory
    from gateway.world_bootstrap import LivingWorld

T = TypeVar("T")
StoryName = Annotated[str, typer.Argument(metavar="STORY", help="Id of the story, as `council story list` shows it.")]
ChapterNumber = Annotated[
    int | None, typer.Argument(metavar="[CHAPTER]", min=1, max=10_000, help="Number; the last one told unless given.")
]
Why = Annotated[
    bool, typer.Option("--why", help="Also what was chosen, what was left out, and the numbers. Not for players.")
]


class Telling(NamedTuple):
    """A story teller with the world that it tells of."""

    world: "LivingWorld"
    story: "LivingStory"


def run_with_stories(database: str | None, work: Callable[[StoryStore], Awaitable[T]]) -> T:
    """Run work over the story ledger of a database URL, or of the settings where that is None.

    Raises:
        WorldError: where the store cannot be used.
    """
    settings = read_settings(database_url=database)

    async def run() -> T:
        store = open_story_store(settings.database_url.get_secret_value(), create=False)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


@asynccontextmanager
async def telling(settings: Settings, clock: Clock = system_clock) -> AsyncIterator[Telling]:
    """Open the story teller, its world and its council: in this process, or where the settings say.

    Args:
        clock: milliseconds since 1970.

    Raises:
        WorldError: where the store cannot be used.
    """
    # Late: the council loads LangGraph, which --help must not wait for.
    from gateway.bootstrap import open_council  # noqa: PLC0415
    from gateway.story_bootstrap import open_story  # noqa: PLC0415
    from gateway.world_bootstrap import open_world  # noqa: PLC0415

    council = await open_council(settings)
    try:
        world = await open_world(settings, council, clock)
        story = open_story(settings, council, world)
        try:
            yield Telling(world, story)
        finally:
            await story.close()
            await world.close()
    finally:
        await council.close()


async def tale_named(store: StoryStore, story_id: str) -> StoredTale:
    """Return a story that is named.

    Raises:
        CliError: where there is none, with those that there are.
    """
    try:
        return await store.tale(story_id)
    except UnknownStoryError:
        known = [each.story_id for each in await store.tales()]
        begin = f"council story plan {story_id} --hero NAME begins it"
        fix = f"{did_you_mean(story_id, known)}; or {begin}" if known else begin
        raise CliError(f"there is no story {story_id!r}", fix) from None


async def chapter_named(store: StoryStore, story_id: str, number: int | None) -> Chapter:
    """Return a chapter that is named; the last one told where no number is given.

    Raises:
        CliError: where there is none.
    """
    tale = await tale_named(store, story_id)
    # The chapter that is told and not closed stands behind the last closed one.
    numbers = [number] if number is not None else [tale.chapter + 1, tale.chapter]
    for each in numbers:
        found = await store.chapter(story_id, each)
        if found is not None:
            return found
    told = f"there is no chapter {number} of {story_id!r}" if number is not None else f"nothing of {story_id!r} is told"
    raise CliError(told, f"council story plan {story_id} tells chapter {tale.chapter + 1}")
