"""The learning curves of a run, drawn as it ends or later, from its folder."""

from functools import partial
from pathlib import Path

from netlearn.errors import RunError
from netlearn.numerics import Array
from netlearn.plotting import drawing, drawn
from netlearn.runs import CURVES, SUMS, RunFolder, Summary, holds_comparison, read_locked, run_folders
from netlearn.settings import Settings


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
        run = read_locked(path)
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
    from netlearn.plotting.networks import run_curves  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.style import render_files  # noqa: PLC0415

    sizes, data = "-".join(map(str, results.sizes)), results.data
    title = f"{settings.cost}, {sizes}, η = {settings.learning_rate:g}, λ = {settings.l2:g}, {Path(data.name).name}"
    if settings.label_noise:
        title += f", {100 * settings.label_noise:g} % of training labels wrong"
    figure = run_curves(columns, -(-data.train // settings.batch_size), title, data.train)
    return render_files("curves", figure)
