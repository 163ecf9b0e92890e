"""What the world logs are ids and codes: a message of an error may quote a player, an address or a password (S0-89, S0-93)."""

import ast
import asyncio
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.logs import FIELDS, JsonLines
from tests.unit.gateway.scripted import CANARY
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm, ScriptedCouncil
from world.bus.memory import MemoryBus
from world.bus.port import BusUnavailableError, Message
from world.bus.relay import Relay
from world.errors import StoreUnavailableError
from world.persistence.messages import NewQuestion
from world.review.port import ReviewError, ReviewProtocolError, ReviewRefusedError, ReviewUnavailableError
from world.service.questions import trigger_question
from world.service.scheduling import Scheduler

ROOT = Path(__file__).parents[3]
OURS = ("world", "gateway", "council", "agents", "policies", "story", "cli")


class Log:
    """Lines as the service writes them, and the records that they were made from, which other handlers would see whole."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.handler = logging.StreamHandler(self.out)
        self.handler.setFormatter(JsonLines())
        self.records: list[logging.LogRecord] = []
        self.handler.addFilter(self._remember)

    def _remember(self, record: logging.LogRecord) -> bool:
        self.records.append(record)
        return True

    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    found, ours = Log(), logging.getLogger("world")
    level = ours.level
    ours.addHandler(found.handler)
    ours.setLevel(logging.DEBUG)
    yield found
    ours.removeHandler(found.handler)
    ours.setLevel(level)
    assert CANARY not in found.out.getvalue()
    for record in found.records:
        assert CANARY not in repr({key: value for key, value in vars(record).items() if key != "exc_info"})


class Silent(ScriptedCouncil):
    """Fails with words that nobody must read in a log."""

    def __init__(self, error: ReviewError) -> None:
        super().__init__()
        self.error = error

    async def review(self, *_: Any, **__: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "event", "more"),
    [
        (ReviewUnavailableError(CANARY, "q-1"), "question_unanswered", {}),
        (ReviewRefusedError("invalid-request", CANARY, [CANARY]), "question_refused", {"problem": "invalid-request"}),
        (ReviewProtocolError(CANARY), "question_refused", {}),
    ],
)
async def test_a_question_that_fails_is_logged_by_its_id_and_a_code(
    log: Log, error: ReviewError, event: str, more: dict[str, str]
) -> None:
    living = LivingRealm(council=Silent(error))
    await living.seed()
    realm = await living.realms.current(REALM)
    question = trigger_question(WORLD, realm, "relic_storm")
    await living.store.ask(REALM, question, 0)
    await living.verdicts.settle(REALM)

    (line,) = log.lines()
    codes = {"question_id": question.question_id, "realm_id": REALM, "error": type(error).__name__, **more}
    assert {key: line[key] for key in (*codes, "event")} == {**codes, "event": event}


async def test_a_request_that_quotes_a_player_and_cannot_be_read_is_logged_by_its_id(log: Log) -> None:
    living = LivingRealm()
    await living.seed()
    await living.store.ask(REALM, NewQuestion("q-1", "event:e-1", orjson.dumps({"narrative": CANARY})), 0)
    await living.verdicts.settle(REALM)

    assert [(line["event"], line["question_id"], line["error"]) for line in log.lines()] == [
        ("question_refused", "q-1", "InvalidInputError")
    ]


async def test_a_tick_that_fails_is_logged_without_what_the_database_said(log: Log) -> None:
    """Drivers quote addresses, and some of them passwords."""
    living = LivingRealm()
    await living.seed()

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailableError(f"postgres://council:{CANARY}@db")

    living.ticker.run = away  # type: ignore[method-assign]
    living.now += 900_000
    scheduler = Scheduler(living.store, living.ticker, [], lambda: living.now)
    await scheduler.look()

    (line,) = log.lines()
    assert (line["event"], line["realm_id"], line["error"]) == ("tick_failed", REALM, "StoreUnavailableError")


async def test_a_message_that_fails_is_logged_by_its_id(log: Log) -> None:
    bus, now = MemoryBus(), 1_772_359_200_000

    async def handler(_: Message) -> None:
        raise ValueError(CANARY)

    subscription = await bus.subscribe("stories", ["tick"], handler, consumer="one")
    await bus.publish([Message("world-1", "tick", REALM, b"{}", None)], now)
    await subscription.step()

    (line,) = log.lines()
    assert (line["event"], line["group"], line["message_id"], line["error"]) == (
        "bus_message_failed", "stories", "world-1", "ValueError",
    )  # fmt: skip


async def test_a_bus_that_is_away_is_logged_without_its_address(log: Log) -> None:
    stop = asyncio.Event()

    class Away(MemoryBus):
        async def standing(self) -> int | None:
            stop.set()
            raise BusUnavailableError(f"redis://:{CANARY}@bus")

    await Relay(Away(), [], lambda: 1_772_359_200_000).run(stop)

    (line,) = log.lines()
    assert (line["event"], line["error"]) == ("bus_relay_waits", "BusUnavailableError")


def _logged(path: Path) -> Iterator[tuple[int, ast.Dict]]:
    """Yield the fields that a file's log calls write down as they stand."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
                    yield node.lineno, keyword.value


def _files(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def test_every_field_that_is_logged_is_one_that_lines_show() -> None:
    """A field that is not on the list is dropped, and whoever reads the log never learns of it."""
    unknown = [
        f"{path.relative_to(ROOT)}:{line}: {key.value!r}"
        for path in _files(*OURS)
        for line, fields in _logged(path)
        for key in fields.keys
        if isinstance(key, ast.Constant) and key.value not in FIELDS
    ]
    assert unknown == []


def test_the_world_logs_no_message_of_an_error() -> None:
    texts = {"str", "repr", "told", "format"}
    worded = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in [*_files("world"), *sorted((ROOT / "gateway").glob("world_*.py"))]
        for line, fields in _logged(path)
        for value in fields.values
        for node in ast.walk(value)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in texts)
    ]
    assert worded == []
