"""What a story engine says of the hero of a new story."""

from dataclasses import replace
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field, TypeAdapter

from story.languages import Language
from story.planner.pools import Pools
from story.tale.opening import open_tale
from story.tale.outcome import Id, PlayerNow
from story.tale.plain import read
from story.tale.tale import Tale
from story.threat.environment import General, ThreatEnvironment
from world.realm.state import Realm


class Hero(NamedTuple):
    """The hero of a new story, as its player made them."""

    name: str
    place: Id
    """Territory where the story begins."""
    archetype: Id
    """One of the pools', such as seeker or wanderer."""
    language: Language = "en"
    faction_id: Id | None = None
    """Whom the hero stands with; left out: nobody."""
    general: General | None = None
    """The General who is set on the player, where the villains have chosen one."""
    player: Annotated[PlayerNow, Field()] = PlayerNow()
    """The player's numbers at the beginning."""


_ADAPTER: Final = TypeAdapter(Hero)


def hero_from(document: Any) -> Hero:
    """Read a hero as an engine sends one.

    Raises:
        InvalidInputError: with every place that does not fit.
    """
    return read(_ADAPTER, document, "a hero")


def begin(hero: Hero, story_id: str, user_id: str, *, seed: int, pools: Pools, realm: Realm) -> Tale:
    """Return a tale before its first chapter.

    Raises:
        InvalidInputError: where the hero names a place, faction or archetype that there is not.
    """
    tale = open_tale(
        story_id,
        realm.realm_id,
        user_id,
        hero_name=hero.name,
        language=hero.language,
        faction_id=hero.faction_id,
        place=hero.place,
        archetype=hero.archetype,
        seed=seed,
        pools=pools,
        realm=realm,
    )
    said = {name: value for name, value in hero.player._asdict().items() if value is not None}
    player = replace(tale.player, **said)
    threat = ThreatEnvironment(general_zone_affiliation=hero.general)
    return replace(tale, player=player, threat=threat, arc=tale.arc._replace(act=player.act))
