"""The notebook on cross-entropy runs and has the outputs of a run; what JupyterLab shows of results, in Chromium."""

import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser import chromium
from tests.commands import PATIENCE
from tests.pages import ROOT

NOTEBOOK = ROOT / "docs" / "cross-entropy.ipynb"
SECONDS = re.compile(r'<tr><th scope="row"[^>]*>seconds per epoch</th>.*?</tr>')


@pytest.fixture(scope="module")
def stored() -> Any:
    import nbformat  # noqa: PLC0415 (as below: few tests need it)

    return nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)


def outputs(notebook: Any) -> list[tuple[str, list[object]]]:
    """Return the source and the outputs of each cell of code, without pixels and seconds."""
    return [
        (cell.source, [_content(output) for output in cell.outputs])
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _content(output: Any) -> object:
    if output.output_type == "stream":
        return output.text
    return {kind: "" if kind == "image/png" else SECONDS.sub("", text) for kind, text in output.data.items()}


@pytest.mark.slow
@pytest.mark.long
def test_notebook_runs_from_scratch_with_the_stored_outputs(stored: Any) -> None:
    from scripts.notebook import execute  # noqa: PLC0415

    again = deepcopy(stored)
    for cell in again.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    execute(again)
    assert sum("assert" in source for source, _ in outputs(again)) >= 15
    if again.metadata.made_with == stored.metadata.made_with:  # elsewhere last digits differ, and what follows
        assert outputs(again) == outputs(stored)
    assert [len(found) for _, found in outputs(again)] == [len(found) for _, found in outputs(stored)]


def test_stored_notebook_was_run_from_top_to_bottom(stored: Any) -> None:
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs) >= 8


def test_page_is_that_of_the_notebook(stored: Any) -> None:
    from scripts.notebook import page  # noqa: PLC0415

    text, pictures = page(stored, NOTEBOOK.stem)
    assert NOTEBOOK.with_suffix(".md").read_text() == text
    folder = NOTEBOOK.with_suffix("")
    assert {f"{folder.name}/{path.name}": path.read_bytes() for path in folder.iterdir()} == pictures


CELLS = (
    "import netlearn\nsmall = {'data': 'mnist-5k', 'epochs': 1, 'train_size': 500}\nrun = netlearn.train(**small)",
    "run",
    "run.figure('slowdown')",
    "run.plot('train_cost')",
    "comparison = netlearn.compare(costs=['quadratic', 'cross-entropy'], seeds=1, jobs=1, **small)\ncomparison",
    "comparison.report()",
    "netlearn.train(learning_rat=0.5)",
)
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Open a notebook in a JupyterLab that sees no settings of the user."""
    import nbformat  # noqa: PLC0415 (few tests need it)

    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    Path("work").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), "work/tour.ipynb")
    options = ["--no-browser", "--allow-root", "--port=0", "--ServerApp.root_dir=work", "--LabApp.news_url="]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server,
        chromium() as browser,
    ):
        assert server.stderr is not None
        try:
            found = (re.search(r"(http://127\S+/lab)(\?token=\w+)", line) for line in server.stderr)
            address, token = next(match for match in found if match).groups()
            page = browser.new_page(viewport={"width": 1280, "height": 4000})
            page.goto(f"{address}/tree/tour.ipynb{token}", wait_until="domcontentloaded")
            yield page
        finally:
            server.terminate()
            server.communicate()


@pytest.mark.browser
@pytest.mark.long
def test_results_figures_and_progress_are_seen(lab: Page) -> None:
    expect.set_options(timeout=1000 * PATIENCE)
    expect(lab.get_by_text("| Idle")).to_be_visible()  # the kernel has started
    lab.get_by_role("menuitem", name="Run", exact=True).click()
    lab.get_by_text("Run All Cells", exact=True).click()
    outputs = [cell.locator(".jp-OutputArea-output") for cell in lab.locator(".jp-CodeCell").all()]
    progress, run, figure, axes, comparison, report, error = outputs
    expect(error).to_have_text("SettingsError: learning_rat: unknown key: did you mean learning_rate?")
    expect(progress.locator(".progress-bar")).to_be_visible()
    expect(progress).to_contain_text("100%")
    assert accuracy_of(run) in progress.inner_text()
    for drawn in (figure, axes):
        image = drawn.locator("img")
        expect(image).to_be_visible()
        assert image.evaluate("image => image.naturalWidth") > 500
    expect(comparison.locator(".progress-bar")).to_be_visible()
    expect(comparison.locator("table")).to_contain_text("badly wrong outputs after epoch 1")
    expect(comparison.last).to_contain_text("Paired")
    page: FrameLocator = report.frame_locator("iframe")
    expect(page.get_by_role("heading", name="Quadratic against cross-entropy")).to_be_visible()
    expect(page.locator("#neuron svg").first).to_be_visible()  # its script has run


def accuracy_of(run: Locator) -> str:
    cell = run.get_by_role("row").filter(has_text="best validation accuracy").get_by_role("cell")
    return cell.inner_text().split()[0]
