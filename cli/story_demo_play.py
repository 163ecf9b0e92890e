"""What happens in the story's demo: what the hero does, what others do meanwhile, and what the council is asked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from policies.contracts.request import ImpactCandidate
from policies.draws import Draws
from story.languages import Language
from story.ledger.port import Chapter, Deed
from story.service.beginning import hero_from
from story.service.telling import PlanAsk
from story.tale.outcome import outcome_from
from world.persistence.messages import Event
from world.realm.sovereign import Proposal
from world.realm.state import Treasury
from world.service.realms import first_snapshot

if TYPE_CHECKING:
    from cli.story_opening import Telling
    from gateway.world_bootstrap import LivingWorld

SEED: Final = 7
REALM: Final = "aelvyndor"
PLAYER: Final = "linh"
STORY: Final = "the-road"
START: Final = 1_790_000_100_000
"""When the demo's world was made, milliseconds since 1970: a demo tells the same story on any day."""
TICK_MS: Final = 900_000
TICKS: Final = 10
"""Between two chapters: more than the window in which an action may be objected to."""
HOME: Final = "contested-borderlands"
SPOKEN_OF: Final = (
    "sovereign_proposed", "conflict_began", "territory_changed", "trigger_asked", "trigger_fired", "decision_applied",
)  # fmt: skip
FULL: Final = 5_000_000
"""Milli-points in every treasury: the demo's factions have saved up for what they want."""


class Clock:
    """The demo's clock, which goes from tick to tick."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


class Turn(NamedTuple):
    """What is done in one chapter and after it."""

    outcome: dict[str, Any]
    crowd: tuple[tuple[str, str, int], ...]
    """What others do in each tick: faction, territory, how many accounts."""
    proposal: Proposal | None
    """What the council is asked meanwhile."""


def _deed(action: str, faction: str, risk: int) -> dict[str, Any]:
    return {"action_type": action, "faction_id": faction, "territory_id": HOME, "risk": risk}


TURNS: Final = (
    Turn(
        {
            "deeds": [_deed("patrol_complete", "free_cities", 4), _deed("caravan_guarded", "free_cities", 3)],
            "tags": ["empire_encounter"],
            "player": {"notoriety": 30},
        },
        (("free_cities", HOME, 3), ("empire", "bleeding-gate", 2)),
        Proposal("a-1", "annexation", "council_of_pillars", "the-first-pillar", HOME),
    ),
    Turn(
        {
            "deeds": [_deed("sabotage", "empire", 4)],
            "tags": ["empire_encounter", "empire_encounter"],
            "losses": 20,
            "entered": [{"territory_id": HOME}],
            "player": {"notoriety": 55},
        },
        (("empire", HOME, 4), ("veil", "mirror-gate", 2)),
        Proposal("a-2", "call_of_vorn", "empire", "the-chancellor", None),
    ),
    Turn({"deeds": [_deed("scouting_report", "free_cities", 2)], "entered": [{"territory_id": HOME}]}, (), None),
)


class Told(NamedTuple):
    """One chapter of the demo, and the world after it."""

    chapter: Chapter
    deeds: tuple[Deed, ...]
    meanwhile: tuple[Event, ...]
    """What happened in the realm before the next chapter."""
    ticks: int


class Played(NamedTuple):
    """The demo's story."""

    hero: str
    language: Language
    seed: int
    told: tuple[Told, ...]

    def document(self) -> dict[str, Any]:
        """Return the story as one JSON document."""
        return {
            "hero": self.hero,
            "language": self.language,
            "seed": self.seed,
            "chapters": [_document(each) for each in self.told],
        }


async def play(found: "Telling", clock: Clock, language: Language, seed: int) -> Played:
    """Play the story: chapter, close, deeds, ticks, council, three times over."""
    world, story = found.world, found.story
    realm = replace(
        world.world.new_realm(REALM), treasuries={name: Treasury(FULL) for name in world.world.seed.factions}
    )
    await world.store.create(first_snapshot(realm, clock()))
    hero = {"name": "Linh", "place": HOME, "archetype": "seeker", "faction_id": "free_cities", "general": "vorn"}
    told: list[Told] = []
    for number, turn in enumerate(TURNS, start=1):
        begun = hero_from({**hero, "language": language}) if number == 1 else None
        ask = PlanAsk(STORY, REALM, PLAYER, begun, seed, f"chapter-{number}")
        await story.teller.plan(ask)
        closed = await story.teller.close(STORY, number, outcome_from(turn.outcome))
        await story.send()
        seen = await world.store.last_sequence(REALM)
        ticks = TICKS if number < len(TURNS) else 0
        await _pass_time(world, clock, turn, ticks, Draws(seed))
        deeds = await story.store.deeds(STORY, number)
        meanwhile = await world.store.events(REALM, seen, 500)
        told.append(Told(closed.chapter, deeds, tuple(meanwhile), ticks))
    return Played("Linh", language, seed, tuple(told))


async def _pass_time(world: "LivingWorld", clock: Clock, turn: Turn, ticks: int, draws: Draws) -> None:
    if turn.proposal is not None:
        await world.sovereignty.propose(REALM, turn.proposal)
    for tick in range(ticks):
        await world.ingestion.submit(_crowd(world, clock, turn, tick, draws))
        clock.now += TICK_MS
        await world.ticker.run(REALM)
        await world.verdicts.settle(REALM)


def _crowd(world: "LivingWorld", clock: Clock, turn: Turn, tick: int, draws: Draws) -> list[ImpactCandidate]:
    """Return what others do in one tick; whoever is drawn stays at home."""
    made = datetime.fromtimestamp(clock() / 1_000, UTC)
    base = world.world.rules.actions["faction_quest_complete"].base // 1_000
    return [
        ImpactCandidate(
            event_id=f"{faction}-{who}-{clock()}",
            realm_id=REALM,
            user_id=f"{faction}-{who}",
            story_id=f"s-{faction}-{who}",
            chapter_id="c-1",
            action_type="faction_quest_complete",
            faction_id=faction,
            base_points=base,
            evidence={"risk": 1 + draws.below(5, faction, who, tick), "stakes": "local"},
            target_id=place,
            created_at=made,
        )
        for faction, place, many in turn.crowd
        for who in range(many)
        if draws.below(3, "home", faction, who, tick)
    ]


def _document(told: Told) -> dict[str, Any]:
    from gateway.story_views import chapter_view  # noqa: PLC0415 - with the gateway, which --help must not wait for

    return {
        **chapter_view(told.chapter, told.deeds),
        "meanwhile": [
            {"tick_number": each.tick_number, "kind": each.kind, "payload": orjson.loads(each.payload)}
            for each in decided(told.meanwhile)
        ],
    }


def decided(events: Sequence[Event]) -> list[Event]:
    """Return those events that people of the realm would speak of: what was wanted, fought over, taken, decided."""
    return [each for each in events if each.kind in SPOKEN_OF and each.user_id is None]
