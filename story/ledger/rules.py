"""Which chapter may be told or closed now: the same for every adapter. Pure."""

from story.errors import ChapterConflictError
from story.ledger.port import Chapter, NewChapter, NewClosing, StoredTale


def check_next(tale: StoredTale, chapter: NewChapter) -> None:
    """Make sure that a chapter is the one after the last closed one.

    Raises:
        ChapterConflictError: where it is not.
    """
    if chapter.number != tale.chapter + 1:
        raise ChapterConflictError(tale.story_id, f"the next chapter is {tale.chapter + 1}, not {chapter.number}")


def check_closing(tale: StoredTale, told: Chapter | None, closing: NewClosing) -> Chapter | None:
    """Return the chapter where it was closed with the same outcome before; None where it can be closed now.

    Raises:
        ChapterConflictError: where it was never told, or was closed with another outcome.
    """
    if told is None:
        raise ChapterConflictError(tale.story_id, f"chapter {closing.number} was never told; plan it first")
    if told.outcome is not None:
        if told.outcome == closing.outcome:
            return told
        raise ChapterConflictError(tale.story_id, f"chapter {closing.number} was closed with another outcome")
    return None
