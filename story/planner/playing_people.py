"""Personal storylets with somebody of the cast: witnesses, strangers, friends, and whom the hero accuses."""

from typing import Final

from story.planner.criteria import TENSE, fact_of, is_near, knows_of, person_slots
from story.planner.scene import Filling, Scene
from story.tale.tale import CastMember, Thread

MOST_CAST: Final = 10


def _untold(scene: Scene, thread: Thread) -> list[CastMember]:
    """Return people here who know something of a thread and have not told it."""
    return [
        each for each in scene.present
        if knows_of(scene, each, thread) and f"{each.entity_id}/told-{thread.thread_id}" not in scene.facts
    ]  # fmt: skip


def witness_criteria(scene: Scene, thread: Thread) -> int | None:
    return 2 + is_near(scene, thread) if _untold(scene, thread) else None


def witness(scene: Scene, thread: Thread) -> Filling:
    npc = scene.pick(_untold(scene, thread), "npc")
    says = scene.pick(knows_of(scene, npc, thread), "says")
    told = fact_of(scene, npc.entity_id, f"told-{thread.thread_id}", says)
    slots = person_slots(npc, question=thread.question)
    return Filling(slots, (npc.entity_id,), (told,), rests_on=(says,))


def refuses(scene: Scene, thread: Thread) -> Filling:
    npc = scene.pick(_untold(scene, thread), "npc")
    return Filling(person_slots(npc, question=thread.question), (npc.entity_id,))


def refusal_criteria(scene: Scene, thread: Thread) -> int | None:
    afraid = scene.setting.pressure in ("contested", "siege")
    return 1 + afraid if _untold(scene, thread) else None


def _strangers(scene: Scene) -> list[CastMember]:
    return [each for each in scene.present if each.met is None and each not in scene.newcomers]


def stranger_criteria(scene: Scene, thread: Thread) -> int | None:
    if _strangers(scene):
        return 3
    if scene.newcomers or scene.setting.living >= MOST_CAST or not scene.setting.free_names:
        return None
    return 0 if scene.present else 2


def stranger(scene: Scene, thread: Thread) -> Filling:
    strangers = _strangers(scene)
    if strangers:
        npc = scene.pick(strangers, "npc")
        return Filling(person_slots(npc, question=thread.question), (npc.entity_id,))
    name = scene.pick(scene.setting.free_names, "name")
    taken = {each.role for each in scene.present}
    roles = scene.setting.pools.roles
    role = scene.pick([each for each in roles if each not in taken] or roles, "role")
    witness = fact_of(scene, thread.thread_id, f"witness-{name.lower()}", scene.place)
    new = CastMember(name.lower(), name, role, scene.place, met=scene.setting.chapter, knows=(witness.fact_id,))
    facts = (fact_of(scene, new.entity_id, "name", name), fact_of(scene, new.entity_id, "role", role), witness)
    return Filling(person_slots(new, question=thread.question), (new.entity_id,), facts, newcomer=new)


def asker_criteria(scene: Scene, thread: Thread) -> int | None:
    return 1 + is_near(scene, thread) if scene.known else None


def with_known(scene: Scene, thread: Thread) -> Filling:
    npc = scene.pick(scene.known, "npc")
    return Filling(person_slots(npc, question=thread.question), (npc.entity_id,))


def meal_criteria(scene: Scene, thread: Thread) -> int | None:
    return 1 + (scene.setting.phase in ("relax", "fade")) if scene.known else None


def _unaccused(scene: Scene, thread: Thread) -> list[CastMember]:
    return [each for each in scene.known if f"{each.entity_id}/accused-{thread.thread_id}" not in scene.facts]


def accusation_criteria(scene: Scene, thread: Thread) -> int | None:
    return 2 if thread.tension >= TENSE and _unaccused(scene, thread) else None


def accusation(scene: Scene, thread: Thread) -> Filling:
    npc = scene.pick(_unaccused(scene, thread), "npc")
    fact = fact_of(scene, npc.entity_id, f"accused-{thread.thread_id}", scene.tale.hero)
    return Filling(person_slots(npc, question=thread.question, stake=thread.stake), (npc.entity_id,), (fact,))


def _unoffered(scene: Scene, thread: Thread) -> list[CastMember]:
    return [each for each in scene.known if f"{each.entity_id}/offered-{thread.thread_id}" not in scene.facts]


def bargain_criteria(scene: Scene, thread: Thread) -> int | None:
    return 1 + is_near(scene, thread) if _unoffered(scene, thread) else None


def bargain(scene: Scene, thread: Thread) -> Filling:
    npc = scene.pick(_unoffered(scene, thread), "npc")
    fact = fact_of(scene, npc.entity_id, f"offered-{thread.thread_id}", scene.tale.hero)
    return Filling(person_slots(npc, question=thread.question, stake=thread.stake), (npc.entity_id,), (fact,))


def watch_criteria(scene: Scene, thread: Thread) -> int | None:
    """People keep watch where somebody threatens them, or where a fight is just over."""
    is_uneasy = scene.setting.pressure != "calm" or scene.setting.phase == "fade"
    return 1 + is_uneasy if scene.known else None
