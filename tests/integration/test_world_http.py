"""The shared world over HTTP with the real council: acts in, ticks, verdicts, and two clients that see the same change."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest

from gateway.app import build_app
from gateway.bootstrap import open_council
from gateway.examples import REQUEST as EXAMPLE
from gateway.settings import read_settings
from gateway.world_bootstrap import LivingWorld, open_world
from gateway.world_decisions import HttpDecisions
from policies.contracts.answer import Answer
from tests.unit.gateway.identity_samples import write_key_set
from tests.unit.gateway.scripted import BEARER, JSON, TOKEN
from tests.unit.gateway.world_served import APPLY, QUEUE, SUBMIT, TICK, user_token
from world.realm.snapshots import world_snapshot
from world.review.port import ReviewUnavailableError

REALM = "realm-1"
AT = f"/api/world/{REALM}"
TICK_MS = 900_000


class Service(NamedTuple):
    """One running service: its world, its clock, and a way to call it."""

    world: LivingWorld
    clock: "Clock"
    client: httpx.AsyncClient
    transport: httpx.ASGITransport

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.client.post(path, content=orjson.dumps(body), headers={**JSON, **headers})

    async def tick(self) -> dict[str, Any]:
        self.clock.now += TICK_MS
        answered = await self.post(TICK, {"realm_id": REALM})
        assert answered.status_code == 200, answered.text
        found: dict[str, Any] = answered.json()
        return found

    def act(self, event_id: str, user: str, **keys: Any) -> dict[str, Any]:
        made = datetime.fromtimestamp(self.clock.now / 1_000, UTC).isoformat()
        return {
            "event_id": event_id, "realm_id": REALM, "user_id": user, "story_id": "s-1", "chapter_id": "c-1",
            "action_type": "faction_quest_complete", "faction_id": "empire", "base_points": 25,
            "evidence": {"risk": 4, "stakes": "regional"}, "created_at": made, "target_id": "far-wilds", **keys,
        }  # fmt: skip


class Clock:
    """The world's clock, which tests turn."""

    def __init__(self) -> None:
        self.now = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture(params=["memory", "sqlite"])
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/world.db"
    async with serving(url, tmp_path) as found:
        await found.world.seed(REALM)
        yield found


@asynccontextmanager
async def serving(url: str, folder: Path) -> AsyncIterator[Service]:
    """Put the service together as `council serve` does, but for its socket."""
    environ = {
        "COUNCIL_SERVICE_TOKEN": TOKEN,
        "COUNCIL_DATABASE_URL": url,
        "COUNCIL_JWT_KEYS": str(write_key_set(folder)),
        "COUNCIL_POLICY_WATCH": "false",
        "COUNCIL_RATE_USER_BURST": "1000",
        "COUNCIL_RATE_SESSION_PER_MINUTE": "1000",
    }
    settings, clock = read_settings(environ), Clock()
    council = await open_council(settings)
    world = await open_world(settings, council, clock)
    app = build_app(replace(council.parts(), world=world.parts()), settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://world") as client:
            yield Service(world, clock, client, transport)
    finally:
        await world.close()
        await council.close()


async def test_two_clients_in_one_realm_see_the_same_changes_in_the_same_order(service: Service) -> None:
    """S0-108: acts of two players move the realm; both read one world, one history, one sequence of events."""
    ana, binh = user_token("ana"), user_token("binh")
    for number in range(3):
        body = [service.act(f"a-{number}", "ana"), service.act(f"b-{number}", "binh", faction_id="veil")]
        assert (await service.post(SUBMIT, body)).status_code == 200
        await service.tick()
    seen = []
    for headers in (ana, binh):
        pages = [await service.client.get(f"{AT}/{path}", headers=headers) for path in ("summary", "history", "events")]
        assert [each.status_code for each in pages] == [200, 200, 200]
        summary, history, events = [each.json() for each in pages]
        summary.pop("you")
        seen.append((summary, history, [each for each in events["events"] if not each["is_personal"]]))

    assert seen[0] == seen[1]
    assert [each["tick_number"] for each in seen[0][1]["ticks"]] == [0, 1, 2, 3]
    assert [each["kind"] for each in seen[0][2]].count("tick") == 3
    assert seen[0][1]["ticks"][3]["hash"] == seen[0][0]["hash"]


async def test_a_players_contribution_is_in_the_summary_once_it_counts(service: Service) -> None:
    """S0-109. 25 points at risk 4 by a new account: 25 * 1.2 * 0.3 = 9 points, and the far wilds move toward the Empire."""
    before = (await service.client.get(f"{AT}/territories")).json()["territories"]
    sent = await service.post(SUBMIT, service.act("a-1", "ana"), **{"X-Correlation-Id": "chapter-12"})
    await service.tick()
    mine = (await service.client.get(f"{AT}/summary", headers=user_token("ana"))).json()
    others = (await service.client.get(f"{AT}/summary", headers=user_token("binh"))).json()
    events = (await service.client.get(f"{AT}/events", headers=user_token("ana"))).json()["events"]

    assert sent.json()["normalized_points"] == 9.0
    assert mine["you"] == {
        "total_points": 9.0,
        "factions": [{"faction_id": "empire", "points": 9.0, "territories": {"far-wilds": 9.0}, "elsewhere": 0.0}],
    }
    assert others["you"] == {"total_points": 0.0, "factions": []}
    was = next(each for each in before if each["territory_id"] == "far-wilds")["shares"]["empire"]
    now = next(each for each in mine["territories"] if each["territory_id"] == "far-wilds")["shares"]["empire"]
    assert now > was
    told = [each for each in events if each["kind"] == "contributed"]
    assert [(each["payload"]["territory_id"], each["correlation_id"]) for each in told] == [("far-wilds", "chapter-12")]


async def test_a_verdict_of_the_real_council_reaches_the_world_once(service: Service) -> None:
    """S0-83, S0-110: review, then apply by id; the record says what is applied, and a canon break changes nothing (S0-111)."""
    realm = await service.world.realms.current(REALM)
    request = {
        "decision_type": "sovereign_action",
        "realm_id": REALM,
        "request_id": "open-the-tower",
        "proposed_change": {
            "summary": "The Empire draws the Tower's plan",
            "actor": {"user_id": "ana", "faction_id": "empire", "sovereign": True},
            "effects": [{"op": "canon_assert", "subject": "tower", "predicate": "layout", "object": "nine floors"}],
        },
        "world_snapshot": world_snapshot(realm),
        "lore_constraints": list(service.world.world.locks),
    }
    answer = (await service.post("/internal/council/review", request)).json()
    applied = await service.post(APPLY, {"answer": answer})
    again = await service.post(APPLY, {"decision_id": answer["decision_id"]})
    after = await service.world.realms.current(REALM)
    verdicts = (await service.client.get(f"{AT}/summary")).json()["verdicts"]

    assert answer["final_verdict"] == "reject"
    assert (applied.status_code, applied.json()["effects"], applied.json()["snapshot_id"]) == (200, 0, "snap-0.1")
    assert (again.json()["is_repeat"], again.json()["snapshot_id"]) == (True, "snap-0.1")
    assert after.facts == realm.facts
    assert [(each["decision_id"], each["verdict"]) for each in verdicts] == [(answer["decision_id"], "reject")]


async def test_a_council_elsewhere_tells_the_same_of_a_decision_as_the_ledger_here(service: Service) -> None:
    """The two ways to a decision on record pass one suite: over HTTP, and from the ledger in this process."""
    answer = (await service.post("/internal/council/review", EXAMPLE)).json()
    elsewhere = HttpDecisions("http://council", TOKEN, service.transport)
    stranger = HttpDecisions("http://council", "a-token-of-somebody-else", service.transport)
    for decisions in (service.world.decisions, elsewhere):
        found = await decisions.find(answer["decision_id"])
        assert found is not None
        assert (found.request.request_id, found.answer.final_verdict) == ("annex-glass-harbor-1", "reject")
        assert found.answer.record == Answer.model_validate(answer).record
        assert await decisions.find("d-nobody-made") is None
    with pytest.raises(ReviewUnavailableError, match="401"):
        await stranger.find(answer["decision_id"])
    await elsewhere.close()
    await stranger.close()


async def test_a_decision_over_a_realm_that_the_world_does_not_have_is_refused(service: Service) -> None:
    answer = (await service.post("/internal/council/review", EXAMPLE)).json()
    applied = await service.post(APPLY, {"decision_id": answer["decision_id"]})

    assert (applied.status_code, applied.json()["type"]) == (422, "urn:problem-type:council:unknown-realm")


async def test_an_act_in_review_is_settled_by_the_council_and_the_player_sees_only_pending(service: Service) -> None:
    """S0-69: odd acts are entered, asked about, and what the council says becomes of them."""
    states = []
    for number in range(45):
        service.clock.now += 100_000 + 13_000 * (number % 5)
        act = service.act(f"p-{number}", "bot", action_type="patrol_complete", base_points=8)
        states.append((await service.post(SUBMIT, act)).json().get("state", "rejected"))
    held = {"in_review", "quarantined"} & set(states)
    mine = (await service.client.get(f"{AT}/contribution/me?limit=500", headers=user_token("bot"))).json()
    asked = await service.world.store.questions(REALM, "open")
    await service.world.verdicts.settle(REALM)

    assert held
    assert {each["state"] for each in mine["acts"]} <= {"accepted", "rejected", "pending"}
    assert "pending" in {each["state"] for each in mine["acts"]}
    assert len(asked) == states.count("in_review")
    assert await service.world.store.rows(REALM, state="in_review") == ()


async def test_one_correlation_id_leads_from_a_players_act_to_what_is_told_of_it(service: Service) -> None:
    """S0-95: HTTP, ledger row, question, decision on record, the verdict's event, the tick's events, the messages for the bus."""
    store, event_id = service.world.store, ""
    for number in range(45):
        service.clock.now += 100_000 + 13_000 * (number % 5)
        act = service.act(f"p-{number}", "bot", action_type="patrol_complete", base_points=8)
        sent = await service.post(SUBMIT, act, **{"X-Correlation-Id": f"chapter-{number}"})
        assert sent.headers["x-correlation-id"] == f"chapter-{number}"
        if sent.json().get("state") == "in_review":
            event_id = f"p-{number}"
            break
    assert event_id, "no act was held"
    followed = event_id.replace("p-", "chapter-")
    (question,) = await store.questions(REALM, "open")
    await service.world.verdicts.settle(REALM)
    settled = await store.question(question.question_id)
    assert settled is not None
    record = (await service.client.get(f"/internal/council/decisions/{settled.decision_id}", headers=BEARER)).json()
    service.clock.now += TICK_MS
    ticked = await service.post(TICK, {"realm_id": REALM}, **{"X-Correlation-Id": "night-shift"})
    row, events = await store.row(REALM, event_id), await store.all_events(REALM)

    assert row is not None
    assert {row.correlation_id, question.correlation_id, record["record"]["correlation_id"]} == {followed}
    told = {each.kind: each.correlation_id for each in events}
    assert (told["decision_applied"], told["review_settled"]) == (followed, followed)
    assert ticked.headers["x-correlation-id"] == told["tick"] == "night-shift"
    # What a player is told of own acts carries the newest act's id that counted: here one before the act that was held.
    assert told["contributed"] is not None
    assert told["contributed"].startswith("chapter-")
    messages = {each.correlation_id for each in await store.pending(500)}
    assert {followed, "night-shift"} <= messages


async def test_of_many_rulings_at_once_one_wins_and_all_are_told_whose(service: Service) -> None:
    """S18, over a real database too: release and reject race, the points count once or never."""
    event_ids = []
    for number in range(60):
        service.clock.now += 1_000
        sent = await service.post(
            SUBMIT, service.act(f"p-{number}", "bot", action_type="patrol_complete", base_points=8)
        )
        event_ids += [f"p-{number}"] if sent.json().get("state") == "quarantined" else []
    assert event_ids, "no act was quarantined"
    for turn, event_id in enumerate(event_ids[:4]):
        kinds = ("reject", "release") if turn % 2 else ("release", "reject")
        before = await service.world.store.contribution(REALM, "bot")
        rulings = [
            {"realm_id": REALM, "event_id": event_id, "ruling": ruling, "by": f"master-{number}", "because": "seen"}
            for number, ruling in enumerate(kinds * 5)
        ]
        answers = await asyncio.gather(*[service.post(f"{QUEUE}/rulings", each) for each in rulings])
        won = [each.json() for each in answers if each.status_code == 200]
        lost = [each.json() for each in answers if each.status_code == 409]
        after = await service.world.store.contribution(REALM, "bot")

        assert (len(won), len(lost)) == (1, 9), [each.status_code for each in answers]
        assert {each["because"] for each in lost} == {won[0]["because"]}
        counted = sum(sum(each.values()) for each in after.values()) - sum(
            sum(each.values()) for each in before.values()
        )
        assert counted == (round(won[0]["points"] * 1_000) if won[0]["state"] == "accepted" else 0)


async def test_acts_sent_by_many_at_once_each_count_once(service: Service) -> None:
    """S8: the same twelve acts, each by three senders at once; one that is told to come back comes back (S3)."""
    acts = [service.act(f"a-{number}", f"user-{number}") for number in range(12)]
    answers = await asyncio.gather(*[_until_taken(service, act) for act in acts for _ in range(3)])
    await service.tick()
    totals = [await service.world.store.contribution(REALM, f"user-{number}") for number in range(12)]

    assert {each.status_code for each in answers} == {200}
    assert sum(not each.json()["is_repeat"] for each in answers) == 12
    assert [each["empire"]["far-wilds"] for each in totals] == [9_000] * 12


async def _until_taken(service: Service, act: dict[str, Any]) -> httpx.Response:
    """Send an act as a careful sender does: again where the store was too busy."""
    answered = await service.post(SUBMIT, act)
    for _ in range(5):
        if answered.status_code != 503:
            break
        answered = await service.post(SUBMIT, act)
    return answered


async def test_of_two_bodies_under_one_id_sent_at_once_one_is_told_of_the_conflict(service: Service) -> None:
    acts = [service.act("a-1", "ana", note=note) for note in ("one", "two")]
    answers = await asyncio.gather(*[service.post(SUBMIT, act) for act in acts])

    assert sorted(each.status_code for each in answers) == [200, 422]
    assert len(await service.world.store.rows(REALM)) == 1


async def test_a_service_that_starts_again_goes_on_where_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/world.db"
    async with serving(url, tmp_path) as service:
        assert await service.world.seed(REALM)
        await service.post(SUBMIT, service.act("a-1", "ana"))
        await service.tick()
        before = await service.client.get(f"{AT}/summary")
    async with serving(url, tmp_path) as service:
        assert not await service.world.seed(REALM)
        after = await service.client.get(f"{AT}/summary", headers={"If-None-Match": before.headers["etag"]})
        repeat = await service.post(SUBMIT, service.act("a-1", "ana", created_at="2026-01-01T00:00:00Z"))

    assert after.status_code == 304, "the same snapshot is the same bytes, whichever process tells it"
    assert repeat.json()["type"] == "urn:problem-type:council:key-conflict"
