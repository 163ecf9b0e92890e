"""A chapter's plan: its beats, and what they rest on (domain.md C11)."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from story.languages import Language
from story.tale.tale import CastMember, Fact, PacingPhase, Thread
from story.threat.environment import ThreatPressure

SCHEMA: Final = "council.plan/1"
Purpose = Literal["setup", "rising", "climax", "falling", "resolution"]
SceneType = Literal["dialogue", "journey", "investigation", "confrontation", "reflection", "discovery", "atmosphere"]
Mood = Literal["calm", "uneasy", "tense", "grim", "hopeful", "tender", "eerie", "defiant", "weary"]
BeatKind = Literal["personal", "world", "threat"]
"""personal: advances a thread of the hero's own; world: tells a world item; threat: texture of the force taxonomy."""
Slot = str
"""Name of a hole in a storylet's text: hero, place, npc, faction, rival, thing, lieutenant, ..."""


class Beat(NamedTuple):
    """One step of a chapter."""

    number: int
    """From 1."""
    storylet: str
    """Id of the storylet it was made from."""
    kind: BeatKind
    purpose: Purpose
    tension: int
    """1 to 10."""
    scene: SceneType
    mood: Mood
    words: int
    """Words that prose should take."""
    description: str
    """What happens, one sentence in English, for people and models: no hidden numbers, no tier names."""
    characters: tuple[str, ...]
    """Entity ids, the hero first where present."""
    place: str
    thread_id: str | None = None
    """The thread that it advances."""
    advance: Literal["advanced", "paid", "opened", "paused", "none"] = "none"
    items: tuple[str, ...] = ()
    """World items that it tells, by item id."""
    decisions: tuple[str, ...] = ()
    """Verdicts that it rests on."""
    slots: Mapping[Slot, str] = {}
    """What fills the holes of the storylet's text: ids of the lexicon, cast, realm; prose turns them into names."""
    facts: tuple[str, ...] = ()
    """Ids of facts that it establishes or rests on (`Plan.facts` has the new ones)."""
    promise_id: str | None = None
    """The promise that it makes, keeps or breaks."""


class Plan(NamedTuple):
    """The plan of one chapter."""

    story_id: str
    chapter: int
    language: Language
    beats: tuple[Beat, ...]
    chapter_tension: int
    """1 to 10: the highest of its beats."""
    pacing: PacingPhase
    emotional_arc: str
    """Such as uneasy -> tense -> hopeful."""
    world_changes_used: tuple[str, ...]
    """Item ids, in the order in which they are told."""
    verdicts_cited: tuple[str, ...]
    """Decision ids."""
    new_characters: tuple[CastMember, ...]
    facts: tuple[Fact, ...]
    """New facts that the chapter establishes."""
    pressure: ThreatPressure
    seed: int
    attempt: int = 1
    """1, or up to 3 where the council rejected what came before."""
    objections: tuple[str, ...] = ()
    """What was held against the attempts before."""
    new_threads: tuple[Thread, ...] = ()
    """Threads that a beat of this chapter opens for the first time."""
    globals_used: tuple[str, ...] = ()
    """Those of `world_changes_used` whose scope is the whole realm."""


class Explained(NamedTuple):
    """Why a beat was chosen, for --why."""

    storylet: str
    fit: int
    """Milli."""
    terms: Mapping[str, int]
    """tension, personal, salience, repeats and what else it sums, milli."""
    rivals: tuple[tuple[str, int], ...]
    """The next best, with their fits."""
