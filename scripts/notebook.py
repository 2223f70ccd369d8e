"""Executes the notebook on cross-entropy from scratch and makes a page of it: `make notebook`.

The notebook is edited in Jupyter; this fills in its outputs, without times, and records the machine that made them.
"""

import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

from netlearn.runs.setup import environment

NOTEBOOK = Path(__file__).resolve().parent.parent / "docs/cross-entropy.ipynb"
SECONDS = 600  # the limit for one cell
PICTURE = re.compile(r"!\[png\]\((\S*figure_(\d+)_\d+\.png)\)")  # its place, and the number of its cell


def execute(notebook: nbformat.NotebookNode) -> None:
    """Execute all cells in an empty folder, in place.

    Raises:
        CellExecutionError: a cell raised an error, such as an assertion that does not hold.
    """
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=SECONDS, record_timing=False, resources=resources).execute()
    notebook.metadata["made_with"] = {name: environment()[name] for name in ("cpu", "blas", "numpy")}


def page(notebook: nbformat.NotebookNode, folder: str) -> tuple[str, dict[str, bytes]]:
    """Return the notebook as Markdown, and its pictures by their names, which lie in a folder beside the page.

    A cell with a picture has its description in the metadata, as `alt`.
    """
    names = {"output_files_dir": folder, "unique_key": "figure"}
    text, resources = MarkdownExporter().from_notebook_node(notebook, names)
    text = PICTURE.sub(lambda found: f"![{notebook.cells[int(found[2])].metadata['alt']}]({found[1]})", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n", resources["outputs"]


def main() -> None:
    """Execute the notebook, and write it and its page."""
    notebook = nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)
    execute(notebook)
    nbformat.write(notebook, NOTEBOOK)
    text, pictures = page(notebook, NOTEBOOK.stem)
    NOTEBOOK.with_suffix(".md").write_text(text)
    for old in NOTEBOOK.with_suffix("").glob("*.png"):
        old.unlink()
    NOTEBOOK.with_suffix("").mkdir(exist_ok=True)
    for name, content in pictures.items():
        (NOTEBOOK.parent / name).write_bytes(content)


if __name__ == "__main__":
    main()
