"""The lab in Chromium: it trains, shows and says what happens, and mouse, touch and keyboard reach all of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from netlearn import datasets
from netlearn.datasets import Dataset, Examples
from netlearn.report.lab import lab
from tests.browser import chromium, opened
from tests.reports import points

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>"
SMALL = (
    "#cost=quadratic,cross-entropy&learning_rate=3,0.5&hidden=10&activation=sigmoid&initializer=large"
    "&batch_size=10&seed=0"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lab") / "lab.html"
    made.write_bytes(lab(datasets.load("mnist-5k")))
    return made


@pytest.fixture
def page(browser: Browser, path: Path) -> Iterator[Page]:
    with opened(browser, path) as found:
        yield found


@contextmanager
def of(browser: Browser, folder: Path, data: Dataset, **options: Any) -> Iterator[Page]:
    """Open the lab of a data set."""
    made = folder / "other.html"
    made.write_bytes(lab(data))
    with opened(browser, made, **options) as found:
        yield found


def go(page: Page, address: str) -> None:
    page.evaluate("(address) => { location.hash = address; }", address)
    expect(page.locator("#update")).to_have_text("0")


def learn(page: Page, updates: int) -> None:
    for _ in range(updates // 100):
        page.click("[data-more='100']")
    expect(page.locator("#update")).to_have_text(f"{updates:,}", timeout=60_000)


def figures(page: Page) -> list[str]:
    return page.locator(".now").all_inner_texts()


def images(name: str, size: int, classes: int, n: int = 200) -> Dataset:
    """Return images of bright bars, one place for each class."""
    labels = np.arange(n) % classes
    x = np.random.default_rng(0).integers(30, size=(n, size, size)) / np.float32(255)
    for i, label in enumerate(labels):
        x[i, :, label * size // classes : label * size // classes + 2] = 1
    examples = Examples(x.reshape(n, -1).astype(np.float32), labels)
    outputs = 1 if classes == 2 else classes
    return Dataset(name, name, examples, examples, examples, outputs, (size, size), {})


def test_both_networks_start_alike_and_cross_entropy_passes_80_percent_first(page: Page) -> None:
    first = page.locator(".now .big b").all_inner_texts()
    assert first[0] == first[1]
    page.check("#guess input[value='1']")
    page.focus("#guess input[type=range]")
    page.keyboard.press("Home")
    page.click("#play")
    expect(page.locator("#outcome")).to_contain_text("cross-entropy passed 80 %", timeout=120_000)
    page.click("#play")
    outcome = page.locator("#outcome").inner_text()
    assert "Your guess: cross-entropy after about 10 updates. Answer: cross-entropy passed" in outcome
    assert "after 520 updates" in outcome  # as the lesson says, whatever the speed
    assert "quadratic has not yet" in outcome
    assert page.locator("#guess").is_hidden()


def test_the_same_address_gives_the_same_figures_and_another_seed_others(browser: Browser, path: Path) -> None:
    seen = []
    for seed in (0, 0, 1):
        with opened(browser, path) as page:
            go(page, SMALL.replace("seed=0", f"seed={seed}"))
            learn(page, 300)
            seen.append(figures(page))
    assert seen[0] == seen[1] != seen[2]


def test_without_workers_the_page_learns_the_same(browser: Browser, path: Path) -> None:
    seen = []
    for script in ("", "window.Worker = undefined;"):
        with opened(browser, path, script=script) as page:
            go(page, SMALL)
            learn(page, 200)
            seen.append(figures(page))
    assert seen[0] == seen[1]


def test_step_more_reset_and_play_and_pause_by_keyboard(page: Page) -> None:
    for selector, updates in (("#step", "1"), ("[data-more='10']", "11"), ("[data-more='100']", "111")):
        page.focus(selector)
        page.keyboard.press("Enter")
        expect(page.locator("#update")).to_have_text(updates)
    expect(page.locator("#live")).to_contain_text("Update 111")
    page.focus("#reset")
    page.keyboard.press("Space")
    expect(page.locator("#update")).to_have_text("0")
    page.select_option("#speed", "100")
    page.focus("#play")
    page.keyboard.press("Enter")
    expect(page.locator("#play")).to_have_text("Pause")
    expect(page.locator("#rate")).to_contain_text("per second")
    page.keyboard.press("Enter")
    expect(page.locator("#play")).to_have_text("Play")


def test_a_changed_setting_begins_anew_and_stands_in_the_address(page: Page) -> None:
    page.click("[data-more='10']")
    expect(page.locator("#update")).to_have_text("10")
    page.select_option("#cost-0", "log-likelihood")
    expect(page.locator("#update")).to_have_text("0")
    assert page.input_value("#rate-0") == "0.1"
    page.fill("#rate-1", "0.25")
    page.press("#rate-1", "Enter")
    for name, value in (("hidden", "none"), ("activation", "tanh"), ("batch_size", "100")):
        page.select_option(f"[name={name}]", value)
    page.select_option("[name=initializer]", "constants")
    page.fill("[name=w]", "0.5")
    page.press("[name=w]", "Tab")
    page.fill("[name=seed]", "7")
    page.press("[name=seed]", "Tab")
    address = page.evaluate("location.hash")
    assert address == (
        "#cost=log-likelihood,cross-entropy&learning_rate=0.1,0.25&hidden=none&activation=tanh"
        "&initializer=0.5,0&batch_size=100&seed=7"
    )
    go(page, SMALL)
    assert page.input_value("[name=hidden]") == "10"
    go(page, address)
    assert page.input_value("[name=w]") == "0.5"
    assert page.input_value("#cost-0") == "log-likelihood"


@pytest.mark.parametrize(
    "wrong", ["cost=huber,quadratic", "learning_rate=0,1", "hidden=7", "seed=-1", "batch_size=x", "eta=3", "%zz=%zz"]
)
def test_an_address_with_what_the_page_lacks_is_named_and_the_rest_is_used(wrong: str, page: Page) -> None:
    page.evaluate("(address) => { location.hash = address; }", f"#activation=relu&{wrong}")
    expect(page.locator("#setting-note")).to_contain_text(wrong.partition("=")[0].partition("%")[0] or "%zz")
    assert page.input_value("[name=activation]") == "relu"
    assert page.input_value("#rate-0") == "3"


def test_a_field_with_no_usable_value_keeps_the_last_one(page: Page) -> None:
    for text in ("0", "", "-3", "1e9"):
        page.fill("#rate-0", text)
        page.press("#rate-0", "Tab")
        expect(page.locator("#setting-note")).to_contain_text("not a value that can be used")
        assert page.input_value("#rate-0") == "3"


def test_a_network_that_diverges_says_so(browser: Browser, path: Path) -> None:
    with opened(browser, path, script="window.Worker = undefined;") as page:
        page.evaluate("""() => { Network.prototype.measure = function measure() {
          return { accuracy: 0.1, cost: this.cost === COSTS.quadratic ? NaN : 2, speed: 1, wrong: 0.1 };
        }; }""")
        page.click("#step")
        expect(page.locator("#now-0")).to_contain_text("diverged")
        expect(page.locator("#now-1")).not_to_contain_text("diverged")
        assert page.locator("#small-charts path.line.vcrossentropy").count() == 3


def test_equal_costs_differ_by_their_rate_in_name_and_line(page: Page) -> None:
    go(page, "#cost=quadratic,quadratic&learning_rate=3,0.5&hidden=10&seed=0")
    learn(page, 100)
    assert page.locator("#accuracy path.line.vsecond").count() == 1
    assert "quadratic, η = 0.5" in page.locator("#inside-1 h3").inner_text()


def test_nothing_of_the_future_is_drawn(page: Page) -> None:
    assert page.locator("#train path.line").evaluate_all(
        "(lines) => lines.every((line) => !line.getAttribute('d').includes('L'))"
    )
    learn(page, 100)
    widths = page.locator("#accuracy path.line").evaluate_all("(lines) => lines.map((line) => line.getBBox().width)")
    grid = page.locator("#accuracy .axes").evaluate("(axes) => axes.getBBox().width")
    assert max(widths) < 0.6 * grid


def cells(page: Page, network: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    rows = page.locator(f"#inside-{network} tbody tr").all()
    texts = [row.locator("td").all_inner_texts() for row in rows]
    return np.array([[float(text.strip().replace("−", "-")) for text in row] for row in texts])


def test_look_inside_shows_which_factor_kills_the_gradient(page: Page) -> None:
    go(page, SMALL)
    learn(page, 100)
    page.get_by_role("button", name="Most wrong").click()
    y, a, error, slope, delta = cells(page, 0).T
    np.testing.assert_allclose(error, a - y, atol=0.0011)
    np.testing.assert_allclose(delta, error * slope, atol=0.0011)
    y, a, error, slope, delta = cells(page, 1).T
    np.testing.assert_allclose(delta, a - y, atol=0.0011)
    assert "cancels" in page.locator("#inside-1 thead").inner_text()
    assert y.sum() == 1
    assert page.locator(".curve circle.dot").count() >= 20


def test_a_drawing_has_outputs_at_once_and_errors_when_its_class_is_said(page: Page) -> None:
    page.get_by_role("button", name="Clear to draw").click()
    pad = page.locator("canvas.pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 30, steps=5)
    page.mouse.up()
    expect(page.locator("#inside-0 tbody td").nth(2)).to_have_text("–")
    page.select_option(".which select", "1")
    expect(page.locator("#inside-0 tbody tr").nth(1).locator("td").first).to_have_text("1")
    assert cells(page, 1)[1, 0] == 1


def test_one_step_in_numbers_is_the_step_that_the_example_would_take(page: Page) -> None:
    go(page, "#cost=quadratic,cross-entropy&learning_rate=3,0.5&hidden=10&batch_size=1&seed=0")
    page.select_option("#numbers-output", "2")
    page.select_option("#numbers-weight", "4")
    for network, eta in ((0, 3), (1, 0.5)):
        text = page.locator(f"#numbers-{network}").inner_text()
        for name in ("BP1", "BP2", "BP3", "BP4"):
            assert name in text
        lines = page.locator(f"#numbers-{network} .equation p").all()
        last = [re.sub(r"\s", "", line.locator("math").last.text_content() or "").replace("−", "-") for line in lines]

        def number(text: str) -> float:
            text = re.sub(
                r"·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)",
                lambda m: f"e{m[1].translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789'))}",
                text,
            )
            return float(text.rpartition("=")[2])

        delta, _, bias, gradient, after = map(number, last)
        assert bias == delta
        step = re.sub(r"\s", "", lines[4].locator("math").nth(1).text_content() or "").replace("−", "-").lstrip("=")
        before = number(re.match(r"-?[\d.]+(·10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", step)[0])  # type: ignore[index]
        assert after == pytest.approx(before - eta * gradient, abs=0.01)
        error, slope = cells(page, network)[2, 2:4]
        assert delta == pytest.approx(error * slope if network == 0 else error, abs=0.0011)


def test_charts_answer_pointer_and_arrow_keys(page: Page) -> None:
    learn(page, 100)
    chart = page.get_by_role("slider", name="Accuracy, chart")
    chart.focus()
    page.keyboard.press("End")
    assert "update 100" in (chart.get_attribute("aria-valuetext") or "")
    assert "quadratic" in (chart.get_attribute("aria-valuetext") or "")
    chart.hover(position={"x": 100, "y": 100})
    expect(page.locator("#accuracy .tip")).to_be_visible()
    page.check("#log-x")
    expect(page.locator("#accuracy .axes text").get_by_text("10", exact=True)).to_be_visible()


def test_theme_and_link_buttons(page: Page) -> None:
    page.click("#theme")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.click("#link")
    expect(page.locator("#live")).to_contain_text(re.compile("Copied|Copy the address"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_the_page_fits(scheme: str, width: int, browser: Browser, path: Path) -> None:
    options: dict[str, Any] = {
        "color_scheme": scheme,
        "viewport": {"width": width, "height": 800},
        "has_touch": width == 360,
    }
    with opened(browser, path, **options) as page:
        results = [Axe().run(page, options={"resultTypes": ["violations"]})]
        (page.tap if width == 360 else page.click)("[data-more='100']")
        expect(page.locator("#update")).to_have_text("100", timeout=30_000)
        page.locator("summary").click()
        results.append(Axe().run(page, options={"resultTypes": ["violations"]}))
        for result in results:
            assert result.violations_count == 0, result.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        bar = page.locator("#bar").bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] <= 800


def test_everything_to_train_with_fits_one_screen(page: Page) -> None:
    for selector in ("#play", "#reset", "#cost-1", "[name=seed]", "#small-charts svg >> nth=2"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800


def test_paper_shows_the_state(page: Page, tmp_path: Path) -> None:
    learn(page, 100)
    page.emulate_media(media="print")
    expect(page.locator("#summary")).to_be_visible()
    summary = page.locator("#summary").inner_text()
    for said in ("quadratic, η = 3", "784-30-10", "large initial weights", "seed 0", "after 100 updates"):
        assert said in summary
    assert page.locator("#bar").is_hidden()
    page.pdf(path=str(tmp_path / "lab.pdf"), format="A4")
    assert (tmp_path / "lab.pdf").read_bytes().count(b"/Type /Page\n") >= 2


def test_two_classes_of_8_by_8_pixels(browser: Browser, tmp_path: Path) -> None:
    with of(browser, tmp_path, images(HOSTILE, 8, 2)) as page:
        assert page.locator("#cost-0 option").all_inner_texts() == ["quadratic", "cross-entropy"]
        learn(page, 100)
        assert page.locator("#inside-0 tbody tr").count() == 1
        assert "90\u00a0%" in page.locator("#outcome").inner_text()
        assert page.locator("img").count() == 0
        assert "<img src=x onerror=alert(1)>" in page.locator("footer").inner_text()


def test_points_have_no_pictures_and_the_page_says_so(browser: Browser, tmp_path: Path) -> None:
    with of(browser, tmp_path, datasets.load(str(points(tmp_path / "points.npz", 300)))) as page:
        go(page, "#cost=quadratic,log-likelihood&hidden=none&seed=0")
        learn(page, 100)
        assert "not images" in page.locator("#inside").inner_text()
        assert page.locator("canvas").count() == 0
        assert "input 0" in page.locator("#numbers-weight").inner_text()


def test_without_javascript_there_are_a_sentence_and_a_picture(browser: Browser, path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert "JavaScript" in page.locator("noscript").inner_text()
    assert page.locator("noscript svg").bounding_box() is not None
    context.close()
