"""The summary of a realm: everything that a client shows at once (000 §10; S0-77, S0-108, S0-109). Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from world.persistence.messages import Event
from world.realm.rules import WorldRules
from world.views.deeds import contribution_view
from world.views.happened import verdicts_view
from world.views.moment import Moment
from world.views.realm_view import (
    campaigns_view,
    factions_view,
    heading,
    meters_view,
    territories_view,
    triggers_view,
)


class Held(NamedTuple):
    """How much waits: for game masters."""

    in_review: int
    quarantined: int
    questions: int


def summary_view(
    moment: Moment,
    rules: WorldRules,
    verdicts: Sequence[Event],
    *,
    you: Mapping[str, Mapping[str, int]] | None = None,
    held: Held | None = None,
) -> dict[str, Any]:
    """Return the summary.

    Args:
        verdicts: latest events of applied decisions that the caller may read, newest first.
        you: the caller's accepted milli-points by faction and territory; None for a caller without a name.
        held: what waits, for a game master; with it verdicts over single acts are shown too.
    """
    found = {
        **heading(moment),
        "factions": factions_view(moment),
        "territories": territories_view(moment),
        "meters": meters_view(moment),
        "triggers": triggers_view(moment.realm, rules),
        "campaigns": campaigns_view(moment),
        "verdicts": verdicts_view(verdicts, shows_disputes=held is not None),
    }
    if you is not None:
        found["you"] = contribution_view(you)
    if held is not None:
        found["held"] = held._asdict()
    return found
