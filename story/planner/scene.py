"""The scene: what holds at one step of a chapter while it is planned, from which the next beat is chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

from policies.draws import Draws
from story.planner.pools import Pools
from story.tale.contradictions import Lock, RealmFacts
from story.tale.tale import CastMember, Fact, PacingPhase, Promise, Tale, Thread, ThreadStatus
from story.threat.environment import ThreatPressure
from world.canon_terms import GONE, plain
from world.realm.state import Realm

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """What does not change within one chapter.

    Attributes:
        tale: the story so far.
        chapter: number of the chapter that is planned.
        pressure: the one word of the threat rules (S4-72).
        phase: of the pacing machine.
        pools: what is new is drawn from here.
        draws: of the plan's seed.
        key: words that every draw of this attempt begins with.
        taboo: ids that somebody objected to.
        locked: subjects of canon locks, and whom the realm knows as gone: nobody meets them.
        taken: ids that the realm and the tale have given already: nobody new is named so.
        neighbors: territories by territory; empty where no map is known.
        realm_facts: what is true of the shared world.
        locks: canon locks.
        contested: territories of which it is not settled who holds them.
        triggers: what the realm can be struck by.
        may_claim: whether this chapter may say anything of the shared world (`story.planner.playing_claims`).
    """

    tale: Tale
    chapter: int
    pressure: ThreatPressure
    phase: PacingPhase
    pools: Pools
    draws: Draws
    key: str
    taboo: frozenset[str]
    locked: frozenset[str]
    taken: frozenset[str]
    neighbors: Mapping[str, tuple[str, ...]]
    realm_facts: RealmFacts
    locks: Sequence[Lock]
    contested: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()
    may_claim: bool = False

    def allows(self, name: str) -> bool:
        """Tell whether nobody objected to an id, and no lock speaks of it."""
        return name not in self.taboo and name not in self.locked

    @cached_property
    def free_names(self) -> tuple[str, ...]:
        """Names for new people that nobody has, the hero neither, in the order of the pool."""
        names = [(name, name.lower()) for name in self.pools.names]
        taken = {*self.taken, *self.tale.hero_name.lower().split()}
        return tuple([name for name, own in names if own not in taken and self.allows(own)])

    @cached_property
    def living(self) -> int:
        """How many of the cast are alive before the chapter."""
        return len([each for each in self.tale.cast.values() if each.status == "alive"])


class Filling(NamedTuple):
    """What a beat is filled with, and what it makes true."""

    slots: Mapping[str, str]
    characters: tuple[str, ...] = ()
    """Without the hero."""
    facts: tuple[Fact, ...] = ()
    rests_on: tuple[str, ...] = ()
    """Ids of facts that were established before."""
    items: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    promise: Promise | None = None
    newcomer: CastMember | None = None
    opens: Thread | None = None
    moves_to: str | None = None
    claims: bool = False
    """Whether its facts are of the shared world."""


@dataclass(frozen=True)
class Scene:
    """One step of a chapter.

    Attributes:
        setting: what does not change.
        number: of the beat to be chosen, from 1.
        place: where the hero is.
        threads: open ones by id, with what this chapter did to them.
        promises: by id.
        facts: by id.
        newcomers: people whom this chapter introduces.
        opened: threads that this chapter opens.
        advanced: how often a thread was advanced in this chapter.
        has_moved: whether the hero has travelled in this chapter.
        has_claimed: whether it says something of the shared world already.
    """

    setting: Setting
    number: int
    place: str
    threads: Mapping[str, Thread]
    promises: Mapping[str, Promise]
    facts: Mapping[str, Fact]
    newcomers: tuple[CastMember, ...] = ()
    opened: tuple[Thread, ...] = ()
    advanced: Mapping[str, int] = field(default_factory=dict)
    has_moved: bool = False
    has_claimed: bool = False

    def pick(self, choices: Sequence[T], *what: object) -> T:
        """Draw one of several for this beat."""
        return self.setting.draws.one_of(choices, self.setting.key, self.number, *what)

    def lot(self, *what: object) -> int:
        """Draw the lot of one choice for this beat: of several the lowest wins, so that one less shifts no other."""
        return self.setting.draws.number(self.setting.key, self.number, *what)

    @property
    def tale(self) -> Tale:
        return self.setting.tale

    @cached_property
    def present(self) -> tuple[CastMember, ...]:
        """People whom the hero can meet here: alive, in this place or travelling along, and not fallen out with, by id."""
        people = [*self.tale.cast.values(), *self.newcomers]
        here = [each for each in people if self._is_here(each) and self.setting.allows(each.entity_id)]
        return tuple([each for each in here if not self._has_fallen_out(each.entity_id)])

    def _has_fallen_out(self, name: str) -> bool:
        """Tell whether this chapter accused somebody, or told them of a broken promise: nobody sits down to supper after that."""
        if self.facts is self.tale.facts:
            return False
        return any(self._accuses(name, thread) for thread in self.threads) or any(
            each.made_to == name and each.status == "broken" and self.tale.promises.get(each.promise_id) != each
            for each in self.promises.values()
        )

    def _accuses(self, name: str, thread_id: str) -> bool:
        fact = self.facts.get(f"{name}/accused-{thread_id}")
        return fact is not None and fact.chapter == self.setting.chapter

    @cached_property
    def known(self) -> tuple[CastMember, ...]:
        """People here whom the hero has met."""
        return tuple([each for each in self.present if each.met is not None])

    @cached_property
    def open_promises(self) -> tuple[Promise, ...]:
        """Promises that are neither kept nor broken."""
        return tuple([each for each in self.promises.values() if each.status == "made"])

    def _is_here(self, member: CastMember) -> bool:
        return member.status == "alive" and (member.place == self.place or travels_along(self.tale, member.entity_id))

    @cached_property
    def free_things(self) -> tuple[str, ...]:
        """Things that nobody has found yet, in the order of the pool."""
        return tuple([
            thing for thing in self.setting.pools.things
            if f"{thing}/found_at" not in self.facts and self.setting.allows(thing)
        ])  # fmt: skip

    @cached_property
    def held_things(self) -> tuple[str, ...]:
        """Things that the hero has, in the order of the pool."""
        return tuple([
            thing for thing in self.setting.pools.things
            if (held := self.facts.get(f"{thing}/held_by")) is not None
            and held.value == self.tale.hero and self.setting.allows(thing)
        ])  # fmt: skip

    @cached_property
    def personal_open(self) -> int:
        """How many threads of the hero's own are open."""
        return len([each for each in self.threads.values() if each.is_personal and each.status == "open"])

    @cached_property
    def new_questions(self) -> tuple[str, ...]:
        """Questions that this story never asked; where it has no thread left, those too that somebody objected to."""
        asked = {*self.tale.threads, *[each.thread_id for each in self.opened]}
        new = tuple([name for name in self.setting.pools.questions if name not in asked])
        allowed = tuple([name for name in new if self.setting.allows(name)])
        return allowed or (() if self.personal_open else new)

    @cached_property
    def paused(self) -> tuple[Thread, ...]:
        """Threads of the hero's own that were laid aside before this chapter, and can be taken up again."""
        return tuple([
            each for each in self.tale.threads.values()
            if each.status == "paused" and each.is_personal and each.thread_id not in self.advanced
            and self.setting.allows(each.thread_id)
        ])  # fmt: skip

    def after(self, filling: Filling, thread: Thread | None, status: ThreadStatus | None) -> "Scene":
        """Return the scene of the next beat.

        Args:
            filling: what the beat was filled with.
            thread: the thread that it was played for.
            status: what became of that thread; None where nothing did.
        """
        threads, advanced = self.threads, self.advanced
        if thread is not None and status is not None:
            threads = {**threads, thread.thread_id: thread._replace(status=status)}
            advanced = {**advanced, thread.thread_id: advanced.get(thread.thread_id, 0) + 1}
        promise = filling.promise
        return replace(
            self,
            number=self.number + 1,
            place=filling.moves_to or self.place,
            threads=threads,
            promises=self.promises if promise is None else {**self.promises, promise.promise_id: promise},
            facts={**self.facts, **{each.fact_id: each for each in filling.facts}} if filling.facts else self.facts,
            newcomers=self.newcomers if filling.newcomer is None else (*self.newcomers, filling.newcomer),
            opened=self.opened if filling.opens is None else (*self.opened, filling.opens),
            advanced=advanced,
            has_moved=self.has_moved or filling.moves_to is not None,
            has_claimed=self.has_claimed or filling.claims,
        )


def travels_along(tale: Tale, entity_id: str) -> bool:
    """Tell whether somebody goes where the hero goes."""
    fact = tale.facts.get(f"{entity_id}/travels_with")
    return fact is not None and fact.value == tale.hero


def locked_names(locks: Sequence[Lock], realm_facts: RealmFacts) -> frozenset[str]:
    """Return ids that canon speaks of, and those whom the realm knows as gone."""
    gone = [subject for (subject, predicate), value in realm_facts.items() if _is_gone(predicate, value)]
    return frozenset([*[str(lock["subject"]) for lock in locks], *gone])


def _is_gone(predicate: str, value: str) -> bool:
    return predicate == "status" and plain(value) in GONE


def facts_of_realm(realm: Realm | None) -> dict[tuple[str, str], str]:
    """Return what is true of the shared world: its facts, and who controls each territory, "nobody" where nobody does."""
    if realm is None:
        return {}
    controllers = {(name, "controller"): each.controller or "nobody" for name, each in realm.territories.items()}
    return {**realm.facts, **controllers}
