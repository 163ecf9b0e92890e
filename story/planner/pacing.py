"""Pacing: how tense a chapter should be, and each beat of it (domain.md C11; the intensity machine is Left 4 Dead's).

build_up   until the story was tense enough, or for four chapters
sustain    one chapter; as long as a named villain is on stage, who is exempt from rest
fade       until intensity is below 50, two chapters at most
relax      one chapter, two where intensity is still 25 or more
"""

from collections.abc import Mapping
from typing import Final

from story.planner.plan import Purpose
from story.tale.tale import PacingPhase, Tale
from story.threat.environment import ThreatPressure

THREAT: Final[Mapping[ThreatPressure, int]] = {
    "calm": 0, "observed": 25, "contested": 50, "siege": 80, "anomalous": 60,
}  # fmt: skip
"""What each threat pressure counts as intensity, 0 to 100."""
PEAK: Final = 75
"""Intensity or tension, 0 to 100, at which building up is done."""
LONGEST_BUILD_UP: Final = 4
LONGEST_FADE: Final = 2
LONGEST_RELAX: Final = 2
_CALMED: Final = 50
_RESTED: Final = 25
_HIGHEST: Final = {1: 6, 2: 7, 3: 8, 4: 9}
"""Tension that the highest beat of a chapter is after, by act."""
_SHAPES: Final[Mapping[PacingPhase, tuple[int, ...]]] = {
    "build_up": (300, 450, 600, 800, 900, 400),
    "sustain": (550, 750, 850, 1_000, 1_000, 550),
    "fade": (700, 650, 500, 400, 300, 250),
    "relax": (200, 300, 350, 300, 200, 100),
}
"""Permille of the highest, from the first beat of a chapter to its last."""


def intensity(tale: Tale, pressure: ThreatPressure) -> int:
    """Return how hard the story presses on the hero, 0 to 100: the greatest of threat, losses and combat."""
    return max(THREAT[pressure], min(100, tale.losses), min(100, tale.combat))


def phase_of(tale: Tale, pressure: ThreatPressure) -> PacingPhase:
    """Return the phase of the chapter that comes next."""
    pressed = intensity(tale, pressure)
    if tale.player.named_villain_active and tale.phase in ("build_up", "sustain"):
        return "sustain" if tale.phase == "sustain" or _is_built(tale, pressed) else "build_up"
    if tale.phase == "build_up":
        return "sustain" if _is_built(tale, pressed) else "build_up"
    if tale.phase == "sustain":
        return "fade"
    since = tale.chapter + 1 - tale.phase_since
    if tale.phase == "fade":
        return "relax" if pressed < _CALMED or since >= LONGEST_FADE else "fade"
    return "build_up" if pressed < _RESTED or since >= LONGEST_RELAX else "relax"


def _is_built(tale: Tale, pressed: int) -> bool:
    in_it = tale.chapter + 1 - max(1, tale.phase_since)
    return tale.chapter > 0 and (max(pressed, tale.tension) >= PEAK or in_it >= LONGEST_BUILD_UP)


def wanted_tension(tale: Tale, phase: PacingPhase, pressure: ThreatPressure, number: int, beats: int) -> int:
    """Return the tension, 1 to 10, that a beat of a chapter should have.

    The act says how high it goes; threat adds a step at 40 and another at 80, but not while the story rests.
    """
    highest = _HIGHEST[tale.player.act] + (THREAT[pressure] // 40 if phase != "relax" else 0)
    shape = _SHAPES[phase]
    at = (number - 1) * (len(shape) - 1) * 1_000 // max(1, beats - 1)
    before, part = divmod(at, 1_000)
    after = shape[min(before + 1, len(shape) - 1)]
    share = shape[before] + (after - shape[before]) * part // 1_000
    return max(1, min(10, (highest * share + 500) // 1_000))


def wanted_purpose(number: int, beats: int) -> Purpose:
    """Return what a beat should be for: set up, rise to the climax at about seven tenths, fall, resolve."""
    climax = max(2, (7 * beats + 5) // 10)
    if number == 1:
        return "setup"
    if number == beats:
        return "resolution"
    return "rising" if number < climax else "climax" if number == climax else "falling"
