"""A story's deeds on their way through this process, and its chapters in counters and traces (S0-32, S0-95)."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from gateway.exporting import ExportedTracing
from gateway.story_metrics import StoryMetrics
from gateway.story_sending import IngestingWorld, sending
from gateway.story_telling import WatchedTeller
from gateway.tracing import NoTracing
from story.ledger.port import Postponed
from story.service.deeds import Sender
from story.service.telling import PlanAsk
from story.tale.outcome import outcome_from
from tests.unit.story.told_stories import TellingRealm, hero
from tests.unit.world.living_realm import REALM

PATROL = {"action_type": "patrol_complete", "faction_id": "free_cities", "territory_id": "far-wilds"}


async def closed(*deeds: dict[str, str]) -> TellingRealm:
    """Return a realm with one closed chapter whose deeds wait."""
    realm = await TellingRealm().seed()
    await realm.plan(correlation_id="c-1")
    await realm.close(1, deeds=deeds)
    return realm


@pytest.mark.parametrize(("late_ms", "state"), [(0, "accepted"), (600_000, "rejected")])
async def test_a_worker_sends_what_waits_and_says_what_became_of_it(late_ms: int, state: str) -> None:
    """Acts that come ten minutes late are older than the world takes (C6): they are refused, and the story says why."""
    realm, registry = await closed(PATROL, PATROL), CollectorRegistry()
    metrics = StoryMetrics(registry)
    sender = Sender(realm.stories, IngestingWorld(realm.living.ingestion, metrics), lambda: realm.living.now)
    duty = sending(sender, realm.stories, metrics)
    realm.living.now += late_ms

    assert (duty.name, await duty.run(), await duty.run()) == ("deeds", 3, 0)
    deeds = await realm.stories.deeds("s-1", 1)
    assert [deed.state for deed in deeds] == [state] * 3
    assert all(bool(deed.told) is (state == "rejected") for deed in deeds)
    assert registry.get_sample_value("story_deeds_sent_total", {"state": state}) == 3


async def test_what_waits_and_what_was_given_up_is_shown_of_all_processes() -> None:
    realm, registry = await closed(PATROL, PATROL), CollectorRegistry()
    await realm.plan("s-2")
    await realm.close(1, "s-2", deeds=[PATROL])
    await realm.stories.postpone([Postponed("s-1", 1, 12, None, "gone")])
    await realm.stories.postpone([Postponed("s-2", 1, 1, realm.living.now + 2_000, "down")])
    metrics = StoryMetrics(registry)

    assert await sending(realm.sender, realm.stories, metrics).run() == 0
    assert registry.get_sample_value("story_deeds_unsent", {"state": "given_up"}) == 3
    assert registry.get_sample_value("story_deeds_unsent", {"state": "pending"}) == 2


async def test_a_chapter_of_deeds_against_a_faction_does_not_end_in_its_favour() -> None:
    """The hero stands with the free cities: the chapter's own end counts for them, and not for whom was harmed."""
    realm = await closed({**PATROL, "action_type": "sabotage", "faction_id": "empire"})
    await realm.sender.send()
    rows = await realm.living.store.rows(REALM, user_id="ana")

    assert {(row.action_type, row.faction_id, row.is_against) for row in rows} == {
        ("sabotage", "empire", True),
        ("chapter_complete", "free_cities", False),
    }


async def test_a_chapter_of_a_hero_who_stands_with_nobody_ends_without_an_act() -> None:
    realm = await TellingRealm().seed()
    await realm.plan(hero=hero(faction_id=None))
    await realm.close(1)

    assert await realm.stories.deeds("s-1", 1) == ()


async def test_harm_done_to_a_faction_is_told_as_harm() -> None:
    realm = await closed({**PATROL, "action_type": "sabotage", "faction_id": "empire"})
    await realm.sender.send()
    await realm.living.ticks(1)
    tale, heard = await realm.teller.context("s-1")
    recap = next(each.candidate for each in heard.items if each.candidate.kind == "recap")

    assert tale.faction_id == "free_cities"
    assert (recap.facts["faction"], recap.facts["is_against"]) == ("empire", True)


async def test_chapters_are_drawn_under_the_correlation_id_of_their_player() -> None:
    realm, exporter, provider = (
        await TellingRealm().seed(),
        InMemorySpanExporter(),
        TracerProvider(shutdown_on_exit=False),
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    teller = ExportedTracing(provider).teller(realm.teller)
    await teller.plan(PlanAsk("s-1", REALM, "ana", hero(), correlation_id="c-1"))
    await teller.close("s-1", 1, outcome_from({}))
    spans = exporter.get_finished_spans()

    assert [span.name for span in spans] == ["story.plan", "story.close"]
    assert [dict(span.attributes or {})["council.correlation_id"] for span in spans] == ["c-1", "c-1"]
    assert [dict(span.attributes or {})["council.chapter"] for span in spans] == [1, 1]
    assert NoTracing().teller(realm.teller) is realm.teller


async def test_a_chapter_is_counted_once_however_often_it_is_asked_for() -> None:
    realm, registry = await TellingRealm().seed(), CollectorRegistry()
    teller = WatchedTeller(realm.teller, StoryMetrics(registry))
    for _ in range(3):
        await teller.plan(PlanAsk("s-1", REALM, "ana", hero()))
    for _ in range(2):
        await teller.close("s-1", 1, outcome_from({}))

    told = {"language": "en", "author": "template"}
    assert registry.get_sample_value("story_chapters_told_total", told) == 1
    assert registry.get_sample_value("story_planning_duration_seconds_count") == 1
    assert registry.get_sample_value("story_replayed_chapters_total", {"step": "plan"}) == 2
    assert registry.get_sample_value("story_replayed_chapters_total", {"step": "close"}) == 1
    assert registry.get_sample_value("story_chapters_closed_total") == 1
