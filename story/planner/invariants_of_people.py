"""Laws of a plan about people, places, facts, knowledge and promises (`story.planner.invariants` lists them)."""

from collections.abc import Iterator

from story.planner.plan import Beat
from story.planner.plan_case import Case, PlanFault
from story.planner.scene import locked_names, travels_along
from story.tale.contradictions import contradictions
from story.tale.tale import CastMember


def names(case: Case) -> Iterator[PlanFault]:
    """Yield new names that are too many or taken."""
    new = case.plan.new_characters
    if len(new) > 1:
        yield PlanFault("new_names", None, f"{len(new)} new people, and a chapter has one at most")
    taken = {*case.tale.cast, case.tale.hero, *locked_names(case.locks, case.realm_facts)}
    if case.realm is not None:
        taken |= {*case.realm.territories, *case.realm.factions, *[subject for subject, _ in case.realm_facts]}
    names = {each.name for each in case.tale.cast.values()}
    for each in new:
        if each.entity_id in taken or each.name in names:
            yield PlanFault("new_names", None, f"{each.entity_id!r} is somebody else already")


def facts(case: Case) -> Iterator[PlanFault]:
    """Yield facts that contradict, or that no beat or chapter established."""
    plan, tale = case.plan, case.tale
    for each in contradictions(tale, plan.facts, case.realm_facts, case.locks):
        yield PlanFault(each.kind, None, each.told)
    new = {fact.fact_id for fact in plan.facts}
    for fact in plan.facts:
        if fact.fact_id != f"{fact.subject}/{fact.predicate}":
            yield PlanFault("fact_unknown", None, f"{fact.fact_id!r} is not {fact.subject}/{fact.predicate}")
    for beat in plan.beats:
        for name in beat.facts:
            if name not in new and name not in tale.facts:
                yield PlanFault("fact_unknown", beat.number, f"nobody established {name!r}")
    unused = new - {name for beat in plan.beats for name in beat.facts}
    for name in sorted(unused):
        yield PlanFault("fact_unknown", None, f"no beat establishes {name!r}")


def people(case: Case) -> Iterator[PlanFault]:
    """Yield beats that are not where the hero is, or are with somebody who cannot be there."""
    people, place = case.people, case.tale.player.place
    locked = locked_names(case.locks, case.realm_facts)
    for beat in case.plan.beats:
        if beat.place != place:
            yield PlanFault("elsewhere", beat.number, f"plays in {beat.place!r}, and the hero is in {place!r}")
        for name in beat.characters:
            if name != case.tale.hero:
                yield from _person(case, beat, name, people.get(name), locked)
        destination = beat.slots.get("destination")
        if destination is not None:
            yield from _way(case, beat, destination)
        place = destination or beat.place


def _person(
    case: Case, beat: Beat, name: str, member: CastMember | None, locked: frozenset[str]
) -> Iterator[PlanFault]:
    if member is None:
        yield PlanFault("unknown_character", beat.number, f"{name!r} is nobody of the story")
        return
    if name in locked:
        yield PlanFault("locked_character", beat.number, f"canon says that {name!r} is not met")
    status = case.tale.facts.get(f"{name}/status")
    if member.status != "alive" or (status is not None and status.value == "dead"):
        yield PlanFault("dead_acts", beat.number, f"{name!r} is {member.status if status is None else status.value}")
    if member.place != beat.place and not travels_along(case.tale, name):
        yield PlanFault("elsewhere", beat.number, f"{name!r} is in {member.place!r}, and the beat in {beat.place!r}")


def _way(case: Case, beat: Beat, destination: str) -> Iterator[PlanFault]:
    if case.realm is None:
        return
    here = case.realm.territories.get(beat.place)
    if here is None or destination not in here.neighbors:
        yield PlanFault("no_way", beat.number, f"no way leads from {beat.place!r} to {destination!r}")


def knowledge(case: Case) -> Iterator[PlanFault]:
    """Yield beats in which somebody speaks of what they cannot know."""
    people = case.people
    learned: dict[str, set[str]] = {name: set(each.knows) for name, each in people.items()}
    new = {fact.fact_id for fact in case.plan.facts}
    for beat in case.plan.beats:
        speakers = [name for name in beat.characters if name in people]
        rests_on = [name for name in beat.facts if name not in new]
        new -= {*beat.facts}
        for name in rests_on:
            if speakers and not any(name in learned[each] for each in speakers):
                yield PlanFault("knowledge", beat.number, f"nobody there knows {name!r}")
        if beat.storylet == "witness_speaks" and not rests_on:
            yield PlanFault("knowledge", beat.number, "a witness speaks of nothing that is established")
        for each in speakers:
            learned[each] |= {*beat.facts}


def promises(case: Case) -> Iterator[PlanFault]:
    """Yield promises that could not be made, kept or broken so."""
    made = {name: each for name, each in case.tale.promises.items() if each.status == "made"}
    for beat in case.plan.beats:
        if beat.promise_id is None:
            continue
        if beat.storylet == "promise_made":
            if beat.promise_id in case.tale.promises:
                yield PlanFault("promise", beat.number, f"{beat.promise_id!r} was given before")
        elif beat.promise_id not in made:
            yield PlanFault("promise", beat.number, f"{beat.promise_id!r} is no open promise")
        elif made[beat.promise_id].made_to not in beat.characters:
            yield PlanFault("promise", beat.number, f"{beat.promise_id!r} was given to somebody who is not there")
