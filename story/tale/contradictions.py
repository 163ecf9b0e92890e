"""Contradictions: what new facts deny of canon, of the realm and of what the story established (domain.md C8, C11).

The vocabularies are those of the council's own check (`world.canon_terms`), so that a change and a chapter are judged alike.

    self        two objects for one predicate in one chapter
    canon_lock  a lock of the world says otherwise, or says that it is never told
    realm       the shared world says otherwise, and only a verdict changes that
    tale        an earlier chapter said otherwise, of something that does not change
    dead_acts   somebody dead is somewhere, holds something, or is alive again
    location    somebody of the cast is said to be where they are not
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from story.tale.tale import Fact, Tale
from world.canon import grows
from world.canon_terms import DEEDS, GONE, OFFICES, SYNONYMS, plain

ContradictionKind = Literal["self", "canon_lock", "realm", "tale", "dead_acts", "location"]
RealmFacts = Mapping[tuple[str, str], str]
"""What is true of the shared world: object by subject and predicate."""
Lock = Mapping[str, Any]
"""A canon lock as requests carry it: id, mode, subject, predicate, and perhaps object and until."""

CHANGING: Final = frozenset(["status", "controller", "location", "ruler", "held_by", "travels_with"])
"""Predicates whose object may be another one later; every other predicate keeps what it was told first."""
HOLDING: Final = frozenset(["held_by", "travels_with"])
"""Predicates whose object must be alive."""


class Contradiction(NamedTuple):
    """One fact that cannot stand."""

    fact_id: str
    kind: ContradictionKind
    said: str
    """What the chapter says."""
    known: str
    """What is known."""
    against: str
    """Whose word it is: a lock's id, "realm", or the chapter that said it."""
    told: str
    """The same in a sentence."""


def contradictions(
    tale: Tale, facts: Sequence[Fact], realm_facts: RealmFacts, locks: Sequence[Lock]
) -> tuple[Contradiction, ...]:
    """Return what new facts deny, in their order.

    Facts that rest on a verdict (`decision_id`) may move what needs a verdict; they too are held to the realm as it is.
    """
    by_subject = _by_subject(locks)
    found: list[Contradiction] = []
    first: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        key = _key(fact)
        earlier = first.setdefault(key, fact)
        if plain(earlier.value) != plain(fact.value):
            found.append(_denied(fact, "self", earlier.value, f"chapter {fact.chapter}"))
        found += _against_locks(fact, key, by_subject)
        found += _against_realm(fact, key, realm_facts)
        found += _against_tale(tale, fact, key)
    return tuple(found)


def _key(fact: Fact) -> tuple[str, str]:
    predicate = plain(fact.predicate)
    return plain(fact.subject), SYNONYMS.get(predicate, predicate)


def _by_subject(locks: Sequence[Lock]) -> dict[tuple[str, str], list[Lock]]:
    found: dict[tuple[str, str], list[Lock]] = {}
    for lock in locks:
        predicate = plain(lock["predicate"])
        found.setdefault((plain(lock["subject"]), SYNONYMS.get(predicate, predicate)), []).append(lock)
    return found


def _against_locks(
    fact: Fact, key: tuple[str, str], by_subject: Mapping[tuple[str, str], Sequence[Lock]]
) -> list[Contradiction]:
    return [
        _denied(fact, "canon_lock", str(lock.get("object") or "nothing is said of it"), str(lock["id"]))
        for lock in by_subject.get(key, ())
        if _breaks(fact, lock)
    ]


def _breaks(fact: Fact, lock: Lock) -> bool:
    """Tell whether a fact breaks a lock: a tale never has a person's word or a seal's key, a verdict it may have."""
    locked = lock.get("object")
    is_same = locked is not None and plain(locked) == plain(fact.value)
    if lock["mode"] == "forbidden_assertion":
        return is_same or locked is None
    if is_same or (lock["mode"] == "requires_verdict" and fact.decision_id is not None):
        return False
    if lock["mode"] == "monotonic":
        return locked is None or not grows(plain(locked), plain(fact.value))
    return True


def _against_realm(fact: Fact, key: tuple[str, str], realm_facts: RealmFacts) -> list[Contradiction]:
    known = realm_facts.get((fact.subject, fact.predicate), realm_facts.get(key))
    found = []
    if known is not None and plain(known) != plain(fact.value):
        found.append(_denied(fact, "realm", known, "realm"))
    if key[1] in DEEDS | HOLDING and plain(realm_facts.get((fact.subject, "status"), "")) in GONE:
        found.append(_denied(fact, "dead_acts", realm_facts[fact.subject, "status"], "realm"))
    return found


def _against_tale(tale: Tale, fact: Fact, key: tuple[str, str]) -> list[Contradiction]:
    found = []
    earlier = tale.facts.get(fact.fact_id) or tale.facts.get("/".join(key))
    if earlier is not None and plain(earlier.value) != plain(fact.value):
        if key[1] not in CHANGING:
            found.append(_denied(fact, "tale", earlier.value, f"chapter {earlier.chapter}"))
        elif key[1] == "status" and plain(earlier.value) in GONE and plain(fact.value) not in GONE:
            found.append(_denied(fact, "dead_acts", earlier.value, f"chapter {earlier.chapter}"))
    found += [
        _denied(fact, "dead_acts", "dead", "tale") for name in _doers(fact, key[1]) if _is_dead(tale, name)
    ]  # fmt: skip
    member = tale.cast.get(fact.subject)
    if member is not None and key[1] == "location" and plain(member.place) != plain(fact.value):
        found.append(_denied(fact, "location", member.place, "tale"))
    return found


def _doers(fact: Fact, predicate: str) -> list[str]:
    """Return who must be alive for a fact to be true."""
    doers = [fact.subject] if predicate in DEEDS | HOLDING else []
    return [*doers, fact.value] if predicate in OFFICES | HOLDING else doers


def _is_dead(tale: Tale, name: str) -> bool:
    member = tale.cast.get(name)
    status = tale.facts.get(f"{name}/status")
    return (member is not None and member.status == "dead") or (status is not None and plain(status.value) in GONE)


def _denied(fact: Fact, kind: ContradictionKind, known: str, against: str) -> Contradiction:
    told = f"{fact.subject!r} {fact.predicate}: the chapter says {fact.value!r}, but {against} says {known!r}"
    return Contradiction(fact.fact_id, kind, fact.value, known, against, told)
