"""The texts of a request that players wrote: which they are, and where. They are data, and never an instruction.

Among an event's free facts, `stakes` has a closed vocabulary (domain.md C1). Every other word there is a player's, or cannot
be told from one (reliability.md, injection 4).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from agents.payoff import STAKES
from policies.contracts.request import ImpactCandidate
from policies.faults import pointer
from world.case import Case


class Written(NamedTuple):
    """One text of a request."""

    pointer: str
    """Where it stands: a JSON pointer; names that the sender chose are left out of it."""
    text: str


def has_player_text(case: Case) -> bool:
    """Tell whether a request holds any text that a player wrote."""
    return next(player_texts(case), None) is not None


def player_texts(case: Case) -> Iterator[Written]:
    """Yield the texts that players wrote, in the order of the request: the change's narrative, then each event's."""
    narrative = case.request.proposed_change.narrative
    if narrative:
        yield Written("/proposed_change/narrative", narrative)
    for at, event in enumerate(case.request.supporting_events):
        if event.note:
            yield Written(pointer("supporting_events", at, "note"), event.note)
        if event.evidence:
            for text in _free_words(event):
                yield Written(pointer("supporting_events", at, "evidence"), text)


def _free_words(event: ImpactCandidate) -> Iterator[str]:
    """Yield the facts of an act that hold words, as "name: text"; numbers and flags under whatever name hold none."""
    for name, value in event.evidence.items():
        if isinstance(value, str):
            if value and not (name == "stakes" and value in STAKES):
                yield f"{name}: {value}"
        elif isinstance(value, list | dict):
            words = [word for word in _strings(value) if word]
            if words:
                yield f"{name}: {' | '.join(words)}"


def _strings(value: Any) -> Iterator[str]:
    """Yield the strings inside a JSON value, keys of objects included; intake bounds its depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
