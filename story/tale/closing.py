"""The close of a chapter: from a tale, the plan that was told and what the player did, the next tale (domain.md C11)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from policies.faults import Fault, InvalidInputError, pointer
from story.planner.plan import Beat, Plan
from story.tale.outcome import ChapterOutcome, combat_of
from story.tale.tale import CastMember, CastStatus, Fact, Mention, Promise, PromiseStatus, Tale, Thread
from story.threat.environment import PlayerState
from story.threat.tags import floor_completed

REMEMBERED: Final = 12
"""Chapters that a mention is kept for."""
PROMISE_BEATS: Final[Mapping[str, PromiseStatus]] = {
    "promise_made": "made", "promise_kept": "kept", "promise_broken": "broken",
}  # fmt: skip
PROMISE_CHAPTERS: Final = 5
"""Chapters within which a promise should be kept."""
PER_TENSION: Final = 1
"""What each step of a beat's tension adds to the thread that it advances, of 100."""
_ELDERLY: Final = 20
"""Tension of a thread that is taken up again, at least."""


def close_tale(tale: Tale, plan: Plan, outcome: ChapterOutcome, *, tick: int | None = None) -> Tale:
    """Return the tale after a chapter.

    What threatens the player stays as it is: `story.threat.triggers.close_chapter` makes it anew from the same outcome.

    Args:
        tale: the tale that the chapter was planned for.
        plan: what was told.
        outcome: what the player did.
        tick: the realm's tick that the chapter had seen; the tale's own where it saw none.

    Raises:
        InvalidInputError: where the plan is not this tale's next chapter, or the outcome names people whom nobody knows.
    """
    _refuse(tale, plan, outcome)
    chapter = plan.chapter
    player = _player(tale.player, plan, outcome)
    cast = _cast(tale, plan, outcome, player.place)
    return replace(
        tale,
        chapter=chapter,
        tick=tale.tick if tick is None else max(tale.tick, tick),
        player=player,
        arc=tale.arc._replace(act=player.act),
        threads=_threads(tale, plan),
        promises=_promises(tale, plan),
        cast=cast,
        facts=_facts(tale, plan, outcome),
        phase=plan.pacing,
        phase_since=tale.phase_since if plan.pacing == tale.phase else chapter,
        tension=10 * plan.chapter_tension,
        losses=min(100, 2 * tale.losses // 3 + outcome.losses),
        combat=combat_of(outcome),
        mentions=_mentions(tale, plan),
        storylets=dict(sorted({**tale.storylets, **{beat.storylet: chapter for beat in plan.beats}}.items())),
        decisions=tuple(sorted({*tale.decisions, *plan.verdicts_cited})),
    )


def _refuse(tale: Tale, plan: Plan, outcome: ChapterOutcome) -> None:
    faults = []
    if plan.story_id != tale.story_id:
        faults.append(
            Fault(pointer("plan", "story_id"), "is another story's", f"close {tale.story_id!r} with its own plan")
        )
    if plan.chapter != tale.chapter + 1:
        fix = f"close chapter {tale.chapter + 1}"
        faults.append(Fault(pointer("plan", "chapter"), "is not the next chapter", fix))
    faults += strangers(tale, plan, outcome)
    if faults:
        raise InvalidInputError(faults)


def strangers(tale: Tale, plan: Plan, outcome: ChapterOutcome) -> tuple[Fault, ...]:
    """Return the people of an outcome whom neither the cast nor the chapter knows, each with its place."""
    known = {*tale.cast, *[each.entity_id for each in plan.new_characters]}
    fix = f"known: {', '.join(sorted(known)) or 'nobody yet'}"
    named: dict[str, Sequence[str]] = {
        "deaths": outcome.deaths, "departures": outcome.departures, "joined": outcome.joined, "left": outcome.left,
    }  # fmt: skip
    found = [
        ((name, at), each) for name, people in named.items() for at, each in enumerate(people) if each not in known
    ]
    found += [(("moved", at), each.entity_id) for at, each in enumerate(outcome.moved) if each.entity_id not in known]
    return tuple([Fault(pointer("outcome", *place), "nobody of the cast", fix) for place, _ in found])


def _player(player: PlayerState, plan: Plan, outcome: ChapterOutcome) -> PlayerState:
    last = plan.beats[-1]
    place = last.slots.get("destination", last.place)
    if outcome.entered:
        place = outcome.entered[-1].territory_id
    cleared = max(player.floors_cleared, floor_completed(outcome.tags))
    return replace(player, **{"place": place, "floors_cleared": cleared, **outcome.player.told()})


def _threads(tale: Tale, plan: Plan) -> dict[str, Thread]:
    threads = {**tale.threads, **{each.thread_id: each for each in plan.new_threads}}
    for beat in plan.beats:
        thread = threads.get(beat.thread_id or "")
        if thread is not None and beat.advance != "none":
            threads[thread.thread_id] = _advanced(thread, beat, plan.chapter)
    return dict(sorted(threads.items()))


def _advanced(thread: Thread, beat: Beat, chapter: int) -> Thread:
    """Return a thread after a beat: what advances it makes it tenser, and what is tense is near its answer."""
    match beat.advance:
        case "paid":
            return thread._replace(status="paid", last_advanced=chapter, tension=0)
        case "paused":
            return thread._replace(status="paused", last_advanced=chapter)
        case "opened":
            return thread._replace(status="open", last_advanced=chapter, tension=max(_ELDERLY, thread.tension))
        case _:
            return thread._replace(last_advanced=chapter, tension=min(100, thread.tension + PER_TENSION * beat.tension))


def _promises(tale: Tale, plan: Plan) -> dict[str, Promise]:
    promises = dict(tale.promises)
    for beat in plan.beats:
        status = PROMISE_BEATS.get(beat.storylet)
        if status is None or beat.promise_id is None:
            continue
        kept = promises.get(beat.promise_id)
        promises[beat.promise_id] = (
            _made(beat, beat.promise_id, plan.chapter) if kept is None else kept._replace(status=status)
        )
    return dict(sorted(promises.items()))


def _made(beat: Beat, promise_id: str, chapter: int) -> Promise:
    to = beat.slots["npc"]
    due = chapter + PROMISE_CHAPTERS
    return Promise(promise_id, beat.thread_id or "", beat.slots["hero"], to, beat.slots["promise"], chapter, due)


def _cast(tale: Tale, plan: Plan, outcome: ChapterOutcome, place: str) -> dict[str, CastMember]:
    cast = {**tale.cast, **{each.entity_id: each for each in plan.new_characters}}
    for beat in plan.beats:
        for name in beat.characters:
            if name in cast:
                cast[name] = _met(cast[name], beat, plan.chapter)
    places = {each.entity_id: each.territory_id for each in outcome.moved}
    travelling = _travelling(tale, outcome)
    for name, member in cast.items():
        home = places.get(name, place if name in travelling else member.place)
        cast[name] = member._replace(place=home, status=_status(member, outcome))
    return dict(sorted(cast.items()))


def _met(member: CastMember, beat: Beat, chapter: int) -> CastMember:
    """Return somebody after a beat: whoever is there knows what came out in it."""
    met = chapter if member.met is None else member.met
    return member._replace(met=met, knows=tuple(sorted({*member.knows, *beat.facts})))


def _status(member: CastMember, outcome: ChapterOutcome) -> CastStatus:
    if member.status == "dead" or member.entity_id in outcome.deaths:
        return "dead"
    return "gone" if member.entity_id in outcome.departures else member.status


def _travelling(tale: Tale, outcome: ChapterOutcome) -> set[str]:
    before = {
        fact.subject for fact in tale.facts.values() if fact.predicate == "travels_with" and fact.value == tale.hero
    }  # fmt: skip
    return (before | {*outcome.joined}) - {*outcome.left, *outcome.deaths, *outcome.departures}


def _facts(tale: Tale, plan: Plan, outcome: ChapterOutcome) -> dict[str, Fact]:
    """Return what is established now: what the chapter told, who died, and who travels along."""
    chapter = plan.chapter
    told = [
        *plan.facts,
        *[_fact(name, "travels_with", tale.hero, chapter) for name in outcome.joined],
        *[_fact(name, "travels_with", "nobody", chapter) for name in outcome.left],
        *[_fact(name, "status", "dead", chapter) for name in outcome.deaths],
        *[
            _fact(name, "travels_with", "nobody", chapter)
            for name in outcome.deaths
            if f"{name}/travels_with" in tale.facts
        ],
    ]
    return dict(sorted({**tale.facts, **{fact.fact_id: fact for fact in told}}.items()))


def _fact(subject: str, predicate: str, value: str, chapter: int) -> Fact:
    return Fact(f"{subject}/{predicate}", subject, predicate, value, chapter)


def _mentions(tale: Tale, plan: Plan) -> tuple[Mention, ...]:
    kept = [each for each in tale.mentions if each.chapter > plan.chapter - REMEMBERED]
    told = [Mention(item, plan.chapter, item in plan.globals_used) for item in plan.world_changes_used]
    return (*kept, *told)
