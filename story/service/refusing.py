"""What of a chapter's outcome neither the world nor the chapter knows: looked at before anything is written."""

from collections.abc import Collection, Iterator, Mapping

from policies.faults import Fault, did_you_mean, pointer
from story.tale.outcome import ChapterOutcome, Deed
from world.realm.state import Realm


def faults_of_outcome(
    outcome: ChapterOutcome, base_points: Mapping[str, int], now: Realm, beats: int, *, faction_id: str | None
) -> tuple[Fault, ...]:
    """Return acts, factions, territories and beats that catalogue, realm and plan do not have, each with its place.

    Args:
        base_points: the catalogue's acts, with their points.
        now: the realm as it stands.
        beats: how many the chapter's plan has.
        faction_id: whom the hero stands with; None: with nobody.
    """
    of_deeds = _of_deeds(outcome, base_points, now, faction_id)
    return (*of_deeds, *_of_beats(outcome, beats), *_of_places(outcome, now))


def done_for(deed: Deed, base_points: Mapping[str, int], faction_id: str | None) -> str | None:
    """Return the faction that a deed counts for or against: that which it names, else the hero's where it helps.

    A deed that takes points from a faction has to name it: nobody means their own by saying nothing.
    """
    if deed.faction_id is None and base_points.get(deed.action_type, 0) > 0:
        return faction_id
    return deed.faction_id


def _of_deeds(
    outcome: ChapterOutcome, actions: Mapping[str, int], now: Realm, faction_id: str | None
) -> Iterator[Fault]:
    for at, deed in enumerate(outcome.deeds):
        place = ("outcome", "deeds", at)
        if deed.action_type not in actions:
            yield _unknown((*place, "action_type"), deed.action_type, actions, "no such act in the world's catalogue")
        if deed.faction_id is not None and deed.faction_id not in now.factions:
            yield _unknown((*place, "faction_id"), deed.faction_id, now.factions, "no such faction")
        if deed.success and deed.action_type in actions and done_for(deed, actions, faction_id) is None:
            told = "the world counts no deed that is done for nobody, and the hero stands with no faction"
            if faction_id is not None:
                told = "the act counts against a faction, and names none"
            yield Fault(pointer(*place, "faction_id"), told, f"name one: {', '.join(sorted(now.factions))}")
        if deed.territory_id is not None and deed.territory_id not in now.territories:
            yield _unknown((*place, "territory_id"), deed.territory_id, now.territories, "no such territory")


def _of_beats(outcome: ChapterOutcome, beats: int) -> Iterator[Fault]:
    for at, deed in enumerate(outcome.deeds):
        if deed.beat is not None and deed.beat > beats:
            told = f"the chapter has no beat {deed.beat}"
            yield Fault(pointer("outcome", "deeds", at, "beat"), told, f"write 1 to {beats}, or leave it out")


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
