"""The pictures and the page of a comparison, made from its analysis in any process."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import msgspec

from netlearn.comparison.analysis import Analysis
from netlearn.comparison.neuron import neuron_cells
from netlearn.comparison.statistics import Row, by_validation
from netlearn.comparison.table import cells, problems, ranked, shortened
from netlearn.custom_cost import NamedCosts
from netlearn.errors import DrawingError, NetlearnError
from netlearn.inspection.files import mistakes
from netlearn.inspection.trained import load_present
from netlearn.plotting import drawing
from netlearn.runs import CONFIG, Groups, RunFolder, selection
from netlearn.runs.setup import environment

if TYPE_CHECKING:
    from netlearn.plotting.style import Figure

MISTAKES = "mistakes"
PICTURES = (
    "curves", "slowdown", "error-vs-gradient", "digits", "neuron", "overfitting", "against", "heat-map", "settings",
    "cures", "layers", MISTAKES,
)  # fmt: skip
PAGE, LAB = "report.html", "lab.html"
MOST_ON_PAGE = 60  # variants
MOST_CONFIG = 100_000  # characters


class Drawn(msgspec.Struct, frozen=True):
    """The name of a picture that was drawn, or why it was not; neither if the runs have no data for it."""

    name: str | None = None
    problem: str | None = None


def write_picture(analysis: Analysis, folder: RunFolder, costs: NamedCosts, name: str) -> Drawn:
    """Draw a picture and write its files, in any process."""
    try:
        figure = draw(name, analysis, costs)
        with drawing(name):
            from netlearn.plotting.style import render_files  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

            files = render_files(name, figure) if figure is not None else {}
    except DrawingError as error:
        return Drawn(problem=str(error))
    for file, content in files.items():
        folder.write(file, content)
    return Drawn(name if files else None)


def draw(name: str, analysis: Analysis, costs: NamedCosts) -> "Figure | None":
    """Return one of `PICTURES`, or None if the runs have no data for it.

    Args:
        name: of the picture.
        analysis: of the comparison.
        costs: the users' own costs whose code may be imported, for the picture of mistakes.
    """
    with drawing(name):
        from netlearn.plotting.pictures import DRAWN  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

        if name == MISTAKES:
            return mistakes(analysis.groups, analysis.caption, costs)
        return DRAWN[name](analysis.groups, analysis.caption)


def write_page(analysis: Analysis, folder: RunFolder, costs: NamedCosts) -> None:
    """Write the page of a comparison, and the lab that it links to, into its folder."""
    for name, content in pages(analysis, folder.path, costs).items():
        folder.write(name, content)


def pages(analysis: Analysis, folder: Path, costs: NamedCosts) -> dict[str, bytes]:
    """Return the page of a comparison in its folder, and the lab with the settings of its first two variants.

    There is no lab where it cannot train these variants, or where their data is not on this machine.
    """
    from netlearn.report.lab import address, lab  # noqa: PLC0415 (as above)

    networks = [runs[0].settings for runs in analysis.groups.values()][:2]
    made = {}
    with suppress(NetlearnError):
        made[LAB] = lab(load_present(networks[0].data), networks)
    link = f"{LAB}{address(networks)}" if made else ""
    of_experiment = folder if (folder / CONFIG).exists() else None
    return made | {PAGE: render_page(analysis, of_experiment, costs, lab=link)}


def render_page(
    analysis: Analysis, folder: Path | None, costs: NamedCosts, *, kept: bool = True, lab: str = ""
) -> bytes:
    """Return the page of a comparison.

    Args:
        analysis: what it tells.
        folder: of the comparison, with its config.toml; None for runs from several places.
        costs: the user's own costs, whose code may be imported.
        kept: whether the folders will remain, so that commands can name them.
        lab: where the page links to, for readers who want to train themselves.

    Raises:
        RunError: a file of a run was changed.
    """
    from netlearn.report.page import Content, render  # noqa: PLC0415 (imports matplotlib's colours, which takes 0.4 s)

    groups, rows = analysis.groups, analysis.rows
    first = next((run for run in analysis.runs if run.summary is not None), analysis.runs[0])
    verify = (f"netlearn verify {quote(str(first.folder))}", "repeats one run and compares every byte")
    if folder is not None:
        commands = [
            (f"netlearn compare {quote(str(folder / CONFIG))}", "trains everything again, in a new folder"),
            verify,
            (f"netlearn report {quote(str(folder))}", "makes this page again"),
            (f"netlearn lab {quote(str(folder))} --open", "lets two of its networks learn while you watch"),
        ]
    else:
        listed = " ".join(quote(str(run.folder)) for run in analysis.runs)
        commands = [(f"netlearn report {listed}", "makes this page again"), verify]
    experiment = (folder / CONFIG).read_text("utf-8") if folder is not None else ""
    shown = selection.shown_first(groups, MOST_ON_PAGE)
    table = page_table(analysis)
    if shown is not groups:
        table = _ranking(rows, shown)
        shown = {f"#{line[0]} {name}": runs for line, (name, runs) in zip(table[1:], shown.items(), strict=True)}
    content = Content(
        title=analysis.title,
        groups=shown,
        left=len(groups) - len(shown),
        conclusion=analysis.sentences,
        pairing=analysis.pairing,
        table=table,
        ranked=shown is not groups,
        problems=shortened([*problems(rows), *analysis.unreadable], "results.csv"),
        commands=commands if kept else [],
        config=experiment if len(experiment) <= MOST_CONFIG else "",
        environment=environment() if first.summary is None else first.summary.environment,
        costs=costs,
        lab=lab,
    )
    return render(content)


def page_table(analysis: Analysis) -> list[list[str]]:
    """Return the cells of the page's table, the first line with the names of the variants."""
    if analysis.neurons:
        head, *lines = neuron_cells(analysis.neurons, "outputs")
        epochs = ["", *(f"output at epoch {epoch}" for epoch in head[1:])]
        return [list(column) for column in zip(epochs, *lines, strict=True)]
    return cells(analysis.rows, analysis.pairs, analysis.races, analysis.family.baseline)


def _ranking(rows: Sequence[Row], shown: Groups) -> list[list[str]]:
    """Return a line of cells for each variant shown, in their order, with its place among all of them."""
    head, *lines = ranked(rows)
    found = {row.variant: line for row, line in zip(by_validation(rows), lines, strict=True)}
    return [["place", *head[1:]], *(found[name] for name in shown)]
