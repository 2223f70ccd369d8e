"""`netlearn verify`: repeats a stored run."""

from contextlib import nullcontext
from pathlib import Path

import click
import msgspec

from netlearn import datasets
from netlearn.cli.options import COST, EXISTING, JSON, QUIET, Command
from netlearn.cli.progress import download_bar, updates_bar
from netlearn.cli.terminal import echo
from netlearn.datasets import Dataset
from netlearn.runs.verify import Verdict, verify


@click.command("verify", cls=Command)
@click.argument("run", type=EXISTING)
@click.option("--data", metavar="NAME|PATH", help="the data set, if it was moved.  [default: where the run found it]")
@COST
@QUIET
@JSON
@click.pass_context
def command(
    ctx: click.Context, /, run: Path, data: str | None, costs: tuple[str, ...], quiet: bool, as_json: bool
) -> None:
    """Repeat a run and check that all that its settings determine is the same to the byte.

    Otherwise print what differs, also in the recorded environment and data, and exit with code 1. The folder is not
    changed.
    """

    def load(name: str) -> Dataset:
        return datasets.load(name if data is None else data, None if quiet else download_bar)

    verdict = verify(run, load, nullcontext if quiet else updates_bar, costs=costs)
    echo(msgspec.json.encode(verdict) if as_json else _result(verdict))
    if not verdict.identical:
        ctx.exit(1)


def _result(verdict: Verdict) -> str:
    updates = f"after {verdict.updates:,} updates"
    if verdict.identical:
        return (
            f"identical {updates}: weights, checkpoint, measurements, results and data, to the byte\n"
            "not compared: times, pictures, environment"
        )
    lines = [f"{each.name}: {each.then} then, {each.now} now" for each in verdict.differences]
    lines = lines or ["the recorded environment and data are the same"]
    gap = f"a weight or bias differs by {verdict.largest_difference:.3g}" if verdict.largest_difference else ""
    head = f"different {updates}: {', '.join(verdict.differing)}"
    return "\n".join([head, *([gap] if gap else []), *lines])
