"""The experiments that come with netlearn: the files in configs/, by name."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from netlearn.comparison.experiment import Experiment, read_experiment
from netlearn.errors import SettingsError
from netlearn.runs import CONFIG
from netlearn.settings import Settings
from netlearn.text import decode_toml, suggestion

FULL, BUNDLED = 50_000, 3_500  # training images of mnist, which the files are for, and of mnist-5k
MOST_TIMES = 5  # the l2 relative to the number of training examples that an experiment is for


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an experiment is for."""

    question: str = ""
    command: str = ""
    expected: str = ""
    run_time: str = ""
    chapter: int = 0  # of the book; 0 for what goes beyond it


def folder() -> Path:
    """Return the folder of the files, which is beside the package in a checkout and inside it once installed."""
    inside = Path(__file__).parents[1] / "configs"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "configs"


def files() -> dict[str, Path]:
    """Return the files by name of the experiment."""
    return {path.stem: path for path in sorted(folder().glob("*.toml"), key=lambda path: path.stem)}


def read_about(path: Path) -> About:
    """Return the description in an experiment file."""
    return msgspec.convert(decode_toml(path).get("about", {}), About)


def descriptions() -> dict[str, About]:
    """Return the `about` of each file, by name of the experiment."""
    return {name: read_about(path) for name, path in files().items()}


def by_chapter() -> dict[str, dict[str, About]]:
    """Return the `about` of each file by its name, below headings: the book's chapters first."""
    known = sorted(descriptions().items(), key=lambda item: item[1].chapter or 100)
    headings: dict[str, dict[str, About]] = {}
    for name, about in known:
        headings.setdefault(f"Chapter {about.chapter}" if about.chapter else "Beyond the book", {})[name] = about
    return headings


def find(argument: Path) -> Path | None:
    """Return the experiment file for a name or path, or None if it is a run folder."""
    if argument.suffix == ".toml":
        return argument
    known = files()
    if str(argument) in known and not (argument / CONFIG).is_file():
        return known[str(argument)]
    if argument.exists():
        return None
    beside = {path.name for path in argument.parent.glob("*/")}
    names = beside if len(argument.parts) > 1 else beside | known.keys()
    near = suggestion(argument.name, names)
    hint = f"did you mean {argument.parent / near}?" if near else "netlearn compare --list lists the experiments"
    raise SettingsError(f"{argument}: no such folder or experiment; {hint}")


def need_full() -> list[str]:
    """Return the experiments that need full MNIST to show what they are for, as their l2 and train_size say."""
    return [
        name
        for name, path in files().items()
        if any(BUNDLED < count < FULL or (l2 and count == FULL) for l2, count in _meant(path))
    ]


def l2_note(path: Path, experiment: Experiment, counts: Mapping[str, int]) -> str:
    """Return a note if an experiment's one l2 is far too strong for fewer training examples than it was meant for.

    Args:
        path: the file of the experiment.
        experiment: the same with its data and what flags changed.
        counts: of each data set, the number of its training examples.
    """
    meant = _meant(path) if path.resolve() in {each.resolve() for each in files().values()} else set()
    if len(meant) != 1:
        return ""
    ((l2, many),) = meant
    few = min(_size(each, counts[each.data]) for each in experiment.variants.values())
    if {each.l2 for each in experiment.variants.values()} != {l2} or not l2 or many <= MOST_TIMES * few:
        return ""
    return (
        f"λ = {l2:g} is for {many:,} training examples; with {few:,} λ/n is {many / few:.0f} times as large, and may "
        f"keep the networks from learning: --l2 {l2 * few / many:.2g} keeps λ/n"
    )


def _meant(path: Path) -> set[tuple[float, int]]:
    """Return the l2 of each variant in a file, and for how many training examples it was meant."""
    return {(each.l2, _size(each, FULL)) for each in read_experiment(path, {}).variants.values()}


def _size(settings: Settings, every: int) -> int:
    """Return how many training examples are used of a data set that has so many."""
    return every if settings.train_size == "all" else int(settings.train_size)
