"""What the story package raises: bad use and faults; a story's own limits are values."""


class StoryError(Exception):
    """Base of everything the story package raises."""


class UnknownStoryError(StoryError):
    """there is no such story"""

    def __init__(self, story_id: str) -> None:
        self.story_id = story_id
        super().__init__(f"there is no story {story_id!r}; send 'hero' with its first plan to begin one")


class ChapterConflictError(StoryError):
    """the chapter is not the one that can be planned or closed now, or was closed with another outcome"""

    def __init__(self, story_id: str, reason: str) -> None:
        self.story_id = story_id
        self.reason = reason
        super().__init__(f"story {story_id!r}: {reason}")
