"""The OpenAPI document says what the service does: generated requests, checked answers, real examples."""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import InvalidSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.app import build_app
from gateway.bootstrap import Council, open_council
from gateway.examples import REQUEST
from gateway.review_endpoint import PATH
from gateway.settings import Settings, read_settings
from gateway.story_bootstrap import LivingStory, open_story
from gateway.world_bootstrap import LivingWorld, open_world
from policies.contracts.answer import Answer
from policies.contracts.request import DecisionRequest
from tests.unit.gateway.identity_samples import write_key_set
from tests.unit.gateway.scripted import BEARER, JSON, TOKEN, application, caller
from tests.unit.gateway.world_served import user_token

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


@pytest.fixture(scope="module", name="served")
def served_to_all() -> Iterator[TestClient]:
    """One council for all generated requests."""
    yield from council_over_memory()


@pytest.fixture
def fresh() -> Iterator[TestClient]:
    """A council that nobody has asked yet."""
    yield from council_over_memory()


def council_over_memory() -> Iterator[TestClient]:
    """The real council over a store that ends with the test, without a socket."""
    environ = {"COUNCIL_SERVICE_TOKEN": TOKEN, "COUNCIL_DATABASE_URL": "memory://", "COUNCIL_POLICY_WATCH": "false"}
    with tempfile.TemporaryDirectory() as folder:
        options = read_settings({**environ, "COUNCIL_JWT_KEYS": str(write_key_set(Path(folder)))})
        council, world, story = asyncio.run(_opened(options))
        parts = replace(council.parts(), world=world.parts(), story=story.parts())
        with TestClient(build_app(parts, options), raise_server_exceptions=False) as client:
            yield client


async def _opened(options: Settings) -> tuple[Council, LivingWorld, LivingStory]:
    council = await open_council(options)
    world = await open_world(options, council)
    await world.seed(REALM)
    return council, world, open_story(options, council, world)


REALM = "realm-1"
OPERATIONS = [
    ("POST", "/internal/council/review"),
    ("GET", "/internal/council/decisions"),
    ("GET", "/internal/council/decisions/{decision_id}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("POST", "/internal/influence/submit"),
    ("POST", "/internal/world/tick/run"),
    ("POST", "/internal/world/apply-decision"),
    ("POST", "/internal/world/sovereign"),
    ("POST", "/internal/world/sovereign/{action_id}/objections"),
    ("GET", "/internal/world/queue"),
    ("POST", "/internal/world/queue/rulings"),
    ("GET", "/api/world/{realm}/summary"),
    ("GET", "/api/world/{realm}/factions"),
    ("GET", "/api/world/{realm}/territories"),
    ("GET", "/api/world/{realm}/actions"),
    ("GET", "/api/world/{realm}/events"),
    ("GET", "/api/world/{realm}/history"),
    ("GET", "/api/world/{realm}/contribution/me"),
    ("GET", "/api/world/{realm}/stream"),
    ("POST", "/api/world/{realm}/stream/ticket"),
    ("POST", "/internal/story/plan"),
    ("POST", "/internal/story/{story_id}/chapters/{number}/close"),
    ("GET", "/api/story/{story_id}/chapters"),
]
SOCKET = ("GET", "/api/world/{realm}/ws")
"""No request and one answer, which is all that is generated here: handshakes are tried in test_feed.py."""


class HangingUp:
    """A caller who hangs up once the request is sent: the feed, which never ends by itself, ends after what it says first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_sent = False

        async def hanging_up() -> Message:
            nonlocal is_sent
            if is_sent:
                return {"type": "http.disconnect"}
            is_sent = True
            return await receive()

        is_endless = scope["type"] == "http" and scope["path"].endswith("/stream")
        await self._app(scope, hanging_up if is_endless else receive, send)


@pytest.fixture(scope="module")
def api(served: TestClient) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", HangingUp(served.app))


def test_every_operation_of_the_document_is_tried_below(api: Any) -> None:
    found = [result.ok() for result in api.get_all_operations()]

    assert {(one.method.upper(), one.path) for one in found} == {*OPERATIONS, SOCKET}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_one_that_the_document_declares(api: Any, method: str, path: str, mode: GenerationMode) -> None:
    operation = api[path][method]
    if mode is GenerationMode.NEGATIVE and path in ("/healthz", "/readyz", "/metrics"):
        pytest.skip("takes nothing that could be wrong")

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=_cases(operation, mode))
    def sent(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            _name_the_realm(case)
        case.call_and_validate(headers=_bearer(path), checks=CHECKS)

    sent()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_without_the_token_every_internal_answer_is_a_declared_401(api: Any, method: str, path: str) -> None:
    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=api[path][method].as_strategy())
    def sent(case: Any) -> None:
        nobody = {"Authorization": "Bearer nobody-in-particular"}
        response = case.call_and_validate(headers=nobody, checks=[status_code_conformance, content_type_conformance])
        assert (response.status_code == 401) == path.startswith(("/internal/", "/api/"))

    sent()


def test_the_example_request_is_decided_and_read_back_as_declared(fresh: TestClient) -> None:
    answered = fresh.post(PATH, content=orjson.dumps(REQUEST), headers=JSON)
    answer = Answer.model_validate_json(answered.content)
    read = fresh.get(f"/internal/council/decisions/{answer.decision_id}", headers=BEARER)

    assert answered.status_code == 200
    assert answer.final_verdict == "reject"
    assert [veto.rule for veto in answer.vetoes] == ["canon_lock"]
    assert read.json()["answer"] == answered.json()
    assert read.json()["record"]["request"] == REQUEST


def test_the_example_answer_is_what_the_example_request_is_answered(fresh: TestClient) -> None:
    document = fresh.get("/openapi.json").json()
    content = document["paths"][PATH]["post"]["responses"]["200"]["content"]["application/json"]
    shown = content["examples"]["canon_break"]["value"]
    answer = fresh.post(PATH, content=orjson.dumps(REQUEST), headers=JSON).json()

    for volatile in ("record", "elapsed_ms", "policy"):
        shown.pop(volatile)
        answer.pop(volatile)
    assert shown == answer


def test_every_problem_example_is_a_problem_of_its_status(served: TestClient) -> None:
    document = served.get("/openapi.json").json()
    seen = 0
    for item in document["paths"].values():
        for operation in item.values():
            for status, told in operation["responses"].items():
                problem = told.get("content", {}).get("application/problem+json")
                if problem is None:
                    continue
                for example in problem["examples"].values():
                    assert example["value"]["status"] == int(status)
                    seen += 1
    assert seen > 20


def test_the_stream_says_first_what_the_document_shows(served: TestClient) -> None:
    declared = served.get("/openapi.json").json()["paths"]["/api/world/{realm}/stream"]["get"]["responses"]["200"]
    shown = declared["content"]["text/event-stream"]["examples"]
    with TestClient(HangingUp(served.app)) as client:
        first = client.get(f"/api/world/{REALM}/stream")
        stale = client.get(f"/api/world/{REALM}/stream?after=999")

    assert {name.lower() for name in declared["headers"]} <= set(first.headers)
    assert fields(first.text) == fields(shown["hello"]["value"])
    assert fields(stale.text) == fields(shown["stale"]["value"])


def fields(frame: str) -> list[str]:
    """Return the names of a frame's fields, and those of its document."""
    found = dict(line.split(": ", 1) for line in frame.strip().splitlines())
    return [*found, *orjson.loads(found["data"])]


def test_a_request_to_the_sockets_address_is_told_what_is_spoken_there(api: Any) -> None:
    operation = api[SOCKET[1]][SOCKET[0]]

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def sent(case: Any) -> None:
        response = case.call_and_validate(headers=_bearer(SOCKET[1]), checks=CHECKS)
        assert (response.status_code, response.headers["upgrade"]) == (426, ["websocket"])

    sent()


async def test_the_document_needs_no_token_and_no_page_loads_anything_from_elsewhere() -> None:
    async with caller(application()) as client:
        document = await client.get("/openapi.json")
        pages = [await client.get(path) for path in ("/docs", "/redoc")]

    assert document.status_code == 200
    assert "http://" not in document.text.replace("http://www.w3.org", "")
    assert [page.status_code for page in pages] == [404, 404]


def test_the_request_of_the_document_is_the_models_own(served: TestClient) -> None:
    schemas = served.get("/openapi.json").json()["components"]["schemas"]

    assert schemas["DecisionRequest"]["properties"].keys() == DecisionRequest.model_json_schema()["properties"].keys()
    assert schemas["DecisionRequest"]["additionalProperties"] is False


@st.composite
def _cases(draw: st.DrawFn, operation: Any, mode: GenerationMode) -> Any:
    """Draw a case; a schema that the generator has mutated until nothing fits it has nothing that could be sent."""
    try:
        return draw(operation.as_strategy(mode))
    except InvalidSchema:
        reject()


def _name_the_realm(case: Any) -> None:
    """Let generated cases reach the realm that there is: what they would hit by chance is none."""
    if "realm" in case.path_parameters:
        case.path_parameters["realm"] = REALM
    if isinstance(case.body, dict) and "realm_id" in case.body and "decision_type" not in case.body:
        case.body["realm_id"] = REALM
    if "realm_id" in (case.query or {}) and "decision_type" not in case.query:
        case.query["realm_id"] = REALM


def _bearer(path: str) -> dict[str, str]:
    return user_token("ana", "game_master") if path.startswith("/api/") else BEARER
