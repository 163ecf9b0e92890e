"""What a story engine says of the hero of a new story."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field, TypeAdapter

from policies.contracts.base import Id
from policies.faults import Fault, InvalidInputError, pointer
from story.languages import Language
from story.planner.pools import Pools
from story.prose.lint_canon import kept_name
from story.tale.opening import open_tale
from story.tale.outcome import PlayerNow
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
    hero = read(_ADAPTER, document, "a hero")
    # Some keyboards send a letter and its marks apart, and people type spaces behind names.
    return hero._replace(name=" ".join(unicodedata.normalize("NFC", hero.name).split()))


def begin(
    hero: Hero,
    story_id: str,
    user_id: str,
    *,
    seed: int,
    pools: Pools,
    realm: Realm,
    locks: Sequence[Mapping[str, Any]] = (),
) -> Tale:
    """Return a tale before its first chapter.

    Args:
        locks: canon locks: a hero is not called like somebody whom one of them is about.

    Raises:
        InvalidInputError: where the hero names a place, faction or archetype that there is not, or has a name that is taken.
    """
    kept = kept_name(hero.name, locks)
    if kept is not None:
        told = f"is a name that canon keeps: {kept.rstrip('.')}"
        raise InvalidInputError([Fault(pointer("hero_name"), told, "give the hero another name")])
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
    player = replace(tale.player, **hero.player.told())
    threat = ThreatEnvironment(general_zone_affiliation=hero.general)
    return replace(tale, player=player, threat=threat, arc=tale.arc._replace(act=player.act))
