"""What every store of the world does: memory, SQLite, PostgreSQL (register rows S0-20, S0-21, S0-65, S0-111; K17)."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.world_samples import (
    NOW,
    REALM,
    asked_sample,
    question_sample,
    row_sample,
    seeded,
    snapshot_sample,
    step_sample,
)
from world.errors import LeaseLostError, MovedOnError, UnknownRealmError
from world.influence.scoring import Score
from world.persistence.acts import LedgerRow, Transition
from world.persistence.messages import Event, NewEvent, OutboxRow
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore

DAY_MS = 86_400_000


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[WorldStore]:
    """A store of each kind with the samples' realm."""
    opened = await seeded(open_world_store(ledger_url))
    yield opened
    await opened.close()


async def _ids(store: WorldStore, **keys: object) -> list[str]:
    return [row.event_id for row in await store.rows(REALM, **keys)]  # type: ignore[arg-type]


async def test_a_realm_is_made_once_and_its_first_snapshot_stays(store: WorldStore) -> None:
    assert not await store.create(snapshot_sample(5))
    assert await store.create(snapshot_sample(realm_id="another"))
    assert await store.realms() == ("another", REALM)
    assert await store.latest(REALM) == snapshot_sample()
    assert await store.snapshot(REALM, "snap-0") == snapshot_sample()
    assert await store.snapshot(REALM, "snap-9") is None


async def test_a_realm_that_does_not_exist_is_named_by_every_question_about_it(store: WorldStore) -> None:
    nowhere = "nowhere"
    questions = [
        store.latest(nowhere), store.snapshot(nowhere, "snap-0"), store.row(nowhere, "e-1"), store.rows(nowhere),
        store.known(nowhere, [asked_sample("e-1")], since=0, tick=0), store.totals(nowhere), store.recount(nowhere),
        store.take_lease(nowhere, "w", now=NOW, ttl_ms=1), store.events(nowhere), store.last_sequence(nowhere),
        store.contribution(nowhere, "ana"), store.ask(nowhere, question_sample(1), 0), store.move(nowhere, [], NOW),
        store.advance(step_sample("snap-0", 1, realm_id=nowhere), None, NOW), store.latest_events(nowhere, "tick"),
        store.submit([row_sample("e-1", realm_id=nowhere)], {}), anext(aiter(store.snapshots(nowhere))),
    ]  # fmt: skip
    for question in questions:
        with pytest.raises(UnknownRealmError, match="nowhere"):
            await question


async def test_acts_enter_the_ledger_in_order_and_are_told_back_as_they_came(store: WorldStore) -> None:
    new = row_sample("e-1", device_id="d", is_against=True)
    entered = await store.submit([new, row_sample("e-2", "binh", state="rejected")], {})
    assert entered[0] == LedgerRow(
        REALM, 1, "e-1", new.candidate, "ana", "free_cities", "far-wilds", "relic_defended", True, "accepted",
        Score(25_000, 1_200, 800, 1_000, 1_000), 120, {"velocity": 120, "timing": None}, "", NOW, 0, 1, "c-e-1",
    )  # fmt: skip
    assert (entered[1].sequence, entered[1].state, entered[1].counted_at) == (2, "rejected", None)
    assert entered[1].because == "the account has reached its points of the day"
    assert await store.rows(REALM) == entered
    assert await store.row(REALM, "e-2") == entered[1]
    assert await store.row(REALM, "e-3") is None


async def test_an_act_that_was_refused_before_it_was_scored_has_no_score(store: WorldStore) -> None:
    new = row_sample("e-1", state="rejected", territory=None, faction_id=None)
    entered = await store.submit([new._replace(judged=new.judged._replace(score=None))], {})
    assert (entered[0].score, entered[0].faction_id, entered[0].territory_id) == (None, None, None)
    assert await store.row(REALM, "e-1") == entered[0]


async def test_an_event_id_that_is_in_the_ledger_leaves_its_first_row(store: WorldStore) -> None:
    """S0-65; also within one batch."""
    first, again = await store.submit([row_sample("e-1"), row_sample("e-1", "binh")], {"e-1": question_sample(1)})
    assert again == first
    assert await store.submit([row_sample("e-1", "chi"), row_sample("e-2")], {"e-1": question_sample(2)}) == (
        first,
        await store.row(REALM, "e-2"),
    )
    assert await _ids(store) == ["e-1", "e-2"]
    assert [each.question_id for each in await store.questions()] == ["q-1"]
    assert len(await store.pending()) == 2


async def test_realms_have_ledgers_of_their_own(store: WorldStore) -> None:
    await store.create(snapshot_sample(realm_id="another"))
    entered = await store.submit([row_sample("e-1"), row_sample("e-1", realm_id="another")], {})
    assert [(row.realm_id, row.sequence, row.counted_at) for row in entered] == [(REALM, 1, 1), ("another", 1, 1)]


async def test_rows_are_found_by_state_account_place_and_tick(store: WorldStore) -> None:
    await store.submit(
        [
            row_sample("e-1", state="in_review"),
            row_sample("e-2", "binh", tick=1),
            row_sample("e-3", state="quarantined", tick=1),
            row_sample("e-4", state="rejected", tick=2),
        ],
        {},
    )
    assert await _ids(store, state="in_review") == ["e-1"]
    assert await _ids(store, state="accepted") == ["e-2"]
    assert await _ids(store, user_id="ana") == ["e-1", "e-3", "e-4"]
    assert await _ids(store, after=2) == ["e-3", "e-4"]
    assert await _ids(store, since_tick=1, user_id="ana") == ["e-3", "e-4"]
    assert await _ids(store, limit=2) == ["e-1", "e-2"]
    assert await _ids(store, state="quarantined", user_id="binh") == []


async def test_a_transition_is_told_with_the_row_and_an_accepted_row_stays_so(store: WorldStore) -> None:
    """K17: in review or in quarantine, then accepted or rejected; never back."""
    await store.submit(
        [row_sample("e-1", state="in_review"), row_sample("e-2"), row_sample("e-3", state="in_review")], {}
    )
    await store.move(REALM, [Transition(1, "quarantined", "held"), Transition(2, "rejected", "too late")], NOW)
    await store.move(REALM, [Transition(1, "rejected", "no", expected="in_review")], NOW)
    moved = await store.row(REALM, "e-1")
    assert moved is not None
    assert (moved.state, moved.because, moved.counted_at) == ("quarantined", "held", None)
    assert await _ids(store, state="quarantined") == ["e-1"]
    assert await _ids(store, state="in_review") == ["e-3"]
    await store.move(REALM, [Transition(1, "accepted", "let go", 400, "quarantined")], NOW)
    await store.move(REALM, [Transition(1, "rejected", "changed my mind")], NOW)
    accepted = await store.row(REALM, "e-1")
    assert accepted is not None
    assert (accepted.state, accepted.because, accepted.counted_at) == ("accepted", "let go", 2)
    assert accepted.score == moved.score
    assert (await store.row(REALM, "e-2") or moved).state == "accepted"


async def test_a_move_of_an_act_that_is_not_there_is_refused(store: WorldStore) -> None:
    with pytest.raises(LookupError):
        await store.move(REALM, [Transition(7, "accepted", "by hand")], NOW)


async def test_what_is_known_around_an_act_is_its_account_device_and_session_of_a_day(store: WorldStore) -> None:
    await store.submit(
        [
            row_sample("e-1", received_at=NOW - DAY_MS - 1),
            row_sample("e-2", device_id="d", received_at=NOW - 3),
            row_sample("e-3", "binh", device_id="d", session_id="s", received_at=NOW - 2, state="rejected"),
            row_sample("e-4", "chi", session_id="s", received_at=NOW - 1),
            row_sample("e-5", "dao", received_at=NOW),
        ],
        {},
    )
    asked = [
        asked_sample("e-9"),
        asked_sample("e-5", "new", device_id="d"),
        asked_sample("e-9", "binh", session_id="s", device_id="d"),
        asked_sample("e-9", "nobody"),
    ]
    known = await store.known(REALM, asked, since=NOW - DAY_MS, tick=0)
    assert [[act.event_id for act in each.recent] for each in known] == [
        ["e-2"],
        ["e-2", "e-3"],
        ["e-2", "e-3", "e-4"],
        [],
    ]
    assert known[0].recent[0].act() == asked_sample("e-2", device_id="d").candidate
    assert [each.first_seen for each in known] == [NOW - DAY_MS - 1, None, NOW - 2, None]
    assert [each.row.user_id if each.row is not None else None for each in known] == [None, "dao", None, None]


async def test_at_most_two_hundred_recent_acts_are_told_and_they_are_the_newest(store: WorldStore) -> None:
    await store.submit([row_sample(f"e-{n}", received_at=NOW + n, device_id="d") for n in range(210)], {})
    await store.submit([row_sample("e-x", "binh", received_at=NOW + 300, device_id="d")], {})
    known = await store.known(REALM, [asked_sample("e-y", device_id="d"), asked_sample("e-z")], since=NOW, tick=0)
    assert [act.event_id for act in known[0].recent] == [f"e-{n}" for n in range(11, 210)] + ["e-x"]
    assert [act.event_id for act in known[1].recent] == [f"e-{n}" for n in range(10, 210)]


async def test_caps_count_the_accepted_acts_of_ninety_six_ticks(store: WorldStore) -> None:
    """A day is the 96 ticks up to the running one: tick 100 looks back to tick 5 (port)."""
    await store.submit(
        [
            row_sample("e-1", tick=4, points=1),
            row_sample("e-2", tick=5, points=10),
            row_sample("e-3", tick=100, points=100),
            row_sample("e-4", tick=100, points=1_000, source="story", action_type="other"),
            row_sample("e-5", tick=100, points=10_000, state="in_review"),
            row_sample("e-6", "binh", tick=100, points=7, faction_id="veil"),
        ],
        {},
    )
    asked = [asked_sample("e-9"), asked_sample("e-9", faction_id="veil"), asked_sample("e-9", "binh", source="story")]
    known = await store.known(REALM, asked, since=0, tick=100)
    found = [(each.repeats, each.user_day, each.source_day, each.faction_tick) for each in known]
    # ana: e-2, e-3 of this type and faction; 10 + 100 + 1,000 of the day, 110 from quests; 1,100 for the faction this tick.
    assert found == [(2, 1_110, 110, 1_100), (0, 1_110, 110, 7), (0, 7, 0, 1_100)]
    await store.move(REALM, [Transition(5, "accepted", "let go", 5_000)], NOW)
    after = (await store.known(REALM, asked[:1], since=0, tick=100))[0]
    assert (after.repeats, after.user_day, after.source_day, after.faction_tick) == (3, 6_110, 5_110, 6_100)


async def test_a_step_writes_snapshot_events_questions_and_messages(store: WorldStore) -> None:
    events = (NewEvent("tick", b"{}", correlation_id="c"), NewEvent("contributed", b"[1]", "ana"))
    await store.advance(step_sample("snap-0", 1, events=events, questions=(question_sample(1),)), None, NOW)
    await store.advance(step_sample("snap-1", 1, 1, events=(NewEvent("tick", b"[2]"),)), None, NOW + 1)
    assert await store.latest(REALM) == snapshot_sample(1, 1)
    assert await store.last_sequence(REALM) == 3
    assert await store.events(REALM) == (
        Event(REALM, 1, 1, "tick", b"{}", None, NOW, "c"),
        Event(REALM, 3, 1, "tick", b"[2]", None, NOW + 1, None),
    )
    assert [event.sequence for event in await store.events(REALM, user_id="ana")] == [1, 2, 3]
    assert [event.sequence for event in await store.events(REALM, 1, 1, "ana")] == [2]
    assert [event.sequence for event in await store.events(REALM, 3)] == []
    assert [event.sequence for event in await store.latest_events(REALM, "tick", 1)] == [3]
    assert await store.latest_events(REALM, "contributed") == ()
    assert [(each.question_id, each.state, each.tick_number) for each in await store.questions()] == [
        ("q-1", "open", 1)
    ]
    assert await store.pending() == (
        OutboxRow(1, REALM, "tick", f"{REALM}/1", b"{}", "c"),
        OutboxRow(2, REALM, "contributed", f"{REALM}/2", b"[1]", None),
        OutboxRow(3, REALM, "tick", f"{REALM}/3", b"[2]", None),
    )


async def test_a_step_on_an_older_snapshot_writes_nothing(store: WorldStore) -> None:
    """Compare and set (S0-111)."""
    await store.advance(step_sample("snap-0", 1), None, NOW)
    late = step_sample("snap-0", 1, 1, events=(NewEvent("tick", b"{}"),), questions=(question_sample(1),))
    with pytest.raises(MovedOnError) as caught:
        await store.advance(late, None, NOW)
    assert (caught.value.expected, caught.value.latest) == ("snap-0", "snap-1")
    assert await store.latest(REALM) == snapshot_sample(1)
    assert (await store.last_sequence(REALM), await store.questions(), await store.pending()) == (0, (), ())


async def test_a_decision_is_applied_once_for_ever(store: WorldStore) -> None:
    assert await store.applied("d-1") is None
    await store.advance(step_sample("snap-0", 0, 1, decision_id="d-1"), None, NOW)
    await store.advance(step_sample("snap-0.1", 1), None, NOW)
    with pytest.raises(MovedOnError):
        await store.advance(step_sample("snap-1", 1, 1, decision_id="d-1"), None, NOW)
    await store.create(snapshot_sample(realm_id="another"))
    with pytest.raises(MovedOnError):
        await store.advance(step_sample("snap-0", 0, 1, "another", decision_id="d-1"), None, NOW)
    assert await store.applied("d-1") == snapshot_sample(0, 1)
    assert await store.latest(REALM) == snapshot_sample(1)


async def test_a_lease_is_held_by_one_and_its_token_rises_with_every_holder(store: WorldStore) -> None:
    """S12: the fencing token."""
    first = await store.take_lease(REALM, "one", now=NOW, ttl_ms=10)
    assert first is not None
    assert await store.take_lease(REALM, "two", now=NOW + 9, ttl_ms=10) is None
    renewed = await store.take_lease(REALM, "one", now=NOW + 9, ttl_ms=10)
    assert renewed == first._replace(until=NOW + 19)
    second = await store.take_lease(REALM, "two", now=NOW + 19, ttl_ms=10)
    assert second is not None
    assert second.token == first.token + 1
    await store.give_lease(first)  # no longer its own: nothing happens
    assert await store.take_lease(REALM, "one", now=NOW + 20, ttl_ms=10) is None
    await store.give_lease(second)
    third = await store.take_lease(REALM, "two", now=NOW + 20, ttl_ms=10)
    assert third is not None
    assert third.token == second.token + 1


async def test_a_step_under_a_lease_that_was_taken_over_is_lost_whole(store: WorldStore) -> None:
    paused = await store.take_lease(REALM, "one", now=NOW, ttl_ms=10)
    other = await store.take_lease(REALM, "two", now=NOW + 10, ttl_ms=10)
    with pytest.raises(LeaseLostError):
        await store.advance(step_sample("snap-0", 1), paused, NOW + 10)
    assert await store.latest(REALM) == snapshot_sample()
    await store.advance(step_sample("snap-0", 1), other, NOW + 10)
    assert await store.latest(REALM) == snapshot_sample(1)


async def test_snapshots_are_streamed_in_order_of_the_chain_over_a_range_of_ticks(store: WorldStore) -> None:
    before = "snap-0"
    for number in range(1, 120):
        for revision in (0, 1) if number % 7 == 0 else (0,):
            step = step_sample(before, number, revision)
            await store.advance(step, None, NOW)
            before = step.snapshot.snapshot_id
    everything = [each.snapshot_id async for each in store.snapshots(REALM)]
    assert len(everything) == 120 + 17
    assert everything[6:10] == ["snap-6", "snap-7", "snap-7.1", "snap-8"]
    assert [each.snapshot_id async for each in store.snapshots(REALM, 7, 8)] == ["snap-7", "snap-7.1", "snap-8"]
    assert [each.snapshot_id async for each in store.snapshots(REALM, 118)] == ["snap-118", "snap-119", "snap-119.1"]


async def test_a_question_is_asked_once_and_told_with_what_became_of_it(store: WorldStore) -> None:
    await store.submit([row_sample("e-1", state="in_review", tick=3)], {"e-1": question_sample(1)})
    asked = await store.ask(REALM, question_sample(2), 4)
    assert (asked.question_id, asked.subject, asked.request, asked.state) == (
        "q-2",
        "event:e-2",
        b'{"number":2}',
        "open",
    )
    assert await store.ask(REALM, question_sample(2)._replace(subject="other"), 9) == asked
    await store.answer("q-1", "answered", b"{}", "d-1")
    first = await store.question("q-1")
    assert first is not None
    assert (first.state, first.answer, first.decision_id, first.tick_number) == ("answered", b"{}", "d-1", 3)
    assert await store.questions(REALM, "open") == (asked,)
    assert await store.questions(limit=1) == (first,)
    assert await store.questions("another") == ()
    assert await store.question("q-9") is None
    with pytest.raises(KeyError):
        await store.answer("q-9", "answered", b"{}", "d-1")


async def test_a_step_settles_the_question_it_applies_and_those_that_ran_out(store: WorldStore) -> None:
    for number in (1, 2, 3):
        await store.ask(REALM, question_sample(number), 0)
    await store.advance(step_sample("snap-0", 0, 1, applied="q-1", decision_id="d-1"), None, NOW)
    await store.advance(step_sample("snap-0.1", 1, expired=("q-1", "q-2")), None, NOW)
    assert [each.state for each in await store.questions()] == ["applied", "expired", "open"]


async def test_a_step_writes_transitions_and_what_they_release_counts_in_the_next_tick(store: WorldStore) -> None:
    await store.submit([row_sample("e-1", state="in_review", points=900)], {})
    assert (await store.totals(REALM)).gained == {}
    await store.advance(step_sample("snap-0", 0, 1, transitions=(Transition(1, "accepted", "yes", 300),)), None, NOW)
    assert (await store.totals(REALM)).gained == {"far-wilds": {"free_cities": {"ana": 300}}}
    assert await store.contribution(REALM, "ana") == {"free_cities": {"far-wilds": 300}}


async def test_a_contribution_is_what_an_accounts_accepted_acts_came_to(store: WorldStore) -> None:
    """S0-109."""
    await store.submit(
        [
            row_sample("e-1", points=10),
            row_sample("e-2", points=5, territory=None),
            row_sample("e-3", points=7, faction_id="veil"),
            row_sample("e-4", points=9, state="rejected"),
            row_sample("e-5", "binh", points=1),
            row_sample("e-6", points=20, is_against=True),
        ],
        {},
    )
    assert await store.contribution(REALM, "ana") == {"free_cities": {"far-wilds": 30, "": 5}, "veil": {"far-wilds": 7}}
    assert await store.contribution(REALM, "nobody") == {}


async def test_messages_leave_the_outbox_when_they_are_published(store: WorldStore) -> None:
    new = row_sample("e-1")
    await store.submit([new, row_sample("e-2")], {})
    waiting = await store.pending()
    assert waiting[0] == OutboxRow(1, REALM, "influence", "e-1", new.candidate, "c-e-1")
    await store.mark_published([1], NOW)
    await store.mark_published([1], NOW + 1)
    assert await store.pending() == waiting[1:]
    assert await store.pending(0) == ()


async def test_a_store_is_ready_and_closes(ledger_url: str) -> None:
    opened = open_world_store(ledger_url)
    await opened.ready()
    await opened.close()
