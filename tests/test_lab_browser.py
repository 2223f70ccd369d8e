"""The lab in Chromium: it trains, shows and says what happens, and mouse, touch and keyboard reach all of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from netlearn import datasets
from netlearn.api.pages import Page as Shown
from netlearn.datasets import Dataset, Examples
from netlearn.report.lab import lab
from tests.browser import each_look, opened
from tests.reports import points

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>"
SMALL = (
    "#cost=quadratic,cross-entropy&learning_rate=3,0.5&hidden=10&activation=sigmoid&initializer=large"
    "&batch_size=10&seed=0"
)


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
    expect(page.locator(".now .big b")).to_have_text([re.compile("%")] * 2)
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
    assert re.search(r"quadratic (has not yet|after \d,\d{3} updates)", outcome)  # it may be there before the click
    assert page.locator("#guess").is_hidden()


def test_the_same_address_gives_the_same_figures_without_workers_too_and_another_seed_others(
    browser: Browser, path: Path
) -> None:
    seen = []
    for seed, script in ((0, ""), (0, "window.Worker = undefined;"), (1, "")):
        with opened(browser, path, script=script) as page:
            go(page, SMALL.replace("seed=0", f"seed={seed}"))
            learn(page, 200)
            seen.append(figures(page))
    assert seen[0] == seen[1] != seen[2]


class Hand:
    """Works the controls of a page by mouse, touch or keyboard alone."""

    def __init__(self, page: Page, kind: str) -> None:
        self.page = page
        self.kind = kind

    def press(self, selector: str, key: str = "Enter") -> None:
        """Press a button, or with Space check a box."""
        if self.kind == "keyboard":
            self.page.focus(selector)
            self.page.keyboard.press(key)
        else:
            (self.page.tap if self.kind == "touch" else self.page.click)(selector)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option; its list is the browser's own, so that a pointer need only reach the field."""
        field = self.page.locator(selector)
        if self.kind == "keyboard":
            field.focus()
            steps = field.evaluate(
                "(at, to) => [...at.options].findIndex((o) => o.value === to) - at.selectedIndex", value
            )
            for _ in range(abs(steps)):
                self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        else:
            (field.tap if self.kind == "touch" else field.click)(trial=True)
            field.select_option(value)
        expect(field).to_have_value(value)

    def write(self, selector: str, text: str) -> None:
        """Replace the text of a field."""
        if self.kind == "keyboard":
            self.page.focus(selector)
        else:
            self.press(selector)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def at(self, selector: str, x: float, y: float, key: str) -> None:
        """Point at a place of an element, as fractions of its size, or press a key there."""
        place = self.page.locator(selector)
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        assert box is not None
        spot = box["x"] + x * box["width"], box["y"] + y * box["height"]
        if self.kind == "keyboard":
            place.focus()
            self.page.keyboard.press(key)
        elif self.kind == "touch":
            self.page.touchscreen.tap(*spot)
        else:
            self.page.mouse.move(spot[0] - 3, spot[1] - 3)
            self.page.mouse.click(*spot)


@pytest.fixture(params=["touch", "keyboard"])  # the other tests are by mouse
def hand(request: pytest.FixtureRequest, browser: Browser, path: Path) -> Iterator[Hand]:
    with opened(browser, path, has_touch=True) as page:
        yield Hand(page, request.param)


def test_guess_and_training_by_any_hand(hand: Hand) -> None:
    page = hand.page
    hand.press("#guess input[value='1']", "Space")
    expect(page.locator("#guess input[value='1']")).to_be_checked()
    hand.at("#guess input[type=range]", 0.01, 0.5, "Home")
    expect(page.locator("#guess output")).to_have_text("10")
    for selector, updates in (("#step", "1"), ("[data-more='10']", "11"), ("[data-more='100']", "111")):
        hand.press(selector)
        expect(page.locator("#update")).to_have_text(updates)
    expect(page.locator("#live")).to_contain_text("Update 111")
    expect(page.locator("#outcome")).to_contain_text("Your guess: cross-entropy after about 10 updates")
    hand.press("#reset", "Space")
    expect(page.locator("#update")).to_have_text("0")
    hand.choose("#speed", "100")
    hand.press("#play")
    expect(page.locator("#play")).to_have_text("Pause")
    expect(page.locator("#rate")).to_contain_text("per second")
    hand.press("#play")
    expect(page.locator("#play")).to_have_text("Play")


def test_a_changed_setting_begins_anew_and_stands_in_the_address_by_any_hand(hand: Hand) -> None:
    page = hand.page
    expect(page.locator("#difference")).to_have_text("They differ in how they count errors, and in η, the step size.")
    hand.press("[data-more='10']")
    expect(page.locator("#update")).to_have_text("10")
    hand.choose("#cost-0", "log-likelihood")
    expect(page.locator("#update")).to_have_text("0")
    assert page.input_value("#rate-0") == "0.1"
    hand.write("#rate-1", "0.25")
    for name, value in (("hidden", "none"), ("activation", "tanh"), ("batch_size", "100")):
        hand.choose(f"[name={name}]", value)
    hand.choose("[name=initializer]", "constants")
    hand.write("[name=w]", "0.5")
    hand.write("[name=b]", "-1")
    hand.write("[name=seed]", "7")
    address = page.evaluate("location.hash")
    assert address == (
        "#cost=log-likelihood,cross-entropy&learning_rate=0.1,0.25&hidden=none&activation=tanh"
        "&initializer=0.5,-1&batch_size=100&seed=7"
    )
    go(page, SMALL)
    assert page.input_value("[name=hidden]") == "10"
    go(page, address)
    assert page.input_value("[name=w]") == "0.5"
    assert page.input_value("#cost-0") == "log-likelihood"


@pytest.mark.parametrize("hand", ["mouse", "touch", "keyboard"], indirect=True)
def test_charts_and_what_is_inside_answer_any_hand(hand: Hand) -> None:
    page = hand.page
    learn(page, 100)
    hand.at("#accuracy .chart", 0.5, 0.5, "End")
    expect(page.locator("#accuracy .tip")).to_contain_text("quadratic")
    if hand.kind == "keyboard":
        assert "update 100" in (
            page.get_by_role("slider", name="Accuracy, chart").get_attribute("aria-valuetext") or ""
        )
    hand.press("#log-x", "Space")
    expect(page.locator("#accuracy .axes text").get_by_text("10", exact=True)).to_be_visible()
    hand.press("summary")
    expect(page.locator("table.figures")).to_be_visible()
    for name, example in (("Next", "1, "), ("Previous", "0, ")):
        hand.press(f"#inside button:text-is('{name}')")
        expect(page.locator("#inside-area output")).to_contain_text(example)
    hand.at("#inside-area input[type=range]", 0.99, 0.5, "End")
    expect(page.locator("#inside-area output")).to_contain_text("49")
    hand.press("#inside button:text-is('Most wrong')")
    expect(page.locator("#inside-0 .worst")).to_contain_text("should be")
    caption = page.locator(".pictures figcaption").first
    expect(caption).to_contain_text("strongest change")
    hand.press(".pictures input", "Space")
    expect(caption).to_contain_text("strongest weight")
    hand.choose("#numbers-output", "3")
    hand.choose("#numbers-weight", "20")
    expect(page.locator("#numbers-0")).to_contain_text("hidden neuron 20")
    hand.press("#inside button:text-is('Clear to draw')")
    if hand.kind != "keyboard":  # a drawing is a path, for which there are the examples
        hand.at("canvas.pad", 0.5, 0.5, "")
        expect(page.locator("#inside-area output")).to_have_text("–")  # no example
    hand.choose(".which select", "1")
    expect(page.locator("#inside-0 tbody tr").nth(1).locator("td").first).to_have_text("1")
    hand.press("#theme")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    hand.press("#link")
    expect(page.locator("#live")).to_contain_text(re.compile("Copied|Copy the address"))


def test_tab_reaches_every_control(page: Page) -> None:
    mark = """() => {
      const all = [...document.querySelectorAll("a, button, select, input, summary, [tabindex='0']")]
        .filter((each) => each.checkVisibility() && !(each.type === "radio" && each.value !== "0"));
      all.forEach((each, i) => { each.dataset.place = i; });
      return all.length;
    }"""
    count = page.evaluate(mark)
    reached = set()
    for _ in range(count + 2):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.dataset.place"))
    assert {str(i) for i in range(count)} <= reached
    assert count > 30


def test_an_address_with_what_the_page_lacks_is_named_and_the_rest_is_used(page: Page) -> None:
    wrong = ["cost=huber,quadratic", "learning_rate=0,1", "hidden=7", "seed=-1", "batch_size=x", "eta=3", "%zz=%zz"]
    why = {
        "learning_rate=5": "learning_rate needs two values",
        "seed=-3": "seed must be a whole number from 0",
        "eta=3": "eta is no setting",
        "hidden=7": "hidden must be none,",
    }
    for activation, each in zip(["relu", "tanh"] * 5, [*wrong, *why], strict=False):
        page.evaluate("(address) => { location.hash = address; }", f"#activation={activation}&{each}")
        expect(page.locator("[name=activation]")).to_have_value(activation)
        expect(page.locator("#setting-note")).to_contain_text(each.partition("=")[0].partition("%")[0] or "%zz")
        expect(page.locator("#setting-note")).to_contain_text(why.get(each, "Not used"))
        assert page.input_value("#rate-0") == "3"


def test_settings_may_stand_behind_a_question_mark(browser: Browser, path: Path) -> None:
    page = browser.new_page()
    page.goto(f"{path.as_uri()}?seed=7&cost=quadratic,log-likelihood")
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.input_value("[name=seed]") == "7"
    assert page.evaluate("location.hash").startswith("#cost=quadratic,log-likelihood&learning_rate=3,0.1&")
    page.close()


def test_all_controls_are_there_on_a_telephone(browser: Browser, path: Path) -> None:
    with opened(browser, path, viewport={"width": 360, "height": 740}) as page:
        for control in page.locator("#bar :is(button, select)").all():
            box = control.bounding_box()
            assert box is not None
            assert 0 <= box["x"] < box["x"] + box["width"] <= 360
            assert box["y"] + box["height"] <= 740


def test_a_field_with_no_usable_value_keeps_the_last_one(page: Page) -> None:
    note = page.locator("#setting-note")
    for selector, text, said in (
        *(("#rate-0", text, "η must be above 0, at most 1,000,000; 3 stays.") for text in ("0", "", "-3", "1e9")),
        ("[name=seed]", "-1", "seed must be a whole number from 0 to 999,999; 0 stays."),
    ):
        page.fill(selector, text)
        page.press(selector, "Tab")
        expect(note).to_have_text(said)
        gap = """(field) => document.getElementById("setting-note").getBoundingClientRect().top
          - field.getBoundingClientRect().bottom"""
        assert 0 <= page.eval_on_selector(selector, gap) < 20  # just below the field
    assert page.input_value("#rate-0") == "3"
    page.fill("#rate-0", "2")
    page.press("#rate-0", "Tab")
    expect(note).to_be_empty()


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


def value_of(text: str) -> float:
    """Return a number as the page writes it, such as −3·10⁻⁴."""
    power = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    text = re.sub(r"·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: f"e{found[1].translate(power)}", re.sub(r"\s", "", text))
    return float(text.replace("−", "-"))


def cells(page: Page, network: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    rows = page.locator(f"#inside-{network} tbody tr").all()
    return np.array([[value_of(text) for text in row.locator("td").all_inner_texts()] for row in rows])


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
        for name in ("BP1", "BP2", "BP3", "BP4"):
            expect(page.locator(f"#numbers-{network}")).to_contain_text(name)
        maths: list[list[str]] = page.locator(f"#numbers-{network} .equation p").evaluate_all(  # at one instant
            "lines => lines.map(line => [...line.querySelectorAll('math')].map(each => each.textContent))"
        )
        delta, _, bias, gradient, after = (value_of(line[-1].rpartition("=")[2]) for line in maths)
        assert bias == delta
        step = re.sub(r"\s", "", maths[4][1]).lstrip("=")
        before = value_of(re.match(r"−?[\d.]+(·10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", step)[0])  # type: ignore[index]
        assert after == pytest.approx(before - eta * gradient, abs=0.01)
        error, slope = cells(page, network)[2, 2:4]
        assert delta == pytest.approx(error * slope if network == 0 else error, abs=0.0011)


@each_look
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
    expect(page.locator("#inside-0 h3 small")).to_be_visible()
    expect(page.locator("#inside-0 h3 small")).to_contain_text("answers")
    page.pdf(path=str(tmp_path / "lab.pdf"), format="A4")
    assert (tmp_path / "lab.pdf").read_bytes().count(b"/Type /Page\n") >= 2


@pytest.mark.parametrize(("size", "classes"), [(28, 10), (8, 10)])
def test_images_that_are_no_digits(size: int, classes: int, browser: Browser, tmp_path: Path) -> None:
    with of(browser, tmp_path, images("garments", size, classes, 400)) as page:
        assert "mini-batches of examples" in page.locator("div.title").inner_text()
        learn(page, 100)
        assert "passed 80\u00a0%" in page.locator("#outcome").inner_text()
        assert page.locator("#inside-0 tbody tr").count() == classes
        assert page.locator("canvas.weights").count() == 2


@pytest.mark.parametrize("names", [("bag", "boot", "coat"), ("bag", "boot")])
def test_classes_have_their_names(names: tuple[str, ...], browser: Browser, tmp_path: Path) -> None:
    data = replace(images("garments", 8, len(names), 90), classes=names)
    with of(browser, tmp_path, data) as page:
        outputs = names if len(names) > 2 else names[1:]  # a single output is that of class 1
        assert page.locator("#inside-0 tbody th").all_inner_texts() == list(outputs)
        assert page.locator("#inside-0 h3 small").inner_text().split()[1].strip(",") in names
        assert page.locator(".which option").all_text_contents() == ["?", *names]
        assert "label bag" in page.locator("#inside .controls output").first.inner_text()


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


def test_a_notebook_shows_a_lab_that_learns(browser: Browser, path: Path, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<html data-ready>{Shown(path.read_text('utf-8'))._repr_html_()}", "utf-8")
    with opened(browser, notebook) as page:
        frame = page.frame_locator("iframe")
        frame.locator("[data-more='10']").click()
        expect(frame.locator("#update")).to_have_text("10", timeout=60_000)


def test_without_javascript_there_are_a_sentence_and_a_picture(browser: Browser, path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert "JavaScript" in page.locator("noscript").inner_text()
    assert page.locator("noscript svg").bounding_box() is not None
    context.close()
