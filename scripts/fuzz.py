"""Feeds corrupted files to every reader and reports the outcomes: `make fuzz`.

The files come from `scripts/fuzzing.py`, as those of the tests do, only many more. Time is that of writing and
reading one file; memory is the highest of the process, beyond what it had before the first file.
"""

import resource
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import click
import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from scripts.fuzzing import CASES, Case, feed


def memory() -> float:
    """Return the most memory that the process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fuzz(case: Case, count: int, folder: Path) -> tuple[int, int, float]:
    """Return how many files were refused, how many accepted, and the longest time in seconds.

    Raises:
        Exception: a reader failed, or accepted an invalid file.
    """
    outcomes = {True: 0, False: 0}
    longest = 0.0

    @hypothesis.seed(0)
    @hypothesis.settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(st.data())
    def each(data: st.DataObject) -> None:
        nonlocal longest
        content = data.draw(case.contents)
        begun = perf_counter()
        accepted = feed(case, content, folder)
        longest = max(longest, perf_counter() - begun)
        outcomes[accepted] += 1

    each()
    return outcomes[False], outcomes[True], longest


@click.command()
@click.option("--count", default=12_000, show_default=True, help="files for each reader.")
def main(count: int) -> None:
    """Feed that many corrupted files to each reader; an error shows the smallest file that leads to it."""
    total, before = 0, memory()
    click.echo(f"{'file':<32}{'refused':>9}{'accepted':>10}{'longest, s':>12}{'memory, MB':>12}")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="error"):
            refused, accepted, longest = fuzz(case, count, Path(folder))
        total += refused + accepted
        click.echo(f"{case.name:<32}{refused:>9,}{accepted:>10,}{longest:>12.3f}{memory() - before:>12.0f}")
    click.echo(f"{total:,} corrupted files: no traceback, no hang, no invalid file accepted")


if __name__ == "__main__":
    main()
