"""What every result offers: figures, plots, a table of probes, the page; read from the folders of its runs."""

from __future__ import annotations  # so that help() and notebooks show the names of types

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from netlearn import datasets
from netlearn.api.display import Page
from netlearn.api.given import Costs, data_name
from netlearn.api.place import Place
from netlearn.api.settings import Data
from netlearn.comparison.analysis import Analysis, analyse
from netlearn.comparison.outputs import PICTURES, draw, render_page
from netlearn.errors import NetlearnError, RunError, SettingsError
from netlearn.inspection.evaluate import Evaluation, evaluate
from netlearn.inspection.trained import load_network
from netlearn.network import Network
from netlearn.runs import CONFIG, Run, holds_comparison
from netlearn.settings import nearest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from netlearn.plotting.style import Figure


class Result:
    """What runs have measured, and how to look at it."""

    def __init__(self, runs: Sequence[Run], title: str, places: Sequence[Place], costs: Costs) -> None:
        self._runs = list(runs)
        self._title = title
        self._places = list(places)  # temporary folders are removed when no result refers to them
        self._costs = costs

    @cached_property
    def _analysis(self) -> Analysis:
        return analyse(self._title, self._runs)

    @property
    def folder(self) -> Path:
        """Where the files are; a temporary folder is removed with its last result."""
        return self._places[0].folder

    def figure(self, name: str = "") -> Figure:
        """Return a picture, which a notebook shows without a magic line; `.savefig(file)` writes it.

        Args:
            name: "curves", "slowdown", "error-vs-gradient", "digits", or another picture of `netlearn compare`. The
                default is "curves", or of a single neuron "neuron".

        Raises:
            SettingsError: there is no such picture, or these runs have no data for it.
            RunError: the folder of the result is gone, or a file in it was changed.
        """
        if name and name not in PICTURES:
            raise SettingsError(f"figure {name!r}: {nearest(name, PICTURES)}")
        self._check_folders()
        drawn = (draw(each, self._analysis, self._costs.named) for each in ([name] if name else ["curves", "neuron"]))
        figure = next(filter(None, drawn), None)
        if figure is None:
            raise SettingsError(f"figure {name!r}: these runs have no data for it; must be another")
        return figure

    def plot(self, column: str, ax: Axes | None = None) -> Axes:
        """Draw a column of metrics.csv against updates: a line for each variant, in a band over its seeds.

        Args:
            column: such as "validation_accuracy", "train_cost", "learning_speed" or "stuck".
            ax: matplotlib axes to draw in. Without them a new figure is made, which a notebook shows.

        Returns:
            The axes, for titles, limits and further lines.

        Raises:
            SettingsError: there is no such column.
        """
        from netlearn.plotting.lines import plot_column  # noqa: PLC0415 (matplotlib takes 0.4 s to import)
        from netlearn.plotting.style import shown_axes  # noqa: PLC0415

        columns = list(dict.fromkeys(name for run in self._runs for name in run.metrics if name != "update"))
        if column not in columns:
            raise SettingsError(f"plot {column!r}: {nearest(column, columns)}")
        axes = shown_axes() if ax is None else ax
        plot_column(axes, self._analysis.groups, column)
        return axes

    def frame(self) -> pd.DataFrame:
        """Return all probes of all runs in long form: variant, seed and the columns of metrics.csv, a row per probe.

        Raises:
            NetlearnError: pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 (optional)
        except ImportError as error:
            raise NetlearnError("frame() needs pandas: pip install 'netlearn[notebook]' installs it") from error
        parts = [
            pd.DataFrame({"variant": run.variant, "seed": run.settings.seed, **run.metrics}).astype({"update": int})
            for run in self._runs
            if run.metrics
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"variant": [], "seed": []})

    def report(self) -> Page:
        """Return the interactive page of `netlearn report`, which a notebook shows; `.save(path)` writes it.

        Raises:
            RunError: the folder of the result is gone, or a file in it was changed.
        """
        self._check_folders()
        is_experiment = holds_comparison(self.folder) and (self.folder / CONFIG).exists()
        folder = self.folder if is_experiment else None
        kept = not any(place.is_temporary for place in self._places)
        return Page(render_page(self._analysis, folder, self._costs.named, kept=kept).decode())

    def _check_folders(self) -> None:
        for run in self._runs:
            if not run.folder.is_dir():
                raise RunError(f"{run.folder}: is gone; must be there for what the result has not read yet")

    def _network(self, run: Run, *, best: bool | None) -> Network:
        self._check_folders()
        return load_network(run, best=best, costs=self._costs.named)

    def _evaluate(self, run: Run, data: Data | None, split: str, *, best: bool | None) -> Evaluation:
        self._check_folders()
        examples = datasets.load(run.settings.data if data is None else data_name(data))
        costs = {name: cost for name, cost in self._costs.named.items() if name == run.settings.cost}
        return evaluate([run], examples, split, best=best, costs=costs)[0].evaluation

    def _notes(self) -> list[str]:
        """Return what may surprise in the data of the runs."""
        sets = [run.summary.data for run in self._runs if run.summary is not None]
        return list(dict.fromkeys(f"{Path(data.name).name}: {data.note}" for data in sets if data.note))
