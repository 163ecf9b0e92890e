"""A story teller over a living realm in memory: real services on both sides, a scripted council, a clock that tests turn."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from policies.contracts.request import ImpactCandidate
from story.ledger.memory import MemoryStoryStore
from story.planner.plan import Plan
from story.planner.wire import plan_from_wire
from story.service.beginning import Hero, hero_from
from story.service.composing import TemplateWriter
from story.service.deeds import Sender, Taken
from story.service.hearing import Listener
from story.service.library import open_library
from story.service.telling import PlanAsk, PlanReviewer, StoryTeller, Told
from story.tale.documents import tale_from
from story.tale.outcome import outcome_from
from story.tale.tale import Tale
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm, ScriptedCouncil
from world.errors import StoreUnavailableError
from world.realm.state import Treasury
from world.service.realms import first_snapshot

LIBRARY = open_library()
RICH = {faction: Treasury(5_000_000) for faction in WORLD.seed.factions}


def hero(**keys: Any) -> Hero:
    """Return a hero of the Contested Borderlands."""
    return hero_from(
        {"name": "Linh", "place": "contested-borderlands", "archetype": "seeker", "faction_id": "free_cities", **keys}
    )


class Ingesting:
    """The world as the story's deeds reach it: this process's ingestion."""

    def __init__(self, living: LivingRealm) -> None:
        self._living = living
        self.is_down = False
        self.correlations: list[str | None] = []

    async def take(self, candidates: Sequence[ImpactCandidate], correlation_id: str | None) -> Sequence[Taken]:
        if self.is_down:
            raise StoreUnavailableError("it is down")
        self.correlations.append(correlation_id)
        found = await self._living.ingestion.submit(candidates, correlation_id)
        return [Taken(each.row.event_id, each.row.state, each.row.because) for each in found]


class TellingRealm:
    """A realm and a story teller in it."""

    def __init__(self, council: ScriptedCouncil | None = None, reviewer: PlanReviewer | None = None) -> None:
        self.living = LivingRealm(council=council)
        self.stories = MemoryStoryStore()
        self.ingesting = Ingesting(self.living)
        self.sender = Sender(self.stories, self.ingesting, lambda: self.living.now)
        listener = Listener(self.living.store, self.living.realms)
        self.teller = StoryTeller(
            self.stories, listener, WORLD, LIBRARY, TemplateWriter(), reviewer, lambda: self.living.now
        )

    async def seed(self) -> "TellingRealm":
        """Seed the realm with factions that can afford anything."""
        realm = replace(WORLD.new_realm(REALM), treasuries=RICH)
        await self.living.store.create(first_snapshot(realm, self.living.now))
        return self

    async def plan(self, story_id: str = "s-1", **keys: Any) -> Told:
        """Ask for the next chapter."""
        return await self.teller.plan(PlanAsk(story_id, REALM, "ana", **{"hero": hero(), **keys}))

    async def close(self, number: int, story_id: str = "s-1", **outcome: Any) -> Told:
        """Close a chapter."""
        return await self.teller.close(story_id, number, outcome_from(outcome))

    async def tale(self, story_id: str = "s-1") -> Tale:
        """Return the tale as it stands."""
        return tale_from(orjson.loads((await self.stories.tale(story_id)).tale))


def plan_of(told: Told) -> Plan:
    """Return a chapter's plan."""
    return plan_from_wire(orjson.loads(told.chapter.told.plan))


def text_of(told: Told) -> str:
    """Return a chapter's prose."""
    return "\n\n".join(each["text"] for each in orjson.loads(told.chapter.told.prose))
