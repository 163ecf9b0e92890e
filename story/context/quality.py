"""How good the choice of world items is, measured: noise, recall of what must be told, chapters without the whole realm (C10).

Players with threads and deeds of their own live through worlds on trial (`story.context.trial_worlds`); into their chapters facts
are planted that a reader must hear of. Same seed, same report.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import Any, Final, NamedTuple

from policies.draws import Draws
from policies.verdicts import VERDICTS
from story.context.gathering import candidates
from story.context.items import Candidate, HeardVerdict, Viewpoint, WorldContext
from story.context.noise import link_of
from story.context.own import Own
from story.context.selecting import select
from story.context.trial_worlds import Past, past_of
from story.context.viewpoint import viewpoint
from story.tale.tale import Arc, Mention, Tale, Thread
from story.threat.environment import PlayerState
from world.realm.rules import WorldRules
from world.realm.rules_document import World, default_world_path, load_world
from world.realm.state import Realm

SEED: Final = 6
WORLDS: Final = 10
PLAYERS: Final = 12
CHAPTERS: Final = 16
MOST_TICKS: Final = 8
"""Most ticks between two chapters."""
NOISE_BELOW: Final = 0.05
RECALL_ABOVE: Final = 0.95
QUIET_FROM: Final = 0.60
_Z: Final = 1.959963984540054
"""The normal quantile of a two-sided 95 %."""
_TAGS: Final = (
    "archive",
    "fire",
    "empire",
    "family",
    "tower",
    "letters",
    "veil",
    "seed",
    "caravan",
    "ruins",
    "pillars",
    "gate",
)


Choice = Callable[[Sequence[Candidate], Viewpoint], WorldContext]


class Share(NamedTuple):
    """A share of cases with its 95 % interval (Wilson 1927)."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def estimate(self) -> float:
        """0 where there is no case."""
        return self.hits / self.of if self.of else 0.0


class Quality(NamedTuple):
    """What was measured."""

    seed: int
    stories: int
    chapters: int
    noise: Share
    """Of all items told: those linked to no thread, place or deed."""
    recall: Share
    """Of all facts that had to be told: those that were."""
    quiet: Share
    """Of all chapters: those without an item of the whole realm."""
    kinds: Mapping[str, int]
    """Items told, by kind."""
    links: Mapping[str, int]
    """Items told, by what links them; `none` is the noise."""
    omitted: Mapping[str, int]
    """Items left out, by reason."""
    missed: Mapping[str, int]
    """Facts that had to be told and were not, by the reason that kept their items out."""

    @property
    def passes(self) -> bool:
        """Whether all three targets are met by the estimates, over at least one case each."""
        is_judged = all(share.of for share in (self.noise, self.recall, self.quiet))
        is_good = self.noise.estimate < NOISE_BELOW and self.recall.estimate > RECALL_ABOVE
        return is_judged and is_good and self.quiet.estimate >= QUIET_FROM


def measure(
    *,
    seed: int = SEED,
    worlds: int = WORLDS,
    players: int = PLAYERS,
    chapters: int = CHAPTERS,
    world: World | None = None,
    choose: Choice = select,
) -> Quality:
    """Let players live through worlds, and return how well the world was chosen for them.

    Args:
        worlds: how many.
        players: in each world.
        chapters: of each player.
        world: whose rules and seed they go by; None: the shipped one.
        choose: chooses the items; another one shows what the measure makes of it.
    """
    given = world if world is not None else load_world(default_world_path())
    seen = _Seen()
    for number in range(worlds):
        past = past_of(given, Draws(seed * 1_000 + number), chapters * MOST_TICKS)
        for player in range(players):
            draws = Draws(seed * 1_000_000 + number * 1_000 + player)
            _live(_Trial(past, draws, chapters, given.rules, choose), seen)
    return seen.quality(seed, worlds * players)


def wilson(hits: int, of: int) -> Share:
    """Return a share with its score interval: (2np + z² -/+ z sqrt(z² + 4npq)) / (2(n + z²)).

    Worked (Newcombe 1998, 857-872, method 3): 81 of 263 is 0.3080 (0.2553 to 0.3662).
    """
    if not of:
        return Share(0, 0, 0.0, 1.0)
    middle, scale = 2 * hits + _Z * _Z, 2 * (of + _Z * _Z)
    reach = _Z * sqrt(_Z * _Z + 4 * hits * (1 - hits / of))
    low = 0.0 if hits == 0 else (middle - reach) / scale
    return Share(hits, of, low, 1.0 if hits == of else (middle + reach) / scale)


def quality_to_wire(quality: Quality) -> dict[str, Any]:
    """Return a report as JSON: shares with their intervals, and the targets."""
    targets = {"noise": f"< {NOISE_BELOW}", "recall": f"> {RECALL_ABOVE}", "quiet": f">= {QUIET_FROM}"}
    shares = {"noise": quality.noise, "recall": quality.recall, "quiet": quality.quiet}
    return {
        "seed": quality.seed,
        "stories": quality.stories,
        "chapters": quality.chapters,
        **{
            name: {
                "hits": share.hits,
                "of": share.of,
                "estimate": round(share.estimate, 4),
                "low": round(share.low, 4),
                "high": round(share.high, 4),
                "target": targets[name],
            }
            for name, share in shares.items()
        },
        "kinds": dict(quality.kinds),
        "links": dict(quality.links),
        "omitted": dict(quality.omitted),
        "missed": dict(quality.missed),
        "passes": quality.passes,
    }


class _Fact(NamedTuple):
    """Something that a reader has to be told."""

    kind: str
    subject: str


class _Seen:
    """Counts of what chapters told."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._links: Counter[str] = Counter()
        self._omitted: Counter[str] = Counter()
        self._missed: Counter[str] = Counter()
        self._facts = self._chapters = self._quiet = 0

    def saw(self, context: WorldContext, view: Viewpoint, own: Own, facts: tuple[_Fact, ...]) -> None:
        """Count one chapter."""
        items = [each.candidate for each in context.items]
        self._chapters += 1
        self._quiet += all(each.scope != "global" for each in items)
        self._kinds.update([each.kind for each in items])
        self._links.update([link_of(each, view, own) or "none" for each in items])
        self._omitted.update([each.why for each in context.omitted])
        self._facts += len(facts)
        told = {_tells(each) for each in items}
        for fact in facts:
            if fact not in told:
                self._missed[_why_missed(fact, context)] += 1

    def quality(self, seed: int, stories: int) -> Quality:
        """Return what the counts come to."""
        items, missed = sum(self._kinds.values()), sum(self._missed.values())
        return Quality(
            seed, stories, self._chapters, wilson(self._links["none"], items),
            wilson(self._facts - missed, self._facts), wilson(self._quiet, self._chapters),
            *[dict(sorted(counts.items())) for counts in (self._kinds, self._links, self._omitted, self._missed)],
        )  # fmt: skip


def _tells(item: Candidate) -> _Fact:
    if item.kind == "verdict" and "territory" in item.facts:
        return _Fact("control", str(item.facts["territory"]))
    return _Fact(item.kind, item.subject if item.kind != "verdict" else str(item.decision_id))


def _why_missed(fact: _Fact, context: WorldContext) -> str:
    ids = {"control": f"control/{fact.subject}", "recap": f"recap/{fact.subject}", "verdict": f"verdict/{fact.subject}"}
    reasons = [each.why for each in context.omitted if each.item_id == ids[fact.kind]]
    return reasons[0] if reasons else "told by a verdict that was left out"


class _Trial(NamedTuple):
    """One player's life in a world."""

    past: Past
    draws: Draws
    chapters: int
    rules: WorldRules
    choose: Choice


def _live(trial: _Trial, seen: _Seen) -> None:
    """Let one player live through a world, chapter by chapter."""
    past, draws = trial.past, trial.draws
    tale, own = _newcomer(past.states[0], draws)
    before = past.states[0]
    for chapter in range(1, trial.chapters + 1):
        at = min(len(past.states) - 1, before.tick_number + draws.between(1, MOST_TICKS, "ticks", chapter))
        now = _planted(past.states[at], tale, draws, chapter)
        own, disputes = _deeds(own, tale, now, draws, chapter)
        heard = (*past.heard(before.tick_number, at), *disputes)
        view = viewpoint(tale, now, own)
        found = candidates(before, now, heard, own, events=past.happened(at), rules=trial.rules)
        context = trial.choose(found, view)
        seen.saw(context, view, own, tuple(_facts(before, now, tale, view, own, disputes)))
        tale = _told(tale, context, now, draws)
        before = past.states[at]


def _newcomer(realm: Realm, draws: Draws) -> tuple[Tale, Own]:
    place = draws.one_of(tuple(sorted(realm.territories)), "home")
    faction = draws.one_of((*realm.factions, None), "faction")
    threads = {f"thread-{at}": _thread(realm, place, at, draws) for at in range(draws.between(1, 3, "threads"))}
    player = PlayerState("u-own", place=place)
    tale = Tale(
        "s-1", realm.realm_id, "u-own", "hero", "Ana", Arc("", "", ""), player, faction_id=faction, threads=threads
    )
    return tale, Own("u-own", faction)


def _thread(realm: Realm, place: str, at: int, draws: Draws) -> Thread:
    near = draws.one_of((place, *realm.territories[place].neighbors), "thread", at, "place")
    tags = tuple(sorted({draws.one_of(_TAGS, "thread", at, "tag", number) for number in range(2)}))
    faction = draws.one_of(realm.factions, "thread", at, "faction")
    return Thread(f"thread-{at}", "", "", tuple(sorted({near, faction})), tags)


def _planted(realm: Realm, tale: Tale, draws: Draws, chapter: int) -> Realm:
    """Return a realm in which, in one chapter of five, a place that matters to the player has just fallen."""
    matters = sorted({tale.player.place, *[name for thread in tale.open_threads for name in thread.entities]})
    places = tuple([name for name in matters if name in realm.territories])
    if draws.below(5, "planted", chapter):
        return realm
    name = draws.one_of(places, "planted", chapter, "where")
    place = realm.territories[name]
    others = tuple([faction for faction in realm.factions if faction != place.controller])
    taken = replace(
        place, controller=draws.one_of(others, "planted", chapter, "who"), phase="protected", conflict=None,
        protected_until=realm.tick_number + 96, changed_at=realm.tick_number,
    )  # fmt: skip
    return replace(realm, territories={**realm.territories, name: taken})


def _deeds(own: Own, tale: Tale, now: Realm, draws: Draws, chapter: int) -> tuple[Own, tuple[HeardVerdict, ...]]:
    """Let the player act in most chapters, near home; now and then the council speaks about one of the acts."""
    if draws.below(3, "acts", chapter) == 0:
        return own._replace(points_before=own.points), ()
    place = draws.one_of((tale.player.place, *now.territories[tale.player.place].neighbors), "acts", chapter, "where")
    faction = own.faction_id or draws.one_of(now.factions, "acts", chapter, "for")
    there = dict(own.points.get(faction, {}))
    there[place] = there.get(place, 0) + 1_000 * draws.between(5, 120, "acts", chapter, "points")
    acted = own._replace(points={**own.points, faction: there}, points_before=own.points)
    if draws.below(6, "dispute", chapter):
        return acted, ()
    decision_id = f"d-own-{chapter}"
    verdict = draws.one_of(VERDICTS, "dispute", chapter, "verdict")
    heard = HeardVerdict(decision_id, verdict, "impact_dispute", "", faction, now.tick_number)
    return acted._replace(decisions=acted.decisions | {decision_id}), (heard,)


def _facts(
    before: Realm, now: Realm, tale: Tale, view: Viewpoint, own: Own, disputes: tuple[HeardVerdict, ...]
) -> Iterator[_Fact]:
    """Yield what the chapter has to tell: own deeds, verdicts over them, the fall of the place or of one a thread names."""
    if own.has_changed:
        yield _Fact("recap", own.user_id)
    yield from [_Fact("verdict", each.decision_id) for each in disputes if each.verdict != "quarantine"]
    for name in sorted({tale.player.place, *view.thread_entities}.intersection(now.territories)):
        was, is_now = before.territories[name], now.territories[name]
        has_arrived = now.tick_number - is_now.changed_at >= view.distances.get(name, now.tick_number + 1)
        if was.controller != is_now.controller and has_arrived:
            yield _Fact("control", name)


def _told(tale: Tale, context: WorldContext, now: Realm, draws: Draws) -> Tale:
    """Return the tale with a chapter told; the hero moves on to a neighbouring place now and then."""
    chapter = tale.chapter + 1
    mentions = [Mention(each.candidate.item_id, chapter, each.candidate.scope == "global") for each in context.items]
    roads = now.territories[tale.player.place].neighbors
    goes = draws.below(4, "goes", chapter) == 0
    place = draws.one_of(roads, "goes", chapter, "where") if goes else tale.player.place
    return replace(
        tale, chapter=chapter, tick=now.tick_number, mentions=(*tale.mentions, *mentions),
        player=replace(tale.player, place=place),
    )  # fmt: skip
