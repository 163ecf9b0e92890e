"""Personal storylets of the hero alone: rest, wounds, choices, and the road."""

from typing import Final

from story.planner.criteria import TENSE
from story.planner.scene import Filling, Scene
from story.tale.tale import Thread

_MIN_FOR_NEED: Final = 60


def always(scene: Scene, thread: Thread) -> int | None:
    return 0


def only_question(scene: Scene, thread: Thread) -> Filling:
    return Filling({"question": thread.question})


def wound_criteria(scene: Scene, thread: Thread) -> int | None:
    return int(scene.tale.losses > 0)


def wound(scene: Scene, thread: Thread) -> Filling:
    return Filling({"wound": scene.tale.arc.wound, "question": thread.question})


def work_criteria(scene: Scene, thread: Thread) -> int | None:
    return None if scene.tale.player.tower_floor else int(not scene.known)


def need_criteria(scene: Scene, thread: Thread) -> int | None:
    if thread.tension < _MIN_FOR_NEED or scene.tale.player.act < 2:
        return None
    return 2 + (scene.setting.phase == "sustain")


def need(scene: Scene, thread: Thread) -> Filling:
    arc = scene.tale.arc
    return Filling({"want": arc.want, "need": arc.need, "stake": thread.stake})


def followed_criteria(scene: Scene, thread: Thread) -> int | None:
    return None if scene.setting.pressure == "calm" else 1 + scene.tale.threat.watcher_active


def _ways(scene: Scene) -> list[str]:
    return [name for name in scene.setting.neighbors.get(scene.place, ()) if name not in scene.setting.taboo]


def crossing_criteria(scene: Scene, thread: Thread) -> int | None:
    if scene.has_moved or scene.tale.player.tower_floor or not _ways(scene):
        return None
    return (not scene.present) + 2 * any(way in thread.entities for way in _ways(scene))


def crossing(scene: Scene, thread: Thread) -> Filling:
    """Go anywhere near; where the thread points three times as likely, where somebody of the cast is twice."""
    ways = _ways(scene)
    homes = {each.place for each in scene.tale.cast.values() if each.status == "alive"}
    pointed = [way for way in ways if way in thread.entities]
    to = scene.pick([*ways, *pointed, *pointed, *[way for way in ways if way in homes]], "destination")
    return Filling({"destination": to, "question": thread.question}, moves_to=to)


def aside_criteria(scene: Scene, thread: Thread) -> int | None:
    if scene.personal_open <= 1 and thread.is_personal:
        return None
    is_stale = scene.setting.chapter - thread.last_advanced >= 3 and thread.tension < TENSE
    return 0 if is_stale or not thread.is_personal or not scene.setting.allows(thread.thread_id) else None
