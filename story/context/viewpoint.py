"""Where a player stands when a chapter is planned: what selection reads of the tale, the map and the player's deeds."""

from story.context.items import Viewpoint
from story.context.map import distances
from story.context.own import Own, acted_on, involvement
from story.tale.tale import Tale
from world.realm.state import Realm


def viewpoint(tale: Tale, now: Realm, own: Own) -> Viewpoint:
    """Return the viewpoint of the chapter about to be planned.

    A hero who is nowhere on the realm's map hears no news of places: only what concerns the whole realm, and own deeds.
    """
    last_shown: dict[str, int] = {}
    for mention in tale.mentions:
        last_shown[mention.item_id] = max(mention.chapter, last_shown.get(mention.item_id, 0))
    threads = tale.open_threads
    return Viewpoint(
        user_id=tale.user_id,
        place=tale.player.place,
        faction_id=tale.faction_id,
        chapter=tale.chapter + 1,
        tick=now.tick_number,
        distances=distances(now.territories, tale.player.place),
        involvement=involvement(own, tale.faction_id),
        thread_entities=frozenset([name for thread in threads for name in thread.entities]),
        thread_tags=frozenset([tag for thread in threads for tag in thread.tags]),
        last_shown=last_shown,
        last_global=max([mention.chapter for mention in tale.mentions if mention.is_global], default=None),
        last_tick=tale.tick if tale.chapter else None,
        acted=acted_on(own),
    )
