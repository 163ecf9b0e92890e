"""The texts of a request that the simulation wrote, chosen by the member's mandate: data for a model, like players' texts.

The simulation is trusted to say what is so, not to speak to a model: what it writes may repeat what a player named a thing.
"""

from collections.abc import Iterator

from agents.fact_sections import MOST_FLAGS, locks_shown, touched_territories
from agents.player_text import Written
from policies.faults import pointer
from policies.verdicts import Member
from world.case import Case


def sim_texts(case: Case, member: Member) -> Iterator[Written]:
    """Yield the simulation's texts that a member is shown, the change's own summary first."""
    request = case.request
    yield Written("/proposed_change/summary", request.proposed_change.summary)
    for effect, origin in zip(case.effects, case.origins, strict=True):
        if effect.op == "canon_assert":
            yield Written(pointer("proposed_change", "effects", origin, "object"), effect.object)
    if member in ("governor", "lore", "narrative"):
        yield from _names(case)
    if member == "lore":
        yield from _locks(case)
    if member == "risk":
        yield from _flags(case)


def _names(case: Case) -> Iterator[Written]:
    """Yield the names of the territories in FACTS, by their place there: their ids are the sender's words too."""
    known = case.request.world_snapshot.territories
    for place, territory in enumerate(touched_territories(case)):
        name = known[territory].name
        if name is not None:
            yield Written(pointer("FACTS", "territories", place, "name"), name)


def _locks(case: Case) -> Iterator[Written]:
    constraints = case.request.lore_constraints
    for at in locks_shown(case):
        lock = constraints[at]
        if isinstance(lock, str):
            yield Written(pointer("lore_constraints", at), lock)
            continue
        for field, text in (("object", lock.object), ("until", lock.until), ("statement", lock.statement)):
            if text:
                yield Written(pointer("lore_constraints", at, field), text)


def _flags(case: Case) -> Iterator[Written]:
    for at, flag in enumerate(case.request.risk_flags[:MOST_FLAGS]):
        if isinstance(flag, str):
            yield Written(pointer("risk_flags", at), flag)
        elif flag.note:
            yield Written(pointer("risk_flags", at, "note"), flag.note)
