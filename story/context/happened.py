"""What the realm's events tell that two of its states do not: who held a place before, whom a fight was with (S0-23)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from story.context.map import REACH
from world.persistence.messages import Event
from world.realm.state import Realm

_OF_USE: Final = ("territory_changed", "conflict_began")
"""What a verdict did is told by the verdict, which is handed in until it is told."""


class Changed(NamedTuple):
    """A territory that changed hands by the tick."""

    tick: int
    former: str | None
    new: str
    correlation_id: str | None


class Span(NamedTuple):
    """The time between two chapters, as far as the world told of it."""

    before: Realm
    """At the tick that the last chapter had seen."""
    now: Realm
    hands: Mapping[str, Changed]
    """The latest change of hands of each territory that an event told of."""
    challengers: Mapping[str, str]
    """Who began the latest conflict over a territory, where an event told of it."""

    @property
    def since(self) -> int:
        """First tick that is looked at: news of what happened twelve ticks before the last chapter may arrive only now."""
        return self.before.tick_number - REACH + 1


def span_of(before: Realm, now: Realm, events: Sequence[Event] = ()) -> Span:
    """Return the time between two states.

    Args:
        events: of the realm, in order; those of the twelve ticks before `before` too, where late news shall be told.
    """
    hands: dict[str, Changed] = {}
    challengers: dict[str, str] = {}
    for event in events:
        if event.kind in _OF_USE and event.user_id is None:
            told = orjson.loads(event.payload)
            _take(event, told, hands, challengers)
    return Span(before, now, hands, challengers)


def _take(event: Event, told: Mapping[str, Any], hands: dict[str, Changed], challengers: dict[str, str]) -> None:
    if event.kind == "territory_changed":
        hands[told["territory_id"]] = Changed(event.tick_number, told["from"], told["to"], event.correlation_id)
    elif told["challenger"] is not None:
        challengers[told["territory_id"]] = told["challenger"]
