"""The analysis of a comparison: computed once from its runs, and passed to the table, the pictures and the page.

The runs are those that an experiment has just trained, or those of folders that exist, which are named as variants.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from netlearn.comparison.claims import claims_of, find_claims
from netlearn.comparison.conclusion import conclude
from netlearn.comparison.experiment import (
    File,
    content_of,
    costs_in,
    folder_name,
    looks_before,
    parse_seeds,
    title_of,
)
from netlearn.comparison.findings import Findings
from netlearn.comparison.neuron import conclude_neurons, neurons_of
from netlearn.comparison.pairing import pairing
from netlearn.comparison.statistics import Row, group, race, summarize_all
from netlearn.custom_cost import shell_command, short_names
from netlearn.errors import NetlearnError, RunError, SettingsError
from netlearn.runs import (
    CONFIG,
    RESULTS,
    SUMS,
    Groups,
    Run,
    Sums,
    name_of,
    read_config_content,
    read_run,
    run_folders,
    varied,
)
from netlearn.runs.files import reading
from netlearn.settings import FIELDS, Settings, check
from netlearn.text import counted, separator

OF_NEURONS = "The result of a single neuron is its output, its cost and its gradient by epoch."
NOT_COUNTED = ("snapshots", "track_test")  # settings that say what is stored, and change nothing that is learned


class Analysis(Findings, frozen=True, kw_only=True):
    """What the runs of a comparison show, with the runs.

    Attributes:
        groups: the runs of each variant, in the order of the variants.
        caption: of the pictures: title, data, seeds and learning rates.
    """

    groups: Groups
    caption: str

    @property
    def runs(self) -> list[Run]:
        """The runs, variant by variant."""
        return [run for runs in self.groups.values() for run in runs]


def analyse(
    title: str, runs: Sequence[Run], *, baseline: str | None = None, look: int = 1, tuned: bool = False
) -> Analysis:
    """Return the analysis of the runs of all variants; those with the same `variant` differ in their seeds only.

    A title "" names the variants; `baseline` and `look` are those of `Family`; `tuned` is said of the learning rates.
    """
    groups = group(runs)
    rows, neurons = summarize_all(groups), neurons_of(groups)
    family, pairs = find_claims(groups, baseline if baseline in groups else None, look)
    title = title or title_of(groups)
    sentences = conclude_neurons(neurons) if neurons else conclude(rows, family, pairs)
    return Analysis(
        title=title,
        conclusion=" ".join(sentences),
        sentences=sentences,
        claims=() if neurons else claims_of(pairs),
        pairing=OF_NEURONS if neurons else pairing(runs),
        rows=rows,
        family=family,
        pairs=() if neurons else pairs,
        races=() if neurons else race(rows, groups),
        neurons=neurons,
        groups=groups,
        caption=caption(title, rows, tuned=tuned, noise=max(run.settings.label_noise for run in runs)),
    )


def caption(title: str, rows: Sequence[Row], *, tuned: bool = False, noise: float = 0.0) -> str:
    """Return the caption of a comparison's pictures: title, data, seeds, label noise and the one learning rate.

    A single neuron has neither data nor seeds.
    """
    data = list(dict.fromkeys(Path(row.data).name for row in rows))
    facts = [] if data == ["neuron"] else [", ".join(data), counted(max(row.seeds for row in rows), "seed")]
    if noise:
        facts.append(f"up to {100 * noise:g} % of training labels wrong")
    rates = {row.learning_rate for row in rows}
    if len(rates) == 1:
        facts.append(f"{'tuned ' if tuned else ''}η = {rates.pop():g}")
    elif tuned:
        facts.append("tuned η")
    return f"{title} ({', '.join(facts)})" if facts else title


def read_runs(
    paths: Sequence[Path], on_note: Callable[[str], object] = lambda note: None, *, fewest: int = 1
) -> Analysis:
    """Return the analysis of existing runs; runs that differ only in their seed are one variant.

    The folder of a comparison, or one such as `runs`, stands for the runs in it. Runs with the same settings, seed
    and data count once, which is noted. There must be at least `fewest` variants.

    Raises:
        RunError: a path is not the folder of a complete run.
        SettingsError: there are fewer variants.
    """
    runs: dict[str, Run] = {}
    for run in map(read_run, [each for path in paths for each in _folders_at(path)]):
        identity = repr(run.identity() | dict.fromkeys(NOT_COUNTED))
        if identity in runs:
            on_note(f"{run.folder}: not counted: its settings, seed and data are those of {runs[identity].folder}")
        runs.setdefault(identity, run)
    analysis = analyse("", name_variants(list(runs.values())))
    if len(analysis.groups) < fewest:
        names = separator(analysis.groups).join(analysis.groups)
        raise SettingsError(f"variants {names}: must be two or more in a comparison")
    return analysis


def _folders_at(path: Path) -> list[Path]:
    """Return the folder of a run, or those of the runs in a folder; only of a comparison also incomplete ones."""
    if (path / RESULTS).is_file():
        return run_folders(path)
    inside = [] if (path / CONFIG).exists() else run_folders(path)
    return [each for each in inside if (each / SUMS).exists() and not (each / RESULTS).exists()] or [path]


def name_variants(runs: Sequence[Run]) -> list[Run]:
    """Return the runs named by the settings in which they differ, the seed aside, and by their data.

    Data sets with the same name are told apart by their hashes.
    """
    data = {run.data: run.settings.data for run in reversed(runs)}
    counts = Counter(data.values())
    for sha256, name in data.items():
        if counts[name] > 1:
            data[sha256] = f"{name} (SHA-256 {' '.join(each[:8] for each in sha256)})"
    names = varied(run.settings for run in runs).keys() - {"data"}
    short = short_names(run.settings.cost for run in runs)

    def variant(run: Run) -> str:
        values = {name: getattr(run.settings, name) for name in FIELDS if name in names}
        values |= {"cost": short[run.settings.cost]} if "cost" in names else {}
        return name_of(values | ({"data": data[run.data]} if len(set(data.values())) > 1 else {}))

    return [replace(run, variant=variant(run) or short[run.settings.cost]) for run in runs]


def read_comparison(path: Path) -> Analysis:
    """Return the analysis of a complete comparison; a run that cannot be read counts as one that failed.

    Raises:
        RunError: it is not the folder of a complete comparison, or no run of it can be read.
    """
    check_own_runs(path)
    is_complete = (path / SUMS).exists()
    raw = read_config_content(path, Sums.read(path) if is_complete else None)
    try:
        content = content_of(path / CONFIG, raw)
        seeds = parse_seeds(content.seeds, "seeds")
    except SettingsError as error:
        raise RunError(f"not the experiment of a comparison: {error}") from error
    if not is_complete:
        again = shell_command("compare --resume", costs_in(content), path)
        raise RunError(f"{path}: not a complete comparison; complete it with {again}")
    runs = [_read_or_failed(path, content, name, seed) for name in content.variants for seed in seeds]
    if all(run.summary is None for run in runs):
        raise RunError(f"{path}: has no run that can be read{''.join(f': {run.problem}' for run in runs[:1])}")
    look = 1 + len(looks_before(content.looks, seeds))
    return analyse(content.title or "", runs, baseline=content.baseline, look=look, tuned=content.tuning == "done")


def _read_or_failed(path: Path, content: File, name: str, seed: int) -> Run:
    """Return a run of a comparison; without results, as if it had failed, if it cannot be read."""
    folder = path / f"{folder_name(name)}-{seed}"
    try:
        return read_run(folder, name)
    except NetlearnError as error:
        with reading(path / CONFIG):
            layers = content.defaults | content.variants[name] | {"seed": seed}
            settings = Settings(**{key: check(key, value, key) for key, value in layers.items()})
        return Run(name, folder, settings, None, {}, str(error))


def check_own_runs(path: Path) -> None:
    """Check that the runs that a comparison compares are in its folder.

    Raises:
        RunError: they are elsewhere.
    """
    if not (path / CONFIG).exists():
        raise RunError(f"{path}: compares runs from other folders; give these folders")
