"""CORS: off unless the settings name origins, and then for exactly those."""

from typing import Any

import httpx
import pytest

from gateway.errors import SettingsError
from gateway.settings import read_settings
from tests.unit.gateway.scripted import application, caller

PLAY = "https://play.example"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}


async def _asked(origin: str, path: str = "/healthz", **settings: Any) -> tuple[httpx.Response, httpx.Response]:
    async with caller(application(**settings)) as client:
        preflight = await client.options(path, headers={"Origin": origin, **ASKS})
        return preflight, await client.get(path, headers={"Origin": origin})


def _of_cors(response: httpx.Response) -> list[str]:
    return [name for name in response.headers if name.startswith("access-control-")]


async def test_without_the_setting_no_page_may_call() -> None:
    for response in await _asked(PLAY):
        assert _of_cors(response) == []


async def test_a_named_origin_may_call_without_credentials() -> None:
    preflight, answer = await _asked(PLAY, cors_origins=f"{PLAY}, http://localhost:5173")

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == PLAY
    assert answer.headers["access-control-allow-origin"] == PLAY
    assert "origin" in answer.headers["vary"].lower()
    for response in (preflight, answer):
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://play.example.evil.example",
        "https://evil.example",
        "http://play.example",
        "https://play.example:8443",
        "null",
        "*",
    ],
)
async def test_any_other_origin_may_not(origin: str) -> None:
    for response in await _asked(origin, cors_origins=PLAY):
        assert "access-control-allow-origin" not in response.headers


async def test_internal_endpoints_answer_no_preflight() -> None:
    preflight, _ = await _asked(PLAY, "/internal/council/review", cors_origins=PLAY)

    assert preflight.status_code == 401
    assert _of_cors(preflight) == []


async def test_a_page_can_read_why_its_token_was_refused() -> None:
    """The edge refuses before any route is asked."""
    async with caller(application(cors_origins=PLAY)) as client:
        headers = {"Origin": PLAY, "Authorization": "Bearer x.y.z"}
        refused = await client.post("/api/world/realm-1/stream/ticket", headers=headers)

    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, PLAY)


@pytest.mark.parametrize(
    "origins",
    ["*", "https://*.example", "https://play.example/", "play.example", "https://Play.example", "null", "https://a b", "file://x"],
)  # fmt: skip
def test_only_exact_origins_can_be_set(origins: str) -> None:
    with pytest.raises(SettingsError, match=r"COUNCIL_CORS_ORIGINS: .* is not an exact origin"):
        read_settings({"COUNCIL_CORS_ORIGINS": f"{PLAY},{origins}"})


def test_origins_are_separated_by_commas() -> None:
    settings = read_settings({"COUNCIL_CORS_ORIGINS": " https://a.example ,http://[::1]:80,"})

    assert settings.allowed_origins() == ("https://a.example", "http://[::1]:80")
    assert read_settings({}).allowed_origins() == ()
