"""Storylets: what a beat of a chapter can be, as the file of designers says it (`story/data/storylets.yaml`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

from story.planner.plan import BeatKind, Mood, Purpose, SceneType

SCHEMA: Final = "council.storylets/1"
Advance = Literal["advanced", "paid", "opened", "paused", "none"]
"""What becomes of the thread that a storylet is played for."""


class Storylet(NamedTuple):
    """One kind of beat. When it may be played is said in `story.planner.personal` and `story.planner.worldly`."""

    storylet_id: str
    kind: BeatKind
    purpose: Purpose
    tension: int
    """1 to 10, what it offers."""
    scene: SceneType
    moods: tuple[Mood, ...]
    """Fitting ones, the usual one first."""
    words: int
    slots: tuple[str, ...]
    """Holes of its text beside hero and place."""
    advance: Advance


Storylets = Mapping[str, Storylet]
"""By id, in the order of the file."""


def default_storylets_path() -> Path:
    """Return the path of the shipped storylets."""
    return Path(__file__).parent.parent / "data" / "storylets.yaml"
