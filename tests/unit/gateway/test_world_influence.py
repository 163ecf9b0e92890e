"""Acts over HTTP: the pipeline of 000 §8 in its order, what each outcome is answered, and that only the server scores."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.body import RequestRefusedError
from gateway.rate_limits import Limit, Limits
from gateway.world_bodies import read_submission
from gateway.world_signature import BodySignature
from tests.unit.gateway.scripted import BEARER, CANARY, JSON, caller
from tests.unit.gateway.world_served import SECRET, SUBMIT, ServedWorld, service_token, user_token
from tests.unit.world.living_realm import REALM, START

MEBI = 1_048_576


@pytest.fixture
async def served(tmp_path: Path) -> ServedWorld:
    world = ServedWorld(tmp_path)
    await world.living.seed()
    return world


async def _sent(world: ServedWorld, body: Any, **headers: str) -> Any:
    async with caller(world.app) as client:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return await client.post(SUBMIT, content=raw, headers={**JSON, **headers})


async def test_an_act_that_counts_is_answered_200_with_the_servers_points(served: ServedWorld) -> None:
    """S0-80, S0-87. 25 points of a quest at risk 3 and regional stakes by a new account: 25 * 1 * 1 * 300/1000 = 7.5 points."""
    answered = await _sent(served, served.act(target_id="far-wilds"), **{"X-Correlation-Id": "story-7"})

    assert answered.status_code == 200
    assert answered.json() == {
        "event_id": "e-1",
        "state": "accepted",
        "normalized_points": 7.5,
        "territory_id": "far-wilds",
        "reasons": [],
        "anomaly": {"score": 0, "terms": answered.json()["anomaly"]["terms"]},
        "is_repeat": False,
        "retry_after_s": None,
    }
    row = await served.living.store.row(REALM, "e-1")
    assert row is not None
    assert row.correlation_id == "story-7", "S0-95: the id follows the act into the ledger"


async def test_the_same_event_is_answered_alike_however_often_it_is_sent(served: ServedWorld) -> None:
    act = served.act()
    first, again = await _sent(served, act), await _sent(served, act)

    assert (first.json()["is_repeat"], again.json()["is_repeat"]) == (False, True)
    assert {**again.json(), "is_repeat": False} == first.json()
    assert len(await served.living.store.rows(REALM)) == 1


async def test_the_same_event_id_with_another_body_is_refused_as_for_reviews(served: ServedWorld) -> None:
    """domain.md C6, idempotency: same key, other body: 422."""
    act = served.act()
    await _sent(served, act)
    other = await _sent(served, {**act, "note": CANARY})

    assert (other.status_code, other.json()["type"]) == (422, "urn:problem-type:council:key-conflict")
    assert CANARY not in other.text


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"base_points": 26}, "foreign_points"),
        ({"action_type": CANARY}, "unknown_action"),
        ({"faction_id": CANARY}, "unknown_faction"),
        ({"target_id": CANARY}, "unknown_target"),
    ],
)
async def test_an_act_that_does_not_count_is_refused_and_stays_in_the_ledger(
    served: ServedWorld, changes: dict[str, Any], kind: str
) -> None:
    """S0-87, S0-114; domain.md C1: 422 and an audit line. What was sent is not repeated."""
    answered = await _sent(served, {**served.act(), **changes})

    assert answered.status_code == 422
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.json()["event"]["reasons"][0]["kind"] == kind
    assert CANARY not in answered.text
    assert [row.state for row in await served.living.store.rows(REALM)] == ["rejected"]


@pytest.mark.parametrize(
    "evidence",
    [
        {"normalized_points": 900},
        {"Normalised-Points": 900},
        {"deep": {"list": [{"NORMALIZED points": 1}]}},
        {"effective_points": 3},
        {"normalizedScore": 3},
    ],
)
async def test_points_in_any_form_are_refused_wherever_they_hide(served: ServedWorld, evidence: dict[str, Any]) -> None:
    """S0-87: a client cannot submit normalised points."""
    answered = await _sent(served, {**served.act(), "evidence": evidence})
    beside = await _sent(served, {**served.act(), "normalized_points": 900})

    assert (answered.status_code, beside.status_code) == (422, 422)
    assert answered.json()["faults"][0]["path"].startswith("/evidence/")
    assert beside.json()["faults"][0]["message"] == "unknown field"
    assert await served.living.store.rows(REALM) == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"{", b"[]", b'{"events":[]}', b"3", b'"x"', b"null", b"[3]", b'{"events":3}', b'{"events":[{}],"realm_id":"r"}',
        b"[" * 40 + b"]" * 40, b'{"event_id":"a","event_id":"b"}', b'{"base_points":NaN}', b'{"user_id":"\\ud800"}',
        b"\xff", b"",
    ],
)  # fmt: skip
async def test_a_body_that_is_no_act_is_refused_with_its_faults(served: ServedWorld, raw: bytes) -> None:
    """S0-86; reliability.md, fact 4: duplicate keys, NaN, lone surrogates, depth."""
    answered = await _sent(served, raw)

    assert answered.status_code in (400, 422)
    assert answered.json()["faults"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["events", "event_id", "evidence", "x"]), inner)
        ),
        max_leaves=12,
    )
)
def test_whatever_is_sent_is_read_or_refused(tree: Any) -> None:
    import json

    with pytest.raises(RequestRefusedError) as refused:
        read_submission(json.dumps(tree).encode(), MEBI)
    assert refused.value.problem.status in (400, 422)


async def test_a_batch_says_of_each_act_what_became_of_it(served: ServedWorld) -> None:
    known = served.act("ana")
    await _sent(served, known)
    acts = [served.act("binh"), known, {**known, "note": "other"}, {**served.act("chi"), "base_points": 1}]
    for body in (acts, {"events": acts}):
        answered = await _sent(served, body)
        assert answered.status_code == 200
    assert [(each["state"], each["is_repeat"]) for each in answered.json()["events"]] == [
        ("accepted", True),
        ("accepted", True),
        ("conflict", True),
        ("rejected", True),
    ]


async def test_a_batch_with_one_bad_act_is_refused_whole(served: ServedWorld) -> None:
    answered = await _sent(served, [served.act(), {**served.act(), "points": 3}, {**served.act(), "realm_id": 7}])

    assert answered.status_code == 422
    assert [fault["path"] for fault in answered.json()["faults"]] == ["/1/points", "/2/realm_id"]
    assert await served.living.store.rows(REALM) == ()


async def test_a_batch_is_of_one_realm(served: ServedWorld) -> None:
    answered = await _sent(served, [served.act(), {**served.act(), "realm_id": "realm-2"}])

    assert [fault["path"] for fault in answered.json()["faults"]] == ["/1/realm_id"]


async def test_an_act_of_an_unknown_realm_is_refused(served: ServedWorld) -> None:
    answered = await _sent(served, {**served.act(), "realm_id": "nowhere"})

    assert (answered.status_code, answered.json()["type"]) == (422, "urn:problem-type:council:unknown-realm")


async def test_an_odd_act_is_answered_202_until_it_is_looked_at(served: ServedWorld) -> None:
    """S0-69: medium → in review, high → quarantined: fifty patrols at one interval are a bot (domain.md C6)."""
    states: dict[str, Any] = {}
    for _ in range(50):
        served.living.now += 30_000
        answered = await _sent(served, served.act("bot", action_type="patrol_complete"))
        states.setdefault(answered.json().get("state", "rejected"), answered)

    held = states.get("quarantined") or states["in_review"]
    assert held.status_code == 202
    assert held.json()["reasons"][0]["kind"] == "anomaly"
    assert held.json()["anomaly"]["score"] >= 400


async def test_the_key_of_one_event_is_its_id_and_a_batch_has_none(served: ServedWorld) -> None:
    act = served.act()
    right = await _sent(served, act, **{"Idempotency-Key": f'"{act["event_id"]}"'})
    wrong = await _sent(served, act, **{"Idempotency-Key": "another"})
    batch = await _sent(served, [act], **{"Idempotency-Key": act["event_id"]})

    assert [each.status_code for each in (right, wrong, batch)] == [200, 400, 400]


async def test_who_is_too_fast_waits_and_is_not_counted(tmp_path: Path) -> None:
    """S0-66: per user, per device, per session; the limit is looked at before the ledger is (000 §8, step 2 before 3)."""
    served = ServedWorld(tmp_path, limits=Limits(user=Limit(30, 2)))
    await served.living.seed()
    answers = []
    for _ in range(3):
        served.living.now += 100
        answers.append(await _sent(served, served.act("ana")))
    batch = await _sent(served, [served.act("ana"), served.act("binh")])

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) >= 1
    assert [each["state"] for each in batch.json()["events"]] == ["limited", "accepted"]
    assert batch.json()["events"][0]["retry_after_s"] >= 1
    assert len(await served.living.store.rows(REALM, user_id="ana")) == 2


async def test_a_batch_of_which_nothing_passed_is_answered_429(tmp_path: Path) -> None:
    served = ServedWorld(tmp_path, limits=Limits(user=Limit(1, 1)))
    await served.living.seed()
    await _sent(served, served.act("ana"))
    answered = await _sent(served, [served.act("ana"), served.act("ana")])

    assert answered.status_code == 429


async def test_where_a_secret_is_set_a_body_is_taken_signed_and_fresh(tmp_path: Path) -> None:
    """000 §8, step 1; skew as in domain.md C6: 300 s old, 60 s ahead."""
    served = ServedWorld(tmp_path, is_signed=True)
    await served.living.seed()
    raw = orjson.dumps(served.act())
    seal, now = BodySignature(SECRET), START // 1_000
    fresh, stale, ahead = (seal.header(raw, at) for at in (now, now - 301, now + 61))
    other = BodySignature("another-secret-altogether").header(raw, now)

    for sign, status in ((None, 401), (stale, 401), (ahead, 401), (other, 401), ("t=1,v1=", 401), (fresh, 200)):
        answered = await _sent(served, raw, **({} if sign is None else {"X-Council-Signature": sign}))
        assert answered.status_code == status, sign
    changed = await _sent(served, raw.replace(b"e-1", b"e-2"), **{"X-Council-Signature": fresh})
    assert changed.status_code == 401


async def test_only_a_sim_reports_acts(served: ServedWorld) -> None:
    """S0-85: services by token, with the role for it, in the realm that the token is for."""
    body = orjson.dumps(served.act())
    async with caller(served.app) as client:
        for headers, status in (
            ({}, 401),
            (user_token("ana", "admin"), 401),
            (service_token("reports", "player"), 403),
            (service_token("sim-2", "sim", realm="realm-2"), 403),
            (service_token("sim-1", "sim"), 200),
            (BEARER, 200),
        ):
            answered = await client.post(SUBMIT, content=body, headers={**JSON, "Authorization": "", **headers})
            assert answered.status_code == status, headers


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"action_type": "faction_quest_complet"}, "/action_type"),
        ({"base_points": 26}, "/base_points"),
        ({"faction_id": "empir"}, "/faction_id"),
        ({"target_id": "farwilds"}, "/target_id"),
        ({"evidence": {"risk": 44, "stakes": "regional"}}, "/evidence/risk"),
        ({"created_at": "2020-01-01T00:00:00Z"}, "/created_at"),
    ],
)
async def test_an_act_that_does_not_count_names_the_field_and_the_fix(
    served: ServedWorld, changed: dict[str, Any], path: str
) -> None:
    """One act is told as a problem, an act of a batch by its reason: both name what to mend."""
    one = await _sent(served, {**served.act(), **changed})
    (told,) = (await _sent(served, [{**served.act(), **changed}])).json()["events"]
    (fault,) = one.json()["faults"]
    (reason,) = told["reasons"]

    assert (one.status_code, fault["path"], reason["path"]) == (422, path, path)
    assert fault["fix"] == reason["fix"] != ""


@pytest.mark.parametrize(
    ("changed", "path", "fix"),
    [
        ({"created_at": "yesterday"}, "/created_at", 'send a moment such as "2026-03-01T10:00:00Z"'),
        ({"base_points": "25"}, "/base_points", "send a number, not in quotes"),
        ({"user_id": 7}, "/user_id", "send a text in quotes"),
    ],
)
async def test_a_field_of_another_type_is_told_what_to_send(
    served: ServedWorld, changed: dict[str, Any], path: str, fix: str
) -> None:
    (fault,) = (await _sent(served, {**served.act(), **changed})).json()["faults"]

    assert (fault["path"], fault["fix"]) == (path, fix)


async def test_an_empty_batch_is_told_where_it_is_empty(served: ServedWorld) -> None:
    bodies: list[Any] = [[], {"events": []}]
    answers = [await _sent(served, body) for body in bodies]

    assert [each.json()["faults"][0]["path"] for each in answers] == ["/", "/events"]
