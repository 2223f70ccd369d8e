"""The page of many variants: the best, the median and the worst first, then the next best, and no more than fit."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from netlearn.comparison.analysis import analyse
from netlearn.comparison.outputs import MOST_ON_PAGE, render_page
from netlearn.comparison.statistics import group
from netlearn.runs import Run, selection
from tests.browser import opened
from tests.sweeps import sweep

RATES = np.geomspace(0.01, 10, 50).round(4).tolist()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of 500 variants."""
    path = tmp_path_factory.mktemp("many") / "report.html"
    runs = sweep(learning_rate=RATES, l2=[0.1 * i for i in range(10)])
    path.write_bytes(render_page(analyse("A sweep", runs), None, {}))
    return path


def test_page_of_500_variants_shows_60_and_says_so(made: Path) -> None:
    text = made.read_text("utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    variants = json.loads(found[1])["variants"]
    names, labels = [variant["name"] for variant in variants], {variant["short"] for variant in variants}
    assert len(labels) == MOST_ON_PAGE
    assert max(map(len, labels)) <= 25
    assert len(names) == MOST_ON_PAGE
    groups = group(sweep(learning_rate=RATES, l2=[0.1 * i for i in range(10)]))
    best, median, worst = selection.chosen(groups).values()
    assert names[:3] == [f"#1 {best}", f"#251 {median}", f"#500 {worst}"]
    assert [int(name[1:].split()[0]) for name in names[3:]] == list(range(2, MOST_ON_PAGE - 1))
    table = text.partition('class="scroll ranked tall"')[2].partition("</table>")[0]
    assert table.count("<tr>") == MOST_ON_PAGE + 1
    assert f"{500 - MOST_ON_PAGE} of 500" in unescape(text)
    assert len(text) < 1_000_000


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_page_of_500_variants_fits_and_shows_three_lines_at_first(made: Path, width: int, browser: Browser) -> None:
    with opened(browser, made, viewport={"width": width, "height": 800}) as shown:
        first = shown.locator("#curves .chart").first
        assert first.locator("path.line").count() == 3
        assert len(set(first.locator(".ends text").all_text_contents())) == (3 if width > 1000 else 0)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        heights = shown.evaluate("[...document.querySelectorAll('main>section')].map(each => each.offsetHeight)")
        assert max(heights) < 5000
        results = Axe().run(shown, options={"resultTypes": ["violations"]})
        assert results.violations_count == 0, results.generate_report()
        shown.get_by_role("button", name="All", exact=True).click()
        assert shown.locator("#curves .chart").first.locator("path.line").count() == MOST_ON_PAGE
        shown.get_by_role("button", name="Best, median, worst").click()
        assert shown.locator("#curves .chart").first.locator("path.line").count() == 3


@pytest.mark.browser
def test_page_of_500_variants_is_complete_on_paper(made: Path, browser: Browser) -> None:
    with opened(browser, made, viewport={"width": 690, "height": 1000}) as shown:
        shown.emulate_media(media="print")
        cut = "(nodes) => nodes.filter((node) => node.scrollHeight > node.clientHeight + 1).length"
        assert shown.eval_on_selector_all(".scroll, .many", cut) == 0
        named = shown.locator("#variants label").all()
        assert sum(label.is_visible() for label in named) == 3  # those whose lines are drawn


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_gradients_far_above_the_others_are_outside_and_counted(
    width: int, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = {0: (np.array([0.1, 0.9]), np.array([0.01, 0.08]))}
    far = {0: (np.array([0.5, 0.6, 3, 4]), np.array([0.5, 7, 3, 4]))}
    monkeypatch.setattr(Run, "samples", lambda self: far if self.settings.cost == "squentropy" else near)
    runs = sweep(cost=["quadratic", "squentropy"], learning_rate=[1.0])
    (tmp_path / "report.html").write_bytes(render_page(analyse("Two", runs), None, {}))
    with opened(browser, tmp_path / "report.html", viewport={"width": width, "height": 800}) as shown:
        assert shown.locator("#gradient .cloud path").count() == 3
        assert "3 of 4" in shown.locator("#gradient .names").first.inner_text()
        shown.click("#gradient summary")
        shown.locator("#gradient tbody td").first.wait_for()
        last = shown.locator("#gradient tbody tr").last.locator("td").all_text_contents()
        assert last[-4:] == ["0", "–", "0", "–"]  # errors above 1 are not among those up to it
        shown.uncheck("#variants label:has-text('quadratic') input")
        assert "2 of 4" in shown.locator("#gradient .names").first.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 690, 1280])
def test_names_beside_gradients_are_whole(
    width: int, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "samples", lambda _: {0: (np.array([0.1, 0.9]), np.array([0.01, 0.08]))})
    runs = sweep(cost=["quadratic", "cross-entropy", "squentropy"], l2=[0.125], hidden=[(100,)], learning_rate=[10.0])
    names = [run.variant for run in runs]
    (tmp_path / "report.html").write_bytes(render_page(analyse("Three", runs), None, {}))
    with opened(browser, tmp_path / "report.html", viewport={"width": width, "height": 800}) as shown:
        for chart in shown.locator("#gradient figure").all():
            said = chart.locator(".names > span, .ends text").all_text_contents()
            assert sorted(text.partition(":")[0] for text in said) == sorted(names)
        for text in shown.locator("#gradient .ends text").all():
            box, frame = text.bounding_box(), shown.locator("#gradient .chart svg").first.bounding_box()
            assert box is not None
            assert frame is not None
            assert box["x"] + box["width"] <= frame["x"] + frame["width"]
        shapes = shown.locator("#gradient figure").first.locator(":is(.names, .ends) path.point")
        assert len({shape.get_attribute("d") for shape in shapes.all()}) == 3


@pytest.mark.browser
@pytest.mark.parametrize("rising", [True, False])
def test_no_line_runs_through_what_is_said_of_the_quadratic_cost(
    rising: bool, browser: Browser, tmp_path: Path
) -> None:
    quadratic, other = sweep(cost=["quadratic", "squentropy"])
    speed = np.geomspace(0.27, 0.9, len(other.metrics["update"]))[:: 1 if rising else -1]
    speeds = [np.full_like(speed, 0.1), speed]
    runs = [
        replace(run, metrics=run.metrics | {"learning_speed": speed})
        for run, speed in zip((quadratic, other), speeds, strict=True)
    ]
    (tmp_path / "report.html").write_bytes(render_page(analyse("Two", runs), None, {}))
    with opened(browser, tmp_path / "report.html") as shown:
        chart = shown.locator("#curves figure", has_text="Learning speed")
        inside = """(lines, box) => lines.filter((line) => Array.from({length: 200}, (_, i) =>
            line.getPointAtLength((i / 199) * line.getTotalLength())).some(({x, y}) =>
            x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height)).length"""
        text = chart.locator("text.mark")
        box = text.evaluate("(node) => (({x, y, width, height}) => ({x, y, width, height}))(node.getBBox())")
        assert chart.locator("path.line").evaluate_all(inside, box) == 0
        assert text.evaluate("(node) => getComputedStyle(node).paintOrder").startswith("stroke")


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_eight_variants_stand_side_by_side_with_their_measures_in_view(
    width: int, browser: Browser, tmp_path: Path
) -> None:
    runs = sweep(cost=["quadratic", "cross-entropy"], learning_rate=[0.1, 0.5, 1.0, 3.0])
    (tmp_path / "report.html").write_bytes(render_page(analyse("Eight", runs), None, {}))
    with opened(browser, tmp_path / "report.html", viewport={"width": width, "height": 800}) as shown:
        table = shown.locator("#result .crowded table")
        assert len(table.locator("thead th").all_text_contents()) == 8
        last, measure = table.locator("tbody tr").first.locator("td").last, table.locator("tbody th").first
        last.scroll_into_view_if_needed()
        box = measure.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < width / 2
        corner = table.locator("thead td").bounding_box()
        assert corner is not None
        assert corner["x"] == pytest.approx(box["x"], abs=1)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        key = "getComputedStyle(document.querySelector('#result .key.v4')).backgroundImage"
        assert "repeating-linear-gradient" in shown.evaluate(key)  # dashed, as cross-entropy's lines are
        results = Axe().run(shown, options={"resultTypes": ["violations"]})
        assert results.violations_count == 0, results.generate_report()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("values", "own", "quarter"),
    [
        ({"cost": ["quadratic", "cross-entropy"]}, "(each variant has its own cost)", True),
        ({"l2": [0.0, 5.0]}, "(each variant has its own penalty)", False),
        ({"learning_rate": [0.1, 0.5]}, "", False),
    ],
)
def test_costs_that_cannot_be_compared_are_said_to(
    values: Any, own: str, quarter: bool, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_bytes(render_page(analyse("Two", sweep(**values)), None, {}))
    with opened(browser, tmp_path / "report.html") as shown:
        text = shown.locator("#curves").inner_text()
        assert f"Training cost {own}".strip() in text
        assert ("each variant has its own" in text) == bool(own)
        assert ("at most with the quadratic cost" in text) == quarter
