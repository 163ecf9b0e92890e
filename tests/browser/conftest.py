"""A real browser for pages: Debian's chromium, cut off from every network. Tests are skipped, loudly, where there is none."""

import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the system; skips where there is none."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("*** chromium is not installed: nobody has looked at the page; 'make browser' installs it")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield opened
        opened.close()
