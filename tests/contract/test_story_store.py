"""What every story ledger does: memory, SQLite, PostgreSQL (issue: what a chapter invented stays invented)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from story.errors import ChapterConflictError, UnknownStoryError
from story.ledger.opening import open_story_store
from story.ledger.port import (
    Booked,
    Chapter,
    Deed,
    NewChapter,
    NewClosing,
    NewDeed,
    Postponed,
    StoredTale,
    StoryStore,
    Unsent,
)
from tests.contract.raw_sql import WRITE_ONCE_ERRORS, run_sql

NOW = 1_772_359_200_000


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[StoryStore]:
    """A ledger of each kind with one tale."""
    opened = open_story_store(ledger_url)
    await opened.begin(tale())
    yield opened
    await opened.close()


def tale(story_id: str = "s-1", chapter: int = 0, realm_id: str = "realm-1") -> StoredTale:
    """Return a tale as it stands after a chapter."""
    return StoredTale(story_id, realm_id, "ana", chapter, b'{"chapter":%d}' % chapter, NOW + chapter)


def told(number: int = 1, story_id: str = "s-1", title: str = "The Folded Letter") -> NewChapter:
    """Return a chapter that was planned."""
    prose = '[{"beat":1,"text":"Không có số."}]'.encode()
    return NewChapter(
        story_id, number, "vi", title, prose, "template", b"{}", b"{}", b"{}", 7, "snap-7.1", None, NOW
    )  # fmt: skip


def closing(number: int = 1, story_id: str = "s-1", outcome: bytes = b'{"deeds":[]}', deeds: int = 2) -> NewClosing:
    """Return the end of a chapter."""
    acts = tuple([NewDeed(f"e-{story_id}-{number}-{at}", b"{}") for at in range(deeds)])
    return NewClosing(story_id, number, outcome, b"{}", tale(story_id, number), acts, NOW + number)


async def test_a_tale_begins_once_and_stays_as_it_is(store: StoryStore) -> None:
    again = tale()._replace(tale=b"other")

    assert await store.begin(again) == tale()
    assert await store.tale("s-1") == tale()


async def test_tales_are_listed_by_id_and_realm_in_pages(store: StoryStore) -> None:
    for name, realm in (("s-3", "realm-2"), ("s-2", "realm-1")):
        await store.begin(tale(name, realm_id=realm))

    assert [each.story_id for each in await store.tales()] == ["s-1", "s-2", "s-3"]
    assert [each.story_id for each in await store.tales("realm-1", limit=1)] == ["s-1"]
    assert [each.story_id for each in await store.tales("realm-1", after="s-1")] == ["s-2"]


async def test_a_story_that_does_not_exist_is_named_by_every_question_about_it(store: StoryStore) -> None:
    for question in (
        store.tale("s-9"), store.chapters("s-9"), store.tell(told(story_id="s-9")), store.close_chapter(closing(story_id="s-9")),
    ):  # fmt: skip
        with pytest.raises(UnknownStoryError, match="'s-9'"):
            await question


async def test_a_chapter_is_told_once_and_asking_again_reads_the_same(store: StoryStore) -> None:
    first = await store.tell(told())

    assert first == Chapter(told())
    assert await store.tell(told(title="Another")) == first
    assert await store.chapter("s-1", 1) == first
    assert await store.chapter("s-1", 2) is None


@pytest.mark.parametrize("number", [0, 2, 7])
async def test_only_the_next_chapter_is_told(store: StoryStore, number: int) -> None:
    with pytest.raises(ChapterConflictError, match=f"the next chapter is 1, not {number}"):
        await store.tell(told(number))


async def test_a_closed_chapter_keeps_its_end_and_the_tale_goes_on(store: StoryStore) -> None:
    await store.tell(told())
    closed = await store.close_chapter(closing())

    assert (closed.outcome, closed.recap, closed.closed_at) == (b'{"deeds":[]}', b"{}", NOW + 1)
    assert await store.chapter("s-1", 1) == closed
    assert await store.tale("s-1") == tale(chapter=1)
    assert (await store.tell(told(2))).told.number == 2


async def test_closing_again_changes_nothing_and_another_outcome_is_refused(store: StoryStore) -> None:
    await store.tell(told())
    closed = await store.close_chapter(closing())

    assert await store.close_chapter(closing()._replace(closed_at=NOW + 99, deeds=())) == closed
    with pytest.raises(ChapterConflictError, match="another outcome"):
        await store.close_chapter(closing(outcome=b"{}"))
    assert await store.tale("s-1") == tale(chapter=1)
    assert len(await store.deeds("s-1", 1)) == 2


async def test_what_was_never_told_cannot_be_closed(store: StoryStore) -> None:
    with pytest.raises(ChapterConflictError, match="chapter 1 was never told"):
        await store.close_chapter(closing())


async def test_chapters_come_in_order_and_in_pages(store: StoryStore) -> None:
    for number in (1, 2, 3):
        await store.tell(told(number))
        await store.close_chapter(closing(number))
    await store.tell(told(4))

    assert [each.told.number for each in await store.chapters("s-1")] == [1, 2, 3, 4]
    assert [each.told.number for each in await store.chapters("s-1", after=1, limit=2)] == [2, 3]
    assert [each.closed_at is None for each in await store.chapters("s-1", after=2)] == [False, True]


async def test_deeds_wait_until_the_world_has_taken_them_and_are_settled_once(store: StoryStore) -> None:
    await store.tell(told())
    await store.close_chapter(closing(deeds=3))
    (waiting,) = await store.waiting(NOW)
    first, second, third = waiting.deeds

    await store.settle([(first.event_id, "accepted", ""), (second.event_id, "rejected", "the cap of the day")])
    await store.settle([(first.event_id, "rejected", "too late"), ("e-unknown", "accepted", "")])

    assert await store.waiting(NOW) == (waiting._replace(deeds=(third,)),)
    assert await store.deeds("s-1", 1) == (
        Deed("e-s-1-1-0", "s-1", 1, b"{}", "accepted", ""),
        Deed("e-s-1-1-1", "s-1", 1, b"{}", "rejected", "the cap of the day"),
        Deed("e-s-1-1-2", "s-1", 1, b"{}", "pending", ""),
    )


async def ended(store: StoryStore, story_id: str, *, realm_id: str = "realm-1", chapters: int = 1) -> None:
    """Let a story have closed chapters, each with one deed that waits."""
    await store.begin(tale(story_id, realm_id=realm_id))
    for number in range(1, chapters + 1):
        await store.tell(told(number, story_id))
        after = tale(story_id, number, realm_id)
        await store.close_chapter(closing(number, story_id, deeds=1)._replace(after=after))


async def turns(store: StoryStore, now: int = NOW, **which: Any) -> list[tuple[str, int]]:
    """Return whose turn it is."""
    return [(each.story_id, each.chapter) for each in await store.waiting(now, **which)]


async def test_a_storys_chapters_go_one_behind_the_other_and_realms_take_turns(store: StoryStore) -> None:
    for name in ("a-1", "a-2", "a-3"):
        await ended(store, name, realm_id="realm-0", chapters=2)
    await ended(store, "s-1", chapters=2)

    assert await turns(store) == [("a-1", 1), ("s-1", 1), ("a-2", 1), ("a-3", 1)]
    assert await turns(store, limit=2) == [("a-1", 1), ("s-1", 1)]
    assert await turns(store, story_id="a-2") == [("a-2", 1)]
    await store.settle([("e-s-1-1-0", "accepted", "")])
    assert await turns(store, limit=2) == [("a-1", 1), ("s-1", 2)]


async def test_what_is_postponed_waits_for_its_time_behind_what_was_never_tried(store: StoryStore) -> None:
    for name in ("s-1", "s-2", "s-3"):
        await ended(store, name, chapters=2)
    await store.postpone([Postponed("s-1", 1, 1, NOW + 2_000, "down"), Postponed("s-2", 1, 3, NOW + 1_000, "down")])

    assert await turns(store) == [("s-3", 1)]
    assert await turns(store, NOW + 2_000) == [("s-3", 1), ("s-2", 1), ("s-1", 1)]
    assert [each.tries for each in await store.waiting(NOW + 2_000)] == [0, 3, 1]
    await store.settle([("e-s-2-1-0", "accepted", "")])
    assert await turns(store, NOW + 1_000) == [("s-2", 2), ("s-3", 1)]
    (waits,) = [each for each in await store.unsent() if each.tries]
    assert waits == Unsent("s-1", "realm-1", 1, "pending", 1, 1, NOW + 2_000, "down")


async def test_what_was_given_up_is_seen_and_the_storys_next_chapter_goes_on(store: StoryStore) -> None:
    await ended(store, "s-1", chapters=2)
    await store.postpone([Postponed("s-1", 1, 12, None, "given up: no such realm")])
    await store.settle([("e-s-1-1-0", "accepted", "")])

    assert await turns(store) == [("s-1", 2)]
    assert await store.deeds("s-1", 1) == (
        Deed("e-s-1-1-0", "s-1", 1, b"{}", "given_up", "given up: no such realm"),
    )  # fmt: skip
    assert await store.unsent() == (
        Unsent("s-1", "realm-1", 1, "given_up", 1, 12, None, "given up: no such realm"),
        Unsent("s-1", "realm-1", 2, "pending", 1, 0, 0, ""),
    )
    assert await store.unsent(limit=1) == (await store.unsent())[:1]
    assert await store.unsent_deeds() == {"given_up": 1, "pending": 1}


async def test_what_is_settled_is_neither_postponed_nor_given_up(store: StoryStore) -> None:
    """Two processes may send one chapter at once: whoever failed does not undo what the other one reached."""
    await ended(store, "s-1")
    await store.settle([("e-s-1-1-0", "accepted", "")])
    await store.postpone([Postponed("s-1", 1, 1, NOW, "down"), Postponed("s-1", 1, 12, None, "given up")])

    assert (await store.deeds("s-1", 1))[0].state == "accepted"
    assert (await store.unsent(), await store.unsent_deeds()) == ((), {"pending": 0, "given_up": 0})


async def test_a_day_bears_what_its_limit_allows_and_gives_back(store: StoryStore) -> None:
    assert await store.book("2026-11-21", 60, 100) == Booked(is_booked=True, total=60)
    assert await store.book("2026-11-21", 41, 100) == Booked(is_booked=False, total=60)
    assert await store.book("2026-11-21", -50) == Booked(is_booked=True, total=10)
    assert await store.book("2026-11-21", 90, 100) == Booked(is_booked=True, total=100)
    assert await store.book("2026-11-22", 100, 100) == Booked(is_booked=True, total=100)
    assert await store.book("2026-11-22", -500) == Booked(is_booked=True, total=0)


async def test_two_processes_share_one_days_budget(database_url: str) -> None:
    """Each is given 20 calls of 10 at once and 100 are there: ten calls may be made, whoever makes them."""
    one, other = open_story_store(database_url), open_story_store(database_url)
    found = await asyncio.gather(*[each.book("2026-11-21", 10, 100) for each in (one, other) * 20])

    assert sum(each.is_booked for each in found) == 10
    assert (await other.book("2026-11-21", 0)).total == 100
    await one.close()
    await other.close()


async def test_a_file_of_the_version_before_gets_what_it_lacks_and_keeps_what_it_has(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'council.db'}"
    store = open_story_store(url)
    await ended(store, "s-1")
    await store.close()
    await run_sql(url, "DROP TABLE story_sendings", "DROP TABLE story_spending", "UPDATE story_schema SET version = 1")

    again = open_story_store(url)
    assert await turns(again) == [("s-1", 1)]
    assert (await again.book("2026-11-21", 1)).total == 1
    await again.close()
    assert await run_sql(url, "SELECT version FROM story_schema") == [(2,)]


async def test_two_who_tell_at_once_read_one_chapter(store: StoryStore) -> None:
    found = await asyncio.gather(*[store.tell(told(title=f"Title {at}")) for at in range(8)])

    assert len({each.told.title for each in found}) == 1
    assert found[0] == await store.chapter("s-1", 1)


async def test_two_who_close_at_once_with_different_outcomes_do_not_both_win(store: StoryStore) -> None:
    await store.tell(told())
    ends = [store.close_chapter(closing(outcome=b'{"at":%d}' % at)) for at in range(6)]
    found = await asyncio.gather(*ends, return_exceptions=True)

    assert sum(isinstance(each, Chapter) for each in found) == 1
    assert sum(isinstance(each, ChapterConflictError) for each in found) == 5


@pytest.mark.parametrize("table", ["story_chapters", "story_closings"])
@pytest.mark.parametrize("statement", ["UPDATE {table} SET number = number", "DELETE FROM {table}"])
async def test_a_chapter_once_written_is_refused_any_change(database_url: str, table: str, statement: str) -> None:
    store = open_story_store(database_url)
    await store.begin(tale())
    await store.tell(told())
    await store.close_chapter(closing())
    await store.close()

    with pytest.raises(WRITE_ONCE_ERRORS):
        await run_sql(database_url, statement.format(table=table))
    assert len(await run_sql(database_url, f"SELECT * FROM {table}")) == 1


async def test_what_was_told_is_there_after_the_process_has_gone(database_url: str) -> None:
    store = open_story_store(database_url)
    await store.begin(tale())
    await store.tell(told())
    await store.close_chapter(closing())
    await store.close()
    again = open_story_store(database_url)

    await again.ready()
    assert await again.tale("s-1") == tale(chapter=1)
    assert [len(each.deeds) for each in await again.waiting(NOW)] == [2]
    await again.close()
