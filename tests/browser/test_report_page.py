"""The report in a real browser: it asks nobody for anything, runs nothing, fits a phone, and can be read in light and dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from evals.reports.page import page as page_of
from tests.browser.page_checks import cell_contrasts, clipped, contrasts, overlapping
from tests.unit.evals.report_runs import told

# One worker runs them one after another, and lets the browser's loop go before any asynchronous test begins.
pytestmark = pytest.mark.xdist_group("browser")

READABLE: Final = 4.5
"""Least contrast of text (WCAG 2.2, 1.4.3, level AA)."""
TEXTS: Final = [
    "body > header p.aside", ".eyebrow", ".headline", ".evidence li span:last-child", "nav a", "h2", "h4", "th", "td", "caption",
    "figcaption", ".aside", ".good", ".badge", ".badge.alarm", ".badge.calm", ".v-approve", ".v-modify", ".v-reject",
    ".v-quarantine", ".mark-against", ".mark-missing", ".mark-for", "code", "blockquote", "svg text.axis", "svg text.muted",
]  # fmt: skip


class Look(NamedTuple):
    """One way to look at the page."""

    width: int
    scheme: Literal["light", "dark"]


LOOKS: Final = (Look(1280, "light"), Look(1280, "dark"), Look(390, "light"), Look(390, "dark"), Look(760, "light"))


class Opened(NamedTuple):
    """The page as it stands in the browser."""

    page: Page
    asked: list[str]
    """Every address that was requested."""
    said: list[str]
    """Everything on the console, errors of the page and dialogs."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report, written once."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page_of(told()), "utf-8")
    return path


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look.width}-{look.scheme}")
def opened(browser: Browser, file: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    look: Look = request.param
    context = browser.new_context(viewport={"width": look.width, "height": 900}, color_scheme=look.scheme)
    found = Opened(context.new_page(), [], [])
    found.page.on("request", lambda asked: found.asked.append(asked.url))
    found.page.on("console", lambda message: found.said.append(message.text))
    found.page.on("pageerror", lambda error: found.said.append(str(error)))
    found.page.on("dialog", lambda dialog: found.said.append(dialog.message))
    found.page.goto(file.as_uri())
    found.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    yield found
    context.close()


def test_the_page_asks_nobody_for_anything_and_runs_nothing(opened: Opened, file: Path) -> None:
    opened.page.wait_for_timeout(100)
    assert opened.asked == [file.as_uri()]
    assert opened.said == []
    assert opened.page.locator("script, img, iframe, object, embed, form").count() == 0


def test_nothing_reaches_beyond_the_screen(opened: Opened) -> None:
    width = opened.page.viewport_size
    assert width is not None
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width["width"]


def test_every_plot_is_seen_whole(opened: Opened) -> None:
    assert opened.page.locator("svg.plot").count() == 11
    assert clipped(opened.page) == []
    assert overlapping(opened.page) == []


def test_every_text_can_be_read(opened: Opened) -> None:
    found = contrasts(opened.page, TEXTS)
    assert [each for each in found if each.ratio < READABLE] == []


def test_numbers_can_be_read_on_every_tint(opened: Opened) -> None:
    found = cell_contrasts(opened.page)
    assert len(found) > 10
    assert [each for each in found if each.ratio < READABLE] == []


def test_the_contents_lead_to_every_section_and_stay_in_sight(opened: Opened) -> None:
    page = opened.page
    targets: list[str] = page.eval_on_selector_all("nav a", "links => links.map((link) => link.hash.slice(1))")
    assert all(page.locator(f"[id='{target}']").count() == 1 for target in targets)
    assert [
        section
        for section in page.eval_on_selector_all("section", "all => all.map((s) => s.id)")
        if section not in targets
    ] == []
    page.locator("nav a", has_text="Versions").click()
    page.wait_for_timeout(800)
    assert page.locator("nav a", has_text="Versions").is_visible()
    box = page.locator("nav").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 60


def test_the_keyboard_opens_and_closes_a_case(opened: Opened) -> None:
    case = opened.page.locator("details").first
    case.locator("summary").focus()
    opened.page.keyboard.press("Enter")
    assert case.get_attribute("open") is None
    opened.page.keyboard.press("Enter")
    assert case.get_attribute("open") is not None


def test_a_printed_page_shows_every_case_and_no_contents(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    bodies = page.locator(".case-body")
    assert bodies.count() > 5
    heights: list[float] = bodies.evaluate_all("all => all.map((each) => each.getBoundingClientRect().height)")
    assert min(heights) > 20
    page.close()
