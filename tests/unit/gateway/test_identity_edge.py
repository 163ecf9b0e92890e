"""Who is let in where, over the real application: /internal/* takes services, /api/* users (S0-84, S0-85, K20)."""

import logging
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, WebSocket
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from gateway.edge import INTERNAL, PUBLIC
from gateway.identity import Service, User
from gateway.identity_dependencies import (
    current_user,
    internal_caller,
    optional_user,
    require,
    require_role,
)
from gateway.roles import Permission, Role, internal_permission
from tests.unit.gateway.identity_samples import ed_jwk, keys_bytes, token, write_key_set
from tests.unit.gateway.scripted import BEARER, CANARY, JSON, ScriptedCouncil, application, caller
from tests.unit.gateway.world_served import APPLY, QUEUE, SUBMIT, TICK, ServedWorld
from tests.unit.requests import as_bytes, request_document

BODY = as_bytes(request_document())
REALM = request_document()["realm_id"]
REVIEW = "/internal/council/review"
PLAIN_JSON = {"Content-Type": "application/json"}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def user_header(**claims: Any) -> dict[str, str]:
    """Return the header of a user's token that is good now."""
    now = int(time.time())
    return {"Authorization": "Bearer " + token(claims={"iat": now, "exp": now + 600, **claims}).decode()}


def service_header(*roles: str, **claims: Any) -> dict[str, str]:
    """Return the header of a service's token that is good now."""
    now = int(time.time())
    said = {"iat": now, "exp": now + 600, "aud": "council:internal", "sub": "sim-1", "roles": list(roles), **claims}
    return {"Authorization": "Bearer " + token({"kid": "internal"}, said, "internal").decode()}


@pytest.fixture
def app(tmp_path: Path) -> Any:
    """The application with the key set of the tests and endpoints that say who calls."""
    found = application(jwt_keys=write_key_set(tmp_path))
    _add_endpoints(found)
    return found


def _add_endpoints(app: FastAPI) -> None:
    @app.get("/api/me")
    async def me(user: Annotated[User, Depends(current_user)]) -> str:
        return user.user_id

    @app.post("/api/change")
    async def change() -> str:
        return "changed"

    @app.get("/api/world/{realm}/maybe")
    async def maybe(user: Annotated[User | None, Depends(optional_user)]) -> str:
        return "nobody" if user is None else user.user_id

    @app.get("/api/masters")
    async def masters(user: Annotated[User, Depends(require_role(Role.GAME_MASTER))]) -> str:
        return user.user_id

    @app.get("/api/hidden")
    async def hidden(user: Annotated[User, Depends(require(Permission.READ_HIDDEN))]) -> str:
        return user.user_id

    @app.get("/internal/world/caller")
    async def who(service: Annotated[Service, Depends(internal_caller)]) -> str:
        return service.name

    @app.get("/outside")
    async def outside(service: Annotated[Service, Depends(internal_caller)]) -> str:
        return service.name

    @app.websocket("/internal/socket")
    async def forgotten(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    @app.websocket("/api/socket")
    async def socket(websocket: WebSocket, user: Annotated[User, Depends(current_user)]) -> None:
        await websocket.accept()
        await websocket.send_text(user.user_id)
        await websocket.close()


async def _get(app: Any, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async with caller(app) as client:
        return await client.get(path, headers=headers)


async def test_a_user_is_known_by_the_token(app: Any) -> None:
    assert (await _get(app, "/api/me", user_header(sub="u-7"))).json() == "u-7"


async def test_without_a_token_a_user_is_asked_for_one(app: Any) -> None:
    response = await _get(app, "/api/me")

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="council"'
    assert response.json()["type"] == "urn:problem-type:council:unauthorized"
    assert response.headers["cache-control"] == "no-store"


async def test_a_token_that_is_not_good_is_told_why_as_rfc_6750_has_it(app: Any) -> None:
    response = await _get(app, "/api/me", user_header(exp=int(time.time()) - 31, iat=int(time.time()) - 600))

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == (
        'Bearer realm="council", error="invalid_token", error_description="the token has expired"'
    )
    assert response.json()["type"] == "urn:problem-type:council:invalid-token"
    assert (response.json()["title"], response.json()["detail"]) == ("the token has expired", "get a new one")


async def test_public_reads_need_no_token_but_refuse_a_bad_one(app: Any) -> None:
    assert (await _get(app, "/api/world/aelvyndor/maybe")).json() == "nobody"
    assert (await _get(app, "/api/world/aelvyndor/maybe", user_header())).json() == "u-1"
    assert (await _get(app, "/api/world/aelvyndor/maybe", {"Authorization": "Bearer x"})).status_code == 401


async def test_a_token_of_one_realm_opens_no_other(app: Any) -> None:
    mine = await _get(app, "/api/world/aelvyndor/maybe", user_header(realm="aelvyndor"))
    other = await _get(app, "/api/world/elsewhere/maybe", user_header(realm="aelvyndor"))

    assert (mine.status_code, other.status_code) == (200, 403)
    assert other.json()["type"] == "urn:problem-type:council:foreign-realm"


@pytest.mark.parametrize(
    ("roles", "masters", "hidden"),
    [
        (["player"], 403, 403),
        (["designer"], 403, 200),
        (["game_master"], 200, 200),
        (["admin"], 200, 200),
        (["player", "designer"], 403, 200),
    ],
)
async def test_roles_open_what_they_allow(app: Any, roles: list[str], masters: int, hidden: int) -> None:
    assert (await _get(app, "/api/masters", user_header(roles=roles))).status_code == masters
    response = await _get(app, "/api/hidden", user_header(roles=roles))
    assert response.status_code == hidden
    if hidden == 403:
        assert response.headers["www-authenticate"] == 'Bearer realm="council", error="insufficient_scope"'


async def test_two_tokens_in_one_request_are_none(app: Any) -> None:
    """A proxy may check the first and we the last."""
    good, static = user_header()["Authorization"], BEARER["Authorization"]
    for path, sent in (("/api/me", good), ("/internal/world/caller", static)):
        async with caller(app) as client:
            twice = httpx.Headers([("Authorization", "Bearer x"), ("Authorization", sent)])
            assert (await client.get(path, headers=twice)).status_code == 401


@pytest.mark.parametrize("path", ["/api/change", "/api/nothing"])
async def test_a_change_below_api_takes_a_user_whatever_its_endpoint_asks(app: Any, path: str) -> None:
    """S0-84: the edge holds it, so that an endpoint that forgets to ask is not open."""
    async with caller(app) as client:
        assert (await client.post(path)).status_code == 401
        assert (await client.post(path, headers=BEARER)).status_code == 401
        assert (await client.post(path, headers=user_header())).status_code == (200 if path.endswith("change") else 404)


@pytest.fixture
def whole(tmp_path: Path) -> Any:
    """The application with council and world, as it is served."""
    return ServedWorld(tmp_path).app


async def test_every_write_of_the_application_needs_a_token(whole: Any) -> None:
    """S0-84: walks every route there is; a new one that writes outside /api/ and /internal/ fails here."""
    walked = set()
    async with caller(whole) as client:
        for route in _routes(whole):
            for method in WRITES & set(route.methods):
                assert route.path.startswith((INTERNAL, PUBLIC)), route.path
                response = await client.request(method, route.path, content=BODY, headers=PLAIN_JSON)
                assert response.status_code == 401, route.path
                walked.add(route.path)
    assert walked >= {REVIEW, SUBMIT, TICK, APPLY}


async def test_every_internal_route_needs_a_services_token(whole: Any) -> None:
    """S0-85: reads as well; a user is no service, not even an admin."""
    walked = set()
    async with caller(whole) as client:
        for route in _routes(whole):
            if not route.path.startswith(INTERNAL):
                continue
            walked.add(route.path)
            for method in route.methods:
                for headers in ({}, user_header(roles=["admin"])):
                    assert (await client.request(method, route.path, headers=headers)).status_code == 401, route.path
    assert walked >= {REVIEW, SUBMIT, TICK, APPLY, QUEUE, "/internal/council/decisions"}


async def test_every_internal_route_has_a_permission_of_its_own(whole: Any) -> None:
    """A route that nobody put into the table would be the admins' alone."""
    for route in _routes(whole):
        if route.path.startswith(INTERNAL):
            for method in route.methods:
                assert internal_permission(method, route.path) is not Permission.ADMINISTER, (method, route.path)


def _routes(app: Any) -> list[Any]:
    """Return the plain routes, those of included routers among them."""
    found: list[Any] = []
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop()
        waiting += getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", [])
        if getattr(route, "methods", None):
            found.append(route)
    return found


async def test_a_services_token_opens_internal_endpoints_by_its_roles(app: Any) -> None:
    sim, player = service_header("sim"), service_header("player")
    async with caller(app) as client:
        assert (await client.get("/internal/world/caller", headers=sim)).json() == "sim-1"
        assert (await client.get("/internal/world/caller", headers=BEARER)).json() == "static"
        review = await client.post(REVIEW, content=BODY, headers={**JSON, **sim})
        assert review.status_code == 200
        closed = await client.post(REVIEW, content=BODY, headers={**JSON, **player})
        assert closed.status_code == 403
        assert closed.json()["type"] == "urn:problem-type:council:forbidden"
        assert (await client.get("/internal/nothing", headers=sim)).status_code == 403
        assert (await client.get("/internal/nothing", headers=service_header("admin"))).status_code == 404


async def test_a_services_token_of_one_realm_asks_for_no_other(app: Any) -> None:
    here, elsewhere = service_header("sim", realm=REALM), service_header("sim", realm="elsewhere")
    async with caller(app) as client:
        assert (await client.post(REVIEW, content=BODY, headers={**JSON, **here})).status_code == 200
        assert (await client.post(REVIEW, content=BODY, headers={**JSON, **elsewhere})).status_code == 403
        assert (await client.post(REVIEW, content=b"[", headers={**JSON, **elsewhere})).status_code == 400
        assert (await client.get("/internal/council/decisions", headers=here)).status_code == 403
        assert (await client.get(f"/internal/council/decisions?realm_id={REALM}", headers=here)).status_code == 200
        assert (await client.get(f"/internal/council/decisions?realm_id={REALM}", headers=elsewhere)).status_code == 403


async def test_a_user_is_no_service_and_a_service_is_no_user(app: Any) -> None:
    assert (await _get(app, "/internal/world/caller", user_header(roles=["admin"]))).status_code == 401
    assert (await _get(app, "/api/me", service_header("admin"))).status_code == 401
    assert (await _get(app, "/api/me", BEARER)).status_code == 401
    assert (await _get(app, "/outside", BEARER)).status_code == 401


async def test_a_header_of_another_scheme_is_told_which_one_is_meant(app: Any) -> None:
    answered = await _get(app, "/api/me", {"Authorization": "Basic dTpw"})
    assert (answered.status_code, "Authorization: Bearer" in answered.json()["detail"]) == (401, True)
    broken = await _get(app, "/api/me", {"Authorization": "Bearer a b"})
    assert broken.json()["title"] == "the token is not a compact JWT"


async def test_without_a_key_set_no_jwt_is_taken_and_the_static_token_is() -> None:
    app = application()
    _add_endpoints(app)

    response = await _get(app, "/api/me", user_header())
    assert response.status_code == 401
    assert response.json()["detail"] == "the operator sets COUNCIL_JWT_KEYS to a key set"
    assert (await _get(app, "/internal/world/caller", service_header("admin"))).status_code == 401
    assert (await _get(app, "/internal/world/caller", BEARER)).status_code == 200


async def test_a_key_that_is_taken_out_ends_its_tokens_in_a_running_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.identity_keys.LOOK_EVERY_S", 0.0)
    path = write_key_set(tmp_path)
    app = application(jwt_keys=path)
    _add_endpoints(app)
    assert (await _get(app, "/api/me", user_header())).status_code == 200

    path.write_bytes(keys_bytes(ed_jwk(kid="users-2")))
    assert (await _get(app, "/api/me", user_header())).status_code == 401


def test_a_socket_is_known_by_its_token_and_refused_without(app: Any) -> None:
    with TestClient(app) as client:
        with client.websocket_connect("/api/socket", headers=user_header(sub="u-9")) as socket:
            assert socket.receive_text() == "u-9"
        with pytest.raises(WebSocketDenialResponse) as caught:
            client.websocket_connect("/api/socket").__enter__()
    assert caught.value.status_code == 401


def test_no_socket_is_open_below_internal(app: Any) -> None:
    with TestClient(app) as client, pytest.raises(WebSocketDisconnect) as caught:
        client.websocket_connect("/internal/socket", headers=BEARER).__enter__()
    assert caught.value.code == 1008


async def test_refusals_are_counted_by_audience_and_reason(app: Any) -> None:
    await _get(app, "/api/me")
    await _get(app, "/internal/world/caller", {"Authorization": "Bearer x"})
    text = (await _get(app, "/metrics")).text

    assert 'council_tokens_refused_total{audience="council:user",reason="missing"} 1.0' in text
    assert 'council_tokens_refused_total{audience="council:internal",reason="malformed"} 1.0' in text
    assert "council_key_file_refused 0.0" in text


async def test_no_token_key_or_text_of_a_player_reaches_the_log(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """S0-89: the canary stands in every place that a caller fills: tokens, ids, bodies, paths, queries, headers."""
    good = user_header(sub=CANARY, note=CANARY)
    document = request_document()
    document["proposed_change"]["narrative"] = document["proposed_change"]["summary"] = CANARY
    with caplog.at_level(logging.DEBUG):
        async with caller(app) as client:
            for header in (
                good,
                {"Authorization": f"Bearer {CANARY}"},
                {"Authorization": CANARY},
                service_header(sub=CANARY),
            ):
                for path in ("/api/me", "/internal/world/caller", f"/api/{CANARY}", f"/internal/{CANARY}?x={CANARY}"):
                    await client.get(path, headers=header)
                    await client.post(path, content=as_bytes(document), headers={**header, "X-Other": CANARY})
            await client.post(REVIEW, content=as_bytes(document), headers=JSON)
            failing = application(ScriptedCouncil(RuntimeError(CANARY)))
            async with caller(failing) as other:
                await other.post(REVIEW, content=as_bytes(document), headers=JSON)

    ours = [record for record in caplog.records if record.name.startswith(("gateway", "council", "world", "agents"))]
    assert ours
    written = "".join(_line(record) for record in ours)
    for secret in (CANARY, good["Authorization"][7:], BEARER["Authorization"][7:], ed_jwk()["x"]):
        assert secret not in written


def _line(record: logging.LogRecord) -> str:
    from gateway.logs import JsonLines, TextLines

    return JsonLines().format(record) + TextLines().format(record)
