"""`netlearn verify`: a stored run repeated."""

from functools import partial
from pathlib import Path

import click
import msgspec

from netlearn import datasets
from netlearn.cli.progress import download_bar, verification_progress
from netlearn.experiments.verification import Verdict, verify


@click.command("verify")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-q", "--quiet", is_flag=True, help="print nothing but the result.")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON.")
@click.pass_context
def command(ctx: click.Context, /, run: Path, quiet: bool, as_json: bool) -> None:
    """Repeat the run in a folder and check that the same results come out, to the byte.

    If not, print what differs, in the results and in the recorded environment and data; the exit code is 1. The
    folder is not changed.
    """
    load = partial(datasets.load, progress=None if quiet else download_bar)
    if quiet:
        verdict = verify(run, load)
    else:
        with verification_progress() as watch:
            verdict = verify(run, load, watch)
    click.echo(msgspec.json.encode(verdict) if as_json else _result(verdict))
    if not verdict.identical:
        ctx.exit(1)


def _result(verdict: Verdict) -> str:
    updates = f"after {verdict.updates:,} updates"
    if verdict.identical:
        return f"identical: the same weights, metrics and results to the byte {updates}"
    lines = [f"{each.name}: {each.then} then, {each.now} now" for each in verdict.differences]
    lines = lines or ["no recorded part of the environment or the data differs"]
    gap = f"a weight or bias differs by {verdict.largest_difference:.3g}" if verdict.largest_difference else ""
    head = f"different {updates}: {', '.join(verdict.differing)}"
    return "\n".join([head, *([gap] if gap else []), *lines])
