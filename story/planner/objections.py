"""Objections: what a council or a critic held against a plan, so that the next attempt leaves it out (companions.md)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from policies.faults import Fault, InvalidInputError, pointer

MAX_ATTEMPTS: Final = 3
"""A rejected plan is planned again at most twice."""
MAX_OBJECTIONS: Final = 64
_LONGEST: Final = 200


class Objection(NamedTuple):
    """One thing held against a plan; written `code` or `code:subject`."""

    code: str
    """Such as canon_lock, off_tone, unfair."""
    subject: str = ""
    """Id of what is objected to: an entity, storylet, thread, item, decision or thing; "" for the plan as a whole."""

    def __str__(self) -> str:
        return f"{self.code}:{self.subject}" if self.subject else self.code


def read_objections(attempt: int, objections: Sequence[str]) -> tuple[Objection, ...]:
    """Return objections as values, in their order.

    Raises:
        InvalidInputError: with every fault of the attempt and the objections.
    """
    faults = []
    if not 1 <= attempt <= MAX_ATTEMPTS:
        fix = f"send 1 to {MAX_ATTEMPTS}: a plan is made again at most twice"
        faults.append(Fault(pointer("attempt"), "no such attempt", fix))
    if len(objections) > MAX_OBJECTIONS:
        faults.append(Fault(pointer("objections"), "too many objections", f"send at most {MAX_OBJECTIONS}"))
    found = []
    for at, text in enumerate(objections[:MAX_OBJECTIONS]):
        code, _, subject = text.partition(":")
        if not code.strip() or len(text) > _LONGEST:
            fix = f"write code or code:subject, {_LONGEST} characters at most"
            faults.append(Fault(pointer("objections", at), "not an objection", fix))
        found.append(Objection(code.strip(), subject.strip()))
    if faults:
        raise InvalidInputError(faults)
    return tuple(found)


def subjects_of(objections: Sequence[Objection]) -> frozenset[str]:
    """Return the ids that no beat may use."""
    return frozenset([each.subject for each in objections if each.subject])
