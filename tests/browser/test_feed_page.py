"""The feed's page in a real browser, over a real server: all see the same, and a restart loses nothing (S0-19, S0-108)."""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.page_checks import contrasts
from tests.integration.feed_serving import player
from tests.integration.serving_process import JSON, ServerProcess, running
from tests.integration.test_feed_served import happen, seed
from tests.ports import free_port
from tests.unit.gateway.identity_samples import write_key_set
from tests.unit.world.living_realm import REALM, LivingRealm
from world.service.clock import system_clock

# One worker runs them one after another, and lets the browser's loop go before any asynchronous test begins.
pytestmark = pytest.mark.xdist_group("browser")

REPO: Final = Path(__file__).parent.parent.parent
WAIT_S: Final = 40.0
READABLE: Final = 4.5
"""Least contrast of text (WCAG 2.2, 1.4.3, level AA)."""
TEXTS: Final = [
    "h1",
    "#state",
    "#place",
    "label",
    "button",
    ".kind",
    "time",
    "li.mine .kind",
    "li.mine time",
    "li.notice",
]


class World:
    """A server that tests kill and start again at the same address, and the page, served from another origin."""

    def __init__(self, folder: Path, pages: str, started: ExitStack) -> None:
        self._folder = folder
        self._pages = pages
        self._started = started
        self._port = free_port()
        self._keys = str(write_key_set(folder))
        self.server = self._start()

    @property
    def page(self) -> str:
        return f"{self._pages}/feed.html?realm={REALM}&url={self.server.url}"

    def restart(self) -> None:
        """Kill the server, let something happen while nobody serves, and start it again."""
        self.server.kill()
        _run(happen(self._folder, "while nobody serves"))
        self.server = self._start()

    def tick(self) -> None:
        self._post("/internal/world/tick/run", {"realm_id": REALM})

    def contribute(self, user_id: str) -> None:
        living = LivingRealm()
        living.now = system_clock()
        act = living.act(user_id, target_id="far-wilds").model_copy(update={"event_id": f"e-{time.monotonic_ns()}"})
        self._post("/internal/influence/submit", act.model_dump(mode="json", exclude_none=True))

    def sequences(self) -> list[int]:
        """What everybody may read, as the server lists it."""
        answer = httpx.get(f"{self.server.url}/api/world/{REALM}/events?since_tick=0&limit=500", trust_env=False)
        return [each["sequence"] for each in answer.json()["events"]]

    def _post(self, path: str, body: dict[str, Any]) -> None:
        url = self.server.url + path
        answer = httpx.post(url, json=body, headers=JSON, timeout=WAIT_S, trust_env=False)
        assert answer.status_code == 200, answer.text

    def _start(self) -> ServerProcess:
        variables = {
            "COUNCIL_PORT": str(self._port),
            "COUNCIL_CORS_ORIGINS": self._pages,
            "COUNCIL_JWT_KEYS": self._keys,
        }
        return self._started.enter_context(running(self._folder, **variables))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with _served(tmp_path_factory.mktemp("world")) as served:
        yield served


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[World]:
    """A world of one test, which may kill its server."""
    with _served(tmp_path) as served:
        yield served


@contextmanager
def _served(folder: Path) -> Iterator[World]:
    _run(seed(folder))
    with ExitStack() as started, _pages() as pages:
        yield World(folder, pages, started)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run in another thread: the browser keeps a loop of its own in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        return None


@contextmanager
def _pages() -> Iterator[str]:
    """Serve the examples as any web server would."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(REPO / "examples"))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page as one more visitor; what it says on its console fails the test, but for answers refused or lost."""
    said: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(world: World, **keys: Any) -> Page:
        context = browser.new_context(**keys)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(world.page)
        page.locator("#state.live").wait_for(timeout=WAIT_S * 1_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [line for line in said if "Failed to load resource" not in line] == []


def shown(page: Page) -> list[int]:
    """Return the events on the page in the order in which they came."""
    found: list[int] = page.eval_on_selector_all(
        "li[data-sequence]", "all => all.map((li) => Number(li.dataset.sequence))"
    )
    return found[::-1]


def place(page: Page) -> int:
    """Return the event behind which the page goes on."""
    return int(page.locator("#place").inner_text().removeprefix("at event "))


def until(page: Page, sequence: int) -> None:
    page.wait_for_function(
        "(sequence) => [...document.querySelectorAll('li')].some((li) => Number(li.dataset.sequence) === sequence)",
        arg=sequence,
        timeout=WAIT_S * 1_000,
    )


def connect_as(page: Page, user_id: str) -> None:
    page.locator("#token").fill(player(user_id)["Authorization"].removeprefix("Bearer "))
    with page.expect_response(lambda answer: "ticket=" in answer.url) as answered:
        page.locator("button").click()
    assert answered.value.status == 200
    page.locator("#state.live").wait_for(timeout=WAIT_S * 1_000)


def test_two_pages_of_one_realm_see_the_same_changes_in_the_same_order(
    world: World, opened: Callable[..., Page]
) -> None:
    one, two = opened(world), opened(world)
    start = max(place(one), place(two))
    for _ in range(3):
        world.tick()
    due = [sequence for sequence in world.sequences() if sequence > start]

    until(one, due[-1])
    until(two, due[-1])

    assert len(due) >= 3
    assert shown(one) == shown(two) == due


def test_pages_go_on_after_the_server_was_killed_without_a_gap_or_a_repeat(
    mortal: World, opened: Callable[..., Page]
) -> None:
    pages = [opened(mortal), opened(mortal)]
    start = max(place(page) for page in pages)
    mortal.tick()
    for page in pages:
        until(page, mortal.sequences()[-1])

    mortal.restart()
    due = [sequence for sequence in mortal.sequences() if sequence > start]
    for page in pages:
        until(page, due[-1])

    assert len(due) >= 2
    assert [shown(page) for page in pages] == [due, due]


def test_a_players_own_events_stand_on_the_players_page_alone(world: World, opened: Callable[..., Page]) -> None:
    mine, other = opened(world), opened(world)
    connect_as(mine, "ana")

    world.contribute("ana")
    world.tick()
    last = world.sequences()[-1]
    mine.locator("li.mine").wait_for(timeout=WAIT_S * 1_000)
    world.tick()
    last = world.sequences()[-1]
    for page in (mine, other):
        until(page, last)

    assert "far-wilds" in mine.locator("li.mine").inner_text()
    assert other.locator("li.mine").count() == 0
    assert set(shown(other)) < set(shown(mine))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=str)
def test_the_page_fits_the_screen_and_can_be_read(
    world: World, opened: Callable[..., Page], width: int, scheme: str
) -> None:
    page = opened(world, viewport={"width": width, "height": 900}, color_scheme=scheme)
    connect_as(page, "ana")
    world.contribute("ana")
    world.tick()
    page.locator("li.mine").wait_for(timeout=WAIT_S * 1_000)
    page.evaluate("note('what was sent was not taken as fast as it came: ' + 'x'.repeat(200))")

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert [each for each in contrasts(page, TEXTS) if each.ratio < READABLE] == []


def test_a_token_that_is_not_good_is_told_and_tried_again(world: World, opened: Callable[..., Page]) -> None:
    page = opened(world)
    page.locator("#token").fill("x.y.z")
    page.locator("button").click()

    page.locator("#state", has_text="again in").wait_for(timeout=WAIT_S * 1_000)

    assert "token" in page.locator("#state").inner_text()


def test_the_page_shows_every_kind_of_event_that_the_document_names() -> None:
    """A browser gives events to listeners of their kind alone: one that the page does not name would never be seen."""
    listed = re.search(r"const KINDS = \[(.*?)\]", (REPO / "examples/feed.html").read_text("utf-8"), re.DOTALL)
    told = re.search(r"Kinds of events: (.*?)\. Sequences", (REPO / "docs/feed.md").read_text("utf-8"), re.DOTALL)
    assert listed is not None
    assert told is not None
    kinds = set(re.findall(r'"(\w+)"', listed[1]))
    sources = "".join(path.read_text("utf-8") for path in sorted((REPO / "world/service").glob("*.py")))

    assert kinds == set(re.findall(r"`(\w+)`", told[1]))
    assert set(re.findall(r'(?:NewEvent|_Told)\(\s*"(\w+)"', sources)) <= kinds
