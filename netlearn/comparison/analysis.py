"""The analysis of a comparison, computed once from its runs and passed to the table, the pictures and the page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from netlearn.comparison.conclusion import conclusion
from netlearn.comparison.pairs import Pair, pair_up
from netlearn.comparison.statistics import Row, group, pairing, summarize_all
from netlearn.runs import Groups, Run
from netlearn.runs.selection import MOST_SHOWN


@dataclass(frozen=True)
class Analysis:
    """What the runs of a comparison show.

    Attributes:
        title: of the comparison.
        groups: the runs of each variant, in the order of the variants.
        rows: the figures of each variant over its seeds, in the same order.
        pairs: the paired differences between variants.
        sentences: the conclusion.
        pairing: whether runs with the same seed had the same weights and mini-batches, in words.
        caption: of the pictures: title, data, seeds and learning rates.
        unreadable: why other runs of the comparison could not be read.
    """

    title: str
    groups: Groups
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    sentences: tuple[str, ...]
    pairing: str
    caption: str
    unreadable: tuple[str, ...] = ()

    @property
    def runs(self) -> list[Run]:
        """The runs, variant by variant."""
        return [run for runs in self.groups.values() for run in runs]

    @property
    def conclusion(self) -> str:
        """The sentences of the conclusion as one text."""
        return " ".join(self.sentences)


def analyse(title: str, runs: Sequence[Run], *, tuned: bool = False, unreadable: Sequence[str] = ()) -> Analysis:
    """Return the analysis of the runs of a comparison.

    Args:
        title: of the comparison; "" to name the variants.
        runs: of all variants; runs with the same `variant` differ in their seeds only.
        tuned: whether their learning rates were tuned.
        unreadable: why other runs could not be read.
    """
    groups = group(runs)
    rows = summarize_all(groups)
    pairs = pair_up(groups, rows)
    title = title or (" against ".join(groups) if len(groups) <= MOST_SHOWN else f"{len(groups):,} variants")
    return Analysis(
        title=title,
        groups=groups,
        rows=rows,
        pairs=pairs,
        sentences=(conclusion(rows, pairs),),
        pairing=pairing(runs),
        caption=caption(title, rows, tuned=tuned),
        unreadable=tuple(unreadable),
    )


def caption(title: str, rows: Sequence[Row], *, tuned: bool = False) -> str:
    """Return the caption of a comparison's pictures: title, data, seeds and learning rates."""
    data = ", ".join(dict.fromkeys(row.data for row in rows))
    seeds = max(row.seeds for row in rows)
    heading = f"{title} ({data}, {seeds} {'seed' if seeds == 1 else 'seeds'})"
    prefix = "tuned " if tuned else ""
    rates = Counter(row.learning_rate for row in rows)
    most, times = rates.most_common(1)[0]
    usual = most if 2 * times > len(rows) > 1 else None
    others = [row for row in rows if row.learning_rate != usual and not _names_its_rate(row)]
    parts = [f"{prefix}η = {usual:g}"] if usual else []
    parts += [f"{row.variant}: {prefix}η = {row.learning_rate:g}" for row in others]
    return f"{heading}\n{', '.join(parts) if len(parts) <= MOST_SHOWN else ''}".strip()


def _names_its_rate(row: Row) -> bool:
    return any(f"{rate}{row.learning_rate:g}" in row.variant for rate in ("η = ", "learning_rate="))
