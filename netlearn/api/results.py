"""The results of `train`, `compare` and `load`: of one run, and of variants over seeds; read from their folders."""

from __future__ import annotations  # so that help() and notebooks show the names of types

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from netlearn import datasets
from netlearn.api.arguments import Data, data_name
from netlearn.api.pages import Page
from netlearn.api.source import Source
from netlearn.comparison.analysis import Analysis, analyse
from netlearn.comparison.claims import Claim, Pair
from netlearn.comparison.findings import MOST_TEXTS, percent, ranking, shortened
from netlearn.comparison.outputs import PICTURES, draw, page_table, render_page
from netlearn.comparison.statistics import Row, by_validation
from netlearn.custom_cost import short_name
from netlearn.errors import NetlearnError, RunError, SettingsError
from netlearn.inspection.evaluate import Evaluation, evaluate
from netlearn.inspection.trained import load_network
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.runs import CONFIG, Run, Summary, holds_comparison
from netlearn.runs.selection import MOST_SHOWN
from netlearn.settings import Settings
from netlearn.text import counted, html_table, listed, nearest, separator

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from netlearn.plotting.style import Figure


class Result:
    """What runs have measured, and how to look at it.

    Attributes:
        folder: where the files are; a temporary folder is removed with its last result.
    """

    def __init__(self, runs: Sequence[Run], title: str, folder: Path, source: Source) -> None:
        self.folder: Path = folder
        self._runs, self._title, self.source = list(runs), title, source

    @cached_property
    def _analysis(self) -> Analysis:
        return analyse(self._title, self._runs)

    def figure(self, name: str = "") -> Figure:
        """Return a picture, which a notebook shows without a magic line; `.savefig(file)` writes it.

        Args:
            name: "curves" (validation accuracy and cost), "slowdown" (learning speed, badly wrong outputs, layers),
                "error-vs-gradient" (of single output neurons), "digits" (how much of each class is recognized),
                "mistakes" (the worst ones), "layers" (the speed of each), "overfitting" (training and test set),
                "against", "heat-map", "settings" (what varies), "cures" (optimizers) or "neuron" (a single one). The
                default is "curves", or of a single neuron "neuron". The [guide](guide.md#what-the-pictures-show) says
                which need what.

        Raises:
            SettingsError: there is no such picture, or these runs have no data for it.
            RunError: the folder of the result is gone, or a file in it was changed.
        """
        if name and name not in PICTURES:
            raise SettingsError(f"figure {name!r}: {nearest(name, PICTURES)}")
        self._check_folders()
        for each in [name] if name else ["curves", "neuron"]:
            if (figure := self._drawn(each)) is not None:
                return figure
        known = ", ".join(each for each in PICTURES if each != name and self._drawn(each) is not None)
        raise SettingsError(f"figure {name!r}: these runs have no data for it; must be {known or 'left out'}")

    def _drawn(self, name: str) -> Figure | None:
        return draw(name, self._analysis, self.source.costs)

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
        folder = self.folder if holds_comparison(self.folder) and (self.folder / CONFIG).exists() else None
        kept = not self.source.is_temporary
        return Page(render_page(self._analysis, folder, self.source.costs, kept=kept).decode())

    def _check_folders(self) -> None:
        for run in self._runs:
            if not run.folder.is_dir():
                raise RunError(f"{run.folder}: is gone; must be there for what the result has not read yet")

    def _table(self, lines: Sequence[Sequence[str]], sentences: Sequence[str]) -> str:
        """Return HTML: a table, sentences, and what may surprise in the data of the runs."""
        sets = [run.summary.data for run in self._runs if run.summary is not None]
        notes = dict.fromkeys(f"{Path(data.name).name}: {data.note}" for data in sets if data.note)
        return html_table(lines, [*sentences, *notes])


class RunResult(Result):
    """A trained network, and what was measured in its training.

    Attributes:
        folder: the run folder; a temporary one is removed with its last result.
        settings: all settings of the run.
        summary: the content of summary.json: accuracies, costs, times, environment.
        metrics: the columns of metrics.csv by name, one value per probe.
        test_accuracy: the fraction of the test set classified correctly; None if the run diverged.
    """

    def __init__(self, run: Run, source: Source) -> None:
        cost = short_name(run.settings.cost)
        self._run = replace(run, variant=run.variant or cost)
        super().__init__([self._run], self._run.variant, run.folder, source)
        self.settings: Settings = run.settings
        self.summary: Summary | None = run.summary
        self.metrics: dict[str, Array] = run.metrics
        self.test_accuracy: float | None = run.summary.test_accuracy if run.summary else None
        self._sizes = "-".join(map(str, run.summary.sizes)) if run.summary else "no network"

    def network(self, *, best: bool | None = None) -> Network:
        """Return the trained network; `feedforward(x)` gives its outputs, (n_out, n), for inputs x, (n_in, n).

        Args:
            best: True for the weights of the best epoch, False for the last; None for those of the test accuracy.

        Raises:
            RunError: the run diverged, has no such weights, or its folder is gone or was changed.
        """
        self._check_folders()
        return load_network(self._run, best=best, costs=self.source.costs)

    def evaluate(self, data: Data | None = None, split: str = "test", *, best: bool | None = None) -> Evaluation:
        """Return cost, accuracy with its interval, and each class's scores, as `netlearn evaluate` does.

        Args:
            data: a data set that fits the network, as in `train`; the run's own by default.
            split: "test", "validation" or "train".
            best: which weights, see `network`.

        Raises:
            NetlearnError: the run diverged, its folder is gone or was changed, or the data does not fit.
        """
        self._check_folders()
        examples = datasets.load(self.settings.data if data is None else data_name(data))
        return evaluate([self._run], examples, split, best=best, costs=self.source.costs)[0].evaluation

    def __repr__(self) -> str:
        """Return one line: the network and how its training ended."""
        cost = short_name(self.settings.cost)
        end = self._run.shortfall or f"test accuracy {percent(self.test_accuracy)}"
        return f"<RunResult {cost}, {self._sizes}, seed {self.settings.seed}: {end}>"

    def _repr_html_(self) -> str:
        settings, summary = self.settings, self.summary
        lines = [
            ["", self._title],
            ["data", Path(settings.data).name],
            ["sizes", self._sizes],
            ["learning rate η", f"{settings.learning_rate:g}"],
            ["epochs", f"{summary.epochs:.4g}, {summary.status}" if summary else "-"],
            ["training accuracy", percent(summary.train_accuracy if summary else None)],
            ["best validation accuracy", percent(summary.best_validation_accuracy if summary else None)],
            ["test accuracy", percent(self.test_accuracy)],
        ]
        return self._table(lines, [self._run.shortfall or self._run.diverging or ""])


class ComparisonResult(Result):
    """Variants over seeds: the table, the conclusion, and every run behind them.

    Attributes:
        title: what is compared.
        conclusion: in words.
        pairing: whether runs with the same seed started and went on with the same weights and mini-batches.
        rows: each variant over its seeds: means, spreads, updates to an accuracy.
        claims: the differences that the conclusion claims.
        pairs: the paired differences behind the conclusion.
        runs: the result of each run, variant by variant.
    """

    def __init__(self, analysis: Analysis, folder: Path, source: Source) -> None:
        super().__init__(analysis.runs, analysis.title, folder, source)
        self._analysis = analysis
        self.title: str = analysis.title
        self.conclusion: str = analysis.conclusion
        self.claims: tuple[Claim, ...] = analysis.claims
        self.pairing: str = analysis.pairing
        self.rows: tuple[Row, ...] = analysis.rows
        self.pairs: tuple[Pair, ...] = analysis.pairs
        self.runs: list[RunResult] = [RunResult(run, source) for run in analysis.runs]

    def run(self, variant: str, seed: int | None = None) -> RunResult:
        """Return the run of a variant from its first seed, or from the one given.

        Raises:
            SettingsError: there is no such variant or seed.
        """
        groups = self._analysis.groups
        if variant not in groups:
            raise SettingsError(f"variant {variant!r}: {nearest(variant, groups)}")
        seeds = [run.settings.seed for run in groups[variant]]
        if seed is not None and seed not in seeds:
            raise SettingsError(f"seed {seed}: must be {listed(list(map(str, seeds)))}")
        run = groups[variant][0 if seed is None else seeds.index(seed)]
        return RunResult(run, self.source)

    def network(self, variant: str, seed: int | None = None, *, best: bool | None = None) -> Network:
        """Return the trained network of a variant; see `run` and `RunResult.network`."""
        return self.run(variant, seed).network(best=best)

    def evaluate(
        self, variant: str, seed: int | None = None, data: Data | None = None, split: str = "test",
        *, best: bool | None = None,
    ) -> Evaluation:  # fmt: skip
        """Return how well a variant's network does; see `run` and `RunResult.evaluate`."""
        return self.run(variant, seed).evaluate(data, split, best=best)

    def __repr__(self) -> str:
        """Return one line: the variants and their test accuracies, which a single neuron does not have."""
        shown = self.rows if self._is_readable else by_validation(self.rows)[:1]
        figures = ["" if self._analysis.neurons else f" {percent(row.test_accuracy)}" for row in shown]
        mark = separator(row.variant for row in shown)
        ends = mark.join(f"{row.variant}{figure}" for row, figure in zip(shown, figures, strict=True))
        ends = ends if self._is_readable else f"{len(self.rows):,} variants, the best {ends}"
        seeds = counted(max(row.seeds for row in self.rows), "seed")
        return f"<ComparisonResult {self.title}, {seeds}: {ends}>"

    def _repr_html_(self) -> str:
        analysis = self._analysis
        lines = page_table(analysis) if self._is_readable else ranking(self.rows)[: 1 + MOST_TEXTS]
        left = f"{len(lines) - 1} of {len(self.rows):,} variants; rows has all" if not self._is_readable else ""
        problems = shortened(analysis.problems, "rows")
        return self._table(lines, [left, *problems, *analysis.sentences, self.pairing])

    @property
    def _is_readable(self) -> bool:
        """Whether all variants have room beside each other."""
        return len(self.rows) <= MOST_SHOWN
