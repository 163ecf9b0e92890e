"""Sovereign actions over HTTP: proposed by game servers, objected to by others, read by everybody (S0-48)."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest

from gateway.world_problems import sovereign_refused
from tests.unit.gateway.scripted import CANARY, JSON, caller
from tests.unit.gateway.world_served import ACTIONS, SOVEREIGN, ServedWorld, service_token, user_token
from tests.unit.world.living_realm import REALM, WORLD
from world.realm.sovereign import Refusal, RefusalKind
from world.realm.state import Treasury
from world.service.realms import first_snapshot

ANNEX = {
    "action_id": "a-1", "realm_id": REALM, "kind": "annexation", "faction_id": "veil", "user_id": "lord",
    "target": "far-wilds",
}  # fmt: skip
OBJECTION = {"realm_id": REALM, "faction_id": "empire", "user_id": "marshal-7"}


@pytest.fixture
async def served(tmp_path: Path) -> ServedWorld:
    """A realm whose factions have earned 5,000 points each."""
    world = ServedWorld(tmp_path)
    rich = {faction: Treasury(5_000_000) for faction in WORLD.seed.factions}
    realm = replace(WORLD.new_realm(REALM), treasuries=rich)
    await world.living.store.create(first_snapshot(realm, world.living.now))
    return world


async def _post(world: ServedWorld, body: Any, path: str = SOVEREIGN, headers: dict[str, str] | None = None) -> Any:
    async with caller(world.app) as client:
        return await client.post(path, content=orjson.dumps(body), headers={**JSON, **(headers or {})})


async def _actions(world: ServedWorld, headers: dict[str, str] | None = None) -> Any:
    async with caller(world.app) as client:
        return await client.get(ACTIONS, headers=headers or {})


async def test_an_action_is_proposed_objected_to_and_public(served: ServedWorld) -> None:
    proposed = await _post(served, ANNEX, headers={"X-Correlation-Id": "throne-room"})
    objected = await _post(served, OBJECTION, f"{SOVEREIGN}/a-1/objections", {"X-Correlation-Id": "war-room"})
    read = await _actions(served)

    assert (proposed.status_code, objected.status_code, read.status_code) == (200, 200, 200)
    shown = {
        "action_id": "a-1", "kind": "annexation", "told": "A faction takes a territory by decree.", "faction_id": "veil",
        "target": "far-wilds", "phase": "counterplay", "since": 0, "closes": 8, "objections": ["empire"],
    }  # fmt: skip
    assert proposed.json() == {
        "realm_id": REALM, "snapshot_id": "snap-0.1", "is_repeat": False, "action": {**shown, "objections": []},
    }  # fmt: skip
    assert objected.json()["action"] == shown
    assert read.json()["actions"] == [shown]
    for secret in ("lord", "marshal-7"):
        assert secret not in read.text, "who speaks for a faction is the faction's business"
    told = [(each.kind, each.correlation_id) for each in await served.living.store.all_events(REALM)]
    assert told == [("sovereign_proposed", "throne-room"), ("sovereign_objected", "war-room")]


async def test_the_list_says_what_each_faction_could_do_and_what_keeps_it_from_it(served: ServedWorld) -> None:
    """An annexation costs 1,500 of the 5,000 points, rests 192 ticks (free from tick 193), twice a season (one is left)."""
    await _post(served, ANNEX)
    factions = {each["faction_id"]: each for each in (await _actions(served)).json()["factions"]}
    mine = {each["kind"]: each for each in factions["veil"]["kinds"]}
    others = {each["kind"]: each for each in factions["empire"]["kinds"]}

    assert (factions["veil"]["treasury"], factions["empire"]["treasury"]) == (3_500.0, 5_000.0)
    assert mine["annexation"] == {
        "kind": "annexation", "told": "A faction takes a territory by decree.", "target": "territory", "cost": 1_500.0,
        "window": 8, "cooldown": 192, "free_from": 193, "uses_left": 1, "because": "under_way",
    }  # fmt: skip
    assert mine["embargo"]["because"] == "under_way", "a faction has one action under way at a time"
    assert (others["annexation"]["because"], others["annexation"]["uses_left"]) == (None, 2)
    assert "call_of_vorn" in others
    assert "call_of_vorn" not in mine


async def test_the_list_can_be_kept_and_is_the_same_for_everybody(served: ServedWorld) -> None:
    first = await _actions(served)
    again = await _actions(served, {"If-None-Match": first.headers["etag"]})
    await _post(served, ANNEX)

    assert (again.status_code, (await _actions(served)).headers["etag"] == first.headers["etag"]) == (304, False)
    assert (await _actions(served, user_token("gm", "game_master"))).json() == (await _actions(served)).json()


async def test_the_same_proposal_again_is_the_same_action_and_paid_for_once(served: ServedWorld) -> None:
    first = await _post(served, ANNEX, headers={"Idempotency-Key": "a-1"})
    again = await _post(served, ANNEX)
    objections = [await _post(served, OBJECTION, f"{SOVEREIGN}/a-1/objections") for _ in range(2)]
    realm = await served.living.realms.current(REALM)

    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert again.json() == {**first.json(), "is_repeat": True}
    assert [each.json()["is_repeat"] for each in objections] == [False, True]
    assert (realm.treasuries["veil"].points, realm.revision) == (3_500_000, 2)


async def test_an_id_may_hold_whatever_ids_hold(served: ServedWorld) -> None:
    """Ids take slashes, also where one stands in a path."""
    await _post(served, {**ANNEX, "action_id": "veil/annex:4"})
    for path in ("veil/annex:4", "veil%2Fannex%3A4"):
        answered = await _post(served, OBJECTION, f"{SOVEREIGN}/{path}/objections")
        assert answered.json()["action"]["objections"] == ["empire"]


async def test_proposals_sent_at_once_under_one_id_are_one_action(served: ServedWorld) -> None:
    answers = await asyncio.gather(*[_post(served, ANNEX) for _ in range(6)])

    assert {each.status_code for each in answers} == {200}
    assert sum(not each.json()["is_repeat"] for each in answers) == 1
    assert (await served.living.realms.current(REALM)).treasuries["veil"].points == 3_500_000


@pytest.mark.parametrize(
    ("changed", "status", "reason", "path"),
    [
        ({"kind": f"annexatoin-{CANARY}"}, 422, "unknown_kind", "/kind"),
        ({"kind": "call_of_vorn", "target": None}, 422, "not_yours", "/kind"),
        ({"faction_id": CANARY}, 422, "unknown_faction", "/faction_id"),
        ({"target": CANARY}, 422, "unknown_target", "/target"),
        ({"target": "mutation-forest"}, 422, "own_target", "/target"),
    ],
)
async def test_what_never_could_be_names_its_field_and_the_fix(
    served: ServedWorld, changed: dict[str, Any], status: int, reason: str, path: str
) -> None:
    """RFC 9457; what was sent is not repeated."""
    answered = await _post(served, {key: value for key, value in {**ANNEX, **changed}.items() if value is not None})
    document = answered.json()
    (fault,) = document["faults"]

    assert (answered.status_code, answered.headers["content-type"]) == (status, "application/problem+json")
    assert document["type"] == "urn:problem-type:council:sovereign-refused"
    assert (document["reason"], fault["path"]) == (reason, path)
    assert fault["message"]
    assert fault["fix"]
    assert CANARY not in answered.text


async def test_what_cannot_be_now_is_409_and_says_from_when_on(served: ServedWorld) -> None:
    await _post(served, ANNEX)
    busy = await _post(served, {**ANNEX, "action_id": "a-2", "kind": "great_warding", "target": None})
    other = await _post(served, {**ANNEX, "kind": "embargo", "target": "empire"})
    own = await _post(served, {**OBJECTION, "faction_id": "veil"}, f"{SOVEREIGN}/a-1/objections")
    unknown = await _post(served, OBJECTION, f"{SOVEREIGN}/a-9/objections")
    await served.living.ticks(9)
    late = await _post(served, OBJECTION, f"{SOVEREIGN}/a-1/objections")
    await served.living.verdicts.settle(REALM)
    decided = await _post(served, ANNEX)
    resting = await _post(served, {**ANNEX, "action_id": "a-3", "target": "grand-gate-city"})

    found = [(each.status_code, each.json()["reason"]) for each in (busy, other, own, unknown, late, decided, resting)]
    assert found == [
        (409, "under_way"), (422, "conflict"), (422, "own_action"), (404, "unknown_action"), (409, "too_late"),
        (409, "decided"), (409, "cooldown"),
    ]  # fmt: skip
    assert resting.json()["detail"] == "from tick 193 on"


async def test_a_treasury_that_is_too_small_is_told(tmp_path: Path) -> None:
    world = ServedWorld(tmp_path)
    await world.living.seed()
    answered = await _post(world, ANNEX)

    assert (answered.status_code, answered.json()["reason"]) == (409, "too_costly")
    assert answered.json()["title"] == "the treasury holds 0 points, it costs 1500"


@pytest.mark.parametrize(
    "body", [{}, [], 3, {**ANNEX, "points": 3}, {**ANNEX, "realm_id": 7}, {**ANNEX, "user_id": "a b"}]
)
async def test_a_body_that_is_not_asked_for_is_refused_with_its_faults(served: ServedWorld, body: Any) -> None:
    for path in (SOVEREIGN, f"{SOVEREIGN}/a-1/objections"):
        answered = await _post(served, body, path)
        assert answered.status_code in (400, 422)
        assert all(fault["path"] and fault["message"] for fault in answered.json()["faults"])
    assert (await served.living.realms.current(REALM)).proposed == ()


async def test_a_key_that_is_not_the_actions_and_a_realm_that_is_not_there_are_refused(served: ServedWorld) -> None:
    key = await _post(served, ANNEX, headers={"Idempotency-Key": "another"})
    realms = [
        await _post(served, {**ANNEX, "realm_id": "nowhere"}),
        await _post(served, {**OBJECTION, "realm_id": "nowhere"}, f"{SOVEREIGN}/a-1/objections"),
    ]
    async with caller(served.app) as client:
        read = await client.get("/api/world/nowhere/actions")

    assert (key.status_code, key.json()["type"]) == (400, "urn:problem-type:council:invalid-header")
    assert {(each.status_code, each.json()["type"]) for each in realms} == {
        (422, "urn:problem-type:council:unknown-realm")
    }
    assert read.status_code == 404


@pytest.mark.parametrize(
    ("headers_of", "status"),
    [
        (lambda: user_token("lord"), 401),
        (lambda: service_token("story-engine", "designer"), 403),
        (lambda: service_token("story-engine", "sim", realm="realm-2"), 403),
        (lambda: service_token("story-engine", "sim"), 200),
        (lambda: service_token("tools", "game_master"), 200),
    ],
)
async def test_services_that_may_declare_actions_propose(
    served: ServedWorld, headers_of: Callable[[], dict[str, str]], status: int
) -> None:
    assert (await _post(served, ANNEX, headers=headers_of())).status_code == status


def test_every_refusal_of_the_rules_has_its_problem() -> None:
    for kind in get_args(RefusalKind):
        problem = sovereign_refused(Refusal(kind, "told", "fix"))
        assert problem.status in (404, 409, 422)
        assert problem.more["faults"][0]["path"].startswith("/")
