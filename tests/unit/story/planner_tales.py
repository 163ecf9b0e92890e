"""Tales in random worlds: maps, cast, news, verdicts, threats and what players do, all drawn from one seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from policies.draws import Draws
from policies.verdicts import VERDICTS
from story.context.items import Candidate, Chosen, HeardVerdict, Terms, WorldContext
from story.planner.planning import Planned, plan_chapter
from story.planner.pools import load_pools
from story.planner.storylets_document import load_storylets
from story.tale.closing import close_tale
from story.tale.opening import open_tale
from story.tale.outcome import ChapterOutcome, Deed, Entered, Moved, PlayerNow
from story.tale.tale import Tale
from story.threat.environment import GENERALS, ThreatEnvironment
from story.threat.staging import Stage, on_stage
from world.realm.rules_document import default_world_path, load_world
from world.realm.state import Realm, Territory

WORLD: Final = load_world(default_world_path())
LOCKS: Final = WORLD.locks
POOLS: Final = load_pools()
STORYLETS: Final = load_storylets()
FACTIONS: Final = ("council_of_pillars", "empire", "free_cities", "veil")
NO_NEWS: Final = WorldContext((), (), 400, 0)
MODIFICATIONS: Final = (
    "The transfer waits one season.",
    "Half of the garrison leaves first.",
    "Nothing above 3.5 points.",
)


@dataclass(frozen=True)
class Case:
    """What one chapter is planned from."""

    tale: Tale
    context: WorldContext
    verdicts: tuple[HeardVerdict, ...]
    stages: tuple[Stage, ...]
    realm: Realm
    seed: int

    def planned(self, **changes: Any) -> Planned:
        """Plan the chapter."""
        arguments: dict[str, Any] = {
            "stages": self.stages, "locks": LOCKS, "pools": POOLS, "storylets": STORYLETS, "seed": self.seed, "realm": self.realm,
        }  # fmt: skip
        return plan_chapter(self.tale, self.context, self.verdicts, **{**arguments, **changes})


def shipped_realm() -> Realm:
    """Return Aelvyndor before its first tick."""
    return WORLD.new_realm("realm-1")


def opened(seed: int = 1, *, story_id: str = "s-1", realm: Realm | None = None, **changes: Any) -> Tale:
    """Open a tale in Aelvyndor, in the Far Wilds."""
    arguments: dict[str, Any] = {
        "hero_name": "Ari", "language": "en", "faction_id": "free_cities", "place": "far-wilds", "archetype": "seeker",
        "seed": seed, "pools": POOLS, "realm": realm or shipped_realm(),
    }  # fmt: skip
    return open_tale(story_id, "realm-1", "u-1", **{**arguments, **changes})


def chapters(seed: int, count: int) -> Iterator[tuple[Case, Planned]]:
    """Yield the chapters of one random tale, each with what it was planned from."""
    draws = Draws(seed)
    realm = random_realm(draws)
    places = sorted(realm.territories)
    faction = draws.one_of((None, *FACTIONS), "side")
    archetype = draws.one_of(sorted(POOLS.archetypes), "archetype")
    tale = opened(seed, realm=realm, faction_id=faction, place=draws.one_of(places, "start"), archetype=archetype)
    for number in range(1, count + 1):
        realm = _moved_on(realm, draws, number)
        tale = replace(tale, threat=random_threat(draws, number))
        context, verdicts = random_news(draws, number, realm, tale)
        stages = on_stage(tale.threat, tale.player, signs=POOLS.signs, draws=draws, chapter=number)
        case = Case(tale, context, verdicts, stages, realm, seed)
        planned = case.planned()
        yield case, planned
        tale = close_tale(tale, planned.plan, random_outcome(draws, number, tale, realm), tick=number)


def random_realm(draws: Draws) -> Realm:
    """Return Aelvyndor, or a ring of three to twelve territories with some ways across."""
    base = shipped_realm()
    if draws.below(2, "map"):
        return base
    count = draws.between(3, 12, "size")
    names = [f"land-{at}" for at in range(count)]
    ways = {name: {names[at - 1], names[(at + 1) % count]} for at, name in enumerate(names)}
    for at, name in enumerate(names):
        other = draws.one_of(names, "across", at)
        if other != name:
            ways[name].add(other)
            ways[other].add(name)
    lands = {
        name: Territory(
            name, name.title(), draws.one_of((None, *FACTIONS), "holder", name), 1, 1, tuple(sorted(ways[name])), {}
        )
        for name in names
    }
    return replace(base, territories=lands)


def _moved_on(realm: Realm, draws: Draws, number: int) -> Realm:
    name = draws.one_of(sorted(realm.territories), "moves", number)
    holder = draws.one_of((None, *FACTIONS), "to", number)
    lands = {**realm.territories, name: replace(realm.territories[name], controller=holder)}
    return replace(realm, tick_number=number, territories=lands)


def random_threat(draws: Draws, number: int) -> ThreatEnvironment:
    """Return any environment, calm as often as not."""
    if draws.below(2, "calm", number):
        return ThreatEnvironment()
    general = draws.one_of((None, *GENERALS), "general", number)
    return ThreatEnvironment(
        active_empire_tiers=draws.one_of(((1,), (1, 2), (1, 2, 3), (1, 2, 4)), "tiers", number),
        general_zone_affiliation=general,
        watcher_active=bool(draws.below(2, "watcher", number)),
        enforcement_intensity=draws.between(0, 100, "intensity", number),
        lieutenant_unit_deployed=not draws.below(4, "unit", number),
        tower_instability=draws.between(0, 100, "tower", number),
        identity_echo_present=bool(draws.below(2, "echo", number)),
        world_anomaly_active=not draws.below(8, "anomaly", number),
        echo_seed="the-one-who-asked-on",
    )


def random_news(draws: Draws, number: int, realm: Realm, tale: Tale) -> tuple[WorldContext, tuple[HeardVerdict, ...]]:
    """Return up to five items of any kind and the verdicts that they rest on, true of the realm or out of date."""
    chosen, verdicts = [], []
    for at in range(draws.below(6, "items", number)):
        key = (number, at)
        kind = draws.one_of(("ranking", "control", "trigger", "recap", "campaign", "verdict", "verdict"), "kind", *key)
        place = draws.one_of(sorted(realm.territories), "place", *key)
        if kind == "verdict" or not draws.below(4, "of", *key):
            verdicts.append(random_verdict(draws, key, realm, place))
        decision = (
            verdicts[-1].decision_id if verdicts and (kind == "verdict" or not draws.below(3, "by", *key)) else None
        )
        chosen.append(random_item(draws, key, kind, place, realm, decision))
    again = [name for name in tale.decisions if not draws.below(4, "again", number, name)]
    old = [heard(name, "approve", place=tale.player.place) for name in again]
    unique = {each.candidate.item_id: each for each in chosen}
    return WorldContext(tuple(unique.values()), (), 400, 0), (*verdicts, *old)


def heard(decision: str, verdict: Any, *, place: str = "far-wilds", **changes: Any) -> HeardVerdict:
    """Return a verdict on the Empire's wish for a territory."""
    fields: dict[str, Any] = {
        "modifications": MODIFICATIONS[:1] if verdict == "modify" else (),
        "reason": "dominance" if verdict == "reject" else "",
        "effects": ({"op": "meter_delta", "meter": "stability", "amount": -3},)
        if verdict in ("approve", "modify")
        else (),
    }
    fields["faction_id"] = "empire"
    return HeardVerdict(decision, verdict, "sovereign_action", place, tick=1, **{**fields, **changes})


def random_verdict(draws: Draws, key: tuple[int, int], realm: Realm, place: str) -> HeardVerdict:
    verdict = draws.one_of(VERDICTS, "verdict", *key)
    effects: tuple[dict[str, object], ...] = ()
    if verdict in ("approve", "modify"):
        to = draws.one_of(FACTIONS, "winner", *key)
        effects = (
            {"op": "territory_transfer", "territory_id": place, "from": None, "to": to},
            {"op": "canon_assert", "subject": "general-vorn", "predicate": "status", "object": "manifested"},
        )
    conditions = MODIFICATIONS[: draws.between(1, 3, "conditions", *key)] if verdict == "modify" else ()
    return HeardVerdict(
        f"d-{key[0]}.{key[1]}", verdict, "sovereign_action", place, draws.one_of((None, *FACTIONS), "who", *key), key[0],
        conditions, draws.one_of(("", "dominance", "something else"), "why", *key), effects,
    )  # fmt: skip


def random_item(
    draws: Draws, key: tuple[int, int], kind: Any, place: str, realm: Realm, decision: str | None
) -> Chosen:
    holder = realm.territories[place].controller
    faction = draws.one_of(FACTIONS, "faction", *key)
    controller = draws.one_of((holder, faction), "stale", *key)
    direction = draws.one_of(("rises", "falls", "leads"), "way", *key)
    facts: dict[str, dict[str, object]] = {
        "ranking": {"faction": faction, "direction": direction},
        "control": {"territory": place, "controller": controller, "change": "taken", "former": None},
        "trigger": {"trigger": "relic_storm", "phase": "fired"},
        "campaign": {"faction": faction, "campaign": "embargo", "target": None},
        "recap": {"territory": place, "faction": faction, "outcome": "risen"},
        "verdict": {},
    }
    scope = draws.one_of(("local", "regional", "global"), "scope", *key)
    item_id = f"{kind}/{decision or place}"
    return item(item_id, kind, place, scope=scope, facts=facts[kind], decision_id=decision, is_must=kind == "recap")


def item(item_id: str, kind: Any, place: str, **changes: Any) -> Chosen:
    """Return an item that the context chose."""
    fields: dict[str, Any] = {"scope": "local", "magnitude": 500, "tick": 1, "places": (place,), "entities": (place,)}
    subject = "relic_storm" if kind == "trigger" else place
    return Chosen(Candidate(item_id, kind, subject, **{**fields, **changes}), Terms(500, 100, 500, 500, 0, 500), 40, "")


def context_of(*items: Chosen) -> WorldContext:
    return WorldContext(tuple(items), (), 400, 40 * len(items))


def random_outcome(draws: Draws, number: int, tale: Tale, realm: Realm) -> ChapterOutcome:
    """Return what a player may do: people die, leave, move and join, and the hero goes anywhere."""
    people = sorted(tale.cast)

    def some(what: str, odds: int) -> tuple[str, ...]:
        return tuple([name for name in people if not draws.below(odds, what, number, name)])

    places = sorted(realm.territories)
    entered: Sequence[str] = [draws.one_of(places, "goes", number)] if not draws.below(4, "enters", number) else []
    return ChapterOutcome(
        deeds=(Deed(action_type="patrol_complete", faction_id="free_cities", territory_id=tale.player.place),),
        tags=draws.one_of(((), ("empire_encounter",), ("duel", "combat")), "tags", number),
        losses=draws.one_of((0, 0, 20, 80), "losses", number),
        deaths=some("dies", 25),
        departures=some("leaves", 40),
        moved=tuple(
            [
                Moved(entity_id=name, territory_id=draws.one_of(places, "home", number, name))
                for name in some("moves", 12)
            ]
        ),
        entered=tuple([Entered(territory_id=name) for name in entered]),
        joined=some("joins", 25),
        left=some("parts", 25),
        player=PlayerNow(
            act=draws.between(1, 4, "act", number),
            tower_floor=draws.one_of((0, 0, 0, 2), "floor", number),
            named_villain_active=not draws.below(4, "villain", number),
        ),
    )
