"""Everything of the world that a chapter could tell: candidates from two states, the events between them, verdicts and deeds."""

from collections.abc import Sequence

from story.context.control import control_candidates
from story.context.happened import span_of
from story.context.heard import is_explained, recap_candidate, verdict_candidates
from story.context.items import Candidate, HeardVerdict
from story.context.own import Own
from story.context.realm_wide import campaign_candidates, ranking_candidates, trigger_candidates
from world.persistence.messages import Event
from world.realm.rules import WorldRules
from world.realm.state import Realm


def candidates(
    before: Realm,
    now: Realm,
    verdicts: Sequence[HeardVerdict],
    own: Own,
    *,
    events: Sequence[Event] = (),
    rules: WorldRules | None = None,
) -> tuple[Candidate, ...]:
    """Return what could be told, sorted by id; no id comes twice.

    Args:
        before: the realm at the tick that the last chapter had seen; `now` itself before a first chapter.
        now: the realm as it stands.
        verdicts: those that the story has not told yet; one that is on its way over the map is handed in again.
        own: what the player did.
        events: of the realm, in order; from twelve ticks before `before` on, so that news from afar is told when it arrives.
        rules: the world's rules, for how grave a trigger is and how long it is at work.
    """
    span = span_of(before, now, events)
    recap = recap_candidate(own, span)
    changes = [*control_candidates(span), *trigger_candidates(span, verdicts, rules)]
    found = [
        *ranking_candidates(span),
        *[each for each in changes if not is_explained(each, verdicts)],
        *campaign_candidates(span),
        *verdict_candidates(verdicts, own, now),
        *([recap] if recap is not None else []),
    ]
    return tuple(sorted({each.item_id: each for each in found}.values(), key=lambda each: each.item_id))
