"""What a chapter is made up of: how many beats of each kind, settled before the first is chosen (C11)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from story.planner.choosing import Staged
from story.planner.scene import Setting
from story.planner.worldly import News, musts
from story.tale.tale import PacingPhase
from story.threat.staging import ENCOUNTERS

FEWEST: Final = 4
MOST: Final = 8
"""Beats of a chapter."""
PERSONAL_PERMILLE: Final = 600
"""Share of beats that advance the hero's own threads, at least."""
WORLD_PERMILLE: Final = 300
"""Share of beats that tell of the world, at most."""
SILENT: Final = 3
"""Chapters that an open thread may be silent; in the third it is advanced."""
_USUAL: Final[dict[PacingPhase, int]] = {"build_up": 5, "sustain": 6, "fade": 5, "relax": 4}
_FULL: Final = 1_000


class Composition(NamedTuple):
    """The make-up of one chapter."""

    beats: int
    personal: int
    told: tuple[News, ...]
    """World beats that are told."""
    staged: tuple[Staged, ...]
    """Threat beats that are played."""
    waiting: tuple[str, ...]
    """Threads that this chapter must advance or pause, the one that waits longest first."""


def compose_kinds(setting: Setting, told: Sequence[News], stages: Sequence[Staged]) -> Composition:
    """Settle how many beats there are and what of the world and of threats is among them."""
    waiting = _waiting(setting)
    required = musts(told)
    wanted = required + _beside(setting, required, told)
    beats = _USUAL[setting.phase] + setting.draws.below(2, setting.key, "beats")
    beats = max(beats, len(waiting) + 1 + len(required), _room_for(len(wanted)))
    beats = min(MOST, max(FEWEST, beats))
    # A thread that waits goes before news that nobody must hear.
    room = min(beats * WORLD_PERMILLE // _FULL, beats - len(waiting))
    chosen = wanted[: max(0, room)]
    others = beats - len(chosen) - max(len(waiting), -(-beats * PERSONAL_PERMILLE // _FULL))
    staged = _staged(setting, stages, max(0, others))
    return Composition(beats, beats - len(chosen) - len(staged), chosen, staged, waiting)


def _beside(setting: Setting, required: Sequence[News], told: Sequence[News]) -> tuple[News, ...]:
    """Return what is told beside what must be: one, so that own deeds are not all that a player hears of the world.

    While the story rests, nothing is told beside what must be.
    """
    if len(required) > 1 or (required and setting.phase == "relax"):
        return ()
    return tuple([each for each in told if each not in required][:1])


def _room_for(news: int) -> int:
    """Return the fewest beats of which so many may tell of the world."""
    return -(-news * _FULL // WORLD_PERMILLE)


def _waiting(setting: Setting) -> tuple[str, ...]:
    chapter = setting.chapter
    threads = [each for each in setting.tale.open_threads if chapter - each.last_advanced >= SILENT]
    threads.sort(
        key=lambda each: (each.last_advanced, each.due if each.due is not None else chapter + 99, each.thread_id)
    )
    return tuple([each.thread_id for each in threads])


def _staged(setting: Setting, stages: Sequence[Staged], room: int) -> tuple[Staged, ...]:
    """Draw the threats of a chapter by their weights; while a named villain is on stage, one encounter at most (S4-56)."""
    most = min(room, _most_threats(setting))
    found: list[Staged] = []
    drawn = sorted(stages, key=lambda each: (setting.draws.number(setting.key, "order", each.storylet), each.storylet))
    for each in drawn:
        if len(found) == most:
            break
        if (
            _may_stand(setting, each, found)
            and setting.draws.below(_FULL, setting.key, "stage", each.storylet) < each.weight
        ):
            found.append(each)
    return tuple(found)


def _most_threats(setting: Setting) -> int:
    """Return how many threats a chapter may show: one, and two where the hero is under siege and the story does not rest."""
    return 2 if setting.pressure == "siege" and setting.phase in ("build_up", "sustain") else 1


def _may_stand(setting: Setting, stage: Staged, found: Sequence[Staged]) -> bool:
    """Tell whether a threat may be shown beside those drawn: each storylet once, and no fight while the story rests."""
    if not setting.taboo.isdisjoint({stage.storylet, *stage.slots.values()}):
        return False
    is_fight = stage.storylet in ENCOUNTERS
    if is_fight and setting.phase == "relax":
        return False
    has_villain = setting.tale.player.named_villain_active
    is_second_fight = is_fight and any(each.storylet in ENCOUNTERS for each in found)
    if has_villain and (stage.storylet == "unit_near" or is_second_fight):
        return False
    return all(each.storylet != stage.storylet for each in found)
