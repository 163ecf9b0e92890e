"""`council story plan`: the next chapter."""

import asyncio
import uuid
from typing import Annotated, Any

import typer

from cli.console import draw
from cli.errors import CliError
from cli.options import AsJson, Database, PolicyFile
from cli.output import write_json
from cli.render_story import render_chapter
from cli.render_story_why import render_why
from cli.running import new_app
from cli.story_opening import StoryName, Telling, Why, telling
from cli.story_options import plan_option, told_as
from cli.world_opening import RealmName, realm_named
from gateway.settings import read_settings
from story.errors import UnknownStoryError
from story.ledger.port import StoredTale
from story.service.beginning import Hero, hero_from
from story.service.telling import PlanAsk

app = new_app()
HOME = "contested-borderlands"
PLAYER = "you"


@app.command()
def plan(
    story_id: StoryName,
    *,
    hero: Annotated[str | None, typer.Option("--hero", metavar="NAME", help="Begins a story about this hero.")] = None,
    place: Annotated[
        str | None, typer.Option("--place", metavar="TERRITORY", help=f"Where it begins; {HOME} unless given.")
    ] = None,
    archetype: Annotated[str, typer.Option("--archetype", help="seeker, wanderer, guardian or rebel.")] = "wanderer",
    faction: Annotated[
        str | None, typer.Option("--faction", metavar="FACTION", help="Whom the hero stands with; nobody unless given.")
    ] = None,
    general: Annotated[
        str | None, typer.Option("--general", help="The General set on the player: vorn, kha, mireth or azen.")
    ] = None,
    language: Annotated[str, typer.Option("--language", "-l", help="en, vi or es.")] = "en",
    user: Annotated[str | None, typer.Option("--user", "-u", metavar="USER", help="Whose story it is.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of a new story's people; its id's unless given.")
    ] = None,
    realm: RealmName = None,
    why: Why = False,
    policy: PolicyFile = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Tell a story's next chapter from the world as it stands; --hero begins a story.

    Needs a realm ('council world seed') and no model. A chapter that was told and not closed is told again, word for word;
    'council story close' goes on. --why says what was chosen, what was left out, and the numbers.
    """
    settings = read_settings(database_url=database, policy_path=policy)
    asked = _given(hero, place, archetype, faction, general, language)

    async def run() -> dict[str, Any]:
        from gateway.story_views import planned_view, why_view  # noqa: PLC0415 - with the gateway, which --help must not wait for

        async with telling(settings) as found:
            ask = await _ask(found, story_id, asked, realm, user, seed)
            told = await found.story.watched.plan(ask)
            tale = await found.story.store.tale(story_id)
            shown = {**planned_view(told.chapter, tale), "is_repeat": told.is_repeat}
            return {**shown, "why": why_view(told.chapter, [])} if why else shown

    with told_as(plan_option):
        document = asyncio.run(run())
    if as_json:
        write_json(document)
        return
    draw(*render_chapter(document))
    if why:
        draw(*render_why(document["why"]))


def _given(
    name: str | None, place: str | None, archetype: str, faction: str | None, general: str | None, language: str
) -> dict[str, Any] | None:
    if name is None:
        return None
    given = {"name": name, "archetype": archetype, "language": language, "place": place or HOME}
    more = {"faction_id": faction, "general": general}
    return {**given, **{key: value for key, value in more.items() if value is not None}}


async def _ask(
    found: Telling, story_id: str, asked: dict[str, Any] | None, realm: str | None, user: str | None, seed: int | None
) -> PlanAsk:
    correlation_id = uuid.uuid4().hex
    known = await _known(found, story_id)
    if known is not None:
        # A hero is only asked for where a story begins: given again, the story goes on.
        return PlanAsk(story_id, realm or known.realm_id, user or known.user_id, None, None, correlation_id)
    realm_id = await realm_named(found.world.store, realm)
    if asked is None:
        fix = f"begin it: council story plan {story_id} --hero Linh --place {HOME} --archetype seeker"
        raise CliError(f"there is no story {story_id!r}", fix)
    hero: Hero = hero_from(asked)
    return PlanAsk(story_id, realm_id, user or PLAYER, hero, seed, correlation_id)


async def _known(found: Telling, story_id: str) -> StoredTale | None:
    try:
        return await found.story.store.tale(story_id)
    except UnknownStoryError:
        return None
