"""A chapter from its opening to its close: hear the world, plan, ask the council, tell; then close and tell the world (K6).

Both ends are idempotent: a chapter that was told is read back, and one that was closed with the same outcome too. Nothing here
needs a model; where one is set up, it rewrites what was composed, and what it writes passes the same lint or is thrown away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Protocol

import orjson

from policies.canonical import canonical_json
from policies.draws import Draws
from policies.faults import Fault, InvalidInputError, pointer
from story.context.gathering import candidates
from story.context.items import HeardVerdict, WorldContext
from story.context.payload import explained, payload
from story.context.selecting import select
from story.context.viewpoint import viewpoint
from story.ledger.port import Chapter, NewChapter, NewClosing, StoredTale, StoryStore
from story.planner.objections import MAX_ATTEMPTS
from story.planner.plan import Plan
from story.planner.planning import Planned, plan_chapter
from story.planner.wire import explained_to_wire, plan_from_wire, plan_to_wire
from story.service.beginning import Hero, begin
from story.service.composing import REMEMBERED, Draft, Text, Writer
from story.service.deeds import Done, new_deeds
from story.service.hearing import Heard, Listener
from story.service.library import Library
from story.service.recapping import Speaker, recap_of
from story.service.refusing import done_for, faults_of_outcome
from story.tale.closing import close_tale, strangers
from story.tale.contradictions import Contradiction, contradictions
from story.tale.documents import tale_document, tale_from
from story.tale.outcome import ChapterOutcome, Deed, events_of
from story.tale.plain import plain
from story.tale.tale import Tale
from story.threat.reach import empire_permille, is_in_influence
from story.threat.staging import Stage, on_stage
from story.threat.triggers import close_chapter
from world.realm.rules_document import World
from world.realm.state import Realm
from world.service.clock import Clock

MAX_SEED: Final = 2**53
"""Seeds stay whole numbers in JSON everywhere."""
BUDGET: Final = 400
"""Tokens of world items that a chapter's planner hears (domain.md C10)."""


class Told(NamedTuple):
    """A chapter as the ledger has it."""

    chapter: Chapter
    is_repeat: bool
    """Whether it had been told before."""


class PlanReviewer(Protocol):
    """Says what stands against a plan."""

    async def objections(
        self, plan: Plan, realm: Realm, *, user_id: str, correlation_id: str | None
    ) -> tuple[str, ...]:
        """Return objections as `code:subject`; empty where it may be told."""
        ...


@dataclass(frozen=True, slots=True)
class PlanAsk:
    """What a story engine asks for.

    Attributes:
        story_id: the story.
        realm_id: its realm.
        user_id: whose it is.
        hero: what a new story begins with; None for one that exists.
        seed: of the draws of a new story; None: of its id.
        correlation_id: follows the chapter to its deeds.
    """

    story_id: str
    realm_id: str
    user_id: str
    hero: Hero | None = None
    seed: int | None = None
    correlation_id: str | None = None


class _Ready(NamedTuple):
    """Everything that one chapter is planned from."""

    tale: Tale
    heard: Heard
    context: WorldContext
    stages: tuple[Stage, ...]
    seed: int


class StoryTeller:
    """Plans, tells and closes chapters.

    Args:
        store: the story ledger.
        listener: hears the realm.
        world: its rules and canon locks.
        library: pools and storylets.
        writer: writes the prose.
        reviewer: asks the council about plans that claim something of the shared world; None: nobody is asked.
        clock: milliseconds since 1970.
    """

    def __init__(
        self,
        store: StoryStore,
        listener: Listener,
        world: World,
        library: Library,
        writer: Writer,
        reviewer: PlanReviewer | None,
        clock: Clock,
    ) -> None:
        self._store = store
        self._listener = listener
        self._world = world
        self._base_points = {name: action.base // 1_000 for name, action in world.rules.actions.items()}
        self._library = library
        self._writer = writer
        self._reviewer = reviewer
        self._clock = clock

    async def plan(self, ask: PlanAsk) -> Told:
        """Return the chapter after the last closed one: told now, or as it was told before.

        Raises:
            UnknownStoryError: where there is no such story and no hero to begin one with.
            UnknownRealmError: where there is no such realm.
            InvalidInputError: where the hero is not one, or the story is another hero's, account's or realm's.
        """
        stored = await self._stored(ask)
        _refuse_strangers(ask, stored)
        known = await self._store.chapter(ask.story_id, stored.chapter + 1)
        if known is not None:
            return Told(known, is_repeat=True)
        ready = await self._ready(stored)
        planned = await self._accepted(ready, ask.correlation_id)
        text = await self._writer.write(await self._draft(ready, planned.plan))
        chapter = await self._store.tell(self._chapter(ready, planned, text, ask.correlation_id))
        return Told(chapter, is_repeat=chapter.told.prose != _prose(text))

    async def close(self, story_id: str, number: int, outcome: ChapterOutcome) -> Told:
        """Close a chapter with what the player did: the tale goes on, and the deeds are kept for the world.

        Raises:
            UnknownStoryError: where there is no such story.
            ChapterConflictError: where the chapter was never told, or was closed with another outcome.
            InvalidInputError: where the outcome names what nobody knows, or contradicts what the story established.
        """
        stored, chapter = await self._store.tale(story_id), await self._store.chapter(story_id, number)
        body = outcome_bytes(outcome)
        if chapter is not None and chapter.outcome == body:
            return Told(chapter, is_repeat=True)
        if chapter is None or number != stored.chapter + 1:
            # The store says which of the two it is, in the words that every adapter has.
            nothing = NewClosing(story_id, number, body, b"{}", stored, (), self._clock())
            return Told(await self._store.close_chapter(nothing), is_repeat=True)
        closing = await self._closing(stored, chapter, outcome, body)
        return Told(await self._store.close_chapter(closing), is_repeat=False)

    async def context(self, story_id: str) -> tuple[Tale, WorldContext]:
        """Return what the next chapter would hear of the world, without telling it."""
        ready = await self._ready(await self._store.tale(story_id))
        return ready.tale, ready.context

    async def foresee(self, story_id: str, heard: HeardVerdict) -> Planned:
        """Return what the next chapter would be with a verdict that the world has not applied yet; nothing is written.

        Raises:
            UnknownStoryError: where there is no such story.
        """
        return self._planned(await self._ready(await self._store.tale(story_id), heard), 1, ())

    async def _stored(self, ask: PlanAsk) -> StoredTale:
        if ask.hero is None:
            return await self._store.tale(ask.story_id)
        seed = ask.seed if ask.seed is not None else seed_of(ask.story_id)
        now = await self._listener.realm(ask.realm_id)
        tale = begin(
            ask.hero,
            ask.story_id,
            ask.user_id,
            seed=seed,
            pools=self._library.pools,
            realm=now,
            locks=self._world.locks,
        )
        return await self._store.begin(self._kept(tale))

    def _kept(self, tale: Tale) -> StoredTale:
        body = canonical_json(tale_document(tale))
        return StoredTale(tale.story_id, tale.realm_id, tale.user_id, tale.chapter, body, self._clock())

    async def _ready(self, stored: StoredTale, fresh: HeardVerdict | None = None) -> _Ready:
        tale = tale_from(orjson.loads(stored.tale))
        last = await self._store.chapter(tale.story_id, tale.chapter) if tale.chapter else None
        heard = await self._listener.hear(tale, last.told.planned_at if last is not None else None)
        if fresh is not None and fresh.decision_id not in [each.decision_id for each in heard.verdicts]:
            heard = heard._replace(verdicts=(*heard.verdicts, fresh))
        now = heard.now
        tale = replace(tale, player=replace(tale.player, is_in_influence=is_in_influence(now, tale.player.place)))
        found = candidates(heard.before, now, heard.verdicts, heard.own, events=heard.events, rules=self._world.rules)
        context = select(found, viewpoint(tale, now, heard.own), budget=BUDGET)
        context = context._replace(snapshot_id=now.snapshot_id, tick=now.tick_number)
        seed = seed_of(tale.story_id)
        stages = on_stage(
            tale.threat,
            tale.player,
            signs=self._library.pools.signs,
            draws=Draws(seed),
            chapter=tale.chapter + 1,
            realm_permille=empire_permille(now),
        )
        return _Ready(tale, heard, context, stages, seed)

    async def _accepted(self, ready: _Ready, correlation_id: str | None) -> Planned:
        """Plan, and plan again at most twice with what the council held against it; the last plan leaves all of it out."""
        held: tuple[str, ...] = ()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            planned = self._planned(ready, attempt, held)
            if self._reviewer is None:
                return planned
            found = await self._reviewer.objections(
                planned.plan, ready.heard.now, user_id=ready.tale.user_id, correlation_id=correlation_id
            )
            if not found:
                return planned
            held = tuple(dict.fromkeys([*held, *found]))
        plan = planned.plan
        claims = {subject for _, _, subject in (each.partition(":") for each in held)}
        return planned._replace(
            plan=plan._replace(facts=tuple([each for each in plan.facts if each.subject not in claims]))
        )

    async def _draft(self, ready: _Ready, plan: Plan) -> Draft:
        now = ready.heard.now
        names = {name: territory.name for name, territory in now.territories.items()}
        last = await self._store.chapters(plan.story_id, after=max(0, plan.chapter - 1 - REMEMBERED), limit=REMEMBERED)
        avoid = [line for chapter in last for line in orjson.loads(chapter.told.why).get("used", ())]
        return Draft(plan, ready.tale, ready.context, names, self._world.locks, tuple(avoid))

    def _planned(self, ready: _Ready, attempt: int, held: Sequence[str]) -> Planned:
        return plan_chapter(
            ready.tale,
            ready.context,
            ready.heard.verdicts,
            stages=ready.stages,
            locks=self._world.locks,
            pools=self._library.pools,
            storylets=self._library.storylets,
            seed=ready.seed,
            attempt=attempt,
            objections=held,
            realm=ready.heard.now,
        )

    def _chapter(self, ready: _Ready, planned: Planned, text: Text, correlation_id: str | None) -> NewChapter:
        plan, now = planned.plan, ready.heard.now
        why = {
            "beats": explained_to_wire(planned.explained),
            "context": explained(ready.context),
            "writing": list(text.because),
            "fallback": text.fallback,
            "used": list(text.used),
            "objections": list(plan.objections),
        }
        return NewChapter(
            story_id=plan.story_id,
            number=plan.chapter,
            language=plan.language,
            title=text.title,
            prose=_prose(text),
            author=text.author,
            plan=canonical_json(plan_to_wire(plan)),
            context=orjson.dumps(payload(ready.context, most_omitted=20)),
            why=orjson.dumps(why),
            tick=now.tick_number,
            snapshot_id=now.snapshot_id,
            correlation_id=correlation_id,
            planned_at=self._clock(),
        )

    async def _closing(self, stored: StoredTale, chapter: Chapter, outcome: ChapterOutcome, body: bytes) -> NewClosing:
        tale, plan = tale_from(orjson.loads(stored.tale)), plan_from_wire(orjson.loads(chapter.told.plan))
        now = await self._listener.realm(tale.realm_id)
        self._refuse(outcome, tale, plan, now)
        after = self._after(tale, plan, outcome, chapter, now)
        deeds = [
            Done(
                each.action_type,
                done_for(each, self._base_points, tale.faction_id),
                each.target or each.territory_id,
                _evidence(each.risk),
            )
            for each in outcome.deeds
            if each.success
        ]
        return NewClosing(
            story_id=tale.story_id,
            number=plan.chapter,
            outcome=body,
            recap=orjson.dumps(_recap(plan, tale, now, outcome, orjson.loads(chapter.told.context))),
            after=self._kept(after),
            deeds=new_deeds(
                deeds,
                story_id=tale.story_id,
                chapter=plan.chapter,
                realm_id=tale.realm_id,
                user_id=tale.user_id,
                faction_id=tale.faction_id,
                base_points=self._base_points,
                closed_ms=self._clock(),
            ),
            closed_at=self._clock(),
        )

    def _after(self, tale: Tale, plan: Plan, outcome: ChapterOutcome, chapter: Chapter, now: Realm) -> Tale:
        after = close_tale(tale, plan, outcome, tick=chapter.told.tick)
        fresh = [fact for fact in after.facts.values() if fact.chapter == plan.chapter]
        denied = contradictions(tale, fresh, now.facts, self._world.locks)
        if denied:
            raise InvalidInputError([_denial(each) for each in denied])
        updated = close_chapter(
            tale.threat,
            replace(after.player, is_in_influence=is_in_influence(now, after.player.place)),
            events_of(outcome, {name: territory.controller for name, territory in now.territories.items()}),
            seeds=self._library.pools.archetypes,
            draws=Draws(seed_of(tale.story_id)),
        )
        return replace(after, threat=updated.environment)

    def _refuse(self, outcome: ChapterOutcome, tale: Tale, plan: Plan, now: Realm) -> None:
        """Refuse what neither the world nor the chapter knows, before anything is written."""
        faults = [
            *faults_of_outcome(outcome, self._base_points, now, len(plan.beats), faction_id=tale.faction_id),
            *strangers(tale, plan, outcome),
        ]
        if faults:
            raise InvalidInputError(faults)


def seed_of(story_id: str) -> int:
    """Return the seed of a story's draws: the story itself, so that nobody has to keep one."""
    return Draws(0).below(MAX_SEED, "story", story_id)


def outcome_bytes(outcome: ChapterOutcome) -> bytes:
    """Return an outcome as the ledger keeps it: the same one is the same bytes."""
    return canonical_json(plain(outcome))


def _prose(text: Text) -> bytes:
    return orjson.dumps([{"beat": beat, "text": paragraph} for beat, paragraph in text.paragraphs])


def _recap(plan: Plan, tale: Tale, now: Realm, outcome: ChapterOutcome, context: Mapping[str, Any]) -> dict[str, Any]:
    names = {name: territory.name for name, territory in now.territories.items()}
    return recap_of(
        context,
        Speaker(tale.language, tale.hero_name, names),
        deaths=[tale.cast[each].name for each in outcome.deaths if each in tale.cast],
        places=[_place(each, plan, names) for each in outcome.deeds if each.success],
        key=(tale.story_id, plan.chapter),
    )


def _place(deed: Deed, plan: Plan, names: Mapping[str, str]) -> str | None:
    """Return where a deed was done: where it says, else where its beat plays; None where neither tells."""
    if deed.territory_id is not None:
        return deed.territory_id
    if deed.target in names:
        return deed.target
    return plan.beats[deed.beat - 1].place if deed.beat is not None else None


def _evidence(risk: int) -> Mapping[str, Any]:
    return {"risk": min(5, max(1, risk)), "stakes": "local"}


def _denial(each: Contradiction) -> Fault:
    return Fault(pointer("outcome"), each.told, "leave it out, or let the world change first")


def _of_another(hero: Hero, tale: Tale) -> list[Fault]:
    """Return what a hero says that the story has already said otherwise; where the hero stands by now is no fault."""
    fix = "leave hero out, or begin another story"
    said = {"name": (hero.name, tale.hero_name), "language": (hero.language, tale.language)}
    return [
        Fault(pointer("hero", name), f"the story is told with {known!r}", fix)
        for name, (asked, known) in said.items()
        if asked != known
    ]


def _refuse_strangers(ask: PlanAsk, stored: StoredTale) -> None:
    faults = []
    if stored.realm_id != ask.realm_id:
        faults.append(Fault(pointer("realm_id"), "is another realm's story", f"the story plays in {stored.realm_id!r}"))
    if stored.user_id != ask.user_id:
        faults.append(Fault(pointer("user_id"), "is not whose story it is", "send the account that began it"))
    if ask.hero is not None and not faults:
        faults += _of_another(ask.hero, tale_from(orjson.loads(stored.tale)))
    if faults:
        raise InvalidInputError(faults)
