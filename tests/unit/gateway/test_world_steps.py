"""Ticks and verdicts over HTTP: one tick at a time, a decision exactly once and only as it stands on record."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from policies.contracts.reading import validate_request
from tests.unit.gateway.scripted import BEARER, CANARY, JSON, caller
from tests.unit.gateway.world_served import APPLY, QUEUE, SUMMARY, TICK, ServedWorld, service_token
from tests.unit.world.living_realm import REALM, WORLD, ScriptedCouncil
from world.persistence.acts import NewRow
from world.realm.snapshots import world_snapshot
from world.service.expiry import PATIENCE


@pytest.fixture
async def served(tmp_path: Path) -> ServedWorld:
    world = ServedWorld(tmp_path)
    await world.living.seed()
    return world


async def _post(world: ServedWorld, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    async with caller(world.app) as client:
        return await client.post(path, content=orjson.dumps(body), headers={**JSON, **(headers or {})})


async def test_a_tick_is_answered_as_the_contract_has_it(served: ServedWorld) -> None:
    """S0-40 to S0-44, S0-81."""
    await served.living.ingestion.submit([served.living.act(f"u-{n}", target_id="far-wilds") for n in range(40)])
    answered = await _post(served, TICK, {"realm_id": REALM})

    assert answered.status_code == 200
    assert answered.json().keys() == {
        "realm_id", "tick_number", "faction_deltas", "territory_changes", "trigger_fired", "snapshot_id",
    }  # fmt: skip
    assert (answered.json()["tick_number"], answered.json()["snapshot_id"]) == (1, "snap-1")


async def test_a_named_tick_runs_once_however_often_it_is_asked(served: ServedWorld) -> None:
    asked = {"realm_id": REALM, "tick_number": 1}
    first, again = await _post(served, TICK, asked), await _post(served, TICK, asked)
    ahead = await _post(served, TICK, {"realm_id": REALM, "tick_number": 5})

    assert (first.content, first.headers.get("idempotent-replayed")) == (again.content, None)
    assert again.headers["idempotent-replayed"] == "true"
    assert (ahead.status_code, ahead.json()["tick_number"]) == (409, 1)
    assert (await served.living.store.latest(REALM)).snapshot_id == "snap-1"


async def test_a_realm_that_another_worker_holds_is_409(served: ServedWorld) -> None:
    """S12."""
    await served.living.store.take_lease(REALM, "another", now=served.living.now, ttl_ms=60_000)
    answered = await _post(served, TICK, {"realm_id": REALM})

    assert (answered.status_code, answered.json()["type"]) == (409, "urn:problem-type:council:realm-held")


async def test_of_ticks_asked_at_once_none_is_doubled(served: ServedWorld) -> None:
    asked = {"realm_id": REALM, "tick_number": 1}
    answers = await asyncio.gather(*[_post(served, TICK, asked) for _ in range(8)])

    assert {each.status_code for each in answers} <= {200, 409}
    assert (await served.living.store.latest(REALM)).tick_number == 1


@pytest.mark.parametrize("path", [TICK, APPLY, f"{QUEUE}/rulings"])
@pytest.mark.parametrize("body", [{}, [], {"realm_id": 7}, {"realm_id": REALM, "more": 1}, 3])
async def test_a_body_that_is_not_asked_for_is_refused(served: ServedWorld, path: str, body: Any) -> None:
    answered = await _post(served, path, body)

    assert answered.status_code in (400, 422)
    assert answered.json()["faults"]


async def _decided(world: ServedWorld, verdict: Any = "approve", **keys: Any) -> str:
    """Lay a decision down over three meters and a transfer, and return its id."""
    realm = await world.living.realms.current(REALM)
    effects: list[dict[str, Any]] = [
        {"op": "meter_delta", "meter": "tension", "amount": 5},
        {"op": "territory_transfer", "territory_id": "far-wilds", "from": "free_cities", "to": "empire"},
    ]
    document = {
        "request_id": keys.pop("key", "asked-1"),
        "decision_type": "sovereign_action",
        "realm_id": REALM,
        "proposed_change": {"summary": "The Empire takes the Far Wilds", "effects": effects},
        "world_snapshot": world_snapshot(realm),
        "supporting_events": [],
        "risk_flags": [],
        "lore_constraints": list(WORLD.locks),
    }
    request = validate_request(orjson.loads(orjson.dumps(document)))
    answer = (await ScriptedCouncil(verdict, **keys).review(request, request_key=str(document["request_id"]))).answer
    world.decisions.lay(request, answer)
    return answer.decision_id


async def test_a_decision_on_record_is_applied_once(served: ServedWorld) -> None:
    """S0-83: idempotent by decision id."""
    decision_id = await _decided(served)
    first = await _post(served, APPLY, {"decision_id": decision_id})
    again = await _post(served, APPLY, {"decision_id": decision_id})

    assert first.status_code == again.status_code == 200
    assert first.json() == {
        "decision_id": decision_id,
        "realm_id": REALM,
        "verdict": "approve",
        "mode": "enforce",
        "advisory": None,
        "snapshot_id": "snap-0.1",
        "is_repeat": False,
        "effects": 2,
        "dropped": [],
    }
    assert (again.json()["is_repeat"], again.json()["snapshot_id"]) == (True, "snap-0.1")
    realm = await served.living.realms.current(REALM)
    assert (realm.revision, realm.meters["tension"], realm.territories["far-wilds"].controller) == (1, 40_000, "empire")


async def test_many_appliers_at_once_apply_it_once(served: ServedWorld) -> None:
    decision_id = await _decided(served)
    answers = await asyncio.gather(*[_post(served, APPLY, {"decision_id": decision_id}) for _ in range(16)])

    assert [each.status_code for each in answers] == [200] * 16
    assert sum(not each.json()["is_repeat"] for each in answers) == 1
    assert (await served.living.realms.current(REALM)).meters["tension"] == 40_000


async def test_required_modifications_are_applied_as_they_are_written(served: ServedWorld) -> None:
    kept = {"effect": 0, "field": "amount", "max": 2, "asked_by": ["governor"], "because": "too much at once"}
    dropped = {"effect": 1, "drop": True, "asked_by": ["risk"], "because": "too soon"}
    decision_id = await _decided(served, "modify", required_modifications=[kept, dropped])
    answered = await _post(served, APPLY, {"decision_id": decision_id})

    assert answered.json()["effects"] == 1
    realm = await served.living.realms.current(REALM)
    assert (realm.meters["tension"], realm.territories["far-wilds"].controller) == (37_000, "free_cities")


@pytest.mark.parametrize("verdict", ["reject", "quarantine"])
async def test_a_verdict_against_a_change_changes_nothing_and_is_in_the_chain(
    served: ServedWorld, verdict: str
) -> None:
    before = await served.living.realms.current(REALM)
    answered = await _post(served, APPLY, {"decision_id": await _decided(served, verdict)})

    realm = await served.living.realms.current(REALM)
    assert answered.json()["effects"] == 0
    assert (realm.meters, realm.territories) == (before.meters, before.territories)
    assert realm.snapshot_id == "snap-0.1"


@pytest.mark.parametrize("mode", ["log_only", "review_only"])
async def test_where_the_council_does_not_enforce_its_advice_is_told_beside(served: ServedWorld, mode: str) -> None:
    """S0-107: the answer is approve in both modes, so the change happens; what would have been said stands beside it."""
    decision_id = await _decided(served, "approve", audit_tags=[mode, "advisory:reject"])
    answered = (await _post(served, APPLY, {"decision_id": decision_id})).json()

    assert (answered["mode"], answered["advisory"], answered["effects"]) == (mode, "reject", 2)


async def test_a_realm_that_is_not_where_the_caller_thinks_is_409(served: ServedWorld) -> None:
    decision_id = await _decided(served)
    await served.living.ticks(1)
    asked = {"decision_id": decision_id, "expected_snapshot_id": "snap-0"}
    stale = await _post(served, APPLY, asked)
    fresh = await _post(served, APPLY, {**asked, "expected_snapshot_id": "snap-1"})
    again = await _post(served, APPLY, asked)

    assert (stale.status_code, stale.json()["latest_snapshot_id"]) == (409, "snap-1")
    assert (fresh.status_code, fresh.json()["snapshot_id"]) == (200, "snap-1.1")
    assert again.json()["is_repeat"], "what is applied is applied, whatever is expected"


async def test_what_no_longer_fits_is_left_out_by_name(served: ServedWorld) -> None:
    first = await _decided(served, key="asked-1")
    second = await _decided(served, key="asked-2")
    await _post(served, APPLY, {"decision_id": first})
    answered = (await _post(served, APPLY, {"decision_id": second})).json()

    assert answered["effects"] == 1
    assert "far-wilds" in answered["dropped"][0]


async def test_nothing_is_applied_on_a_callers_word(served: ServedWorld) -> None:
    """council.md, what must never happen: a change without a record."""
    decision_id = await _decided(served, "reject")
    answer = served.decisions.found[decision_id].answer.model_dump(mode="json", by_alias=True)
    unknown = await _post(served, APPLY, {"decision_id": "d-nobody-made"})
    forged = await _post(served, APPLY, {"answer": {**answer, "final_verdict": "approve"}})
    true = await _post(served, APPLY, {"answer": answer})

    assert (unknown.status_code, forged.status_code, true.status_code) == (404, 422, 200)
    assert forged.json()["type"] == "urn:problem-type:council:answer-differs"


async def test_a_service_moves_only_what_its_token_is_for(served: ServedWorld) -> None:
    decision_id = await _decided(served)
    foreign = service_token("sim-2", "sim", realm="realm-2")
    for path, body in ((TICK, {"realm_id": REALM}), (APPLY, {"decision_id": decision_id})):
        assert (await _post(served, path, body, foreign)).status_code == 403
        assert (await _post(served, path, body, service_token("x", "player"))).status_code == 403
    assert (await served.living.store.latest(REALM)).snapshot_id == "snap-0"


async def _held(world: ServedWorld) -> str:
    """Enter an act that is in quarantine, and return its event id."""
    act = world.living.act("bot", target_id="far-wilds")
    taken = (await world.living.ingestion.submit([act]))[0].row
    judged = (await world.living.store.row(REALM, act.event_id)) and taken
    assert judged is not None
    new = world.living.act("bot", target_id="far-wilds")
    row = NewRow(
        REALM, new.event_id, orjson.dumps(new.model_dump(mode="json", exclude_none=True)), "bot", None, None,
        "free_cities", new.action_type, "quest", _judged(taken), world.living.now, world.living.now, 0, None,
    )  # fmt: skip
    await world.living.store.submit([row], {})
    return new.event_id


def _judged(row: Any) -> Any:
    from world.influence.judging import Judged

    return Judged("quarantined", row.score, "far-wilds", False, 812, {"velocity": 812, "score": 812})


async def test_a_game_master_sees_what_is_held_and_releases_it_by_name(served: ServedWorld) -> None:
    event_id = await _held(served)
    master = service_token("desk", "game_master")
    async with caller(served.app) as client:
        queue = (await client.get(QUEUE, params={"realm_id": REALM}, headers=master)).json()
        before = (await client.get(SUMMARY)).json()
    ruling = {
        "realm_id": REALM,
        "event_id": event_id,
        "ruling": "release",
        "by": "mira",
        "because": "seen in the replay",
    }
    done = await _post(served, f"{QUEUE}/rulings", ruling, master)
    again = await _post(served, f"{QUEUE}/rulings", ruling, master)

    assert [(each["event_id"], each["anomaly"]["score"], each["user_id"]) for each in queue["acts"]] == [
        (event_id, 812, "bot")
    ]
    assert "bot" not in orjson.dumps(before).decode()
    assert (done.status_code, done.json()["state"]) == (200, "accepted")
    assert done.json()["because"] == "released by mira (desk): seen in the replay"
    assert again.json() == done.json()
    assert (await served.living.store.contribution(REALM, "bot"))["free_cities"]["far-wilds"] > 7_500


async def test_a_defect_behind_any_endpoint_is_a_problem_and_is_logged_once(
    served: ServedWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the framework stands in between; the server is not told once more what has been answered."""

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(served.living.ticker, "run", broken)
    transport = httpx.ASGITransport(served.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://council") as client:
        headers = {**JSON, "X-Correlation-Id": "c-9"}
        answered = await client.post(TICK, content=orjson.dumps({"realm_id": REALM}), headers=headers)

    assert (answered.status_code, answered.headers["content-type"]) == (500, "application/problem+json")
    problem = answered.json()
    assert (problem["type"], problem["correlation_id"]) == ("urn:problem-type:council:internal-error", "c-9")
    assert CANARY not in answered.text
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == ["request failed"]


async def test_of_two_rulings_one_wins_and_the_other_is_told_whose(served: ServedWorld) -> None:
    """S18: approve and reject race; the loser learns who was first."""
    event_id = await _held(served)
    rulings = [
        {"realm_id": REALM, "event_id": event_id, "ruling": ruling, "by": by, "because": "looked at"}
        for ruling, by in (("release", "mira"), ("reject", "tomas"))
    ]
    answers = await asyncio.gather(*[_post(served, f"{QUEUE}/rulings", each) for each in rulings])

    assert sorted(each.status_code for each in answers) == [200, 409]
    lost = next(each for each in answers if each.status_code == 409).json()
    won = next(each for each in answers if each.status_code == 200).json()
    assert lost["because"] == won["because"]


async def _expired(world: ServedWorld) -> str:
    """Let an act wait for a verdict for more than a day of ticks, and return its event id."""
    living = world.living
    for _ in range(60):
        living.now += 1_000
        (taken,) = await living.ingestion.submit([living.act("bot")])
        if taken.row.state == "in_review":
            break
    await living.ticks(PATIENCE + 1)
    return taken.row.event_id


async def test_an_appeal_is_granted_once_and_by_name(served: ServedWorld) -> None:
    """K17, S18: an act that nobody decided about in time is rejected, and a game master may let it count after all."""
    event_id = await _expired(served)
    async with caller(served.app) as client:
        asked = {"realm_id": REALM, "state": "expired", "limit": "1"}
        listed = (await client.get(QUEUE, params=asked, headers=BEARER)).json()
        behind = (await client.get(QUEUE, params={**asked, "after": listed["next"]}, headers=BEARER)).json()
        before = await served.living.store.contribution(REALM, "bot")
        ruling = {"realm_id": REALM, "event_id": event_id, "ruling": "release", "because": "a festival"}
        refused = await _post(served, f"{QUEUE}/rulings", {**ruling, "ruling": "reject", "by": "tomas"})
        answers = await asyncio.gather(
            *[_post(served, f"{QUEUE}/rulings", {**ruling, "by": by}) for by in ("mira", "tomas")]
        )
        left = (await client.get(QUEUE, params=asked, headers=BEARER)).json()

    assert [each["event_id"] for each in listed["acts"]] == [event_id]
    assert (behind["acts"], behind["has_more"], left["acts"]) == ([], False, [])
    assert (refused.status_code, refused.json()["because"][:8]) == (409, "expired:")
    won, lost = sorted(answers, key=lambda each: each.status_code)
    assert (won.status_code, won.json()["state"], lost.status_code) == (200, "accepted", 409)
    assert lost.json()["because"] == won.json()["because"]
    after = await served.living.store.contribution(REALM, "bot")
    row = await served.living.store.row(REALM, event_id)
    assert row is not None
    assert row.score is not None
    assert _total(after) - _total(before) == row.score.normalized, "once, and not once for each ruling"


def _total(found: Any) -> int:
    return sum(points for places in found.values() for points in places.values())


async def test_what_the_council_decides_about_is_not_ruled_on(served: ServedWorld) -> None:
    living = served.living
    for _ in range(60):
        living.now += 1_000
        (taken,) = await living.ingestion.submit([living.act("bot")])
        if taken.row.state == "in_review":
            break
    ruling = {"realm_id": REALM, "event_id": taken.row.event_id, "ruling": "release", "by": "mira", "because": "y"}
    answered = await _post(served, f"{QUEUE}/rulings", ruling)

    assert (answered.status_code, answered.json()["type"]) == (409, "urn:problem-type:council:in-review")
    assert (await living.store.row(REALM, taken.row.event_id)).state == "in_review"  # type: ignore[union-attr]  # it is there


async def test_only_who_may_rules_and_only_on_what_is_held(served: ServedWorld) -> None:
    event_id = await _held(served)
    ruling = {"realm_id": REALM, "event_id": event_id, "ruling": "reject", "by": "x", "because": "y"}
    assert (await _post(served, f"{QUEUE}/rulings", ruling, service_token("sim-1", "sim"))).status_code == 403
    assert (await _post(served, f"{QUEUE}/rulings", {**ruling, "event_id": "e-1"})).status_code == 409
    assert (await _post(served, f"{QUEUE}/rulings", {**ruling, "event_id": "e-999"})).status_code == 404
    async with caller(served.app) as client:
        refused = await client.get(QUEUE, params={"realm_id": REALM}, headers=service_token("p", "player"))
    assert refused.status_code == 403
