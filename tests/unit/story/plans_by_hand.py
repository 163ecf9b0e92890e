"""Plans made by hand or drawn at random, for prose: what a planner could hand over, without the planner."""

from typing import Any, Final

from policies.draws import Draws
from story.languages import Language
from story.planner.plan import Beat, BeatKind, Plan
from story.planner.pools import Pools, load_pools
from story.planner.storylets import Storylet, Storylets
from story.planner.storylets_document import load_storylets
from story.tale.tale import Arc, CastMember, Tale, Thread
from story.threat.environment import PRESSURES, PlayerState

POOLS: Final[Pools] = load_pools()
STORYLETS: Final[Storylets] = load_storylets()
PLACES: Final = (
    "grand-gate-city", "outer-corruption-zone", "mutation-forest", "ancient-ruins", "contested-borderlands", "far-wilds",
    "bleeding-gate", "mirror-gate", "tower-approach",
)  # fmt: skip
FACTIONS: Final = ("empire", "veil", "council_of_pillars", "free_cities")
TRIGGERS: Final = ("age_of_iron", "veil_fracture", "two_front_war", "relic_storm")
CAMPAIGNS: Final = ("annexation", "embargo", "great_warding", "call_of_vorn")
CONDITIONS: Final = (
    "lowered:faction_delta",
    "dropped:canon_assert",
    "withheld:territory_transfer",
    "raised:meter_delta",
    "changed:territory_transfer",
)
PHASES: Final = ("build_up", "sustain", "fade", "relax")


def cast_of(place: str, *people: tuple[str, str]) -> dict[str, CastMember]:
    """Return people of one place, by entity id."""
    return {name.lower(): CastMember(name.lower(), name, role, place) for name, role in people}


def tale_by_hand(language: Language = "en", *, style: str = "plain", hero: str = "Aran", **changes: Any) -> Tale:
    """Return a tale with two questions and three people."""
    threads = {
        name: Thread(name, name, POOLS.questions[name].stakes[0], tension=30 + at)
        for at, name in enumerate(["who-burned-the-archive", "where-the-brother-went"])
    }
    cast = cast_of("grand-gate-city", ("Maren", "innkeeper"), ("Tovi", "archivist"), ("Brannoc", "captain"))
    fields: dict[str, Any] = {
        "hero": "hero", "hero_name": hero, "language": language, "style": style, "threads": threads, "cast": cast,
        "arc": Arc("find-the-brother", "to-be-forgiven", "left-at-the-gate"), "player": PlayerState("u-1"),
    }  # fmt: skip
    return Tale("story-1", "aelvyndor", "u-1", **(fields | changes))


def beat_by_hand(number: int, storylet: str, tale: Tale, *, place: str = "grand-gate-city", **slots: str) -> Beat:
    """Return a beat of a storylet with the storylet's own mood, words and tension."""
    rule = STORYLETS[storylet]
    npc = slots.get("npc")
    if npc is not None and npc in tale.cast:
        slots = {"role": tale.cast[npc].role, **slots}
    kind: BeatKind = rule.kind
    thread = slots.get("question", next(iter(tale.threads))) if kind == "personal" else None
    return Beat(
        number=number, storylet=storylet, kind=kind, purpose=rule.purpose, tension=rule.tension, scene=rule.scene,
        mood=rule.moods[0], words=rule.words, description="", place=place,
        characters=("hero", npc) if npc is not None else ("hero",), advance=rule.advance,
        slots={"hero": "hero", "place": place, **slots}, thread_id=thread,
    )  # fmt: skip


def plan_by_hand(tale: Tale, *beats: Beat, **changes: Any) -> Plan:
    """Return a plan of these beats."""
    fields: dict[str, Any] = {
        "chapter_tension": max(beat.tension for beat in beats), "pacing": "build_up", "emotional_arc": "",
        "world_changes_used": (), "verdicts_cited": (), "new_characters": (), "facts": (), "pressure": "observed", "seed": 7,
    }  # fmt: skip
    return Plan(tale.story_id, tale.chapter + 1, tale.language, beats, **(fields | changes))


def random_plan(seed: int, language: Language) -> tuple[Plan, Tale]:
    """Return a plan of four to eight beats over any storylets, places and people, and its tale."""
    draws = Draws(seed)
    style = draws.one_of(("plain", "lyrical"), "style")
    names = [POOLS.names[draws.below(len(POOLS.names), "name", at)] for at in range(4)]
    people = {name: draws.one_of(POOLS.roles, "role", name) for name in names}
    tale = tale_by_hand(
        language, style=style, hero=draws.one_of(("Aran", "Linh", "Inés"), "hero"), chapter=draws.below(40, "chapter"),
        cast=cast_of(draws.one_of(PLACES, "home"), *people.items()),
    )  # fmt: skip
    beats = [_random_beat(number, tale, draws) for number in range(1, draws.between(4, 8, "beats") + 1)]
    pressure = draws.one_of(PRESSURES, "pressure")
    return plan_by_hand(tale, *beats, pacing=draws.one_of(PHASES, "pacing"), pressure=pressure, seed=seed), tale


def _random_beat(number: int, tale: Tale, draws: Draws) -> Beat:
    # Each storylet once in a chapter: the first of an order that the seed shuffles.
    shuffled = sorted(STORYLETS, key=lambda name: draws.number("storylet", name))
    rule = STORYLETS[shuffled[number]]
    place = draws.one_of(PLACES, number, "place")
    slots = {slot: _slot(slot, rule, tale, draws, number) for slot in rule.slots if slot != "role"}
    if rule.storylet_id == "trigger_felt":
        slots["phase"] = draws.one_of(("fired", "waiting"), number)
    if rule.storylet_id == "territory_contested":
        slots["change"] = draws.one_of(("war", "kept", "contested"), number)
    if rule.storylet_id == "deeds_told":
        slots["outcome"] = draws.one_of(("risen", "fallen", "taken", "lost", "unmoved"), number)
    beat = beat_by_hand(number, rule.storylet_id, tale, place=place, **slots)
    return beat._replace(
        mood=draws.one_of(rule.moods, number, "mood"), words=rule.words * draws.between(85, 130, number, "w") // 100
    )


def _slot(slot: str, rule: Storylet, tale: Tale, draws: Draws, number: int) -> str:
    signs = {
        "watcher_sign": (*POOLS.signs["watcher"], *POOLS.signs["enforcement"]), "tower_shifts": POOLS.signs["tower"],
        "experiment_asks": POOLS.signs["experiment"], "anomaly_seen": POOLS.signs["anomaly"],
    }  # fmt: skip
    echoes = [each for group in POOLS.archetypes.values() for each in group]
    choices = {
        "npc": tuple(tale.cast), "question": tuple(POOLS.questions), "thing": POOLS.things, "promise": POOLS.promises,
        "wound": POOLS.wounds, "want": POOLS.wants, "need": POOLS.needs, "territory": PLACES, "destination": PLACES,
        "stake": sorted({each for question in POOLS.questions.values() for each in question.stakes}),
        "controller": (*FACTIONS, "nobody"), "former": (*FACTIONS, "nobody"), "rival": FACTIONS,
        "faction": FACTIONS if rule.storylet_id == "ranking_told" else (*FACTIONS, "nobody"), "direction": POOLS.directions,
        "trigger": TRIGGERS, "campaign": CAMPAIGNS, "subject": (*PLACES, *FACTIONS, *TRIGGERS, "general-vorn", "d-17"),
        "condition": CONDITIONS, "reason": POOLS.reasons, "sign": signs.get(rule.storylet_id, ("",)), "style": POOLS.styles,
        "unit": tuple(POOLS.units), "echo": echoes,
    }  # fmt: skip
    return draws.one_of(choices[slot], number, slot)
