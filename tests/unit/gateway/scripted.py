"""A council that says what a test tells it to, behind the real HTTP application."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from council.ledger.memory import MemoryLedger
from council.ledger.port import LedgerUnavailableError
from council.service import Reviewed
from gateway.app import build_app
from gateway.metrics import Metrics
from gateway.parts import Parts
from gateway.settings import read_settings
from policies.contracts.reading import read_request

TOKEN = "a-token-for-tests-only"
CANARY = "canary-7f3a"
"""Stands where a player's words or a secret would: it must come out nowhere."""
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {**BEARER, "Content-Type": "application/json"}
ANSWER = b'{"final_verdict":"approve"}'


class ScriptedCouncil:
    """Answers every valid request alike, or raises what it is told to."""

    def __init__(self, error: Exception | None = None, *, is_stored: bool = False) -> None:
        self.error = error
        self.is_stored = is_stored
        self.asked: list[dict[str, Any]] = []

    async def review(
        self, raw: bytes | str, *, idempotency_key: str | None = None, correlation_id: str | None = None
    ) -> Reviewed:
        self.asked.append({"raw": raw, "key": idempotency_key, "correlation_id": correlation_id})
        if self.error is not None:
            raise self.error
        request = read_request(raw).request
        return Reviewed(ANSWER, "d-1", self.is_stored, request.realm_id, request.decision_type, "council", "approve")


class UnavailableLedger(MemoryLedger):
    """A ledger whose database is away."""

    async def ready(self) -> None:
        raise LedgerUnavailableError("it is away", retry_after_s=3)

    async def get(self, decision_id: str) -> Any:
        raise LedgerUnavailableError("it is away", retry_after_s=3)


def application(
    council: ScriptedCouncil | None = None,
    ledger: MemoryLedger | None = None,
    resting: Callable[[], tuple[str, ...]] = tuple,
    **settings: Any,
) -> Any:
    """Return the real application around doubles."""
    environ = {"COUNCIL_SERVICE_TOKEN": TOKEN}
    parts = Parts(council or ScriptedCouncil(), ledger or MemoryLedger(), _no_policy, Metrics(), resting)
    return build_app(parts, read_settings(environ, **settings))


@asynccontextmanager
async def caller(app: Callable[..., Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the application, without a socket."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://council") as client:
        yield client


def _no_policy() -> Any:
    return None
