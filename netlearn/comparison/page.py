"""What the page of a comparison tells, from its runs."""

from collections.abc import Collection, Sequence
from pathlib import Path
from shlex import quote

from netlearn.comparison.conclusion import conclusion
from netlearn.comparison.environment import environment
from netlearn.comparison.pairs import Pair, pair_up
from netlearn.comparison.statistics import Row, by_validation, group, pairing, summarize_all
from netlearn.comparison.table import lines_of, problems, ranked, shortened
from netlearn.report.story import Story
from netlearn.runs import Groups, Run, config, selection

MOST_VARIANTS = 60  # on the page
MOST_CONFIG = 100_000  # characters


def page(
    title: str, runs: Sequence[Run], folder: Path | None, costs: Collection[str], failed: Sequence[str] = (),
    *, pairs: Sequence[Pair] | None = None, kept: bool = True,
) -> bytes:  # fmt: skip
    """Return the page of runs.

    Args:
        title: its heading.
        runs: of all variants.
        folder: of the comparison that they belong to, with its config.toml; None for runs from several places.
        costs: the user's own costs, whose code may be imported.
        failed: why other runs of the comparison could not be read.
        pairs: of the variants, if they are known already.
        kept: whether the folders will remain, so that commands can name them.

    Raises:
        RunError: a file of a run was changed.
    """
    from netlearn.report.page import render  # noqa: PLC0415 (imports matplotlib's colours, which takes 0.4 s)

    groups = group(runs)
    rows = summarize_all(groups)
    pairs = pair_up(groups, rows) if pairs is None else pairs
    first = next((run for run in runs if run.summary is not None), runs[0])
    verify = (f"netlearn verify {quote(str(first.folder))}", "repeats one run and compares every byte")
    if folder is not None:
        commands = [
            (f"netlearn compare {quote(str(folder / config.NAME))}", "trains everything again, in a new folder"),
            verify,
            (f"netlearn report {quote(str(folder))}", "makes this page again"),
        ]
    else:
        listed = " ".join(quote(str(run.folder)) for run in runs)
        commands = [(f"netlearn report {listed}", "makes this page again"), verify]
    experiment = (folder / config.NAME).read_text("utf-8") if folder is not None else ""
    shown = selection.foremost(groups, MOST_VARIANTS)
    table = lines_of(rows, pairs)
    if shown is not groups:
        table = _ranking(rows, shown)
        shown = {f"#{line[0]} {name}": runs for line, (name, runs) in zip(table[1:], shown.items(), strict=True)}
    story = Story(
        title=title,
        groups=shown,
        left=len(groups) - len(shown),
        conclusion=conclusion(rows, pairs),
        pairing=pairing(runs),
        table=table,
        ranked=shown is not groups,
        problems=shortened([*problems(rows), *failed], "results.csv"),
        commands=commands if kept else [],
        config=experiment if len(experiment) <= MOST_CONFIG else "",
        environment=environment() if first.summary is None else first.summary.environment,
        costs=costs,
    )
    return render(story)


def _ranking(rows: Sequence[Row], shown: Groups) -> list[list[str]]:
    """Return a line of cells for each variant shown, in their order, with its place among all of them."""
    head, *lines = ranked(rows)
    found = {row.variant: line for row, line in zip(by_validation(rows), lines, strict=True)}
    return [["place", *head[1:]], *(found[name] for name in shown)]
