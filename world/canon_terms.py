"""The terms in which canon is compared: facts, locks, breaches, and predicates with a meaning (domain.md C8)."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from policies.contracts.effects import Effect
from policies.contracts.request import LockMode, LoreConstraint

Severity = Literal["direct", "derived", "human"]
"""direct: against a lock's own fact. derived: against what follows from facts. human: only a person may allow it."""
BreachKind = Literal["locked", "contradiction", "repeated", "not_controller", "dead_acts", "exclusive", "sealed_way"]

SYNONYMS: Final = {"owner": "controller", "controlled_by": "controller", "owned_by": "controller"}
"""Predicates with one meaning. A territory transfer says (territory, controller, faction)."""
FUNCTIONAL: Final = frozenset(["status", "controller", "location", "capital", "ruler", "name", "nature", "built_by"])
"""Predicates with one object at a time: two different ones in one change contradict each other."""
EXCLUSIVE: Final = frozenset(["capital_of", "ruler_of", "bearer_of", "heir_of"])
"""Predicates whose object belongs to one subject at a time: one capital of a realm, one bearer of a relic."""
GONE: Final = frozenset(["dead", "killed", "slain", "deceased", "destroyed", "eliminated"])
"""Objects of `status` after which a subject no longer acts."""
SHUT: Final = frozenset(["sealed", "closed", "shut"])
"""Objects of `status` through which nobody passes."""
DEEDS: Final = frozenset(
    ["location", "controller", "controls", "capital", "rules", "ruler_of", "bearer_of", "leads", "commands", "attacks"]
)
"""Predicates that the dead cannot have as subject: where they are, who controls them, what they do."""
OFFICES: Final = frozenset(["controller", "ruler", "leader", "commander", "general", "bearer", "champion"])
"""Predicates that the dead cannot be the object of."""
PASSAGES: Final = frozenset(["through", "via", "passes_through", "entered_through", "arrived_through"])
"""Predicates whose object is a way that was passed."""


class Fact(NamedTuple):
    """One thing that an effect would make true, in plain form."""

    effect: int
    """Position in the effects of the case."""
    subject: str
    predicate: str
    object: str


class Lock(NamedTuple):
    """One structured lock, in plain form."""

    at: int
    """Index into the request's `lore_constraints`."""
    mode: LockMode
    subject: str
    predicate: str
    object: str | None
    until: str | None


class Breach(NamedTuple):
    """One thing about a change that canon does not allow."""

    severity: Severity
    kind: BreachKind
    effect: int | None
    """Position in the effects of the case; None where the actor, not an effect, is at fault."""
    lock: int | None = None
    """Index into the request's `lore_constraints`; None where the change contradicts itself or the snapshot."""
    mode: LockMode | None = None


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return text as it is compared: one case, one form per character, single spaces, nothing invisible.

    So "Sealed ", "SEALED" and "sea\\u200bled" are one word, and a lock cannot be walked around by spelling. Remembered
    for the last 4,096 texts: ids and words of one realm come again and again.
    """
    if text.isascii():
        lowered = text.lower()
        return " ".join(lowered.split()) if " " in lowered else lowered
    shown = "".join([char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf"])
    return " ".join(shown.split()).casefold()


def facts_of(effects: Sequence[Effect]) -> list[Fact]:
    """Return what effects would make true, in their order. Deltas are quantities, not facts, and say nothing.

    A territory transfer says (territory, controller, to); a trigger that fires says (trigger, status, fired).
    """
    facts = []
    for position, effect in enumerate(effects):
        if effect.op == "canon_assert":
            predicate = plain(effect.predicate)
            predicate = SYNONYMS.get(predicate, predicate)
            facts.append(Fact(position, plain(effect.subject), predicate, plain(effect.object)))
        elif effect.op == "territory_transfer":
            facts.append(Fact(position, plain(effect.territory_id), "controller", plain(effect.to)))
        elif effect.op == "trigger_fire":
            facts.append(Fact(position, plain(effect.trigger_id), "status", "fired"))
    return facts


def locks_of(constraints: Sequence[str | LoreConstraint]) -> list[Lock]:
    """Return the structured locks; constraints in plain words are left out."""
    locks = []
    for index, item in enumerate(constraints):
        if not isinstance(item, str):
            predicate = plain(item.predicate)
            says, until = item.object, item.until
            locks.append(
                Lock(
                    index,
                    item.mode,
                    plain(item.subject),
                    SYNONYMS.get(predicate, predicate),
                    None if says is None else plain(says),
                    None if until is None else plain(until),
                )
            )
    return locks
