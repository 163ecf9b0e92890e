"""The story ledger in memory: the reference that the SQL adapters are held to."""

from collections.abc import Sequence

from story.errors import ChapterConflictError, UnknownStoryError
from story.ledger.port import (
    MAX_PAGE,
    Chapter,
    Deed,
    DeedState,
    NewChapter,
    NewClosing,
    StoredTale,
)
from story.ledger.rules import check_closing, check_next


class MemoryStoryStore:
    """A `StoryStore` that ends with its process."""

    def __init__(self) -> None:
        self._tales: dict[str, StoredTale] = {}
        self._chapters: dict[tuple[str, int], Chapter] = {}
        self._deeds: dict[str, Deed] = {}

    async def begin(self, tale: StoredTale) -> StoredTale:
        return self._tales.setdefault(tale.story_id, tale)

    async def tale(self, story_id: str) -> StoredTale:
        found = self._tales.get(story_id)
        if found is None:
            raise UnknownStoryError(story_id)
        return found

    async def tales(
        self, realm_id: str | None = None, *, after: str = "", limit: int = MAX_PAGE
    ) -> tuple[StoredTale, ...]:
        found = [
            tale
            for _, tale in sorted(self._tales.items())
            if tale.story_id > after and realm_id in (None, tale.realm_id)
        ]
        return tuple(found[:limit])

    async def tell(self, chapter: NewChapter) -> Chapter:
        tale = await self.tale(chapter.story_id)
        known = self._chapters.get((chapter.story_id, chapter.number))
        if known is not None:
            return known
        check_next(tale, chapter)
        return self._chapters.setdefault((chapter.story_id, chapter.number), Chapter(chapter))

    async def chapter(self, story_id: str, number: int) -> Chapter | None:
        return self._chapters.get((story_id, number))

    async def chapters(self, story_id: str, *, after: int = 0, limit: int = MAX_PAGE) -> tuple[Chapter, ...]:
        await self.tale(story_id)
        found = [
            each for (story, number), each in sorted(self._chapters.items()) if story == story_id and number > after
        ]
        return tuple(found[:limit])

    async def close_chapter(self, closing: NewClosing) -> Chapter:
        tale, told = await self.tale(closing.story_id), self._chapters.get((closing.story_id, closing.number))
        known = check_closing(tale, told, closing)
        if known is not None:
            return known
        if told is None:
            raise ChapterConflictError(closing.story_id, f"chapter {closing.number} was never told")
        closed = told._replace(outcome=closing.outcome, recap=closing.recap, closed_at=closing.closed_at)
        self._chapters[closing.story_id, closing.number] = closed
        self._tales[closing.story_id] = closing.after
        for deed in closing.deeds:
            fresh = Deed(deed.event_id, closing.story_id, closing.number, deed.candidate, "pending", "")
            self._deeds.setdefault(deed.event_id, fresh)
        return closed

    async def deeds(self, story_id: str, number: int) -> tuple[Deed, ...]:
        found = [each for _, each in sorted(self._deeds.items()) if (each.story_id, each.chapter) == (story_id, number)]
        return tuple(found)

    async def pending(self, limit: int = MAX_PAGE) -> tuple[Deed, ...]:
        waiting = [each for each in self._deeds.values() if each.state == "pending"]
        return tuple(sorted(waiting, key=lambda each: (each.story_id, each.chapter, each.event_id))[:limit])

    async def settle(self, settled: Sequence[tuple[str, DeedState, str]]) -> None:
        for event_id, state, told in settled:
            deed = self._deeds.get(event_id)
            if deed is not None and deed.state == "pending":
                self._deeds[event_id] = deed._replace(state=state, told=told)

    async def ready(self) -> None:
        """Memory is always there."""

    async def close(self) -> None:
        """Nothing is held."""
