"""`netlearn export`: a trained network for other programs."""

from pathlib import Path

import click
import msgspec

from netlearn import datasets
from netlearn.cli.options import BEST, COST, EXISTING, JSON, PATH, QUIET, Command, check_suffix
from netlearn.cli.progress import download_bar, note
from netlearn.cli.terminal import echo
from netlearn.errors import SettingsError
from netlearn.inspection.export import SUFFIXES, export
from netlearn.inspection.trained import is_data_of, read_trained


@click.command("export", cls=Command)
@click.argument("folder", type=EXISTING, metavar="RUN")
@click.option("--to", type=PATH, required=True, metavar="FILE", help="file to write, .onnx or .npz.")
@click.option("--data", metavar="NAME|PATH", help="data set to verify the export on.  [default: that of the run]")
@BEST
@COST
@QUIET
@JSON
def command(
    folder: Path, to: Path, data: str | None, best: bool | None, costs: tuple[str, ...], quiet: bool, as_json: bool
) -> None:
    """Export the trained network of a run to ONNX or NumPy.

    An .onnx file needs the extra onnx: pip install 'netlearn[onnx]'. Its input is a batch of examples, (batch, n) in
    float32. An .npz file has the arrays weights.1, biases.1, … Both hold the settings, the data's SHA-256 and the
    test accuracy.

    Before it is written, the exported network is loaded by the other program and must give netlearn's answers on the
    whole test set.
    """
    check_suffix(to, "--to", *SUFFIXES)
    (run,) = read_trained([folder])
    dataset = datasets.load(run.settings.data if data is None else data, None if quiet else download_bar)
    if to.resolve() == Path(dataset.where).resolve():
        raise SettingsError(f"--to {to}: is the data set: must be another file")
    if data is None and not (quiet or is_data_of(run, dataset)):
        note(f"{folder}: was trained on another version of {dataset.name}: the SHA-256 of its files differs")
    found = export(run, dataset, to, best=best, costs=dict.fromkeys(costs))
    if as_json:
        echo(msgspec.json.encode(found))
        return
    sizes = "-".join(map(str, found.sizes))
    echo(f"{to}: {sizes}, {found.weights} of {folder}")
    echo(
        f"verified with {found.verified_with}: netlearn's answers on all {found.examples:,} test examples of "
        f"{found.data}, outputs within {found.largest_difference:.1g}"
    )
