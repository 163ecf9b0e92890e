"""The rubric of noise: what an item of the world has to do with the player, judged apart from how it was chosen (domain.md C10).

An item is linked by a deed (the player's own news, what happens where the player acted, or what concerns the whole of a faction
that the player acted for or against), by a thread (an open one names what it is about, by id or by tag), or by its place (two
steps or nearer). All else is noise. Belonging to a faction is no link, and what it does far away is still far away.
"""

from typing import Final, Literal

from story.context.items import Candidate, Viewpoint
from story.context.map import nearest
from story.context.own import Own
from story.context.scoring import tags_of

NEAR: Final = 2
"""Steps within which a place is the player's own surroundings."""
Link = Literal["deed", "thread", "place"]


def link_of(candidate: Candidate, view: Viewpoint, own: Own) -> Link | None:
    """Return what links an item to the player; None: it is noise."""
    names = {candidate.subject, *candidate.places, *candidate.factions, *candidate.entities}
    if candidate.is_must or candidate.kind == "recap" or _is_of_deeds(candidate, own):
        return "deed"
    tags = {tag for name in names for tag in tags_of(name)}
    if not names.isdisjoint(view.thread_entities) or not tags.isdisjoint(view.thread_tags):
        return "thread"
    distance = nearest(candidate.places, view.distances)
    return "place" if distance is not None and distance <= NEAR else None


def _is_of_deeds(candidate: Candidate, own: Own) -> bool:
    acted_in = {place for places in own.points.values() for place in places}
    return (
        not acted_in.isdisjoint(candidate.places)
        if candidate.places
        else not set(own.points).isdisjoint(candidate.factions)
    )
