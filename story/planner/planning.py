"""Planning a chapter: from a tale, the world's news and the council's verdicts to a plan of four to eight beats (C11).

Pure: the same inputs make the same plan, byte for byte. Beats are chosen one after another, each the best fit of what may be
played then; how many of each kind there are is settled first, so that the hero's own story is never the smaller part.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from policies.draws import Draws
from policies.faults import Fault, InvalidInputError, pointer
from story.context.items import HeardVerdict, WorldContext
from story.planner.choosing import (
    Best,
    Option,
    Staged,
    Wanted,
    choose,
    filled,
    news_options,
    personal_options,
    stage_options,
)
from story.planner.composition import Composition, compose_kinds
from story.planner.drafting import drafted
from story.planner.objections import Objection, read_objections, subjects_of
from story.planner.pacing import phase_of, wanted_purpose, wanted_tension
from story.planner.plan import Explained, Plan
from story.planner.playing_claims import is_time
from story.planner.pools import Pools
from story.planner.scene import Scene, Setting, facts_of_realm, locked_names
from story.planner.storylets import Storylet, Storylets
from story.planner.worldly import news
from story.tale.contradictions import Lock
from story.tale.tale import Tale, Thread, ThreadStatus
from story.threat.pressure import compute_threat_pressure
from world.realm.state import Realm

LARGEST_SEED: Final = 2**53
_UNSETTLED: Final = ("contested", "conflict")
MOST_THREADS: Final = 6
"""Open threads that a tale may have: eight beats cannot keep more of them alive beside the world's news."""


class Planned(NamedTuple):
    """A plan, and for each of its beats why it was chosen."""

    plan: Plan
    explained: tuple[Explained, ...]


def plan_chapter(
    tale: Tale,
    context: WorldContext,
    verdicts: Sequence[HeardVerdict],
    *,
    stages: Sequence[Staged],
    locks: Sequence[Lock],
    pools: Pools,
    storylets: Storylets,
    seed: int,
    attempt: int = 1,
    objections: Sequence[str] = (),
    realm: Realm | None = None,
) -> Planned:
    """Plan the chapter that follows a tale's last.

    Args:
        tale: the story so far.
        context: what it hears of the world; nothing else of the world is told.
        verdicts: the council's verdicts that it may have heard of.
        stages: threat storylets that may be played now.
        locks: canon locks, as requests carry them.
        pools: what is new is drawn from these.
        storylets: what a beat can be.
        seed: of every draw.
        attempt: 1 to 3; the next attempt after a rejection never begins as the last one did.
        objections: what was held against the attempts before, `code` or `code:subject`; subjects are left out.
        realm: the shared world now: its map, and what no fact may contradict.

    Raises:
        InvalidInputError: where the attempt, an objection or the seed is none, or a tale has no thread to go on with or
            too many.
    """
    objected = read_objections(attempt, objections)
    _refuse_unplannable(tale, pools, seed)
    barred: frozenset[tuple[str, str]] = frozenset()
    is_first = attempt == 1 and not objected
    for number in range(1, attempt + 1):
        setting = _setting(tale, locks, pools, seed, number, objected, realm, is_first=is_first)
        chapter = _Chapter(setting, context, verdicts, stages, storylets, barred)
        bests = chapter.bests()
        begins = next(best.option.names for best in bests if best.option.storylet.kind == "personal")
        barred |= {begins}
    return Planned(drafted(setting, bests, seed, attempt, objected), tuple([best.why for best in bests]))


def _refuse_unplannable(tale: Tale, pools: Pools, seed: int) -> None:
    faults = []
    if abs(seed) >= LARGEST_SEED:
        fix = "send a whole number that JSON carries, less than 2^53"
        faults.append(Fault(pointer("seed"), "too large", fix))
    own = [each for each in tale.threads.values() if each.is_personal and each.status in ("open", "paused")]
    if not own and set(pools.questions) <= set(tale.threads):
        fix = "give the tale an open thread of the hero's own, or the pools a new question"
        faults.append(Fault(pointer("threads"), "nothing of the hero's own is left to tell", fix))
    if len(tale.open_threads) > MOST_THREADS:
        fix = f"pause or pay threads until {MOST_THREADS} are open"
        faults.append(Fault(pointer("threads"), f"more than {MOST_THREADS} open threads", fix))
    if not 1 <= tale.player.act <= 4:
        faults.append(Fault(pointer("player", "act"), "no such act", "write 1 to 4"))
    if faults:
        raise InvalidInputError(faults)


def _setting(
    tale: Tale,
    locks: Sequence[Lock],
    pools: Pools,
    seed: int,
    attempt: int,
    objected: Sequence[Objection],
    realm: Realm | None,
    *,
    is_first: bool,
) -> Setting:
    pressure = compute_threat_pressure(tale.threat)
    chapter = tale.chapter + 1
    realm_facts = facts_of_realm(realm)
    draws = Draws(seed)
    places = {} if realm is None else {name: each.neighbors for name, each in realm.territories.items()}
    factions = () if realm is None else realm.factions
    locked = locked_names(locks, realm_facts)
    subjects = {subject for subject, _ in realm_facts}
    told = {fact.subject for fact in tale.facts.values()}
    return Setting(
        tale=tale,
        chapter=chapter,
        pressure=pressure,
        phase=phase_of(tale, pressure),
        pools=pools,
        draws=draws,
        key=f"plan|{tale.story_id}|{chapter}|{attempt}",
        taboo=subjects_of(objected),
        locked=locked,
        taken=frozenset({*tale.cast, *locked, *subjects, *places, *factions, *told, tale.hero}),
        neighbors=places,
        realm_facts=realm_facts,
        locks=locks,
        contested=frozenset() if realm is None else _contested(realm),
        triggers=frozenset() if realm is None else frozenset(realm.triggers),
        may_claim=is_first and is_time(tale, draws),
    )


def _contested(realm: Realm) -> frozenset[str]:
    """Return the territories that nobody holds, or that somebody is about to take."""
    places = realm.territories.items()
    return frozenset([name for name, each in places if each.controller is None or each.phase in _UNSETTLED])


class _Chapter(NamedTuple):
    """One attempt at a chapter."""

    setting: Setting
    context: WorldContext
    verdicts: Sequence[HeardVerdict]
    stages: Sequence[Staged]
    storylets: Storylets
    barred: frozenset[tuple[str, str]]

    def bests(self) -> list[Best]:
        """Return the beats of the chapter, chosen one after another."""
        told = news(self.setting, self.context, self.verdicts)
        makeup = compose_kinds(self.setting, told, self.stages)
        world = news_options(self.storylets, makeup.told)
        threat = stage_options(self.storylets, makeup.staged)
        personal = [each for each in self.storylets.values() if each.kind == "personal"]
        scene = _first_scene(self.setting)
        bests: list[Best] = []
        for number in range(1, makeup.beats + 1):
            own_left = makeup.personal - len([best for best in bests if best.option.storylet.kind == "personal"])
            options = self._options(scene, makeup, number, own_left, personal)
            options = [*options, *world, *threat] if number < makeup.beats or own_left == 0 else options
            if own_left == 1 and number < makeup.beats:
                options = [each for each in options if each.storylet.kind != "personal"]
            best = self._best(scene, options, personal, makeup, bests)
            world = [each for each in world if each is not best.option]
            threat = [each for each in threat if each is not best.option]
            bests.append(best)
            scene = _after(scene, best)
        return bests

    def _options(
        self, scene: Scene, makeup: Composition, number: int, own_left: int, personal: Sequence[Storylet]
    ) -> list[Option]:
        """Return the personal beats that may be played: once none is left over, only those that the chapter owes."""
        if own_left <= 0:
            return []
        threads = _playable(scene)
        waiting = [name for name in makeup.waiting if name not in scene.advanced]
        owes_own = not any(_is_own(scene, name) for name in scene.advanced)
        is_tight = own_left <= len(waiting) + owes_own
        if is_tight and scene.personal_open:
            threads = [each for each in threads if each.thread_id in waiting or (owes_own and each.is_personal)]
        found = personal_options(scene, personal, threads or [_ANY])
        if is_tight and scene.personal_open:
            found = [each for each in found if each.thread is not None]
        if not threads:
            found = [each for each in found if each.thread is None]
        barred = {"crossing"} if number == makeup.beats else set()
        if owes_own and is_tight:
            barred.add("laid_aside")
        return [each for each in found if each.storylet.storylet_id not in barred]

    def _best(
        self,
        scene: Scene,
        options: Sequence[Option],
        personal: Sequence[Storylet],
        makeup: Composition,
        bests: Sequence[Best],
    ) -> Best:
        """Return the best of the options, else a quiet beat that nobody needs for."""
        setting = self.setting
        number = scene.number
        wanted = Wanted(
            wanted_tension(setting.tale, setting.phase, setting.pressure, number, makeup.beats),
            wanted_purpose(number, makeup.beats),
        )
        played = [best.option.names for best in bests]
        best = choose(scene, options, wanted, played, self.barred)
        return best if best is not None else _quiet(scene, personal, makeup, played)


def _first_scene(setting: Setting) -> Scene:
    tale = setting.tale
    threads = {each.thread_id: each for each in tale.open_threads}
    return Scene(setting, 1, tale.player.place, threads, tale.promises, tale.facts)


def _playable(scene: Scene) -> list[Thread]:
    """Return the open threads that may be advanced: those that nobody objected to, else all of them."""
    still_open = [each for each in scene.threads.values() if each.status == "open"]
    return [each for each in still_open if scene.setting.allows(each.thread_id)] or still_open


def _is_own(scene: Scene, name: str) -> bool:
    thread = scene.threads.get(name)
    return thread is not None and thread.is_personal and thread.status != "paused"


def _quiet(scene: Scene, personal: Sequence[Storylet], makeup: Composition, played: Sequence[tuple[str, str]]) -> Best:
    """Return a beat that needs nobody, for the thread that waits longest: what is left where all else was objected to.

    A thread that was objected to is laid aside, unless it is the last; where no thread is left, one is opened.
    """
    by_id = {each.storylet_id: each for each in personal}
    own = [each for each in scene.threads.values() if each.status == "open"]
    if not own:
        return _unrivalled(scene, Option(by_id["question_opens"], 0))
    waiting = [each for each in own if each.thread_id in makeup.waiting and each.thread_id not in scene.advanced]
    thread = min(waiting or own, key=lambda each: (not each.is_personal, each.last_advanced, each.thread_id))
    is_objected = not scene.setting.allows(thread.thread_id)
    if is_objected and thread.thread_id in makeup.waiting and (scene.personal_open > 1 or not thread.is_personal):
        return _unrivalled(scene, Option(by_id["laid_aside"], 0, thread))
    quiet = [by_id[name] for name in ("quiet_hour", "old_wound")]
    allowed = [each for each in quiet if each.storylet_id not in scene.setting.taboo] or quiet
    fresh = [each for each in allowed if each.storylet_id not in [name for name, _ in played[-1:]]] or allowed
    return _unrivalled(scene, Option(scene.pick(fresh, "quiet"), 0, thread))


def _unrivalled(scene: Scene, option: Option) -> Best:
    return Best(option, filled(scene, option), Explained(option.storylet.storylet_id, 0, {"quiet": 0}, ()))


def _after(scene: Scene, best: Best) -> Scene:
    advance = best.option.storylet.advance
    thread = best.filling.opens or best.option.thread
    if thread is None or advance == "none":
        return scene.after(best.filling, None, None)
    status: ThreadStatus = advance if advance in ("paid", "paused") else "open"
    return scene.after(best.filling, thread, status)


_ANY: Final = Thread("", "", "")
