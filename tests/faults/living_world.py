"""A world with the real council over one database, whose clock a test turns and whose parts a test breaks."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any, Final, NamedTuple, cast

from council.graph import build_graph
from council.ledger.opening import open_ledger
from council.ledger.port import Ledger
from council.service import CouncilService
from gateway.in_process import InProcessReviewClient
from policies.contracts.request import DecisionRequest, ImpactCandidate
from policies.loading import default_policy_path, load_policy
from world.errors import StoreUnavailableError
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore
from world.realm.rules_document import default_world_path, load_world
from world.realm.state import Treasury
from world.review.port import ReviewReply, ReviewUnavailableError
from world.service.clock import Clock
from world.service.expiry import Expiry
from world.service.ingestion import Ingestion
from world.service.petitions import Petitions
from world.service.questions import dispute_question, trigger_question
from world.service.realms import RealmReader, first_snapshot
from world.service.scheduling import Duty, Scheduler
from world.service.sovereign import Sovereignty
from world.service.ticking import Ticker
from world.service.verdicts import Verdicts

WORLD: Final = load_world(default_world_path())
POLICY: Final = load_policy(default_policy_path())
REALM: Final = "realm-1"
START: Final = 1_772_359_200_000  # 2026-03-01T10:00:00Z
TICK_MS: Final = 900_000
FACTIONS: Final = WORLD.seed.factions
TERRITORIES: Final = tuple(WORLD.seed.territories)
_WRITES: Final = frozenset(["take_in", "submit", "move", "advance", "tell", "ask", "answer", "take_lease"])


class BrittleStore:
    """A store whose writes fail as a test draws: before they are written, or after, so that only the answer is lost."""

    def __init__(self, inside: WorldStore, fails: Callable[[], str]) -> None:
        self._inside = inside
        self._fails = fails

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inside, name)
        return partial(self._written, method) if name in _WRITES else method

    async def _written(self, method: Callable[..., Awaitable[Any]], *args: Any, **keys: Any) -> Any:
        fault = self._fails()
        if fault == "before":
            raise StoreUnavailableError("cut off before the write")
        found = await method(*args, **keys)
        if fault == "after":
            raise StoreUnavailableError("cut off after the write")
        return found


class BrittleCouncil:
    """The way to the council, which a test cuts: before it is asked, or after it has decided, so that the verdict comes late."""

    def __init__(self, inside: InProcessReviewClient, fails: Callable[[], str]) -> None:
        self._inside = inside
        self._fails = fails

    async def review(
        self, request: DecisionRequest, *, request_key: str | None = None, correlation_id: str | None = None
    ) -> ReviewReply:
        fault = self._fails()
        if fault == "before":
            raise ReviewUnavailableError("cut off", str(request_key))
        reply = await self._inside.review(request, request_key=request_key, correlation_id=correlation_id)
        if fault == "after":
            raise ReviewUnavailableError("cut off", str(request_key))
        return reply

    async def close(self) -> None:
        await self._inside.close()


def never() -> str:
    """Fail never."""
    return ""


class Databases(NamedTuple):
    """What outlives a process: the world's store and the council's ledger."""

    store: WorldStore
    ledger: Ledger

    async def close(self) -> None:
        await self.store.close()
        await self.ledger.close()


def opened(url: str) -> Databases:
    """Open both."""
    return Databases(open_world_store(url), open_ledger(url))


async def seed(store: WorldStore, now: int) -> None:
    """Make the realm, its treasuries full."""
    rich = {faction: Treasury(6_000_000) for faction in FACTIONS}
    await store.create(first_snapshot(replace(WORLD.new_realm(REALM), treasuries=rich), now))


class LivingWorld:
    """The services of one process over its databases.

    Args:
        databases: they stay open when the process ends.
        clock: milliseconds since 1970.
        holder: names the worker.
        store_fails: draws the fault of the next write.
        council_fails: draws the fault of the next question.
    """

    def __init__(
        self,
        databases: Databases,
        clock: Clock,
        holder: str = "worker-1",
        *,
        store_fails: Callable[[], str] = never,
        council_fails: Callable[[], str] = never,
    ) -> None:
        self.store = cast(WorldStore, BrittleStore(databases.store, store_fails))
        service = CouncilService(
            ledger=databases.ledger, current_policy=lambda: POLICY, graph=build_graph(lambda: POLICY)
        )
        rules, realms = WORLD.rules, RealmReader(self.store)
        council = BrittleCouncil(InProcessReviewClient(service), council_fails)
        self.realms = realms
        self.ingestion = Ingestion(self.store, realms, rules, partial(dispute_question, WORLD), clock)
        self.sovereignty = Sovereignty(self.store, realms, rules, clock)
        self.verdicts = Verdicts(self.store, realms, rules, council, clock)
        self.ticker = Ticker(
            self.store, realms, rules, partial(trigger_question, WORLD), clock, holder=holder,
            petitions=Petitions(WORLD, self.store), expiry=Expiry(self.store),
        )  # fmt: skip
        self.scheduler = Scheduler(
            self.store, self.ticker, [Duty("settle", 1_000, partial(self.verdicts.settle, REALM))], clock
        )


class Crowd:
    """A handful of players: casual ones, a guild, a whale with alts on one device, a bot, and somebody who sends things again.

    Args:
        seed: of what they do.
        name: begins their acts' ids.
    """

    def __init__(self, seed: int, name: str = "e") -> None:
        self._draw = Random(seed)
        self._name = name
        self._number = 0
        self.sent: list[ImpactCandidate] = []

    def acts(self, now: int, many: int = 4) -> list[ImpactCandidate]:
        """Return what they send within the minutes before a moment, shuffled, with doubles and poison among it."""
        batch = list(self._some(now, many))
        if self.sent and self._draw.random() < 0.2:
            batch += [self._draw.choice(self.sent)] * 10
        if self._draw.random() < 0.1:
            batch.append(self._act(now, "ana", "goblins"))
        self._draw.shuffle(batch)
        self.sent = (self.sent + batch)[-50:]
        return batch

    def _some(self, now: int, many: int) -> Iterator[ImpactCandidate]:
        for _ in range(many):
            kind = self._draw.random()
            if kind < 0.7:
                user, faction = self._draw.choice(_PEOPLE)
                yield self._act(now, user, faction)
            else:
                alt = self._draw.randrange(4)
                yield self._act(now, f"whale-{alt}", "empire", device_id="one-machine", target_id="far-wilds")
        # It does one thing only, again and again in every quarter of an hour: odd enough to be asked about.
        for number in range(3):
            at = now - 80_000 * number - self._draw.randrange(70_000)
            yield self._act(now, "bot", "veil", at=at, action_type="patrol_complete", device_id="bot-device")

    def _act(self, now: int, user: str, faction: str, at: int | None = None, **keys: Any) -> ImpactCandidate:
        self._number += 1
        kinds = ("faction_quest_complete", "duel_won", "chapter_complete", "sabotage", "caravan_guarded")
        action = keys.pop("action_type", self._draw.choice(kinds))
        at = now - self._draw.randrange(240_000) if at is None else at
        document = {
            "event_id": f"{self._name}-{self._number}",
            "realm_id": REALM,
            "user_id": user,
            "faction_id": faction,
            "action_type": action,
            "base_points": WORLD.rules.actions[action].base / 1_000,
            "evidence": {"risk": self._draw.randrange(1, 6), "stakes": "regional"},
            "created_at": datetime.fromtimestamp(at / 1_000, UTC).isoformat(),
            "target_id": self._draw.choice(TERRITORIES),
            "device_id": f"device-{user}",
            **keys,
        }
        return ImpactCandidate.model_validate(document)


_PEOPLE: Final = tuple([(f"u-{number}", FACTIONS[number % len(FACTIONS)]) for number in range(24)])
