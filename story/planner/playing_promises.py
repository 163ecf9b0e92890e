"""Personal storylets about a word that was given: made, kept, or owned to as broken."""

from collections.abc import Callable, Iterator
from typing import Final

from story.planner.criteria import fact_of, person_slots
from story.planner.scene import Filling, Scene
from story.tale.closing import PROMISE_CHAPTERS
from story.tale.tale import CastMember, Promise, PromiseStatus, Thread

MOST_PROMISES: Final = 3
"""Promises that the hero carries at once."""


def _promised(scene: Scene, thread: Thread, *, overdue: bool) -> list[Promise]:
    """Return promises of a thread, made in an earlier chapter, that can be kept here, or are owned to here as broken.

    A promise whose own thread is no longer open belongs to every thread: a word outlives its occasion.
    """
    here = {each.entity_id for each in scene.present}
    chapter = scene.setting.chapter
    return [
        each for each in scene.open_promises
        if (each.thread_id == thread.thread_id or not _is_open(scene, each.thread_id))
        and each.made_to in here and each.made < chapter
        and scene.setting.allows(each.promise_id) and overdue == (each.due is not None and each.due < chapter)
    ]  # fmt: skip


def _is_open(scene: Scene, thread_id: str) -> bool:
    thread = scene.threads.get(thread_id)
    return thread is not None and thread.status == "open"


def _may_promise(scene: Scene) -> Iterator[tuple[CastMember, str]]:
    """Yield to whom what can be promised: nobody is promised the same thing twice."""
    for npc in scene.present:
        for what in scene.setting.pools.promises:
            if f"{what}.{npc.entity_id}" not in scene.promises and scene.setting.allows(what):
                yield npc, what


def promise_criteria(scene: Scene, thread: Thread) -> int | None:
    if len(scene.open_promises) >= MOST_PROMISES or not any(_may_promise(scene)):
        return None
    return 1 + (not scene.open_promises)


def promise(scene: Scene, thread: Thread) -> Filling:
    npc, what = scene.pick(tuple(_may_promise(scene)), "promise")
    chapter = scene.setting.chapter
    due = chapter + PROMISE_CHAPTERS
    promise = Promise(f"{what}.{npc.entity_id}", thread.thread_id, scene.tale.hero, npc.entity_id, what, chapter, due)
    return _on_promise(scene, npc, promise)


def kept_criteria(scene: Scene, thread: Thread) -> int | None:
    return 3 if _promised(scene, thread, overdue=False) else None


def broken_criteria(scene: Scene, thread: Thread) -> int | None:
    return 4 if _promised(scene, thread, overdue=True) else None


def settled(status: PromiseStatus) -> Callable[[Scene, Thread], Filling]:
    """Return how a beat that keeps a promise, or owns to its breach, is filled."""

    def fill(scene: Scene, thread: Thread) -> Filling:
        promise = scene.pick(_promised(scene, thread, overdue=status == "broken"), "promise")
        npc = next(each for each in scene.present if each.entity_id == promise.made_to)
        return _on_promise(scene, npc, promise._replace(status=status))

    return fill


def _on_promise(scene: Scene, npc: CastMember, promise: Promise) -> Filling:
    fact = fact_of(scene, promise.promise_id, "status", promise.status)
    return Filling(person_slots(npc, promise=promise.what), (npc.entity_id,), (fact,), promise=promise)
