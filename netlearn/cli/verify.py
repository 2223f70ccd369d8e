"""`netlearn verify`: a stored run done again."""

from functools import partial
from pathlib import Path

import click
import msgspec

from netlearn import datasets
from netlearn.cli.progress import download_bar, training_bar
from netlearn.verification import Verdict, verify


@click.command("verify")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-q", "--quiet", is_flag=True, help="print nothing but the result.")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON.")
@click.pass_context
def command(ctx: click.Context, /, run: Path, quiet: bool, as_json: bool) -> None:
    """Do the run in a folder again and tell whether the same weights come out, to the byte.

    Where they do not, it tells by how much they differ at most, and which recorded part of the environment or of the
    data differs; the exit code is 1 then. Nothing in the folder is changed.
    """
    load = partial(datasets.load, progress=None if quiet else download_bar)
    if quiet:
        verdict = verify(run, load)
    else:
        with training_bar() as watch:
            verdict = verify(run, load, watch)
    click.echo(msgspec.json.encode(verdict) if as_json else _result(verdict))
    if not verdict.identical:
        ctx.exit(1)


def _result(verdict: Verdict) -> str:
    updates = f"after {verdict.updates:,} updates"
    if verdict.identical:
        return f"identical: the same weights to the byte {updates}"
    lines = [f"{each.name}: {each.then} then, {each.now} now" for each in verdict.differences]
    lines = lines or ["nothing that is recorded of the environment or the data differs"]
    largest = verdict.largest_difference
    return "\n".join([f"different: a weight or bias differs by {largest:.3g} {updates}", *lines])
