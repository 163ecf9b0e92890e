"""Personal storylets that say something of the shared world: a banner, an oath in a faction's name, a rite at the veil.

What they establish is nobody's own, so the council is asked before it is told (`story.service.plan_review`, decision 0023). They
are rare: from the second act on, over a tense matter, in one chapter of five at most, twelve chapters after the last, and one in
a chapter. A chapter that is planned again claims nothing.
"""

from typing import Final

from policies.draws import Draws
from story.planner.criteria import TENSE, fact_of, person_slots
from story.planner.scene import Filling, Scene
from story.tale.contradictions import contradictions
from story.tale.tale import Fact, Tale, Thread

CLAIMS: Final = frozenset({"banner_raised", "oath_sworn", "veil_rite"})
"""Storylets of this file."""
FIRST_ACT: Final = 2
"""Act of the player before which nobody would hear of such a deed."""
COOLDOWN: Final = 12
"""Chapters between two claims that were told, at least."""
ONE_IN: Final = 5
"""Of so many chapters one may claim something: a council that refused is not asked again in each of the next."""
_SPEAKS: Final = 4
"""What it counts for that everything a claim needs is there."""


def banner_criteria(scene: Scene, thread: Thread) -> int | None:
    """A banner is raised where it is not settled who holds the ground."""
    if not _may_claim(scene, thread) or scene.place not in scene.setting.contested:
        return None
    return _SPEAKS if _is_new(scene, _banner(scene)) else None


def banner(scene: Scene, thread: Thread) -> Filling:
    slots = {"territory": scene.place, "question": thread.question, "stake": thread.stake}
    return Filling(slots, facts=(_banner(scene),), claims=True)


def oath_criteria(scene: Scene, thread: Thread) -> int | None:
    """An oath is sworn in the name of the hero's own faction, before somebody who knows the hero."""
    faction = scene.tale.faction_id
    if faction is None or not _may_claim(scene, thread) or not scene.known:
        return None
    return _SPEAKS if _is_new(scene, _oath(scene, faction)) else None


def oath(scene: Scene, thread: Thread) -> Filling:
    faction = scene.tale.faction_id or ""
    npc = scene.pick(scene.known, "npc")
    slots = person_slots(npc, faction=faction, question=thread.question)
    return Filling(slots, (npc.entity_id,), (_oath(scene, faction),), claims=True)


def rite_criteria(scene: Scene, thread: Thread) -> int | None:
    """A rite is held where the pools say that one can be, for what the realm knows."""
    return _SPEAKS if _may_claim(scene, thread) and _rites(scene) else None


def rite(scene: Scene, thread: Thread) -> Filling:
    trigger = scene.pick(_rites(scene), "trigger")
    slots = {"trigger": trigger, "question": thread.question}
    return Filling(slots, facts=(_rite(scene, trigger),), claims=True)


def _may_claim(scene: Scene, thread: Thread) -> bool:
    setting = scene.setting
    if not setting.may_claim or scene.has_claimed or thread.tension < TENSE or not thread.is_personal:
        return False
    return scene.tale.player.act >= FIRST_ACT and not scene.tale.player.tower_floor


def is_time(tale: Tale, draws: Draws) -> bool:
    """Tell whether a tale's next chapter may claim anything: the time for it is drawn, and the last claim is long ago."""
    chapter = tale.chapter + 1
    if any(chapter - tale.storylets[name] < COOLDOWN for name in CLAIMS if name in tale.storylets):
        return False
    return draws.below(ONE_IN, "claims", tale.story_id, chapter) == 0


def _rites(scene: Scene) -> list[str]:
    return [
        trigger for trigger, places in scene.setting.pools.rites.items()
        if scene.place in places and trigger in scene.setting.triggers and scene.setting.allows(trigger)
        and _is_new(scene, _rite(scene, trigger))
    ]  # fmt: skip


def _banner(scene: Scene) -> Fact:
    return fact_of(scene, scene.place, "banner", "a-free-company")


def _oath(scene: Scene, faction: str) -> Fact:
    return fact_of(scene, faction, "oath-sworn-at", scene.place)


def _rite(scene: Scene, trigger: str) -> Fact:
    return fact_of(scene, trigger, f"rite-at-{scene.place}", "held")


def _is_new(scene: Scene, fact: Fact) -> bool:
    """Tell whether nobody said this or its opposite before: neither the story, nor the realm, nor canon."""
    setting = scene.setting
    if fact.fact_id in scene.facts or (fact.subject, fact.predicate) in setting.realm_facts:
        return False
    return not contradictions(scene.tale, [fact], setting.realm_facts, setting.locks)
