"""The story ledger in memory: the reference that the SQL adapters are held to."""

from collections import Counter
from collections.abc import Mapping, Sequence

from story.errors import ChapterConflictError, UnknownStoryError
from story.ledger.port import (
    MAX_PAGE,
    Booked,
    Chapter,
    Deed,
    DeedState,
    NewChapter,
    NewClosing,
    Postponed,
    StoredTale,
    Unsent,
    UnsentState,
    Waiting,
)
from story.ledger.rules import check_closing, check_next


class MemoryStoryStore:
    """A `StoryStore` that ends with its process."""

    def __init__(self) -> None:
        self._tales: dict[str, StoredTale] = {}
        self._chapters: dict[tuple[str, int], Chapter] = {}
        self._deeds: dict[str, Deed] = {}
        self._postponed: dict[tuple[str, int], Postponed] = {}
        self._spent: dict[str, int] = {}

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

    async def waiting(self, now: int, *, story_id: str | None = None, limit: int = MAX_PAGE) -> tuple[Waiting, ...]:
        heads: dict[str, int] = {}
        for deed in self._deeds.values():
            if deed.state == "pending" and story_id in (None, deed.story_id):
                heads[deed.story_id] = min(deed.chapter, heads.get(deed.story_id, deed.chapter))
        of_realm: dict[str, list[tuple[int, str, int]]] = {}
        for story, chapter in heads.items():
            due_at = self._due_at(story, chapter)
            if due_at <= now:
                of_realm.setdefault(self._tales[story].realm_id, []).append((due_at, story, chapter))
        turns = [
            (turn, realm_id, story, chapter)
            for realm_id, found in of_realm.items()
            for turn, (_, story, chapter) in enumerate(sorted(found))
        ]
        return tuple([self._waiting(realm_id, story, chapter) for _, realm_id, story, chapter in sorted(turns)[:limit]])

    def _waiting(self, realm_id: str, story_id: str, chapter: int) -> Waiting:
        key = (story_id, chapter)
        deeds = [
            each
            for _, each in sorted(self._deeds.items())
            if (each.story_id, each.chapter) == key and each.state == "pending"
        ]
        known = self._postponed.get(key)
        return Waiting(story_id, realm_id, chapter, known.tries if known else 0, tuple(deeds))

    def _due_at(self, story_id: str, chapter: int) -> int:
        known = self._postponed.get((story_id, chapter))
        return (known.due_at or 0) if known is not None else 0

    async def settle(self, settled: Sequence[tuple[str, DeedState, str]]) -> None:
        for event_id, state, told in settled:
            deed = self._deeds.get(event_id)
            if deed is not None and deed.state == "pending":
                self._deeds[event_id] = deed._replace(state=state, told=told)
                self._forget(deed.story_id, deed.chapter)

    def _forget(self, story_id: str, chapter: int) -> None:
        """Drop the tries of a chapter of which no deed waits any more."""
        known = self._postponed.get((story_id, chapter))
        if known is not None and known.due_at is not None and not self._waiting("", story_id, chapter).deeds:
            del self._postponed[story_id, chapter]

    async def postpone(self, postponed: Sequence[Postponed]) -> None:
        for each in postponed:
            waiting = self._waiting("", each.story_id, each.chapter).deeds
            if waiting:
                self._postponed[each.story_id, each.chapter] = each
            for deed in waiting if each.due_at is None else ():
                self._deeds[deed.event_id] = deed._replace(state="given_up", told=each.told)

    async def unsent(self, *, limit: int = MAX_PAGE) -> tuple[Unsent, ...]:
        counts: Counter[tuple[UnsentState, str, int]] = Counter()
        for deed in self._deeds.values():
            if deed.state in ("given_up", "pending"):
                counts[deed.state, deed.story_id, deed.chapter] += 1
        found = []
        for (state, story_id, chapter), deeds in sorted(counts.items()):
            known = self._postponed.get((story_id, chapter), Postponed(story_id, chapter, 0, 0, ""))
            place = (story_id, self._tales[story_id].realm_id, chapter)
            found.append(Unsent(*place, state, deeds, known.tries, known.due_at, known.told))
        return tuple(found[:limit])

    async def unsent_deeds(self) -> Mapping[UnsentState, int]:
        states = Counter([each.state for each in self._deeds.values()])
        return {"pending": states["pending"], "given_up": states["given_up"]}

    async def book(self, day: str, picodollars: int, limit: int | None = None) -> Booked:
        total = max(0, self._spent.get(day, 0) + picodollars)
        if limit is not None and total > limit:
            return Booked(is_booked=False, total=self._spent.get(day, 0))
        self._spent[day] = total
        return Booked(is_booked=True, total=total)

    async def ready(self) -> None:
        """Memory is always there."""

    async def close(self) -> None:
        """Nothing is held."""
