"""What the rules of several personal storylets ask: of a thread, of a person, of a place."""

from typing import Final

from story.planner.scene import Scene
from story.tale.tale import CastMember, Fact, Thread

TENSE: Final = 40
"""Tension of a thread, 0 to 100, from which people are accused over it, and a due one may be answered."""


def is_due(scene: Scene, thread: Thread) -> bool:
    """Tell whether a thread should be paid by the end of the next chapter."""
    return thread.due is not None and thread.due <= scene.setting.chapter + 1


def knows_of(scene: Scene, member: CastMember, thread: Thread) -> tuple[str, ...]:
    """Return ids of facts about a thread that somebody knows and that are established, in their order."""
    begins = f"{thread.thread_id}/"
    return tuple([fact for fact in member.knows if fact.startswith(begins) and fact in scene.facts])


def fact_of(scene: Scene, subject: str, predicate: str, value: str) -> Fact:
    """Return a fact that this chapter establishes."""
    return Fact(f"{subject}/{predicate}", subject, predicate, value, scene.setting.chapter)


def person_slots(member: CastMember, **slots: str) -> dict[str, str]:
    """Return the slots of a beat that somebody is in."""
    return {"npc": member.entity_id, "role": member.role, **slots}


def is_near(scene: Scene, thread: Thread) -> int:
    """Return 1 where a thread is about the place, else 0."""
    return 1 if scene.place in thread.entities else 0
