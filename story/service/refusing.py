"""What of a chapter's outcome the world does not know: looked at before anything is written."""

from collections.abc import Collection, Iterator

from policies.faults import Fault, did_you_mean, pointer
from story.tale.outcome import ChapterOutcome
from world.realm.state import Realm


def faults_of_outcome(outcome: ChapterOutcome, actions: Collection[str], now: Realm) -> tuple[Fault, ...]:
    """Return acts, factions and territories that the world's catalogue and the realm do not have, each with its place.

    Args:
        actions: the catalogue's acts.
        now: the realm as it stands.
    """
    return (*_of_deeds(outcome, actions, now), *_of_places(outcome, now))


def _of_deeds(outcome: ChapterOutcome, actions: Collection[str], now: Realm) -> Iterator[Fault]:
    for at, deed in enumerate(outcome.deeds):
        place = ("outcome", "deeds", at)
        if deed.action_type not in actions:
            yield _unknown((*place, "action_type"), deed.action_type, actions, "no such act in the world's catalogue")
        if deed.faction_id is not None and deed.faction_id not in now.factions:
            yield _unknown((*place, "faction_id"), deed.faction_id, now.factions, "no such faction")
        if deed.territory_id is not None and deed.territory_id not in now.territories:
            yield _unknown((*place, "territory_id"), deed.territory_id, now.territories, "no such territory")


def _of_places(outcome: ChapterOutcome, now: Realm) -> Iterator[Fault]:
    for name, places in (
        ("entered", [each.territory_id for each in outcome.entered]),
        ("moved", [each.territory_id for each in outcome.moved]),
    ):
        for at, each in enumerate(places):
            if each not in now.territories:
                yield _unknown(("outcome", name, at, "territory_id"), each, now.territories, "no such territory")


def _unknown(place: tuple[str | int, ...], value: str, known: Collection[str], told: str) -> Fault:
    names = sorted(known)
    return Fault(pointer(*place), told, did_you_mean(value, names) or f"known: {', '.join(names)}")
