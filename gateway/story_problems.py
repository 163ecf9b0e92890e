"""What the story's endpoints refuse, as problem documents (RFC 9457), and where in a body a fault of the story stands."""

from typing import Final

from gateway.problems import Problem
from policies.faults import Fault, InvalidInputError, pointer
from story.errors import ChapterConflictError, UnknownStoryError

NO_STORY: Final = Problem(
    "story-not-found", 404, "there is no such story", "send 'hero' with its first plan to begin one"
)
NOT_YOURS: Final = Problem(
    "story-not-found", 404, "there is no such story", "check the story_id: players read the stories that are theirs"
)
"""For who reads: another player's story is told like one that there is not."""
_WHOLE: Final = ("realm_id", "user_id", "outcome", "hero")
"""First segments of places that are the whole body's already."""


def conflict(reason: str) -> Problem:
    """Return the problem of a chapter that cannot be planned or closed now."""
    return Problem("chapter-conflict", 409, "the chapter is not the one that can be planned or closed now", reason)


def story_problem_of(error: Exception) -> Problem | None:
    """Return the problem of an error that a story engine can do something about; None for a defect of ours."""
    if isinstance(error, UnknownStoryError):
        return NO_STORY
    return conflict(error.reason) if isinstance(error, ChapterConflictError) else None


def below(error: InvalidInputError, part: str) -> InvalidInputError:
    """Return faults of a part of a body with their places in the whole of it.

    >>> [fault.path for fault in below(InvalidInputError([Fault("/place", "no", "")]), "hero").faults]
    ['/hero/place']
    """
    return InvalidInputError([_below(fault, part) for fault in error.faults])


def _below(fault: Fault, part: str) -> Fault:
    if fault.path.split("/")[1:2] and fault.path.split("/")[1] in _WHOLE:
        return fault
    # What the tale calls the hero's name is the hero's own `name` in the body.
    path = fault.path.replace("/hero_name", "/name") if part == "hero" else fault.path
    return Fault(pointer(part) + path, fault.message, fault.fix)
