"""Personal storylets about things: found, sent, lost, and what answers or raises a question."""

from collections.abc import Sequence
from typing import Final

from story.planner.criteria import TENSE, fact_of, is_due, is_near
from story.planner.scene import Filling, Scene
from story.tale.tale import Thread

MOST_OPEN: Final = 3
"""Open threads of the hero's own beyond which the planner opens no more."""
RIPE: Final = 70
"""Tension of a thread, 0 to 100, from which its answer may be found; 40 where it is due."""
THREAD_CHAPTERS: Final = 12
"""Chapters within which a thread should be paid."""
LETTERS: Final = frozenset(
    {"a-blank-book", "a-broken-seal", "a-childs-drawing", "a-folded-letter", "a-torn-map", "a-travel-pass"}
)
"""Things that come by messenger."""
_BURDENED: Final = 60


def _thing_found(scene: Scene, thread: Thread, choices: Sequence[str], **slots: str) -> Filling:
    thing = scene.pick(choices, "thing")
    facts = (
        fact_of(scene, thing, "found_at", scene.place),
        fact_of(scene, thing, "held_by", scene.tale.hero),
        fact_of(scene, thing, "points_to", thread.thread_id),
    )
    return Filling({"thing": thing, "question": thread.question, **slots}, facts=facts)


def _pointing(scene: Scene, thread: Thread) -> list[str]:
    return [
        thing for thing in scene.held_things
        if (fact := scene.facts.get(f"{thing}/points_to")) is not None and fact.value == thread.thread_id
    ]  # fmt: skip


def clue_criteria(scene: Scene, thread: Thread) -> int | None:
    if not scene.free_things or len(_pointing(scene, thread)) >= 2:
        return None
    return 1 + is_near(scene, thread)


def clue(scene: Scene, thread: Thread) -> Filling:
    return _thing_found(scene, thread, scene.free_things)


def _letters(scene: Scene) -> list[str]:
    return [thing for thing in scene.free_things if thing in LETTERS]


def letter_criteria(scene: Scene, thread: Thread) -> int | None:
    return 1 + (not scene.present) if _letters(scene) and not _pointing(scene, thread) else None


def letter(scene: Scene, thread: Thread) -> Filling:
    return _thing_found(scene, thread, _letters(scene))


def _losable(scene: Scene) -> list[str]:
    """Return things that may be lost: had since an earlier chapter, and never the last one."""
    held = scene.held_things
    chapter = scene.setting.chapter
    return [each for each in held if scene.facts[f"{each}/held_by"].chapter < chapter] if len(held) > 1 else []


def loss_criteria(scene: Scene, thread: Thread) -> int | None:
    if scene.tale.losses >= _BURDENED or not _losable(scene):
        return None
    return 1 + (scene.setting.phase == "fade")


def loss(scene: Scene, thread: Thread) -> Filling:
    thing = scene.pick(_losable(scene), "thing")
    return Filling({"thing": thing, "stake": thread.stake}, facts=(fact_of(scene, thing, "held_by", "nobody"),))


def answer_criteria(scene: Scene, thread: Thread) -> int | None:
    due = is_due(scene, thread)
    is_ripe = thread.tension >= (TENSE if due else RIPE)
    can_go_on = scene.personal_open > 1
    is_asked = thread.is_personal and f"{thread.thread_id}/answered_by" not in scene.facts
    if not (is_ripe and can_go_on and is_asked and scene.held_things and scene.setting.allows(thread.thread_id)):
        return None
    return 2 + due + bool(_pointing(scene, thread))


def answer(scene: Scene, thread: Thread) -> Filling:
    thing = scene.pick(_pointing(scene, thread) or scene.held_things, "thing")
    slots = {"thing": thing, "question": thread.question, "stake": thread.stake}
    return Filling(slots, facts=(fact_of(scene, thread.thread_id, "answered_by", thing),))


def search_criteria(scene: Scene, thread: Thread) -> int | None:
    is_searched = f"{thread.thread_id}/searched-in-{scene.place}" in scene.facts
    return None if is_searched else 1 + is_near(scene, thread)


def search(scene: Scene, thread: Thread) -> Filling:
    searched = fact_of(scene, thread.thread_id, f"searched-in-{scene.place}", scene.tale.hero)
    return Filling({"question": thread.question}, facts=(searched,))


def opening_criteria(scene: Scene, thread: Thread) -> int | None:
    can_open = scene.paused or (scene.new_questions and scene.personal_open < MOST_OPEN)
    if scene.opened or not can_open or not _raising(scene):
        return None
    return 1 + 2 * (scene.personal_open <= 1)


def opening(scene: Scene, thread: Thread) -> Filling:
    """Take up a thread that was laid aside, or open a new one; the thread given is not looked at."""
    opens = scene.pick(scene.paused, "thread")._replace(status="open") if scene.paused else _new_thread(scene)
    if scene.free_things:
        return _thing_found(scene, opens, scene.free_things)._replace(opens=opens)
    slots = {"thing": scene.pick(_raising(scene), "thing"), "question": opens.question}
    return Filling(slots, opens=opens)


def _raising(scene: Scene) -> Sequence[str]:
    """Return what can raise a question: what may be found, else what the hero has, else anything, where no thread is left."""
    return scene.free_things or scene.held_things or (() if scene.personal_open else scene.setting.pools.things)


def _new_thread(scene: Scene) -> Thread:
    question = scene.pick(scene.new_questions, "question")
    asked = scene.setting.pools.questions[question]
    chapter = scene.setting.chapter
    stake = scene.pick(asked.stakes, "stake")
    due = chapter + THREAD_CHAPTERS
    return Thread(question, question, stake, (scene.place,), asked.tags, 20, "open", chapter, chapter, due)
