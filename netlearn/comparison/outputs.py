"""The pictures and the page of a comparison, made from its analysis in any process, and the curves of a run."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import msgspec

from netlearn.comparison.analysis import Analysis, check_own_runs, read_comparison, read_runs
from netlearn.comparison.findings import cells, more_seeds, neuron_cells, ranking, shortened
from netlearn.custom_cost import NO_COSTS, NamedCosts, shell_command, short_name
from netlearn.errors import DrawingError, NetlearnError, RunError
from netlearn.inspection.derived import mistakes
from netlearn.inspection.trained import load_present
from netlearn.numerics import Array
from netlearn.plotting import drawing, drawn
from netlearn.runs import (
    CONFIG,
    CURVES,
    RESULTS,
    SUMMARY,
    SUMS,
    RunFolder,
    Summary,
    free_path,
    holds_comparison,
    read_run,
    run_folders,
    selection,
    write_whole,
    writing,
)
from netlearn.runs.setup import environment
from netlearn.settings import Settings

if TYPE_CHECKING:
    from netlearn.plotting.style import Figure

MISTAKES = "mistakes"
PICTURES = (
    "curves", "slowdown", "error-vs-gradient", "digits", "neuron", "overfitting", "against", "heat-map", "settings",
    "cures", "layers", MISTAKES,
)  # fmt: skip
PAGE, LAB = "report.html", "lab.html"
FILES = (CONFIG, RESULTS, SUMMARY, PAGE, LAB, *(f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg")))
MOST_ON_PAGE = 60  # variants
MOST_CONFIG = 100_000  # characters


class Drawn(msgspec.Struct, frozen=True):
    """The name of a picture that was drawn, or why it was not; neither if the runs have no data for it."""

    name: str | None = None
    problem: str | None = None


def write_output(analysis: Analysis, folder: RunFolder, costs: NamedCosts, name: str) -> Drawn:
    """Write the page of a comparison with the lab that it links to, or draw one of its pictures, in any process."""
    try:
        if name == PAGE:
            files = pages(analysis, folder.path, costs)
        else:
            figure = draw(name, analysis, costs)
            with drawing(name):
                from netlearn.plotting.style import render_files  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

                files = render_files(name, figure) if figure is not None else {}
    except DrawingError as error:
        return Drawn(problem=str(error))
    for file, content in files.items():
        folder.write(file, content)
    return Drawn(name if files and name != PAGE else None)


def draw(name: str, analysis: Analysis, costs: NamedCosts) -> "Figure | None":
    """Return one of `PICTURES`, or None if the runs have no data for it.

    The code of the users' own costs given may be imported, for the picture of mistakes.
    """
    with drawing(name):
        from netlearn.plotting.pictures import DRAWN  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

        if name == MISTAKES:
            return mistakes(analysis.groups, analysis.caption, costs)
        return DRAWN[name](analysis.groups, analysis.caption)


def pages(analysis: Analysis, folder: Path, costs: NamedCosts) -> dict[str, bytes]:
    """Return the page of a comparison in its folder, and the lab with the settings of two of its variants.

    There is no lab where it cannot train two variants, or where their data is not on this machine.
    """
    from netlearn.report.lab import address, lab  # noqa: PLC0415 (as above)

    networks = [analysis.groups[name][0].settings for name in in_lab(analysis)]
    made = {}
    with suppress(NetlearnError):
        if networks:
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
        lab: the link for readers who want to train themselves.

    Raises:
        RunError: a file of a run was changed.
    """
    from netlearn.report.page import Content, render  # noqa: PLC0415 (imports matplotlib's colours, which takes 0.4 s)

    rows = analysis.rows
    first = next((run for run in analysis.runs if run.summary is not None), analysis.runs[0])
    used = {run.settings.cost for run in analysis.runs}
    verify = (shell_command("verify", [first.settings.cost], first.folder), "repeats one run and compares every byte")
    experiment = more = ""
    if folder is not None:
        more = more_seeds(analysis, (run.settings.seed for run in analysis.runs), str(folder), used) if kept else ""
        experiment = (folder / CONFIG).read_text("utf-8")
        commands = [
            (f"netlearn compare {quote(str(folder / CONFIG))}", "trains everything again, in a new folder"),
            verify,
            (shell_command("report", used, folder), "makes this page again"),
            *_lab_command(analysis, folder),
        ]
    else:
        again = shell_command("report", used, *(run.folder for run in analysis.runs))
        commands = [(again, "makes this page again"), verify]
    shown = selection.shown_first(analysis.groups, MOST_ON_PAGE)
    is_ranked = shown is not analysis.groups
    if is_ranked:
        head, *lines = ranking(rows, list(shown))
        shown = {f"#{line[0]} {name}": runs for line, (name, runs) in zip(lines, shown.items(), strict=True)}
    content = Content(
        title=analysis.title,
        groups=shown,
        left=len(analysis.groups) - len(shown),
        conclusion=analysis.sentences,
        more_seeds=more,
        pairing=analysis.pairing,
        table=[["place", *head[1:]], *lines] if is_ranked else page_table(analysis),
        ranked=is_ranked,
        problems=shortened(analysis.problems, "results.csv"),
        commands=commands if kept else [],
        config=experiment if len(experiment) <= MOST_CONFIG else "",
        environment=environment() if first.summary is None else first.summary.environment,
        costs=costs,
        lab=lab,
    )
    return render(content)


def _lab_command(analysis: Analysis, folder: Path) -> list[tuple[str, str]]:
    """Return the command that makes the lab of a comparison, with what it does, unless the lab would refuse it."""
    two = in_lab(analysis)
    if analysis.neurons or not two:
        return []
    chosen = "".join(f" --variant {quote(name)}" for name in two) if len(analysis.groups) > 2 else ""
    what = "lets two of its networks learn while you watch"
    return [(f"netlearn lab {quote(str(folder))}{chosen} --open", what)]


def in_lab(analysis: Analysis) -> list[str]:
    """Return the variants that the lab begins with, or none if it cannot train two.

    Of more than two they are the best of each of two costs, or with one cost the best and the worst.
    """
    from netlearn.report.lab import COSTS  # noqa: PLC0415 (as in render_page)

    costs = {name: runs[0].settings.cost for name, runs in analysis.groups.items() if runs[0].settings.cost in COSTS}
    order = [*analysis.family.choice.variants, *selection.ranked(analysis.groups), *costs]
    ranked = [name for name in dict.fromkeys(order) if name in costs]
    best = {costs[name]: name for name in reversed(ranked)}
    two = [best[cost] for cost in dict.fromkeys(costs.values())][:2] if len(analysis.groups) > 2 else list(costs)
    if len(two) == 1:
        two += ranked[1:][-1:]
    return two if len(two) == 2 else []


def page_table(analysis: Analysis) -> list[list[str]]:
    """Return the cells of the page's table, the first line with the names of the variants."""
    if analysis.neurons:
        head, *lines = neuron_cells(analysis.neurons, "outputs")
        epochs = ["", *(f"output at epoch {epoch}" for epoch in head[1:])]
        return [list(column) for column in zip(epochs, *lines, strict=True)]
    return cells(analysis)


def report(paths: Sequence[Path], out: Path | None = None, costs: NamedCosts = NO_COSTS) -> Path:
    """Write the page of a comparison, or of runs, and return its path.

    Args:
        paths: the folder of a comparison, whose page goes into it, or of runs, see `read_runs`.
        out: the file to write instead. Without it the page of runs is runs/report.html, or report-2.html and so on.
        costs: the user's own costs, whose code may be imported.

    Raises:
        RunError: a path is not the folder of a complete run or comparison, or the page cannot be written.
    """
    if len(paths) == 1 and holds_comparison(paths[0]):
        (path,) = paths
        check_own_runs(path)
        with RunFolder.existing(path, FILES) as folder:
            analysis = read_comparison(path)
            if out is None:
                folder.add(pages(analysis, path, costs))
            else:
                write_whole(out, render_page(analysis, path, costs))
        return out or path / PAGE
    analysis = read_runs(paths)
    content = render_page(analysis, None, costs)
    if out is None:
        parent = Path("runs")
        with writing(parent):
            parent.mkdir(exist_ok=True)
        out = free_path(parent, Path(PAGE).stem, ".html")
    write_whole(out, content)
    return out


def draw_curves(path: Path) -> list[Path]:
    """Draw the curves of a run, or of each complete run in a comparison, into its folder, and return the paths.

    Raises:
        RunError: it is not the folder of a complete run or comparison, is in use, was changed or has no measurements.
    """
    if not holds_comparison(path):
        return _draw(path)
    complete = [folder for folder in run_folders(path) if (folder / SUMS).exists()]
    if not complete:
        raise RunError(f"{path}: a comparison without a complete run in its folder; must be the folders of runs")
    return [file for folder in complete for file in _draw(folder)]


def _draw(path: Path) -> list[Path]:
    with RunFolder.existing(path) as folder:
        run = read_run(path)
        if run.summary is None or not run.metrics:
            raise RunError(f"{path}: has no measurements to draw")
        with drawing("curves"):
            files = curves_files(run.settings, run.summary, run.metrics)
        folder.add(files)
    return [path / name for name in CURVES]


def curves_or_warning(settings: Settings, results: Summary, columns: dict[str, Array]) -> dict[str, bytes]:
    """Return what `curves_files` does; if the curves cannot be drawn, warn and return no files."""
    return drawn("curves", partial(curves_files, settings, results, columns), {})


def curves_files(settings: Settings, results: Summary, columns: dict[str, Array]) -> dict[str, bytes]:
    """Return curves.png and curves.svg, given the columns of metrics.csv."""
    from netlearn.plotting.single import run_curves  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.style import render_files  # noqa: PLC0415

    cost, sizes, data = short_name(settings.cost), "-".join(map(str, results.sizes)), results.data
    title = f"{cost}, {sizes}, η = {settings.learning_rate:g}, λ = {settings.l2:g}, {Path(data.name).name}"
    if settings.label_noise:
        title += f", {100 * settings.label_noise:g} % of training labels wrong"
    figure = run_curves(columns, -(-data.train // settings.batch_size), title, data.train)
    return render_files("curves", figure)
