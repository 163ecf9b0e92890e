"""A living realm for tests: the shipped world over a store in memory, a clock that tests turn, a council from a script."""

from collections.abc import Callable
from functools import partial
from typing import Any

from policies.contracts.answer import Answer
from policies.contracts.reading import validate_request
from policies.contracts.request import DecisionRequest, ImpactCandidate
from policies.verdicts import Verdict
from world.persistence.memory import MemoryStore
from world.persistence.port import WorldStore
from world.realm.rules import WorldRules
from world.realm.rules_document import default_world_path, load_world
from world.review.port import ReviewReply
from world.service.expiry import Expiry
from world.service.ingestion import Ingestion
from world.service.petitions import Petitions
from world.service.questions import dispute_question, trigger_question
from world.service.realms import RealmReader, first_snapshot
from world.service.sovereign import Sovereignty
from world.service.ticking import Ticker
from world.service.verdicts import Verdicts

WORLD = load_world(default_world_path())
REALM = "realm-1"
START = 1_772_359_200_000  # 2026-03-01T10:00:00Z
TICK_MS = 900_000


class ScriptedCouncil:
    """A `ReviewClient` that says what a test wants, and remembers what it was asked."""

    def __init__(self, verdict: Verdict = "approve", **keys: Any) -> None:
        self.verdict = verdict
        self.keys = keys
        self.asked: list[DecisionRequest] = []

    async def review(
        self, request: DecisionRequest, *, request_key: str | None = None, correlation_id: str | None = None
    ) -> ReviewReply:
        self.asked.append(request)
        answer: dict[str, Any] = {
            "final_verdict": self.verdict,
            "confidence": 1,
            "reasons": [],
            "required_modifications": [],
            "audit_tags": [],
            "decision_id": f"d-{request_key}",
            "path": "council",
            "votes": [],
            "vetoes": [],
            "policy": {"id": "p", "version": 1, "hash": "0" * 64},
            "record": {"position": len(self.asked), "hash": "0" * 64},
            "cost": {"model_calls": 0, "tokens": 0, "usd": "0"},
            "elapsed_ms": 1,
            **self.keys,
        }
        return ReviewReply(Answer.model_validate(answer), request_key or "", False)

    async def close(self) -> None:
        return None


class LivingRealm:
    """The services over one store."""

    def __init__(
        self,
        store: WorldStore | None = None,
        council: ScriptedCouncil | None = None,
        rules: WorldRules = WORLD.rules,
    ) -> None:
        self.rules = rules
        self.now = START
        self.store: WorldStore = store or MemoryStore()
        self.council = council or ScriptedCouncil()
        self.realms = RealmReader(self.store)
        self.ingestion = Ingestion(self.store, self.realms, rules, partial(dispute_question, WORLD), lambda: self.now)
        self.ticker = self.worker("worker-1")
        self.verdicts = Verdicts(self.store, self.realms, rules, self.council, lambda: self.now)
        self.sovereignty = Sovereignty(self.store, self.realms, rules, lambda: self.now)
        self._acts = 0

    def worker(self, name: str) -> Ticker:
        """Return another worker over the same store."""
        return Ticker(
            self.store, self.realms, self.rules, partial(trigger_question, WORLD), lambda: self.now, holder=name,
            petitions=Petitions(WORLD, self.store), expiry=Expiry(self.store),
        )  # fmt: skip

    async def seed(self) -> None:
        await self.store.create(first_snapshot(WORLD.new_realm(REALM), self.now))

    def act(self, user: str = "ana", faction: str = "free_cities", **keys: Any) -> ImpactCandidate:
        """Return an act of now."""
        self._acts += 1
        action = keys.pop("action_type", "faction_quest_complete")
        base = WORLD.rules.actions[action].base / 1_000 if action in WORLD.rules.actions else 1
        return candidate(
            event_id=f"e-{self._acts}", user_id=user, faction_id=faction, action_type=action, base_points=base,
            created_at=_iso(self.now), **keys,
        )  # fmt: skip

    async def ticks(self, count: int, before: Callable[[int], Any] | None = None) -> list[Any]:
        """Run ticks a quarter of an hour apart."""
        found = []
        for number in range(count):
            if before is not None:
                await before(number)
            self.now += TICK_MS
            found.append(await self.ticker.run(REALM))
        return found


def candidate(**keys: Any) -> ImpactCandidate:
    """Return an impact candidate as the contract reads it."""
    document = {
        "realm_id": REALM,
        "story_id": "s-1",
        "chapter_id": "c-1",
        "evidence": {"risk": 3, "stakes": "regional"},
        **keys,
    }
    return ImpactCandidate.model_validate(document)


def is_valid_request(request: dict[str, Any]) -> bool:
    """Whether a question is one that the council takes; raises where it is not."""
    validate_request(request)
    return True


def _iso(now: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(now / 1_000, UTC).isoformat().replace("+00:00", "Z")
