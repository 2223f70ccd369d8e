"""The notebook on cross-entropy: it runs from scratch, and its stored outputs and its page are those of a run."""

import re
from copy import deepcopy

import nbformat
import pytest

from scripts.notebook import NOTEBOOK, execute, page

SECONDS = re.compile(r'<tr><th scope="row"[^>]*>seconds per epoch</th>.*?</tr>')


@pytest.fixture(scope="module")
def stored() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)


def outputs(notebook: nbformat.NotebookNode) -> list[tuple[str, list[object]]]:
    """Return the source and the outputs of each cell of code, without pixels and seconds."""
    return [
        (cell.source, [_content(output) for output in cell.outputs])
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _content(output: nbformat.NotebookNode) -> object:
    if output.output_type == "stream":
        return output.text
    return {kind: "" if kind == "image/png" else SECONDS.sub("", text) for kind, text in output.data.items()}


@pytest.mark.slow
@pytest.mark.long
def test_notebook_runs_from_scratch_with_the_stored_outputs(stored: nbformat.NotebookNode) -> None:
    again = deepcopy(stored)
    for cell in again.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    execute(again)
    assert sum("assert" in source for source, _ in outputs(again)) >= 15
    if (
        again.metadata.made_with == stored.metadata.made_with
    ):  # elsewhere last digits differ, and what follows from them
        assert outputs(again) == outputs(stored)
    assert [len(found) for _, found in outputs(again)] == [len(found) for _, found in outputs(stored)]


def test_stored_notebook_was_run_from_top_to_bottom(stored: nbformat.NotebookNode) -> None:
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs) >= 8


def test_page_is_that_of_the_notebook(stored: nbformat.NotebookNode) -> None:
    text, pictures = page(stored, NOTEBOOK.stem)
    assert NOTEBOOK.with_suffix(".md").read_text() == text
    folder = NOTEBOOK.with_suffix("")
    assert {f"{folder.name}/{path.name}": path.read_bytes() for path in folder.iterdir()} == pictures
