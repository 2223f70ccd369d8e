"""Take pictures in Chromium: a short GIF of the lab and a screenshot, and two of a comparison's page."""

import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from netlearn.api import lab

DOCS = Path(__file__).parents[1] / "docs"
SIZE = {"width": 1280, "height": 800}
SHOWN = (960, 600)  # pixels of the GIF
COLOURS = 96
STEPS = (*[10] * 10, *[100] * 13)  # updates between two pictures
FIRST, EACH, LAST = 2200, 140, 4000  # milliseconds that a picture stands


def opened(browser: Browser, path: Path, scheme: str) -> Page:
    """Open a page, and wait until it can be used."""
    page = browser.new_context(viewport=SIZE, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def picture(page: Page) -> Image.Image:
    """Return what is seen now, small."""
    return Image.open(BytesIO(page.screenshot())).convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS)


def film(page: Page) -> tuple[list[Image.Image], list[int]]:
    """Return pictures of the lab from the guess to 1,400 updates, and how long each stands."""
    pictures, times = [picture(page)], [FIRST]
    page.check("#guess input[value='1']")
    pictures.append(picture(page))
    times.append(FIRST // 2)
    done = 0
    for count in STEPS:
        page.click(f"[data-more='{count}']")
        done += count
        expect(page.locator("#update")).to_have_text(f"{done:,}", timeout=60_000)
        pictures.append(picture(page))
        times.append(EACH)
    times[-1] = LAST
    palette = pictures[-1].quantize(COLOURS, Image.Quantize.MAXCOVERAGE)  # keeps the few pixels of the lines coloured
    return [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures], times


def main(comparison: Path) -> None:
    """Write docs/lab.gif, lab.png, report-light.png and report-dark.png."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        path = lab().save(Path(folder) / "lab.html")
        page = opened(browser, path, "light")
        (first, *rest), times = film(page)
        first.save(DOCS / "lab.gif", save_all=True, append_images=rest, duration=times, loop=0, optimize=True)
        page.screenshot(path=DOCS / "lab.png")
        page = opened(browser, comparison / "report.html", "light")
        for _ in range(40):
            page.click("#neuron-step")
        page.screenshot(path=DOCS / "report-light.png")
        page = opened(browser, comparison / "report.html", "dark")
        page.locator("#digits").scroll_into_view_if_needed()
        page.evaluate("document.getElementById('digits').scrollIntoView()")
        page.screenshot(path=DOCS / "report-dark.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
