"""The curves of the page: which charts a comparison has, on which axes, and what is left out as always the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from netlearn.comparison.analysis import analyse
from netlearn.comparison.outputs import render_page
from netlearn.runs import Run
from tests.browser import opened
from tests.sweeps import PROBES, sweep

pytestmark = pytest.mark.browser


def page_of(runs: list[Run], path: Path) -> Path:
    path.write_bytes(render_page(analyse("Two", runs), None, {}))
    return path


def with_metrics(run: Run, **metrics: Any) -> Run:
    return replace(run, metrics=run.metrics | metrics)


def tracked(run: Run, epochs: int = 20) -> Run:
    """Return a run of that many epochs that overfits: its test cost rises from the middle on."""
    share = np.linspace(0, 1, PROBES.size)
    return with_metrics(
        run, update=run.updates_per_epoch * epochs * share, epoch=epochs * share,
        train_cost=2 - 1.9 * share, test_cost=2 - 3 * share + 2.5 * share**2,
        train_accuracy=0.1 + 0.9 * share, test_accuracy=0.1 + 0.7 * share,
    )  # fmt: skip


def captions(page: Page) -> list[str]:
    return page.locator("#curves figcaption").all_inner_texts()


def test_variants_of_one_cost_that_learn_at_the_same_speed_have_no_section_on_the_slowdown(
    browser: Browser, tmp_path: Path
) -> None:
    runs = [with_metrics(run, learning_speed=np.ones(PROBES.size)) for run in sweep(l2=[0.0, 5.0])]
    with opened(browser, page_of(runs, tmp_path / "report.html")) as page:
        sections = page.eval_on_selector_all("main > section", "(nodes) => nodes.map((node) => node.id)")
        assert sections == ["result", "curves", "digits", "mistakes", "settings", "neuron"]
        links = page.eval_on_selector_all("nav a", "(nodes) => nodes.map((node) => node.hash.slice(1))")
        assert links == sections
        assert "slowdown" not in page.locator("#curves").inner_text()
        assert not any("Learning speed" in caption for caption in captions(page))


def test_two_costs_that_learn_at_the_same_speed_keep_theirs_but_no_flat_chart(
    browser: Browser, tmp_path: Path
) -> None:
    runs = [
        with_metrics(run, learning_speed=np.ones(PROBES.size))
        for run in sweep(cost=["cross-entropy", "log-likelihood"])
    ]
    with opened(browser, page_of(runs, tmp_path / "report.html")) as page:
        assert page.locator("#gradient").count() == 1
        assert page.locator("main > section").first.get_attribute("id") == "neuron"
        assert not any("Learning speed" in caption for caption in captions(page))


@pytest.mark.parametrize(("l2", "costs"), [([0.0, 0.1], 2), ([0.1, 0.1], 4)])
def test_where_the_test_set_was_tracked_its_curves_come_first(
    l2: list[float], costs: int, browser: Browser, tmp_path: Path
) -> None:
    runs = [tracked(run) for run in sweep(l2=l2[:1], learning_rate=[0.5]) + sweep(l2=l2[1:], learning_rate=[1.0])]
    with opened(browser, page_of(runs, tmp_path / "report.html")) as page:
        found = [" ".join(caption.split()[:2]) for caption in captions(page)]
        assert found[:4] == ["Cost on", "Test cost", "Accuracy on", "Validation accuracy"]
        assert ("without a penalty" in captions(page)[0]) == (costs == 2)
        figures = page.locator("#curves figure")
        assert figures.nth(0).locator("path.line").count() == costs
        figures.nth(1).locator(".chart").focus()
        page.keyboard.press("End")
        assert (figures.nth(1).locator(".chart").get_attribute("aria-valuetext") or "").endswith(" 1.4")


def test_long_runs_have_an_axis_of_epochs_by_default_and_updates_on_a_log_axis_on_demand(
    browser: Browser, tmp_path: Path
) -> None:
    for epochs, title in ((20, "epochs"), (5, "updates (mini-batches), log axis")):
        runs = [tracked(run, epochs) for run in sweep(l2=[0.0, 0.1])]
        with opened(browser, page_of(runs, tmp_path / "report.html")) as page:
            titles = page.locator("#curves .axes .title")
            assert set(titles.all_text_contents()) == {title}
            if epochs == 20:
                chart = page.locator("#curves .chart").first
                assert chart.locator("g[clip-path] path.line").count() == chart.locator("path.line").count() > 0
                clips = page.locator("clipPath").evaluate_all("all => all.map(each => each.id)")
                assert len(set(clips)) == len(clips)
                assert "20" in page.locator("#curves figure").first.locator(".axes text").all_text_contents()
                page.check("#curves-x")
                assert set(titles.all_text_contents()) == {"updates (mini-batches), log axis"}


def test_what_is_outside_the_axes_is_cut_off_and_not_drawn_along_their_edge(browser: Browser, tmp_path: Path) -> None:
    runs = [tracked(run) for run in sweep(l2=[0.0, 0.1])]
    steep = [with_metrics(run, test_cost=run.metrics["test_cost"] + 9 * (run.metrics["epoch"] < 1)) for run in runs]
    with opened(browser, page_of(steep, tmp_path / "report.html")) as page:
        chart = page.locator("#curves .chart").first
        line = chart.locator("g[clip-path] path.line").first
        assert line.evaluate("each => each.getBBox().y") < -100
        assert chart.locator("clipPath rect").evaluate("each => each.getBBox().y") >= 0


def test_layers_of_many_lines_have_a_chart_for_each_variant_and_a_sentence(browser: Browser, tmp_path: Path) -> None:
    runs = sweep(hidden=[(30,), (30, 30), (30, 30, 30, 30)])
    for width in (1280, 360):
        with opened(
            browser, page_of(runs, tmp_path / "report.html"), viewport={"width": width, "height": 800}
        ) as page:
            said = page.locator("#layers p").first.inner_text()
            assert "learns 2 times as fast as layer 1 with hidden=30, 3 times with hidden=30+30, 5 times" in said
            charts = page.locator("#layers figure")
            labels = [sorted(chart.locator(".ends text").all_text_contents()) for chart in charts.all()]
            hidden = [[f"layer {layer}" for layer in range(1, count + 1)] for count in (1, 2, 4)]
            assert labels == [[*layers, "output layer"] for layers in hidden]
            assert page.locator("#curves .charts").first.locator("figure").count() == 3  # what differs comes first
            page.uncheck("#variants input >> nth=1")
            assert [chart.is_visible() for chart in charts.all()] == [True, False, True]


def test_layers_of_few_lines_share_a_chart(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, page_of(sweep(hidden=[(30,), (30, 30)]), tmp_path / "report.html")) as page:
        assert page.locator("#layers").count() == 0
        assert captions(page)[-1].startswith("Speed of each layer")
