"""One correlation id from a player's act to what is told of it, and the world's spans with links between them (S0-95)."""

from typing import Any

import orjson
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_trace_id

from gateway.correlation import follow
from gateway.exporting import ExportedTracing
from gateway.tracing import NoTracing
from gateway.world_spans import MOST_LINKS, WorldSpans
from tests.unit.gateway.scripted import CANARY
from tests.unit.world.living_realm import REALM, TICK_MS, WORLD, LivingRealm, ScriptedCouncil
from world.errors import MovedOnError
from world.persistence.acts import LedgerRow
from world.persistence.memory import MemoryStore
from world.persistence.messages import Event
from world.review.port import ReviewReply
from world.service.scheduling import Scheduler

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


class AskedBy(ScriptedCouncil):
    """Remembers the correlation ids that it is asked with."""

    def __init__(self) -> None:
        super().__init__("reject")
        self.correlation_ids: list[str | None] = []

    async def review(self, request: Any, **keys: Any) -> ReviewReply:
        self.correlation_ids.append(keys["correlation_id"])
        return await super().review(request, **keys)


class Drawn:
    """A living realm that is drawn, as the composition root puts it together."""

    def __init__(self) -> None:
        self.memory = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.memory))
        tracing = ExportedTracing(provider)
        self.council = AskedBy()
        self.living = LivingRealm(tracing.store(MemoryStore()), self.council)
        self.living.ingestion = tracing.ingestion(self.living.ingestion)
        self.living.ticker = tracing.ticker(self.living.ticker)

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.memory.get_finished_spans() if span.name == name]


@pytest.fixture
async def drawn() -> Drawn:
    drawn = Drawn()
    await drawn.living.seed()
    return drawn


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def held(living: LivingRealm) -> LedgerRow:
    """Submit acts at a machine's pace until one is held, each with an id of its own; return it."""
    for number in range(60):
        living.now += 1_000
        (taken,) = await living.ingestion.submit([living.act("bot")], f"act-{number}")
        if taken.row.state == "in_review":
            return taken.row
    raise AssertionError("no act was held")


async def test_a_scheduler_ticks_a_realm_that_is_drawn(drawn: Drawn) -> None:
    """A worker runs each tick after the one that it found: what draws ticks must take that too."""
    living = drawn.living
    scheduler = Scheduler(living.store, living.ticker, [], lambda: living.now)
    living.now += TICK_MS

    assert await scheduler.look() == 1
    assert await living.ticker.run(REALM, after=0) is None, "another tick has been run since"
    assert (await living.store.latest(REALM)).tick_number == 1
    assert len(drawn.named("world.tick")) == 2


async def events(living: LivingRealm, kind: str, user_id: str | None = None) -> list[Event]:
    return [event for event in await living.store.events(REALM, user_id=user_id) if event.kind == kind]


async def test_the_id_of_an_act_is_in_its_row_in_what_its_player_is_told_and_in_the_outbox(drawn: Drawn) -> None:
    living = drawn.living
    await living.ingestion.submit([living.act("ana", target_id="far-wilds")], "act-of-ana")
    await living.ingestion.submit([living.act("binh", target_id="far-wilds")], "act-of-binh")
    await living.ticks(1)
    row = await living.store.row(REALM, "e-1")
    assert row is not None
    assert row.correlation_id == "act-of-ana"
    for user in ("ana", "binh"):
        told = await events(living, "contributed", user)
        assert [event.correlation_id for event in told] == [f"act-of-{user}"]
    outbox = {(each.topic, each.correlation_id) for each in await living.store.pending()}
    assert {("influence", "act-of-ana"), ("contributed", "act-of-ana"), ("contributed", "act-of-binh")} <= outbox


async def test_the_newest_act_that_counts_is_the_one_a_player_is_told_of(drawn: Drawn) -> None:
    living = drawn.living
    for number in (1, 2):
        living.now += 600_000
        await living.ingestion.submit([living.act("ana", target_id="far-wilds")], f"act-{number}")
    await living.ticks(1)
    living.now += 600_000
    await living.ingestion.submit([living.act("ana", target_id="far-wilds")], "act-3")
    await living.ticks(1)
    assert [event.correlation_id for event in await events(living, "contributed", "ana")] == ["act-2", "act-3"]


async def test_the_id_of_a_disputed_act_goes_to_the_council_and_back(drawn: Drawn) -> None:
    living = drawn.living
    row = await held(living)
    assert row.correlation_id is not None
    (question,) = await living.store.questions(REALM)
    assert question.correlation_id == row.correlation_id
    await living.verdicts.settle()
    assert drawn.council.correlation_ids == [row.correlation_id]
    (applied,) = await events(living, "decision_applied")
    (settled,) = await events(living, "review_settled", "bot")
    assert applied.correlation_id == settled.correlation_id == row.correlation_id


async def test_a_tick_that_nobody_named_has_an_id_of_its_own_which_differs_from_realm_to_realm(drawn: Drawn) -> None:
    from dataclasses import replace

    from world.service.realms import first_snapshot

    living = drawn.living
    other = replace(WORLD.new_realm("realm-2"))
    await living.store.create(first_snapshot(other, living.now))
    await living.ticker.run(REALM)
    await living.ticker.run("realm-2")
    (first,) = await living.store.latest_events(REALM, "tick")
    (second,) = await living.store.latest_events("realm-2", "tick")
    assert first.correlation_id is not None
    assert first.correlation_id.startswith("tick-1-")
    assert first.correlation_id.isascii()
    assert first.correlation_id != second.correlation_id


async def test_a_tick_that_somebody_asked_for_carries_their_id(drawn: Drawn) -> None:
    await drawn.living.ticker.run(REALM, "by-hand-1")
    (told,) = await drawn.living.store.latest_events(REALM, "tick")
    assert told.correlation_id == "by-hand-1"


async def test_acts_a_tick_and_a_decision_are_drawn_and_linked(drawn: Drawn) -> None:
    living = drawn.living
    headers = {b"traceparent": TRACEPARENT.encode()}
    follow(headers.items(), headers)
    await living.ingestion.submit([living.act("ana", target_id="far-wilds")], "act-of-ana")
    follow([], {})
    row = await held(living)
    await living.ticks(1)
    await living.verdicts.settle()

    submit = drawn.named("influence.submit")[0]
    assert submit.context is not None
    assert format_trace_id(submit.context.trace_id) == TRACE_ID
    assert attributes_of(submit) == {
        "council.realm_id": REALM,
        "council.correlation_id": "act-of-ana",
        "council.acts": 1,
        "council.acts.accepted": 1,
    }
    (tick,) = drawn.named("world.tick")
    (told,) = await living.store.latest_events(REALM, "tick")
    assert attributes_of(tick) == {
        "council.realm_id": REALM,
        "council.correlation_id": told.correlation_id,
        "council.snapshot_id": "snap-1",
    }
    assert tick.parent is None
    linked = {link.context.span_id for link in tick.links}
    assert submit.context.span_id in linked
    (applied,) = drawn.named("world.apply_decision")
    assert attributes_of(applied) == {
        "council.realm_id": REALM,
        "council.correlation_id": row.correlation_id,
        "council.decision_id": _decision(await events(living, "decision_applied")),
        "council.snapshot_id": "snap-1.1",
        "council.verdict": "reject",
    }
    act = next(
        span
        for span in drawn.named("influence.submit")
        if attributes_of(span)["council.correlation_id"] == row.correlation_id
    )
    assert act.context is not None
    assert [link.context.span_id for link in applied.links] == [act.context.span_id]


def _decision(found: list[Event]) -> str:
    return str(orjson.loads(found[0].payload)["decision_id"])


async def test_a_tick_that_fails_is_shown_by_its_type_and_a_span_holds_no_players_words(drawn: Drawn) -> None:
    living = drawn.living
    await living.ingestion.submit([living.act("ana", story_id=CANARY, evidence={"risk": 3, "said": CANARY})], "act-1")

    async def moved(*_: Any) -> None:
        raise MovedOnError(REALM, CANARY, "snap-1")

    living.store.totals = moved  # type: ignore[assignment,method-assign]  # the store that fails
    with pytest.raises(MovedOnError):
        await living.ticker.run(REALM)
    (tick,) = drawn.named("world.tick")
    assert attributes_of(tick)["error.type"] == "MovedOnError"
    assert (tick.status.status_code, tick.events) == (StatusCode.ERROR, ())
    assert CANARY not in "".join([span.to_json() for span in drawn.memory.get_finished_spans()])


async def test_a_tick_of_many_players_links_to_so_many_and_no_more(drawn: Drawn) -> None:
    living = drawn.living
    for number in range(MOST_LINKS + 20):
        await living.ingestion.submit([living.act(f"player-{number}", target_id="far-wilds")], f"act-{number}")
    await living.ticks(1)
    (tick,) = drawn.named("world.tick")
    assert (len(tick.links), tick.dropped_links) == (MOST_LINKS, 0)


async def test_places_of_acts_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch, drawn: Drawn) -> None:
    monkeypatch.setattr("gateway.world_spans.MOST_ACTS", 1)
    living = drawn.living
    await living.ingestion.submit([living.act("ana", target_id="far-wilds")], "act-of-ana")
    await living.ingestion.submit([living.act("binh", target_id="far-wilds")], "act-of-binh")
    await living.ticks(1)
    (tick,) = drawn.named("world.tick")
    of_binh = drawn.named("influence.submit")[1]
    assert of_binh.context is not None
    assert [link.context.span_id for link in tick.links] == [of_binh.context.span_id]


async def test_where_nobody_draws_the_services_are_themselves() -> None:
    living, tracing = LivingRealm(), NoTracing()
    assert tracing.store(living.store) is living.store
    assert tracing.ingestion(living.ingestion) is living.ingestion
    assert tracing.ticker(living.ticker) is living.ticker


def test_what_is_drawn_answers_for_the_rest_of_its_service() -> None:
    from opentelemetry.trace import NoOpTracer

    living = LivingRealm()
    spans = WorldSpans(NoOpTracer())
    assert spans.store(living.store).pending == living.store.pending
    assert spans.ticker(living.ticker)._holder == "worker-1"
    assert spans.ingestion(living.ingestion)._rules is living.rules
