"""Commands on stored runs and comparisons: `netlearn curves`, `export`, `lab`, `report`, `verify` and `weights`."""

import webbrowser
from collections.abc import Sequence
from pathlib import Path

import click

from netlearn.api import lab
from netlearn.cli.options import (
    BEST,
    COST,
    EXISTING,
    JSON,
    OPEN,
    OUT,
    PATH,
    QUIET,
    RUN,
    Command,
    check_suffix,
)
from netlearn.cli.progress import load, tell, updates_bar
from netlearn.cli.terminal import echo_files, echo_results
from netlearn.comparison.outputs import draw_curves, report
from netlearn.datasets import Dataset
from netlearn.errors import SettingsError
from netlearn.inspection.derived import draw_weights, write_files
from netlearn.inspection.export import SUFFIXES, export
from netlearn.inspection.trained import data_name, read_trained
from netlearn.runs import Run
from netlearn.runs.setup import initial_network
from netlearn.runs.verify import Verdict, verify


def data_of(runs: Sequence[Run], name: str | None) -> Dataset:
    """Load the data set of runs, or the one named, and note which run was trained on another version of it."""
    data = load(data_name(runs) if name is None else name)
    for run in runs:
        if name is None and not run.has_data(data):
            tell(f"{run.folder}: was trained on another version of {data.name}: its files have other SHA-256 hashes")
    return data


@click.command("curves", cls=Command)
@click.argument("folders", nargs=-1, required=True, type=EXISTING, metavar="RUN...")
@QUIET
@JSON
def curves_command(folders: tuple[Path, ...]) -> None:
    """Draw the learning curves of runs, as netlearn train does.

    The runs of a comparison have none until they are asked for; its folder stands for all runs in it. Writes
    curves.png and curves.svg to each run folder.
    """
    echo_files(path for folder in folders for path in draw_curves(folder))


@click.command("export", cls=Command)
@RUN
@click.option("--to", type=PATH, required=True, metavar="FILE", help="file to write, .onnx or .npz.")
@click.option("--data", metavar="NAME|PATH", help="data set to verify the export on.  [default: that of the run]")
@BEST
@COST
@QUIET
@JSON
def export_command(folder: Path, to: Path, data: str | None, best: bool | None, costs: tuple[str, ...]) -> None:
    """Export the trained network of a run to ONNX or NumPy.

    An .onnx file needs the extra onnx: pip install 'netlearn[onnx]'. Its input is a batch of examples, (batch, n) in
    float32. An .npz file has the arrays weights.1, biases.1, … Both hold the settings, the data's SHA-256 and the
    test accuracy.

    Before it is written, the exported network is loaded by the other program and must give netlearn's answers on the
    whole test set.
    """
    check_suffix(to, "--to", *SUFFIXES)
    (run,) = read_trained([folder])
    dataset = data_of([run], data)
    if to.resolve() == Path(dataset.where).resolve():
        raise SettingsError(f"--to {to}: is the data set: must be another file")
    found = export(run, dataset, to, best=best, costs=dict.fromkeys(costs))
    sizes = "-".join(map(str, found.sizes))
    text = (
        f"{to}: {sizes}, {found.weights} of {folder}\n"
        f"verified with {found.verified_with}: netlearn's answers on all {found.examples:,} test examples of "
        f"{found.data}, outputs within {found.largest_difference:.1g}"
    )
    echo_results(found, text)


@click.command("verify", cls=Command)
@RUN
@click.option("--data", metavar="NAME|PATH", help="the data set, if it was moved.  [default: where the run found it]")
@COST
@QUIET
@JSON
@click.pass_context
def verify_command(ctx: click.Context, /, folder: Path, data: str | None, costs: tuple[str, ...]) -> None:
    """Repeat a run and check that all that its settings determine is the same to the byte.

    Otherwise print what differs, also in the recorded environment and data, and exit with code 1. The folder is not
    changed.
    """
    verdict = verify(folder, lambda name: load(name if data is None else data), updates_bar, costs=costs)
    echo_results(verdict, _result(verdict), folder)
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


@click.command("weights", cls=Command)
@RUN
@click.option("--data", metavar="NAME|PATH", help="data set with the size of the images.  [default: that of the run]")
@BEST
@OUT
@QUIET
@JSON
def weights_command(folder: Path, data: str | None, best: bool | None, out: Path | None) -> None:
    """Draw the weights of the first layer as images, before and after training.

    Each image shows the weights from the pixels to one neuron: ink excites the neuron where the image is bright, and
    inhibits it where it is dark. Without hidden layers these are the output neurons. The initial weights are drawn
    again from the seed of the run and checked by their SHA-256. Writes weights.png and weights.svg.
    """
    (run,) = read_trained([folder])
    dataset = load(run.settings.data if data is None else data)
    results = run.results
    initial = initial_network(run.settings, results.sizes)
    repeated = initial.parameters.sha256() == results.initial_weights_sha256
    if not repeated:
        tell(f"{folder}: its initial weights are left out: seed {results.seed} gives other ones here (by SHA-256)")
    figure = draw_weights(run, dataset, initial if repeated else None, best=best)
    echo_files(write_files(run, out, {"weights": figure}))


@click.command("report", cls=Command)
@click.argument("folders", nargs=-1, required=True, type=EXISTING, metavar="FOLDER...")
@click.option(
    "--out", type=PATH, metavar="FILE.html", help="file.  [default: report.html in the comparison's folder]"
)
@OPEN
@COST
@QUIET
@JSON
def report_command(folders: tuple[Path, ...], out: Path | None, opened: bool, costs: tuple[str, ...]) -> None:
    """Make the page of a comparison, report.html, to explore in a browser.

    It is one file that needs no network: the results, a neuron to play with, curves, gradients, a canvas to draw
    digits for the trained networks, mistakes and settings. FOLDER is a comparison, whose page is made again, or
    several are runs, which are compared as in netlearn compare RUN...; their page is runs/report.html.
    """
    check_suffix(out, "--out", ".html")
    _show(report(folders, out, dict.fromkeys(costs)), opened=opened)


@click.command("lab", cls=Command)
@click.argument("folder", required=False, type=EXISTING, metavar="[FOLDER]")
@click.option("--data", metavar="NAME|PATH", help="what they learn from.  [default: that of FOLDER, or mnist-5k]")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="a variant of FOLDER; give two.")
@click.option("--out", type=PATH, default="lab.html", metavar="FILE.html", help="file.  [default: lab.html]")
@OPEN
@QUIET
@JSON
def lab_command(folder: Path | None, data: str | None, variants: tuple[str, ...], out: Path, opened: bool) -> None:
    """Make the lab, a page in which two networks learn while you watch.

    They start from the same weights and see the same mini-batches; each has its own cost. The file holds 2,000
    training examples and needs no network, so it can be put on a web server or a USB stick for a class. With FOLDER,
    a comparison, both begin with the settings of its two variants.
    """
    check_suffix(out, "--out", ".html")
    _show(lab(folder, data=data, variants=variants).save(out), opened=opened)


def _show(path: Path, *, opened: bool) -> None:
    """Print the path of a page, and open it in the browser if that was asked for."""
    echo_files([path])
    if opened and not webbrowser.open(path.resolve().as_uri()):
        tell(f"no browser found; open {path}")
