"""The HTTP application around a scripted council: statuses, headers, and nothing of the input in any refusal."""

import logging
import re
from typing import Any

import httpx
import pytest

from council.errors import DecisionPendingError, KeyConflictError, UnknownRealmError
from council.ledger.port import LedgerUnavailableError
from gateway.errors import SettingsError
from tests.unit.gateway.scripted import (
    ANSWER,
    BEARER,
    CANARY,
    JSON,
    ScriptedCouncil,
    UnavailableLedger,
    application,
    caller,
)
from tests.unit.requests import as_bytes, request_document

REVIEW = "/internal/council/review"
BODY = as_bytes(request_document())


async def test_an_answer_is_sent_as_the_bytes_on_record() -> None:
    async with caller(application()) as client:
        response = await client.post(REVIEW, content=BODY, headers=JSON)

    assert (response.status_code, response.content) == (200, ANSWER)
    assert response.headers["content-type"] == "application/json"
    assert "idempotent-replayed" not in response.headers


async def test_an_answer_from_the_record_says_so() -> None:
    async with caller(application(ScriptedCouncil(is_stored=True))) as client:
        response = await client.post(REVIEW, content=BODY, headers=JSON)

    assert response.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("sent", ["k-1", '"k-1"'])
async def test_the_idempotency_key_is_handed_on_with_or_without_quotes(sent: str) -> None:
    """The IETF draft writes it as a quoted string; most clients do not."""
    council = ScriptedCouncil()
    async with caller(application(council)) as client:
        await client.post(REVIEW, content=BODY, headers={**JSON, "Idempotency-Key": sent})

    assert council.asked[0]["key"] == "k-1"


@pytest.mark.parametrize("sent", ["", "a b", '"k-1', "x" * 129, "ä".encode().decode("latin-1")])
async def test_an_idempotency_key_that_cannot_be_used_is_refused(sent: str) -> None:
    council = ScriptedCouncil()
    async with caller(application(council)) as client:
        headers = httpx.Headers([*JSON.items(), ("Idempotency-Key", sent)], encoding="latin-1")
        response = await client.post(REVIEW, content=BODY, headers=headers)

    assert response.status_code == 400
    assert response.json()["type"] == "urn:problem-type:council:invalid-header"
    assert council.asked == []


async def test_the_correlation_id_is_handed_on_and_sent_back() -> None:
    council = ScriptedCouncil()
    async with caller(application(council)) as client:
        response = await client.post(REVIEW, content=BODY, headers={**JSON, "X-Correlation-Id": "tick-7"})

    assert response.headers["x-correlation-id"] == "tick-7"
    assert council.asked[0]["correlation_id"] == "tick-7"


@pytest.mark.parametrize("path", [REVIEW, "/internal/council/decisions", "/internal/council/nothing", "/internal/"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong-token-of-some-length"}])
async def test_nothing_internal_answers_without_the_token(path: str, headers: dict[str, str]) -> None:
    council = ScriptedCouncil()
    async with caller(application(council)) as client:
        response = await client.post(path, content=BODY, headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="council"'
    assert response.headers["content-type"] == "application/problem+json"
    assert council.asked == []


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (UnknownRealmError(CANARY, ["aelvyndor"]), 422, "unknown-realm"),
        (KeyConflictError(CANARY, "d-1"), 422, "key-conflict"),
        (LedgerUnavailableError(CANARY, retry_after_s=2), 503, "ledger-unavailable"),
        (RuntimeError(CANARY), 500, "internal-error"),
    ],
)
async def test_every_failure_is_a_problem_that_repeats_nothing(
    error: Exception, status: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with caller(application(ScriptedCouncil(error))) as client:
        response = await client.post(REVIEW, content=BODY, headers={**JSON, "X-Correlation-Id": "c-9"})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:problem-type:council:{kind}"
    assert (problem["status"], problem["correlation_id"]) == (status, "c-9")
    assert CANARY not in response.text
    assert response.headers.get("retry-after") == ("2" if status == 503 else None)


async def test_a_deadline_that_passes_is_answered_with_the_place_to_look(caplog: pytest.LogCaptureFixture) -> None:
    async with caller(application(ScriptedCouncil(DecisionPendingError("d-7")))) as client:
        response = await client.post(REVIEW, content=BODY, headers=JSON)

    assert response.status_code == 202
    assert response.headers["location"] == "/internal/council/decisions/d-7"
    assert response.headers["retry-after"] == "1"
    assert response.json() == {"status": "pending", "decision_id": "d-7"}


HOSTILE: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "not_json": (CANARY.encode(), 400),
    "cut_off": (BODY[:-2], 400),
    "an_array": (b"[]", 400),
    "a_string": (f'"{CANARY}"'.encode(), 400),
    "duplicate_keys": (b'{"realm_id": "%b", "realm_id": "%b"}' % (CANARY.encode(), CANARY.encode()), 400),
    "nan": (BODY.replace(b"41.0", b"NaN"), 400),
    "infinity": (BODY.replace(b"41.0", b"1e999"), 400),
    "huge_integer": (BODY.replace(b"1042", b"9" * 5000), 400),
    "lone_surrogate": (BODY.replace(b"annexes", b"\\ud800"), 400),
    "bad_utf8": (BODY.replace(b"annexes", b"\xff\xfe"), 400),
    "byte_order_mark": (b"\xef\xbb\xbf" + BODY, 400),
    "deep_nesting": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "deep_arrays": (b"[" * 500_000, 400),
    "nul_in_an_id": (BODY.replace(b'"realm-1"', b'"realm\\u0000"'), 422),
    "unknown_field": (BODY[:-1] + f', "{CANARY} <b>": 1}}'.encode(), 422),
    "unknown_effect": (BODY.replace(b"faction_delta", CANARY.encode()), 422),
    "dangling_faction": (
        BODY.replace(b'"faction_id": "empire", "amount"', f'"faction_id": "{CANARY}", "amount"'.encode()),
        422,
    ),
    "long_string": (BODY.replace(b"text that", b"x" * 9000), 422),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_bodies_are_refused_without_an_echo(name: str) -> None:
    """Measured fact 4: FastAPI as it comes answers several of these with 500, and echoes the rest."""
    body, status = HOSTILE[name]
    council = ScriptedCouncil()
    async with caller(application(council)) as client:
        response = await client.post(REVIEW, content=body, headers=JSON)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["faults"]
    assert CANARY not in response.text


async def test_too_many_reviews_at_once_are_turned_away_to_come_back() -> None:
    import asyncio

    class Slow(ScriptedCouncil):
        async def review(self, raw: bytes | str, **more: Any) -> Any:
            await asyncio.sleep(0.05)
            return await super().review(raw, **more)

    async with caller(application(Slow(), max_in_flight=2)) as client:
        responses = await asyncio.gather(*[client.post(REVIEW, content=BODY, headers=JSON) for _ in range(5)])
        later = await client.post(REVIEW, content=BODY, headers=JSON)

    assert sorted(response.status_code for response in responses) == [200, 200, 503, 503, 503]
    assert all(response.headers["retry-after"] == "1" for response in responses if response.status_code == 503)
    assert later.status_code == 200


async def test_an_unknown_path_and_a_wrong_method_are_problems_too() -> None:
    async with caller(application()) as client:
        nowhere = await client.get(f"/{CANARY}")
        wrong = await client.put("/healthz")
        internal = await client.get(REVIEW, headers=BEARER)

    assert (nowhere.status_code, wrong.status_code, internal.status_code) == (404, 405, 405)
    assert wrong.headers["allow"] == "GET"
    assert internal.headers["allow"] == "POST"
    for response in (nowhere, wrong, internal):
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["correlation_id"] == response.headers["x-correlation-id"]
        assert CANARY not in response.text


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        (f"verdict={CANARY}", "/verdict"),
        (f"cursor={CANARY}", "/cursor"),
        ("since=12345", "/since"),
        ("since=2026-01-01T00:00:00", "/since"),
        (f"policy_hash={CANARY}", "/policy_hash"),
        (f"realm_id={CANARY}%20x", "/realm_id"),
        ("since=-9999999999999999", "/since"),
        ("until=9999-12-31T23:59:59-10:00", "/until"),
        ("realm=aelvyndor", "/realm"),
        (f"{CANARY}=1", "/*"),
    ],
)
async def test_parameters_that_cannot_be_used_are_named_not_repeated(query: str, path: str) -> None:
    async with caller(application()) as client:
        response = await client.get(f"/internal/council/decisions?{query}", headers=BEARER)

    assert response.status_code == 422
    assert [fault["path"] for fault in response.json()["faults"]] == [path]
    assert CANARY not in response.text


async def test_a_store_that_is_away_is_told_by_readiness_and_reads_but_not_by_liveness() -> None:
    async with caller(application(ledger=UnavailableLedger())) as client:
        live = await client.get("/healthz")
        ready = await client.get("/readyz")
        read = await client.get("/internal/council/decisions/d-1", headers=BEARER)

    assert (live.status_code, ready.status_code, read.status_code) == (200, 503, 503)
    assert ready.json()["type"] == "urn:problem-type:council:not-ready"
    assert read.headers["retry-after"] == "3"


async def test_models_that_do_not_answer_make_the_service_degraded_and_not_unready() -> None:
    """L20: cases are still decided and recorded, so nobody should take the service out of use."""
    async with caller(application(resting=lambda: ("openai",))) as client:
        ready = await client.get("/readyz")

    assert (ready.status_code, ready.json()) == (200, {"status": "degraded", "resting_endpoints": ["openai"]})


async def test_metrics_count_answers_and_refusals_and_name_nothing_of_them() -> None:
    async with caller(application()) as client:
        await client.post(REVIEW, content=BODY, headers=JSON)
        await client.post(REVIEW, content=b"{}", headers=JSON)
        response = await client.get("/metrics")

    assert re.search(r'council_review_duration_seconds_count\{path="council"\} 1\.0', response.text)
    assert 'council_problems_total{problem="invalid-request",status="422"} 1.0' in response.text
    assert "realm-1" not in response.text


async def test_no_request_text_or_token_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """S0-89: the canary stands in every free text and in an exception's message."""
    document = request_document()
    document["proposed_change"]["narrative"] = document["proposed_change"]["summary"] = CANARY
    with caplog.at_level(logging.DEBUG):
        for council in (ScriptedCouncil(), ScriptedCouncil(KeyConflictError(CANARY, "d-1"))):
            async with caller(application(council)) as client:
                await client.post(REVIEW, content=as_bytes(document), headers=JSON)
                await client.post(REVIEW, content=CANARY.encode(), headers=JSON)

    ours = [record for record in caplog.records if record.name.startswith(("gateway", "council"))]
    assert CANARY not in repr([vars(record) for record in ours])
    assert BEARER["Authorization"] not in caplog.text


def test_the_application_is_not_built_without_a_token() -> None:
    from gateway.app import build_app
    from gateway.settings import read_settings

    with pytest.raises(SettingsError, match="COUNCIL_SERVICE_TOKEN"):
        build_app(Any, read_settings({}))  # type: ignore[arg-type]  # it is refused before it is used
