"""The pictures of a comparison: which there are, their caption, and drawing them in any process."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from netlearn.comparison.statistics import Row, group
from netlearn.comparison.table import MOST_COLUMNS
from netlearn.inspection.comparison import mistakes
from netlearn.runs import Run, RunFolder

if TYPE_CHECKING:
    from netlearn.plotting.style import Figure

MISTAKES = "mistakes"
PICTURES = (
    "curves", "slowdown", "error-vs-gradient", "digits", "neuron", "overfitting", "against", "heat-map", "settings",
    "cures", "layers", MISTAKES,
)  # fmt: skip


def describe(title: str, rows: Sequence[Row], tuned: str = "") -> str:
    """Return the caption of a comparison's pictures: title, data, seeds and learning rates."""
    data = ", ".join(dict.fromkeys(row.data for row in rows))
    seeds = max(row.seeds for row in rows)
    heading = f"{title} ({data}, {seeds} {'seed' if seeds == 1 else 'seeds'})"
    rates = Counter(row.learning_rate for row in rows)
    most, times = rates.most_common(1)[0]
    usual = most if 2 * times > len(rows) > 1 else None
    others = [row for row in rows if row.learning_rate != usual and not _names_its_rate(row)]
    said = [f"{tuned}η = {usual:g}"] if usual else []
    said += [f"{row.variant}: {tuned}η = {row.learning_rate:g}" for row in others]
    if len(said) > MOST_COLUMNS:
        said = []
    return f"{heading}\n{', '.join(said)}".strip()


def _names_its_rate(row: Row) -> bool:
    return any(f"{rate}{row.learning_rate:g}" in row.variant for rate in ("η = ", "learning_rate="))


def write_picture(
    caption: str, runs: Sequence[Run], folder: RunFolder, costs: Collection[str], name: str
) -> str | None:
    """Draw a picture and write its files, in any process.

    Returns its name, or None if the runs have no data for it.
    """
    from netlearn.plotting.style import render_files  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

    figure = draw(name, runs, caption, costs)
    if figure is None:
        return None
    for file, content in render_files(name, figure).items():
        folder.write(file, content)
    return name


def draw(name: str, runs: Sequence[Run], caption: str, costs: Collection[str]) -> "Figure | None":
    """Return one of `PICTURES`, or None if the runs have no data for it; see `overlay` for `costs`."""
    from netlearn.plotting.compare import DRAWN  # noqa: PLC0415 (as above)

    groups = group(runs)
    return mistakes(groups, caption, costs) if name == MISTAKES else DRAWN[name](groups, caption)
