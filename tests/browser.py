"""Opens pages in Debian's Chromium, and finds out what they load and complain about."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.commands import PATIENCE

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

each_look = pytest.mark.parametrize(  # the colours and the widths, each in one of both looks that make check takes
    ("scheme", "width"),
    [
        *(("light", 360), ("dark", 1280)),
        *(pytest.param(*look, marks=pytest.mark.long) for look in (("dark", 360), ("light", 1280))),
    ],
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; without it skip the test, or fail where NETLEARN_REQUIRE_BROWSER is set."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("NETLEARN_REQUIRE_BROWSER"):
            pytest.fail("Chromium is not installed: apt-get install chromium")
        pytest.skip("needs Chromium: apt-get install chromium")
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, path: Path, script: str = "", **options: Any) -> Iterator[Page]:
    """Open a page; afterwards check that it loaded nothing else and that nothing was wrong.

    `script` runs before those of the page. Workers come from the page itself, and are no requests to anywhere.
    """
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
    page = context.new_page()
    seen: list[str] = []
    page.on("console", lambda message: seen.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.on("dialog", lambda dialog: seen.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: seen.append(f"request: {request.url}"))
    page.add_init_script(script)
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    yield page
    context.close()
    assert [each for each in seen if not each.startswith("request: blob:")] == [f"request: {path.resolve().as_uri()}"]
