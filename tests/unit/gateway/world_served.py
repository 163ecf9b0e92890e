"""The shared world behind the real HTTP application: a living realm in memory, a clock that tests turn, tokens of all roles."""

import time
from pathlib import Path
from typing import Any

from council.ledger.memory import MemoryLedger
from gateway.app import build_app
from gateway.metrics import Metrics
from gateway.parts import Parts
from gateway.rate_limits import Limits, LocalBuckets, RateLimits
from gateway.settings import read_settings
from gateway.world_decisions import DecisionOnRecord
from gateway.world_parts import WorldParts
from gateway.world_signature import BodySignature
from policies.contracts.answer import Answer
from policies.contracts.request import DecisionRequest
from tests.unit.gateway.identity_samples import token, write_key_set
from tests.unit.gateway.scripted import TOKEN, ScriptedCouncil
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm
from world.service.moments import MomentReader

SUBMIT = "/internal/influence/submit"
TICK = "/internal/world/tick/run"
APPLY = "/internal/world/apply-decision"
QUEUE = "/internal/world/queue"
SOVEREIGN = "/internal/world/sovereign"
ACTIONS = f"/api/world/{REALM}/actions"
SUMMARY = f"/api/world/{REALM}/summary"
SECRET = "a-secret-of-the-story-engine"


class RecordedDecisions:
    """Decisions on record that a test lays down."""

    def __init__(self) -> None:
        self.found: dict[str, DecisionOnRecord] = {}

    def lay(self, request: DecisionRequest, answer: Answer) -> None:
        self.found[answer.decision_id] = DecisionOnRecord(request, answer)

    async def find(self, decision_id: str) -> DecisionOnRecord | None:
        return self.found.get(decision_id)

    async def close(self) -> None:
        return None


class ServedWorld:
    """One world, its application, and what tests look into.

    Args:
        folder: where the key set is written.
        living: the services; None: the shipped world over a store in memory.
        limits: of reported acts; None: none.
        is_signed: whether bodies of acts must be signed by `SECRET`.
    """

    def __init__(
        self,
        folder: Path,
        living: LivingRealm | None = None,
        *,
        limits: Limits | None = None,
        is_signed: bool = False,
    ) -> None:
        self.living = living or LivingRealm()
        self.decisions = RecordedDecisions()
        bounded = None
        if limits is not None:
            bounded = RateLimits(LocalBuckets(limits, lambda: self.living.now / 1_000), lambda _: None)
        parts = WorldParts(
            world=WORLD,
            store=self.living.store,
            realms=self.living.realms,
            moments=MomentReader(self.living.store, 900),
            ingestion=self.living.ingestion,
            ticker=self.living.ticker,
            verdicts=self.living.verdicts,
            sovereignty=self.living.sovereignty,
            decisions=self.decisions,
            clock=lambda: self.living.now,
            signature=BodySignature(SECRET) if is_signed else None,
            limits=bounded,
            max_body_bytes=1_048_576,
            body_timeout_s=5.0,
        )
        environ = {"COUNCIL_SERVICE_TOKEN": TOKEN, "COUNCIL_JWT_KEYS": str(write_key_set(folder))}
        council = Parts(ScriptedCouncil(), MemoryLedger(), _no_policy, Metrics(), world=parts)
        self.app = build_app(council, read_settings(environ))

    def act(self, user: str = "ana", faction: str = "free_cities", **keys: Any) -> dict[str, Any]:
        """Return an act of now as a sim sends it."""
        return self.living.act(user, faction, **keys).model_dump(mode="json", exclude_none=True)


def user_token(user: str, *roles: str, **claims: Any) -> dict[str, str]:
    """Return the header of a user, a player where no role is named."""
    return _bearer(token(claims={"sub": user, "roles": list(roles or ("player",)), **_times(), **claims}))


def service_token(name: str, *roles: str, **claims: Any) -> dict[str, str]:
    """Return the header of a service by JWT."""
    wanted = {"sub": name, "roles": list(roles), "aud": "council:internal", **_times(), **claims}
    return _bearer(token({"kid": "internal"}, wanted, by="internal"))


def _times() -> dict[str, int]:
    now = int(time.time())
    return {"iat": now - 10, "exp": now + 600}


def _bearer(made: bytes) -> dict[str, str]:
    return {"Authorization": f"Bearer {made.decode()}"}


def _no_policy() -> Any:
    return None
