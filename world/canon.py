"""Canon locks: which locks a change breaks, and which facts it sets against each other (register rows S0-53, S0-62).

Only typed facts are compared: subject, predicate, object. A constraint in plain words is counted and never clears or
breaks anything, because code must not guess from prose (domain.md C8).

What each mode allows to be said of the lock's own subject and predicate. Saying the locked object again changes nothing
and is always allowed, but for `forbidden_assertion`.

    immutable            nothing else: direct
    monotonic            only growth, a number at least as great or a list that keeps every item; else direct. A lock
                         without object has no level to grow from: a person must say
    sealed_until         direct, unless this change fires the trigger named in `until`. Where the decision is a major
                         trigger, that trigger is what is being judged, and the seal opens with it. Any other change
                         brings its own key: a person must say
    forbidden_assertion  not the object named; without object, nothing at all: direct
    requires_human       a person must say
    requires_verdict     the council's verdict suffices: nothing is broken, the lock counts as touched

What follows from facts (derived):

    contradiction   two objects for a functional predicate in one change (one status, one controller, one capital)
    repeated        a territory transferred twice in one change
    not_controller  a controller asserted whom the snapshot, with the change applied, does not have
    dead_acts       a subject locked as dead or destroyed is somewhere, controls, is controlled, holds an office, gains
                    influence, or is the actor; unless the change itself gives it another status, which its lock judges
    exclusive       a second subject for an exclusive predicate (two capitals of one realm)
    sealed_way      a passage through what is locked as sealed, unless the change itself opens it
"""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from policies.numbers import exact
from world.canon_terms import (
    DEEDS,
    EXCLUSIVE,
    FUNCTIONAL,
    GONE,
    OFFICES,
    PASSAGES,
    SHUT,
    Breach,
    Fact,
    Lock,
    Severity,
    facts_of,
    locks_of,
    plain,
)
from world.case import Case

NEVER_MOVE: Final = ("immutable", "forbidden_assertion")
"""Modes whose breach condemns the whole change."""

_LIST = re.compile(r"\s*[,;|]\s*")


class Canon(NamedTuple):
    """What canon says of a change."""

    locks: int
    """Structured locks that were compared."""
    texts: int
    """Constraints in plain words: counted, never judged."""
    touched: tuple[int, ...]
    """Locks whose subject and predicate the change speaks of, as indices into `lore_constraints`, ascending."""
    breaches: tuple[Breach, ...]
    """In the order: direct and human by effect, then derived."""


def examine(case: Case) -> Canon:
    """Compare a change with the locks of its request, with itself, and with the snapshot."""
    locks = locks_of(case.request.lore_constraints)
    texts = len(case.request.lore_constraints) - len(locks)
    facts = facts_of(case.effects)
    if not (facts or locks):
        return Canon(0, texts, (), ())
    touched: set[int] = set()
    breaches: list[Breach] = []
    if locks:
        opened = _opened(case, locks)
        breaches += _direct(facts, locks, opened, touched)
        standing = [lock for lock in locks if lock.mode != "forbidden_assertion" and opened.get(lock.at) != "open"]
        about_status = [lock for lock in standing if lock.predicate == "status"]
        if about_status:
            breaches += _dead_acts(case, facts, about_status)
            breaches += _sealed_ways(facts, about_status)
        breaches += _exclusive(facts, standing)
    elif len(facts) > 1:
        breaches += _exclusive(facts, ())
    breaches += _self_contradictions(case, facts)
    return Canon(len(locks), texts, tuple(sorted(touched)), tuple(breaches))


def grows(old: str, new: str) -> bool:
    """Tell whether `new` is at least `old`: as numbers, or as lists where every item of `old` is still there.

    >>> grows("9", "10"), grows("floor 1, floor 2", "floor 2; floor 1; floor 3"), grows("cleared", "lost")
    (True, True, False)
    """
    before, after = _number(old), _number(new)
    if before is not None or after is not None:
        return before is not None and after is not None and after >= before
    return set(_LIST.split(old)) <= set(_LIST.split(new))


def _number(text: str) -> Fraction | None:
    try:
        return exact(text)
    except ValueError:
        return None


def _opened(case: Case, locks: Iterable[Lock]) -> dict[int, str]:
    """Return, per lock whose trigger this change fires, "open" in a major trigger decision, else "own key"."""
    fired = {plain(effect.trigger_id) for effect in case.effects if effect.op == "trigger_fire"}
    if not fired:
        return {}
    how = "open" if case.request.decision_type == "major_trigger" else "own key"
    return {lock.at: how for lock in locks if lock.mode == "sealed_until" and lock.until in fired}


def _direct(facts: list[Fact], locks: list[Lock], opened: dict[int, str], touched: set[int]) -> list[Breach]:
    """Return the gravest breach of each severity per effect, and note every lock that is touched.

    One per severity, because 64 effects that all speak of a subject with 256 locks are 64 violations, not 16,384. Locks
    that never move come first, so that a milder lock on the same fact cannot stand in for them.
    """
    by_key: dict[tuple[str, str], list[Lock]] = {}
    for lock in sorted(locks, key=_moves):
        by_key.setdefault((lock.subject, lock.predicate), []).append(lock)
    breaches: list[Breach] = []
    for fact in facts:
        concerned = by_key.get((fact.subject, fact.predicate))
        if concerned is None:
            continue
        touched.update([lock.at for lock in concerned])
        found: dict[Severity, Breach] = {}
        for lock in concerned:
            severity = _severity(lock, fact.object, opened.get(lock.at))
            if severity is not None and severity not in found:
                found[severity] = Breach(severity, "locked", fact.effect, lock.at, lock.mode)
        breaches += found.values()
    return breaches


def _moves(lock: Lock) -> bool:
    return lock.mode not in NEVER_MOVE


def _severity(lock: Lock, says: str, opened: str | None) -> Severity | None:
    """Return how saying this breaks the lock, or None where it does not (the table at the top of this file)."""
    is_same = lock.object == says
    if lock.mode == "forbidden_assertion":
        return "direct" if is_same or lock.object is None else None
    if is_same or lock.mode == "requires_verdict":
        return None
    if lock.mode == "requires_human":
        return "human"
    if lock.mode == "sealed_until" and opened is not None:
        return None if opened == "open" else "human"
    if lock.mode == "monotonic":
        return "human" if lock.object is None else None if grows(lock.object, says) else "direct"
    return "direct"


def _dead_acts(case: Case, facts: list[Fact], about_status: list[Lock]) -> list[Breach]:
    gone = {lock.subject: lock for lock in about_status if lock.object in GONE}
    for fact in facts:
        if fact.predicate == "status" and fact.object not in GONE:
            gone.pop(fact.subject, None)
    if not gone:
        return []
    breaches = []
    for fact in facts:
        lock = gone.get(fact.subject) if fact.predicate in DEEDS else None
        if lock is None and fact.predicate in OFFICES:
            lock = gone.get(fact.object)
        if lock is not None:
            breaches.append(_acts(lock, fact.effect))
    gains = [(position, effect) for position, effect in enumerate(case.effects) if effect.op == "faction_delta"]
    for position, effect in gains:
        if effect.amount > 0 and (lock := gone.get(plain(effect.faction_id))) is not None:
            breaches.append(_acts(lock, position))
    actor = case.request.proposed_change.actor
    names = [name for name in (actor.user_id, actor.faction_id) if name is not None] if actor is not None else []
    return breaches + [_acts(gone[plain(name)], None) for name in names if plain(name) in gone]


def _acts(lock: Lock, position: int | None) -> Breach:
    return Breach("derived", "dead_acts", position, lock.at, lock.mode)


def _sealed_ways(facts: list[Fact], about_status: list[Lock]) -> list[Breach]:
    shut = {lock.subject: lock for lock in about_status if lock.object in SHUT}
    for fact in facts:
        if fact.predicate == "status" and fact.object not in SHUT:
            shut.pop(fact.subject, None)
    if not shut:
        return []
    return [
        Breach("derived", "sealed_way", fact.effect, shut[fact.object].at, shut[fact.object].mode)
        for fact in facts
        if fact.predicate in PASSAGES and fact.object in shut
    ]


def _exclusive(facts: list[Fact], standing: Sequence[Lock]) -> list[Breach]:
    """Return breaches of predicates whose object belongs to one subject: against locks, and within the change."""
    claims = [fact for fact in facts if fact.predicate in EXCLUSIVE]
    if not claims:
        return []
    holders = {(lock.predicate, lock.object): lock for lock in standing if lock.mode != "requires_verdict"}
    first: dict[tuple[str, str], str] = {}
    breaches = []
    for fact in claims:
        lock = holders.get((fact.predicate, fact.object))
        if lock is not None and lock.subject != fact.subject:
            severity: Severity = "human" if lock.mode == "requires_human" else "derived"
            breaches.append(Breach(severity, "exclusive", fact.effect, lock.at, lock.mode))
        elif first.setdefault((fact.predicate, fact.object), fact.subject) != fact.subject:
            breaches.append(Breach("derived", "exclusive", fact.effect))
    return breaches


def _self_contradictions(case: Case, facts: list[Fact]) -> list[Breach]:
    """Return effects that contradict one another or the state that the change leads to.

    Every one of two contradicting effects is named: code does not guess which of them was meant. Of equal transfers the
    first stands.
    """
    functional = [fact for fact in facts if fact.predicate in FUNCTIONAL]
    said: dict[tuple[str, str], set[str]] = {}
    for fact in functional:
        said.setdefault((fact.subject, fact.predicate), set()).add(fact.object)
    moved: set[str] = set()
    breaches = []
    for fact in functional:
        effect = case.effects[fact.effect]
        is_transfer = effect.op == "territory_transfer"
        if len(said[fact.subject, fact.predicate]) > 1:
            breaches.append(Breach("derived", "contradiction", fact.effect))
        elif is_transfer and fact.subject in moved:
            breaches.append(Breach("derived", "repeated", fact.effect))
        elif fact.predicate == "controller" and effect.op == "canon_assert" and _denies(case, effect.subject, fact):
            breaches.append(Breach("derived", "not_controller", fact.effect))
        if is_transfer:
            moved.add(fact.subject)
    return breaches


def _denies(case: Case, subject: str, fact: Fact) -> bool:
    """Tell whether a territory's asserted controller is not the one that it has once the change has happened."""
    controllers = case.after.controllers
    return subject in controllers and plain(controllers[subject] or "nobody") != fact.object
