"""The laws that every plan keeps, each by its name (domain.md C11): what is checked of a plan wherever it comes from.

shape             4 to 8 beats, numbered from 1; tensions 1 to 10, the chapter's the highest; 400 to 1,200 words; the next chapter
pacing            the phase and the pressure that the tale is in
personal_share    personal beats at least 60 %
world_share       world beats at most 30 %
personal_thread   the chapter advances a thread of the hero's own
unknown_thread    a beat plays for a thread that is not open
silent_thread     an open thread is silent for more than three chapters, and nobody laid it aside
new_names         more than one new named person, or one whose id is taken
canon, tale, ...  a fact that contradicts (`story.tale.contradictions` names how)
fact_unknown      a beat rests on a fact that nobody established, or a fact's id is not its subject and predicate
unknown_character somebody who is neither the hero, nor of the cast, nor new here
locked_character  somebody of whom canon says that they are not met
dead_acts         somebody dead or gone is in a beat
elsewhere         a beat at which the hero is not, or with somebody who is not there and does not travel along
no_way            the hero goes where no way leads
knowledge         somebody speaks of what they cannot know
promise           a promise kept or broken that was not made, or to somebody who is not there
item              a world item that `world_context` did not choose, or one told by a beat that is not the world's
verdict           a verdict that is not known, or is not cited though it is told, or cited though it is not
quarantine        anything of a verdict that was quarantined
modifications     a modification that does not stand in the beat that tells of it
reason            a rejection without its reason, or one of which something came true
unheard           a fresh verdict that touches the player, or what the context says must be told, and room for it, but no beat
suppression       more than one encounter, or a Lieutenant's unit that acts, while a named villain is on stage
unstaged          a threat that may not be played now
hidden_numbers    digits, tier names or the rules' own words in what people read
objected          what was objected to
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from story.context.items import HeardVerdict, WorldContext
from story.planner import invariants_of_people as people
from story.planner import invariants_of_the_world as world
from story.planner.choosing import Staged
from story.planner.composition import FEWEST, MOST, PERSONAL_PERMILLE, SILENT, WORLD_PERMILLE
from story.planner.objections import read_objections, subjects_of
from story.planner.outlines import in_words
from story.planner.pacing import phase_of
from story.planner.personal import QUIET
from story.planner.plan import Plan
from story.planner.plan_case import Case, PlanFault
from story.planner.scene import facts_of_realm
from story.tale.contradictions import Lock
from story.tale.tale import Tale
from story.threat.pressure import compute_threat_pressure
from story.threat.staging import ENCOUNTERS
from world.realm.state import Realm

WORDS: Final = (400, 1_210)
"""Words of a chapter; rounding up may add one per beat."""
_FULL: Final = 1_000
_LEAKS: Final = re.compile(
    r"\d|\btiers?\b|\bintensity\b|threat.pressure|\bhit points?\b|\blevels?\b|\bnotoriety\b|\bcoherence\b",
    re.IGNORECASE,
)
_ADVANCING: Final = ("advanced", "paid", "opened")


def faults_of_plan(
    plan: Plan,
    tale: Tale,
    context: WorldContext,
    verdicts: Sequence[HeardVerdict] = (),
    *,
    stages: Sequence[Staged] | None = None,
    locks: Sequence[Lock] = (),
    realm: Realm | None = None,
) -> tuple[PlanFault, ...]:
    """Return every law that a plan breaks; empty for one that may be told.

    Args:
        plan: the plan.
        tale: the tale that it continues.
        context: what the chapter heard of the world.
        verdicts: the council's verdicts that it may have heard of.
        stages: threats that may be played now; None: not checked.
        locks: canon locks.
        realm: the shared world; None: ways and the realm's facts are not checked.
    """
    heard = {each.decision_id: each for each in verdicts}
    case = Case(plan, tale, context, heard, stages, locks, realm, facts_of_realm(realm))
    return tuple([fault for law in _LAWS for fault in law(case)])


def _shape(case: Case) -> Iterator[PlanFault]:
    plan = case.plan
    if plan.story_id != case.tale.story_id or plan.chapter != case.tale.chapter + 1:
        yield PlanFault("shape", None, f"chapter {plan.chapter} of {plan.story_id!r} is not the tale's next")
    if not FEWEST <= len(plan.beats) <= MOST:
        yield PlanFault("shape", None, f"{len(plan.beats)} beats, and a chapter has {FEWEST} to {MOST}")
    if [beat.number for beat in plan.beats] != list(range(1, len(plan.beats) + 1)):
        yield PlanFault("shape", None, "beats are not numbered from 1 on")
    for beat in plan.beats:
        if not 1 <= beat.tension <= 10:
            yield PlanFault("shape", beat.number, f"tension {beat.tension} is not 1 to 10")
    if plan.chapter_tension != max([beat.tension for beat in plan.beats], default=0):
        yield PlanFault("shape", None, "the chapter's tension is not that of its tensest beat")
    words = sum(beat.words for beat in plan.beats)
    if not WORDS[0] <= words <= WORDS[1]:
        yield PlanFault("shape", None, f"{words} words, and a chapter has {WORDS[0]} to {WORDS[1]}")


def _pacing(case: Case) -> Iterator[PlanFault]:
    pressure = compute_threat_pressure(case.tale.threat)
    if case.plan.pressure != pressure:
        yield PlanFault("pacing", None, f"says {case.plan.pressure}, and the tale is under {pressure}")
    phase = phase_of(case.tale, pressure)
    if case.plan.pacing != phase:
        yield PlanFault("pacing", None, f"says {case.plan.pacing}, and the tale is at {phase}")


def _shares(case: Case) -> Iterator[PlanFault]:
    beats = case.plan.beats
    personal = len([beat for beat in beats if beat.kind == "personal"])
    world = len([beat for beat in beats if beat.kind == "world"])
    if personal * _FULL < len(beats) * PERSONAL_PERMILLE:
        yield PlanFault("personal_share", None, f"{personal} of {len(beats)} beats are the hero's own")
    if world * _FULL > len(beats) * WORLD_PERMILLE:
        yield PlanFault("world_share", None, f"{world} of {len(beats)} beats tell of the world")


def _threads(case: Case) -> Iterator[PlanFault]:
    tale, plan = case.tale, case.plan
    threads = {**tale.threads, **{each.thread_id: each for each in plan.new_threads}}
    status = {name: "new" if name not in tale.threads else each.status for name, each in threads.items()}
    moved, advanced_own = set(), False
    for beat in plan.beats:
        if (beat.kind == "personal") != (beat.advance != "none") or (beat.kind == "personal") != (
            beat.thread_id is not None
        ):
            yield PlanFault("unknown_thread", beat.number, "a personal beat plays for a thread, and no other beat does")
        if beat.thread_id is None:
            continue
        fits = ("new", "paused") if beat.advance == "opened" else ("open",)
        if status.get(beat.thread_id) not in fits:
            yield PlanFault(
                "unknown_thread", beat.number, f"{beat.thread_id!r} is {status.get(beat.thread_id, 'no thread')}"
            )
            continue
        moved.add(beat.thread_id)
        status[beat.thread_id] = {"paid": "paid", "paused": "paused"}.get(beat.advance, "open")
        advanced_own |= beat.advance in _ADVANCING and threads[beat.thread_id].is_personal
    if not advanced_own:
        yield PlanFault("personal_thread", None, "no thread of the hero's own is advanced")
    for thread in tale.open_threads:
        if plan.chapter - thread.last_advanced > SILENT and thread.thread_id not in moved:
            told = f"{thread.thread_id!r} was last advanced in chapter {thread.last_advanced}"
            yield PlanFault("silent_thread", None, told)


def _suppression(case: Case) -> Iterator[PlanFault]:
    if not case.tale.player.named_villain_active:
        return
    fights = [beat for beat in case.plan.beats if beat.storylet in ENCOUNTERS]
    for beat in fights[1:]:
        yield PlanFault("suppression", beat.number, "a second encounter while a named villain is on stage")
    for beat in fights:
        if beat.storylet == "unit_near":
            yield PlanFault("suppression", beat.number, "a Lieutenant's unit acts while a named villain is on stage")


def _staged(case: Case) -> Iterator[PlanFault]:
    if case.stages is None:
        return
    allowed = {each.storylet for each in case.stages}
    for beat in case.plan.beats:
        if beat.kind == "threat" and beat.storylet not in allowed:
            yield PlanFault("unstaged", beat.number, f"{beat.storylet!r} may not be played now")


def _hidden(case: Case) -> Iterator[PlanFault]:
    for beat in case.plan.beats:
        text = beat.description
        names = sorted({in_words(value) for value in beat.slots.values()}, key=len, reverse=True)
        for name in names:
            text = text.replace(name, "").replace(name[:1].upper() + name[1:], "")
        leak = _LEAKS.search(text)
        if leak is not None:
            yield PlanFault("hidden_numbers", beat.number, f"says {leak[0]!r}")


def _objected(case: Case) -> Iterator[PlanFault]:
    """Yield beats that use what was objected to; a quiet beat may still name the thread that it leaves alone."""
    taboo = subjects_of(read_objections(case.plan.attempt, case.plan.objections))
    for beat in case.plan.beats:
        if beat.storylet in QUIET:
            continue
        used = {beat.storylet, *beat.characters, *beat.items, *beat.decisions, beat.thread_id, beat.promise_id}
        slots = {value for name, value in beat.slots.items() if name not in ("hero", "place")}
        for name in sorted(taboo & (used | slots)):
            yield PlanFault("objected", beat.number, f"{name!r} was objected to")


_LAWS: Final[tuple[Callable[[Case], Iterator[PlanFault]], ...]] = (
    _shape, _pacing, _shares, _threads, people.names, people.facts, people.people, people.knowledge, people.promises,
    world.items, world.verdicts, world.quarantine, world.unheard, _suppression, _staged, _hidden, _objected,
)  # fmt: skip
