"""The page in Chromium: what it loads and answers, and that mouse, keyboard and screen reader reach all of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from netlearn import datasets
from netlearn.comparison.experiment import folder_name
from netlearn.inspection.trained import load_network
from netlearn.predictions import predict
from netlearn.report.assets import part
from netlearn.runs import read_run
from tests.browser import each_look, opened
from tests.reports import HOSTILE, IMAGES, compare, points

pytestmark = pytest.mark.browser

BOOK = {  # outputs at epochs 0, 50, …, 300 with η = 0.15, from the book's equations
    ("quadratic", "0.6 0.9"): [0.8176, 0.3870, 0.2110, 0.1527, 0.1237, 0.1061, 0.0940],
    ("quadratic", "2 2"): [0.9820, 0.9759, 0.9641, 0.9334, 0.7887, 0.3572, 0.2028],
    ("cross-entropy", "0.6 0.9"): [0.8176, 0.0792, 0.0371, 0.0241, 0.0178, 0.0141, 0.0116],
    ("cross-entropy", "2 2"): [0.9820, 0.0985, 0.0411, 0.0257, 0.0186, 0.0146, 0.0120],
}
SIXTH = (0.9820, 0.8411, 0.4956, 0.2781, 0.1803, 0.1304, 0.1011)  # cross-entropy from w = b = 2 with η = 0.15 / 6
SLOW = (0.9820, 0.9710, 0.9539, 0.9282, 0.8912, 0.8415, 0.7796)  # and with η = 0.005
ANSWERS = """([count, drawn]) => {
  const [slider] = document.querySelectorAll("#digits input[type=range]");
  const answers = [];
  for (let i = 0; i < count; i += 1) {
    slider.value = i;
    slider.dispatchEvent(new Event("input"));
    if (drawn) {
      const pad = document.querySelector("#digits canvas.pad"), context = pad.getContext("2d");
      context.clearRect(0, 0, pad.width, pad.height);
      context.imageSmoothingEnabled = false;
      context.drawImage(document.querySelector("#digits canvas.seen"), 0, 0, pad.width, pad.height);
      pad.dispatchEvent(new Event("change"));
    }
    answers.push([...document.querySelectorAll("#digits .verdict b")].map((each) => Number(each.textContent)));
  }
  return answers;
}"""

CUT = """(nodes) => nodes.filter((node) => node.scrollHeight > node.clientHeight + 1
  || node.scrollWidth > node.clientWidth + 1).map((node) => node.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def report(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compare(tmp_path_factory.mktemp("page") / "images", experiment=IMAGES)


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    with opened(browser, report) as found:
        yield found


def value(page: Page, selector: str, to: float) -> None:
    page.eval_on_selector(selector, "(node, to) => { node.value = to; node.dispatchEvent(new Event('input')); }", to)


@pytest.mark.parametrize("start", ["0.6 0.9", "2 2"])
def test_neuron_has_the_outputs_of_the_book(start: str, page: Page) -> None:
    page.click(f"[data-start='{start}']")
    for i in range(7):
        value(page, "#neuron-epoch", 50 * i)
        for column, cost in enumerate(["quadratic", "cross-entropy"]):
            output = page.locator("#neuron-now tr").first.locator("td").nth(column).inner_text()
            assert float(output) == BOOK[cost, start][i]


def test_neuron_with_a_sixth_of_the_rate_and_with_the_book_pages_rate(page: Page) -> None:
    page.click("[data-start='2 2']")
    output = page.locator("#neuron-now tr").first.locator("td").nth(1)
    for slow, outputs in ((True, SIXTH), (False, SLOW)):
        page.set_checked("#neuron-sixth", slow)
        value(page, "#neuron-eta", 0.15 if slow else 0.005)
        for i in range(7):
            value(page, "#neuron-epoch", 50 * i)
            assert float(output.inner_text()) == outputs[i]


def test_neuron_fits_one_screen_and_its_future_is_not_drawn(page: Page) -> None:
    for selector in ("#neuron-play", "#neuron-eta", "#neuron-now tr >> nth=4", "#neuron-charts figure >> nth=4"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800
    value(page, "#neuron-epoch", 75)
    lines = page.locator("#neuron-charts figure >> nth=0").locator("path.line").all()
    grid = page.locator("#neuron-charts figure >> nth=0").locator(".axes line").last.bounding_box()
    assert grid is not None
    widths = [line.bounding_box()["width"] for line in lines]  # type: ignore[index]
    assert max(widths) < 0.27 * grid["width"]
    assert "quadratic cost not yet" in page.locator("#neuron-said").inner_text()


def test_the_lab_beside_the_page_opens_with_the_settings_of_the_comparison(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    page.click("text=Train it yourself")
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.url.rpartition("/")[2].startswith(
        "lab.html#cost=quadratic,cross-entropy&learning_rate=3,0.5&hidden=30"
    )
    assert page.input_value("[name=initializer]") == "large"
    page.close()


def test_neuron_plays_pauses_steps_and_resets(page: Page) -> None:
    epoch = page.locator("#neuron-epoch")
    page.click("#neuron-play")
    expect(epoch).not_to_have_value("0")
    page.click("#neuron-play")
    paused = int(epoch.input_value())
    page.click("#neuron-step")
    assert int(epoch.input_value()) == paused + 1
    page.click("#neuron-reset")
    assert epoch.input_value() == "0"
    page.select_option("#neuron-speed", "150")
    value(page, "#neuron-epoch", 290)
    page.press("#neuron-play", "Enter")
    expect(epoch).to_have_value("300")
    expect(page.locator("#neuron-play")).to_have_text("Play")
    expect(page.locator("#live")).to_contain_text("0.2028")


def expected(report: Path, variant: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    network = load_network(read_run(report.parent / f"{variant}-0"))
    return predict(network, datasets.load("mnist-5k").test[:200]).answers


VARIANTS = ("quadratic", folder_name(HOSTILE))


def test_answers_on_200_test_digits_are_those_of_netlearn(report: Path, page: Page) -> None:
    answers = np.array(page.evaluate(ANSWERS, [200, False]))
    for column, variant in enumerate(VARIANTS):
        np.testing.assert_array_equal(answers[:, column], expected(report, variant))


def test_test_digits_on_the_canvas_are_answered_as_netlearn_does(report: Path, page: Page) -> None:
    answers = np.array(page.evaluate(ANSWERS, [100, True]))
    assert "Your drawing" in page.locator("#digits .said").inner_text()
    for column, variant in enumerate(VARIANTS):
        assert (answers[:, column] == expected(report, variant)[:100]).mean() >= 0.95


def test_network_learns_along_the_slider_over_its_stored_weights(page: Page) -> None:
    slider = page.locator("#digits input[type=range]").nth(1)
    rights = []
    for place in range(int(slider.get_attribute("max") or 0) + 1):
        slider.evaluate("(node, to) => { node.value = to; node.dispatchEvent(new Event('input')); }", place)
        texts = page.locator("#digits .answers .hint").all_inner_texts()
        rights.append([int(text.split()[0]) for text in texts])
    assert len(rights) >= 4
    assert max(rights[0]) < 60
    assert rights[-1][1] > 150


def test_a_digit_is_drawn_with_the_mouse_and_cleared(page: Page) -> None:
    canvas = page.locator("#digits canvas.pad")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"]
    page.mouse.move(x, y + 50)
    page.mouse.down()
    page.mouse.move(x, y + 220, steps=12)
    page.mouse.up()
    assert page.locator("#digits .verdict b").nth(1).inner_text() == "1"
    assert page.locator("#digits .controls output").first.inner_text() == "–"  # no example
    assert "Your drawing" in page.locator("#digits .said").inner_text()
    page.click("#digits-clear")
    assert page.locator("#digits .verdict b").all_inner_texts() == ["–", "–"]


def test_a_digit_is_drawn_with_a_finger(browser: Browser, report: Path) -> None:
    with opened(browser, report, has_touch=True, viewport={"width": 360, "height": 740}) as page:
        canvas = page.locator("#digits canvas.pad")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        page.touchscreen.tap(box["x"] + 100, box["y"] + 100)
        assert "Your drawing" in page.locator("#digits .said").inner_text()


def test_charts_say_the_exact_update_and_all_values_by_keyboard_and_mouse(page: Page) -> None:
    charts = page.locator("#curves [role=slider]")
    assert charts.count() == 5
    for i in range(5):
        chart = charts.nth(i)
        chart.focus()
        page.keyboard.press("End")
        text = chart.get_attribute("aria-valuetext") or ""
        assert text.startswith("update 1,050, epoch 3: quadratic")
        assert HOSTILE in text
        page.keyboard.press("ArrowLeft")
        assert (chart.get_attribute("aria-valuetext") or "").startswith("update 700")
        chart.hover()
        assert page.locator("#curves .tip:visible").count() == 1


@pytest.mark.parametrize("kind", ["mouse", "keyboard"])
def test_every_slider_checkbox_and_fold_works(kind: str, page: Page) -> None:
    for slider in page.locator("input[type=range]").all():
        before = slider.input_value()
        if kind == "mouse":
            box = slider.bounding_box()
            assert box is not None
            start = float(before) == float(slider.get_attribute("max") or 0)
            slider.click(position={"x": box["width"] * (0.1 if start else 0.93), "y": box["height"] / 2})
        else:
            slider.focus()
            page.keyboard.press("ArrowRight")
            if slider.input_value() == before:
                page.keyboard.press("ArrowLeft")
        assert slider.input_value() != before
    for check in page.locator("input[type=checkbox]").all():
        checked = check.is_checked()
        if kind == "mouse":
            check.click()
        else:
            check.focus()
            page.keyboard.press("Space")
        assert check.is_checked() != checked
        check.set_checked(True)
    value(page, "#neuron-epoch", 300)
    for fold in page.locator("summary").all():
        if kind == "mouse":
            fold.click()
        else:
            fold.focus()
            page.keyboard.press("Enter")
        assert fold.locator("..").get_attribute("open") == ""
    for table in page.locator("details.values table").all():
        assert table.locator("tbody tr").count() > 3


@pytest.mark.parametrize("kind", ["mouse", "keyboard"])
def test_every_button_works(kind: str, page: Page) -> None:
    def press(selector: str) -> None:
        if kind == "mouse":
            page.click(selector)
        else:
            page.focus(selector)
            page.keyboard.press("Enter")

    press("#theme")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    press("[data-start='0.6 0.9']")
    assert (page.input_value("#neuron-w"), page.input_value("#neuron-b")) == ("0.6", "0.9")
    assert page.locator("[data-start][aria-pressed=true]").count() == 1
    press("#neuron-step")
    assert page.input_value("#neuron-epoch") == "1"
    assert "0.8176 × 0.1491 = 0.1219" in page.locator(".arithmetic").inner_text()
    assert "0.6000 − 0.15 × 0.1219 = 0.5817" in page.locator(".arithmetic").inner_text()
    press("#neuron-reset")
    assert page.input_value("#neuron-epoch") == "0"
    press("#mistakes .gallery button")
    assert page.locator("#mistakes .outputs li").count() == 10
    press(".copy >> nth=0")
    expect(page.locator("#live")).to_contain_text(re.compile("Copied|Selected"))
    press("nav a[href='#digits']")
    expect(page).to_have_url(re.compile("#digits$"))


def test_a_variant_that_is_switched_off_disappears_from_all_sections(page: Page) -> None:
    page.uncheck("#variants input >> nth=0")
    assert page.locator("#curves path.line.v0").count() == 0
    assert page.locator("#curves path.line.v1").count() > 0
    assert page.locator("#gradient circle.v0").count() == 0
    assert page.locator("#digits .answers section").count() == 1
    assert page.locator("#mistakes .mistakes:visible").count() == 1


def test_axes_switch_between_log_and_linear(page: Page) -> None:
    def ticks(figure: int) -> list[str]:
        return page.locator("#curves figure").nth(figure).locator(".axes text").all_text_contents()

    assert "10" in ticks(0)
    before = ticks(1)
    page.uncheck("#curves-x")
    assert "10" not in ticks(0)
    page.check("#curves-x")
    page.uncheck("#curves-y")
    assert ticks(1) != before


def test_slider_over_probed_updates_moves_the_output_neurons(page: Page) -> None:
    places = "(points) => points.map((point) => point.getAttribute('transform')).join()"
    before = page.eval_on_selector_all("#gradient .cloud path", places)
    said = page.locator("#gradient-said")
    expect(said).to_contain_text("At update 0, these have an error above 0.9: quadratic")
    page.focus("#gradient input[type=range]")
    page.keyboard.press("End")
    expect(said).to_contain_text("At update 100, these")
    assert page.eval_on_selector_all("#gradient .cloud path", places) != before


def test_hostile_names_stay_text(page: Page) -> None:
    assert page.locator("img").count() == 0
    assert page.locator("h1 b").count() == 0
    assert HOSTILE in page.locator("#result table").inner_text()
    assert HOSTILE in page.locator("#variants").inner_text()


def test_on_a_telephone_lines_are_named_above_each_chart_and_recall_fits(browser: Browser, report: Path) -> None:
    with opened(browser, report, viewport={"width": 360, "height": 740}) as page:
        charts = page.locator("#curves figure, #gradient figure")
        assert charts.count() == 7
        for chart in charts.all():
            names = chart.locator(".names > span").all_inner_texts()
            assert [name[:9] for name in names] == ["quadratic", HOSTILE[:9]]
        assert page.locator(".scroll.wide table.recall").count() == 0
        for place in page.locator("#result .scroll, #settings .scroll").all():
            is_wide = place.evaluate("node => node.scrollWidth > node.clientWidth + 1")
            assert ("wide" in (place.get_attribute("class") or "")) == is_wide


def test_page_of_a_table_has_all_but_the_digits(browser: Browser, tmp_path: Path) -> None:
    data = str(points(tmp_path / "points.npz"))
    with opened(browser, compare(tmp_path / "points", "--data", data, "--epochs", "1", "--seeds", "1")) as page:
        sections = page.eval_on_selector_all("main > section", "(nodes) => nodes.map((node) => node.id)")
        assert sections == ["neuron", "result", "curves", "gradient", "mistakes", "settings"]
        assert page.locator("nav li:not(.lab-link)").count() == 6
        assert "Validation accuracy" in page.locator("#curves figcaption").all_inner_texts()
        assert page.locator("#gradient .cloud path").count() > 100
        assert "points.npz are not images" in page.locator("#mistakes").inner_text()


def test_page_of_the_neuron_has_no_digits(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, compare(tmp_path / "neuron", "neuron", "--epochs", "10")) as page:
        sections = page.eval_on_selector_all("main > section", "(nodes) => nodes.map((node) => node.id)")
        assert sections == ["neuron", "result", "curves", "settings"]
        assert page.locator("nav li:not(.lab-link)").count() == 4
        assert page.locator("#curves figure").count() == 3


def test_very_large_and_small_numbers_have_powers_of_ten_as_in_the_pictures(browser: Browser) -> None:
    code = part("page/dom.js").partition('// "2e-4"')[2].partition("const key = ")[0]
    texts = {1e-5: "10⁻⁵", -2.5e-7: "−2.5·10⁻⁷", 1e6: "10⁶", 1.234e-5: "1.23·10⁻⁵", 0.0001: "0.0001", 0: "0"}
    page = browser.new_page()
    made = page.evaluate(f"(values) => {{ //{code}\nreturn values.map(figure); }}", list(texts))
    page.close()
    assert made == list(texts.values())


@each_look
def test_axe_finds_nothing_and_the_page_fits(scheme: str, width: int, browser: Browser, report: Path) -> None:
    with opened(browser, report, color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        for fold in page.locator("summary").all():
            fold.click()
        page.click("#mistakes .gallery button")
        page.locator("#curves [role=slider]").first.focus()
        page.keyboard.press("End")
        results = Axe().run(page, options={"resultTypes": ["violations"]})
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_the_result_comes_first_and_the_neuron_has_learned(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        order = "[...document.querySelectorAll('main > section')].map((node) => node.id).slice(0, 2)"
        before = page.locator("#neuron-said").inner_text()
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.evaluate(order) == ["result", "neuron"]
        assert "Output below ½: with the quadratic cost after" in page.locator("#neuron-said").inner_text()
        for control in page.locator("#neuron :is(input, button, select)").all():
            assert control.is_hidden()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate(order) == ["neuron", "result"]
        assert page.locator("#neuron-said").inner_text() == before
        assert page.input_value("#neuron-epoch") == "0"


def test_what_scrolls_down_says_so(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        table = page.locator("#settings .scroll").first
        shown = "(node) => getComputedStyle(node, '::after').content"
        assert table.evaluate(shown) == "none"
        table.evaluate("(node) => { node.style.maxHeight = '4rem'; }")
        page.wait_for_selector("#settings .scroll.long")
        assert "scroll" in table.evaluate(shown)


def test_every_section_is_complete_on_paper(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.set_viewport_size({"width": 690, "height": 1000})  # the width of A4 within its margins
    page.emulate_media(media="print")
    for section in page.locator("main > section").all():
        assert section.bounding_box()["height"] > 100  # type: ignore[index]
    for chart in page.locator(".chart svg").all():
        assert chart.bounding_box()["height"] > 100  # type: ignore[index]
    assert page.eval_on_selector_all(".scroll, .chart, .bars, .gallery", CUT) == []
    assert page.locator("nav, button.copy, .transport button").first.is_hidden()
    parted = "(nodes) => nodes.filter((node) => getComputedStyle(node).breakAfter !== 'avoid').length"
    assert page.eval_on_selector_all("h2, h3, figcaption, #curves > p, #layers > p", parted) == 0
    page.pdf(path=str(path), format="A4")
    assert path.read_bytes().count(b"/Type /Page\n") >= 5
