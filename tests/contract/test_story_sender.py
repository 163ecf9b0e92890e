"""Deeds on their way to the world over every store, where one realm always fails (S0-32; reliability.md, S10).

The realm `lost` does not exist: the real ingestion refuses every act for it, as it would where a realm was restored away.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import pytest

from policies.contracts.request import ImpactCandidate
from story.ledger.opening import open_story_store
from story.ledger.port import NewChapter, NewClosing, NewDeed, StoredTale, StoryStore
from story.service.deeds import MOST_TRIES, Done, Sender, Taken, deed_id, new_deeds
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm
from world.persistence.opening import open_world_store
from world.service.realms import first_snapshot

LOST: Final = "lost"
PATROL: Final = Done("patrol_complete", "free_cities", "far-wilds", {"risk": 1})


class Sending:
    """Stories and a world over one database; every batch that the world was sent is remembered."""

    def __init__(self, url: str) -> None:
        self.living = LivingRealm(open_world_store(url))
        self.stories: StoryStore = open_story_store(url)
        self.sender = Sender(self.stories, self, lambda: self.living.now)
        self.sent: list[tuple[str, str | None]] = []

    async def take(self, candidates: Sequence[ImpactCandidate], correlation_id: str | None) -> Sequence[Taken]:
        self.sent.append((candidates[0].realm_id, candidates[0].story_id))
        found = await self.living.ingestion.submit(candidates, correlation_id)
        return [Taken(each.row.event_id, each.row.state, each.row.because) for each in found]

    async def seed(self, realm_id: str) -> None:
        await self.living.store.create(first_snapshot(WORLD.new_realm(realm_id), self.living.now))

    async def closed(self, story_id: str, realm_id: str, number: int = 1, deeds: tuple[NewDeed, ...] = ()) -> None:
        """Let a story's chapter be closed with two deeds and its own end."""
        now = self.living.now
        after = StoredTale(story_id, realm_id, f"of-{story_id}", number, b"{}", now)
        await self.stories.begin(after._replace(chapter=0))
        await self.stories.tell(
            NewChapter(story_id, number, "en", "T", b"[]", "template", b"{}", b"{}", b"{}", 0, "s", "c", now)
        )
        acts = deeds or new_deeds(
            [PATROL, PATROL],
            story_id=story_id,
            chapter=number,
            realm_id=realm_id,
            user_id=f"of-{story_id}",
            base_points={name: action.base // 1_000 for name, action in WORLD.rules.actions.items()},
            closed_ms=now,
        )
        await self.stories.close_chapter(NewClosing(story_id, number, b"{}", b"{}", after, acts, now))

    async def states(self, story_id: str, number: int = 1) -> set[str]:
        return {deed.state for deed in await self.stories.deeds(story_id, number)}


@pytest.fixture
async def sending(ledger_url: str) -> AsyncIterator[Sending]:
    """A world with one realm."""
    found = Sending(ledger_url)
    await found.seed(REALM)
    yield found
    await found.stories.close()
    await found.living.store.close()


async def test_a_realm_that_always_fails_costs_the_others_one_try(sending: Sending) -> None:
    """120 stories stand before the one by name; a look fetches 100 chapters, so that the failing realm is asked twice."""
    for at in range(120):
        await sending.closed(f"a-{at:03}", LOST)
    await sending.closed("z", REALM)

    assert await sending.sender.send() == 3
    assert await sending.states("z") == {"accepted"}
    assert [realm for realm, _ in sending.sent].count(LOST) == 2
    assert await sending.sender.send() == 0
    assert len(sending.sent) == 3, "nobody is due yet"
    assert {(each.tries, each.due_at) for each in await sending.stories.unsent()} == {(1, sending.living.now + 2_000)}


async def test_pauses_double_up_to_a_minute_and_the_twelfth_failure_is_the_last(sending: Sending) -> None:
    """2 + 4 + 8 + 16 + 32 + 6 * 60 = 422 s: by then the world would refuse the acts as too old (five minutes, C6)."""
    await sending.closed("a", LOST)
    pauses = []
    for _ in range(MOST_TRIES - 1):
        await sending.sender.send()
        (waits,) = await sending.stories.unsent()
        assert waits.due_at is not None
        pauses.append((waits.due_at - sending.living.now) // 1_000)
        sending.living.now = waits.due_at - 1
        assert await sending.sender.send() == 0
        sending.living.now += 1
    await sending.sender.send()

    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]
    assert len(sending.sent) == MOST_TRIES
    (dead,) = await sending.stories.unsent()
    assert (dead.state, dead.deeds, dead.tries, dead.due_at) == ("given_up", 3, 12, None)
    assert dead.told == "given up after 12 tries: there is no realm 'lost'; 'council world seed' makes one"
    assert {(deed.state, deed.told) for deed in await sending.stories.deeds("a", 1)} == {("given_up", dead.told)}
    await sending.sender.send()
    assert len(sending.sent) == MOST_TRIES, "what was given up is not sent again"


async def test_a_story_whose_chapter_was_given_up_goes_on_with_the_next(sending: Sending) -> None:
    unreadable = (NewDeed(deed_id("a", 1, 0), b"{}"),)
    await sending.closed("a", REALM, 1, unreadable)
    await sending.closed("a", REALM, 2)
    for _ in range(MOST_TRIES):
        assert await sending.states("a", 2) == {"pending"}
        await sending.sender.send()
        sending.living.now += 60_000

    assert (await sending.states("a", 1), await sending.states("a", 2)) == ({"given_up"}, {"rejected"})


async def test_a_storys_chapters_reach_the_world_in_their_order_although_the_first_had_to_wait(
    sending: Sending,
) -> None:
    await sending.closed("a", LOST, 1)
    await sending.sender.send()
    await sending.seed(LOST)
    await sending.closed("a", LOST, 2)

    assert await sending.sender.send("a") == 0, "the second waits for the first, which is not due"
    sending.living.now += 2_000
    assert await sending.sender.send("a") == 6
    rows = await sending.living.store.rows(LOST, user_id="of-a")
    order = [deed_id("a", number, at) for number in (1, 2) for at in range(3)]
    assert [row.event_id for row in rows] == order
    assert await sending.stories.unsent() == ()


async def test_a_deed_that_nobody_can_read_holds_up_no_other_story_of_its_realm(sending: Sending) -> None:
    await sending.closed("a", REALM, 1, (NewDeed(deed_id("a", 1, 0), b"{}"),))
    await sending.closed("b", REALM)

    assert await sending.sender.send() == 3
    (waits,) = await sending.stories.unsent()
    assert (waits.story_id, waits.told) == ("a", "it cannot be sent (ValidationError)")


async def test_a_service_that_closed_a_chapter_sends_that_story_alone(sending: Sending) -> None:
    await sending.closed("a", REALM)
    await sending.closed("b", REALM)

    assert await sending.sender.send("b") == 3
    assert await sending.states("a") == {"pending"}


async def test_a_world_that_answers_for_some_deeds_only_is_asked_again(sending: Sending) -> None:
    class Forgetful:
        async def take(self, candidates: Sequence[ImpactCandidate], correlation_id: str | None) -> Sequence[Taken]:
            return [Taken(candidates[0].event_id, "accepted", "")]

    await sending.closed("a", REALM)
    assert await Sender(sending.stories, Forgetful(), lambda: sending.living.now).send() == 0
    assert await sending.states("a") == {"pending"}
    sending.living.now += 2_000
    assert await sending.sender.send() == 3
