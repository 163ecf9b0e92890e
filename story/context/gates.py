"""Gates: what keeps a thing of the world out of a chapter whatever else there is to tell (domain.md C10).

    not_visible            its factions keep it to themselves, and the player is too far off to see it
    not_yet_known          news travels one step of the map a tick; where no road leads, it never arrives
    global_without_reason  of the whole realm, smaller than 700, and named by no open thread
    global_too_soon        of the whole realm, and one of the last two chapters told such a thing
    irrelevant             relevance below 350
    cooling_down           told in one of the last three chapters, did not happen anew since, and the player did not act there

The player's own news passes all but the first and those of the whole realm: whoever did a thing knows of it.
"""

from typing import Final

from story.context.items import Candidate, OmittedFor, Viewpoint
from story.context.map import nearest
from story.context.scoring import ENOUGH, is_direct

COOLDOWN: Final = 3
"""Chapters in which an item rests after the one that told it."""
GLOBAL_EVERY: Final = 3
"""Of so many successive chapters one at most tells something of the whole realm."""
BIG: Final = 700
"""Magnitude from which something of the whole realm needs no thread that names it."""


def gate(candidate: Candidate, view: Viewpoint, relevance: int) -> OmittedFor | None:
    """Return the first gate that keeps a candidate out; None where it passes all of them.

    Args:
        relevance: of the candidate, 0 to 1,000.
    """
    distance = nearest(candidate.places, view.distances) if candidate.places else None
    if candidate.seen_by is not None and not _is_seen(candidate, view, distance):
        return "not_visible"
    if not candidate.is_must and not is_known(candidate, view, distance):
        return "not_yet_known"
    if candidate.scope == "global" and (why := _kept_out(candidate, view)) is not None:
        return why
    if not candidate.is_must and relevance < ENOUGH:
        return "irrelevant"
    return "cooling_down" if not candidate.is_must and is_cooling(candidate, view) else None


def is_known(candidate: Candidate, view: Viewpoint, distance: int | None) -> bool:
    """Whether the news has arrived; what has no place is known at once."""
    if not candidate.places:
        return True
    return distance is not None and view.tick - candidate.tick >= distance


def is_cooling(candidate: Candidate, view: Viewpoint) -> bool:
    """Whether an item rests; what the player acts on does not, nor what happened anew."""
    shown = view.last_shown.get(candidate.item_id)
    if shown is None or view.chapter - shown > COOLDOWN:
        return False
    if candidate.is_event and view.last_tick is not None and candidate.tick > view.last_tick:
        return False
    return view.acted.isdisjoint((candidate.subject, *candidate.places))


def _kept_out(candidate: Candidate, view: Viewpoint) -> OmittedFor | None:
    """Return what keeps something of the whole realm out."""
    if candidate.magnitude < BIG and not is_direct(candidate, view):
        return "global_without_reason"
    is_soon = view.last_global is not None and view.chapter - view.last_global < GLOBAL_EVERY
    return "global_too_soon" if is_soon else None


def _is_seen(candidate: Candidate, view: Viewpoint, distance: int | None) -> bool:
    if candidate.seen_by is not None and view.faction_id in candidate.seen_by:
        return True
    within = candidate.seen_within
    return within is not None and distance is not None and distance <= within
