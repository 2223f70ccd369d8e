"""The results of `train`, `compare` and `load`: of one run, and of variants over seeds."""

from __future__ import annotations  # so that help() and notebooks show the names of types

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from netlearn.api.given import Costs
from netlearn.api.place import Place
from netlearn.api.result import Result
from netlearn.api.settings import Data
from netlearn.comparison.analysis import Analysis
from netlearn.comparison.claims import Claim, Pair
from netlearn.comparison.statistics import Row
from netlearn.comparison.table import cells, percent, problems
from netlearn.errors import SettingsError
from netlearn.inspection.evaluate import Evaluation
from netlearn.network import Network
from netlearn.numerics import Array
from netlearn.runs import Run, Summary
from netlearn.settings import Settings, nearest
from netlearn.text import html_table


class RunResult(Result):
    """A trained network, and what was measured in its training.

    Attributes:
        settings: all settings of the run.
        summary: the content of summary.json: accuracies, costs, times, environment.
        metrics: the columns of metrics.csv by name, one value per probe.
    """

    def __init__(self, run: Run, places: Sequence[Place], costs: Costs) -> None:
        named = replace(run, variant=run.variant or run.settings.cost.removeprefix("__main__:"))
        super().__init__([named], named.variant, places, costs)
        self.settings: Settings = run.settings
        self.summary: Summary | None = run.summary
        self.metrics: dict[str, Array] = run.metrics

    @property
    def folder(self) -> Path:
        """The run folder; a temporary one is removed with its last result."""
        return self._runs[0].folder

    @property
    def test_accuracy(self) -> float | None:
        """The fraction of the test set classified correctly; None if the run diverged."""
        return self.summary.test_accuracy if self.summary else None

    def network(self, *, best: bool | None = None) -> Network:
        """Return the trained network; `feedforward(x)` gives its outputs, (n_out, n), for inputs x, (n_in, n).

        Args:
            best: True for the weights of the best epoch, False for the last; None for those of the test accuracy.

        Raises:
            RunError: the run diverged, has no such weights, or its folder is gone or was changed.
        """
        return self._network(self._runs[0], best=best)

    def evaluate(self, data: Data | None = None, split: str = "test", *, best: bool | None = None) -> Evaluation:
        """Return cost, accuracy with its interval, and each class's scores, as `netlearn evaluate` does.

        Args:
            data: a data set that fits the network, as in `train`; the run's own by default.
            split: "test", "validation" or "train".
            best: which weights, see `network`.

        Raises:
            NetlearnError: the run diverged, its folder is gone or was changed, or the data does not fit.
        """
        return self._evaluate(self._runs[0], data, split, best=best)

    def __repr__(self) -> str:
        """Return one line: the network and how its training ended."""
        cost = self.settings.cost.removeprefix("__main__:")
        return f"<RunResult {cost}, {self._sizes()}, seed {self.settings.seed}: {self._end()}>"

    def _sizes(self) -> str:
        return "-".join(map(str, self.summary.sizes)) if self.summary else "no network"

    def _end(self) -> str:
        return self._runs[0].shortfall or f"test accuracy {percent(self.test_accuracy)}"

    def _repr_html_(self) -> str:
        settings, summary = self.settings, self.summary
        lines = [
            ["", self._title],
            ["data", Path(settings.data).name],
            ["sizes", self._sizes()],
            ["learning rate η", f"{settings.learning_rate:g}"],
            ["epochs", f"{summary.epochs:.4g}, {summary.status}" if summary else "-"],
            ["training accuracy", percent(summary.train_accuracy if summary else None)],
            ["best validation accuracy", percent(summary.best_validation_accuracy if summary else None)],
            ["test accuracy", percent(self.test_accuracy)],
        ]
        return html_table(lines, [self._runs[0].shortfall or self._runs[0].diverging or "", *self._notes()])


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

    def __init__(self, analysis: Analysis, places: Sequence[Place], costs: Costs) -> None:
        super().__init__(analysis.runs, analysis.title, places, costs)
        self._analysis = analysis
        self.title: str = analysis.title
        self.conclusion: str = analysis.conclusion
        self.claims: tuple[Claim, ...] = analysis.claims
        self.pairing: str = analysis.pairing
        self.rows: tuple[Row, ...] = analysis.rows
        self.pairs: tuple[Pair, ...] = analysis.pairs
        self.runs: list[RunResult] = [RunResult(run, places, costs) for run in analysis.runs]

    def run(self, variant: str, seed: int | None = None) -> RunResult:
        """Return the run of a variant from its first seed, or from the one given.

        Raises:
            SettingsError: there is no such variant or seed.
        """
        names = list(dict.fromkeys(run.variant for run in self._runs))
        if variant not in names:
            raise SettingsError(f"variant {variant!r}: {nearest(variant, names)}")
        found = {
            run.settings.seed: run for run, raw in zip(self.runs, self._runs, strict=True) if raw.variant == variant
        }
        if seed is not None and seed not in found:
            raise SettingsError(f"seed {seed}: must be {', '.join(map(str, found))}")
        return next(iter(found.values())) if seed is None else found[seed]

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
        shown = ("" if self._analysis.neurons else f" {percent(row.test_accuracy)}" for row in self.rows)
        ends = ", ".join(f"{row.variant}{end}" for row, end in zip(self.rows, shown, strict=True))
        seeds = max(row.seeds for row in self.rows)
        return f"<ComparisonResult {self.title}, {seeds} {'seed' if seeds == 1 else 'seeds'}: {ends}>"

    def _repr_html_(self) -> str:
        analysis = self._analysis
        sentences = [*problems(self.rows), *analysis.sentences, self.pairing, *self._notes()]
        return html_table(cells(analysis.rows, analysis.pairs, analysis.races, analysis.family.baseline), sentences)
