"""Measure the lab in Chromium: how soon it is ready, updates per second, the longest task of the page."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from netlearn.api import lab

SECONDS = 8
ADDRESS = "#cost=quadratic,cross-entropy&learning_rate=3,0.5&hidden={}&initializer=large"
OBSERVE = """
globalThis.longest = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, entry.duration);
}).observe({ type: "longtask", buffered: true });
new MutationObserver(() => { globalThis.ready ??= performance.now(); })
  .observe(document, { subtree: true, attributes: true, attributeFilter: ["data-ready"] });
"""


def measured(path: Path, hidden: int) -> str:
    """Return what a run at full speed shows, in one line."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(OBSERVE)
        page.goto(path.as_uri() + ADDRESS.format(hidden))
        page.wait_for_selector("html[data-ready]", state="attached")
        ready = page.evaluate("globalThis.ready")
        page.evaluate("globalThis.longest = 0")
        started = page.evaluate("performance.now()")
        page.click("#play")
        page.wait_for_timeout(1000 * SECONDS)
        page.click("#play")
        seconds = (page.evaluate("performance.now()") - started) / 1000
        updates = int(page.inner_text("#update").replace(",", ""))
        longest = page.evaluate("globalThis.longest")
        browser.close()
    return (
        f"{hidden} hidden neurons: {updates / seconds:,.0f} updates per second in each of two networks, ready after "
        f"{ready:.0f} ms, longest task {longest or 'below 50'} ms"
    )


def main() -> None:
    """Print a line for each size of the hidden layer, and the size of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = lab().save(Path(folder) / "lab.html")
        for hidden in (30, 100):
            print(measured(path, hidden))
        print(f"lab.html: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
