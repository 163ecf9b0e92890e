"""A tale: everything that the planner knows of one player's story, as plain values (domain.md C11).

A tale never changes: the close of a chapter makes the next one (`story.tale.closing`). What a chapter establishes is a fact, and
a later chapter that contradicts it is refused before it is shown (`story.tale.contradictions`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from story.languages import Language
from story.threat.environment import PlayerState, ThreatEnvironment

SCHEMA: Final = "council.tale/1"
ThreadStatus = Literal["open", "paused", "paid", "dropped"]
PromiseStatus = Literal["made", "kept", "broken"]
CastStatus = Literal["alive", "dead", "gone"]
PacingPhase = Literal["build_up", "sustain", "fade", "relax"]
"""The pacing machine: build up, sustain for one chapter, fade, relax for one or two (L4D)."""


class Arc(NamedTuple):
    """Where the player's own story goes."""

    want: str
    """Id of what the hero wants, a key of the lexicon; such as find-the-brother."""
    need: str
    """Id of what the hero needs."""
    wound: str
    """Id of what made the hero so."""
    act: int = 1
    """1 to 4."""


class Thread(NamedTuple):
    """An open question of the story."""

    thread_id: str
    question: str
    """Id of the question in the lexicon, such as who-burned-the-archive."""
    stake: str
    """Id of what is lost if it goes wrong."""
    entities: tuple[str, ...] = ()
    """Ids of people, places, factions and things it is about, sorted."""
    tags: tuple[str, ...] = ()
    tension: int = 20
    """0 to 100."""
    status: ThreadStatus = "open"
    opened: int = 0
    """Chapter in which it began."""
    last_advanced: int = 0
    due: int | None = None
    """Chapter by which it should be paid."""
    is_personal: bool = True
    """Whether it is the hero's own, and not the world's."""


class Promise(NamedTuple):
    """Something that the story set up and owes the reader, or a word given by somebody to somebody."""

    promise_id: str
    thread_id: str
    made_by: str
    made_to: str
    what: str
    """Id in the lexicon."""
    made: int
    due: int | None = None
    status: PromiseStatus = "made"


class CastMember(NamedTuple):
    """Somebody in the story."""

    entity_id: str
    name: str
    """As prose writes it, the same in every language."""
    role: str
    """Id in the lexicon, such as innkeeper, smuggler, archivist, captain."""
    place: str
    """Territory id where this person is."""
    faction_id: str | None = None
    status: CastStatus = "alive"
    knows: tuple[str, ...] = ()
    """Ids of facts that this person knows, sorted: nobody speaks of what they cannot know."""
    met: int | None = None
    """Chapter in which the hero first met them; None: not yet."""


class Fact(NamedTuple):
    """What the story established: the same shape as a realm's facts, so that canon and tale are compared alike."""

    fact_id: str
    """`subject/predicate`."""
    subject: str
    predicate: str
    value: str
    chapter: int
    """Chapter that established it."""
    source: Literal["canon", "realm", "tale"] = "tale"
    decision_id: str | None = None
    """The verdict it comes from, where it does."""


class Mention(NamedTuple):
    """A world item that a chapter told."""

    item_id: str
    chapter: int
    is_global: bool


@dataclass(frozen=True, slots=True)
class Tale:
    """One player's story.

    Attributes:
        story_id: its id.
        realm_id: the realm it plays in.
        user_id: whose it is.
        hero: id of the hero in `cast`'s manner; the name stands in `hero_name`.
        hero_name: as prose writes it.
        language: of its prose.
        style: id of the narrator's manner, such as plain, lyrical.
        chapter: number of the last closed chapter; 0 before the first.
        tick: realm tick that the last closed chapter had seen.
        faction_id: the faction the hero stands with; None: nobody's.
        player: what the threat rules read.
        threat: what threatens the player.
        arc: the hero's arc.
        threads: by id, sorted.
        promises: by id, sorted.
        cast: by entity id, sorted; without the hero.
        facts: by fact id, sorted.
        phase: where the pacing machine stands.
        phase_since: chapter in which it came there.
        tension: tension that the last chapter closed with, 0 to 100.
        losses: losses of the hero in the last three chapters, 0 to 100.
        combat: how hard the last chapter was fought, 0 to 100.
        mentions: world items told, oldest first; those of the last twelve chapters.
        storylets: storylet ids used, with the chapter they were last used in.
        decisions: decision ids that the story has heard, sorted.
    """

    story_id: str
    realm_id: str
    user_id: str
    hero: str
    hero_name: str
    arc: Arc
    player: PlayerState
    language: Language = "en"
    style: str = "plain"
    chapter: int = 0
    tick: int = 0
    faction_id: str | None = None
    threat: ThreatEnvironment = field(default_factory=ThreatEnvironment)
    threads: Mapping[str, Thread] = field(default_factory=dict)
    promises: Mapping[str, Promise] = field(default_factory=dict)
    cast: Mapping[str, CastMember] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    phase: PacingPhase = "build_up"
    phase_since: int = 0
    tension: int = 20
    losses: int = 0
    combat: int = 0
    mentions: tuple[Mention, ...] = ()
    storylets: Mapping[str, int] = field(default_factory=dict)
    decisions: tuple[str, ...] = ()

    @property
    def open_threads(self) -> tuple[Thread, ...]:
        """Threads that wait to be advanced, by id."""
        return tuple([thread for thread in self.threads.values() if thread.status == "open"])
