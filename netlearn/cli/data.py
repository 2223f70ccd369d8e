"""`netlearn data`: the data sets and their contents."""

from pathlib import Path

import click
import numpy as np

from netlearn import datasets
from netlearn.cli.options import JSON, PATH, QUIET, Command, check_suffix
from netlearn.cli.progress import download_bar, load, tell
from netlearn.cli.terminal import echo_files, echo_results
from netlearn.comparison.findings import shortened
from netlearn.datasets import Dataset, sources
from netlearn.datasets.augmentation import AUGMENTATIONS
from netlearn.plotting import drawing
from netlearn.runs import free_path, write_whole


@click.group("data")
def command() -> None:
    """List, download and show data sets."""


@command.command("list", cls=Command)
@QUIET
@JSON
def list_() -> None:
    """List the named data sets with their size and location."""
    bundled = sum(path.stat().st_size for path in datasets.BUNDLED.glob("*.gz")) / 1e6
    rows = [("NAME", "IMAGES", "SIZE", "WHERE"), ("mnist-5k", "5,000", f"{bundled:.1f} MB", "comes with netlearn")]
    for name, source in sources.SOURCES.items():
        where = sources.locate(name) or f"not downloaded; get it with: netlearn data download {name}"
        rows.append((name, "70,000", f"{source.megabytes} MB", str(where)))
    rows.append(("neuron", "-", "-", "one example, x = 1 and y = 0, for the book's single neuron"))
    rows.append(("auto", "", "", "mnist if present or downloaded within seconds, otherwise mnist-5k"))
    listed = [dict(zip(map(str.lower, rows[0]), row, strict=True)) for row in rows[1:]]
    echo_results(
        listed, "\n".join(f"{name:<14} {images:>7} {size:>7}  {where}" for name, images, size, where in rows)
    )


@command.command(cls=Command)
@click.argument("name", type=click.Choice(list(sources.SOURCES)))
@QUIET
@JSON
def download(name: str) -> None:
    """Download a data set, unless it is on this machine, and print its folder."""
    folder = sources.locate(name)
    if folder is None:
        tell(f"downloading {name}, {sources.SOURCES[name].megabytes} MB")
        folder = sources.download(name, download_bar)
    echo_results({"folder": str(folder)}, str(folder))


@command.command(cls=Command)
@click.argument("name", metavar="NAME|PATH")
@click.option(
    "--augment",
    type=click.Choice(list(AUGMENTATIONS)),
    help="draw images above random deformations, as training with --augment sees them.",
)
@click.option("--out", type=PATH, metavar="FILE", help="picture to write.  [default: NAME.png in this folder]")
@QUIET
@JSON
def show(name: str, augment: str | None, out: Path | None) -> None:
    """Draw the first examples of a data set with their labels, and print the picture's path.

    Of a table, which has no images, the examples of each class and the range of each input are printed instead.
    """
    from netlearn.plotting.networks import examples  # noqa: PLC0415 (matplotlib is slow to import)
    from netlearn.plotting.style import render  # noqa: PLC0415

    data = load(name)
    if data.note:
        tell(f"{data.name}: {data.note}")
    if data.image is None and out is None and augment is None:
        _describe(data)
        return
    path = free_path(Path(), Path(data.name).resolve().stem, ".png") if out is None else out
    check_suffix(path, "--out", ".png", ".svg")
    with drawing(data.name):
        write_whole(path, render(examples(data, augment), path.suffix[1:]))
    echo_files([path])


def _describe(data: Dataset) -> None:
    """Print what there is to say of examples that are no images."""
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    inputs = np.concatenate([part.x for part in parts.values()])
    counts = np.bincount(np.concatenate([part.labels for part in parts.values()])).tolist()
    classes = {data.classes[i] if data.classes else str(i): count for i, count in enumerate(counts)}
    ranges = list(zip(inputs.min(axis=0).tolist(), inputs.max(axis=0).tolist(), strict=True))
    sizes = {name: len(part) for name, part in parts.items()}
    of_classes = shortened([f"{name} {count:,}" for name, count in classes.items()], "--json")
    of_inputs = shortened([f"{low:.4g} to {high:.4g}" for low, high in ranges], "--json")
    lines = [
        f"examples: {', '.join(f'{size:,} {name}' for name, size in sizes.items())}",
        f"in each class: {', '.join(of_classes)}",
        f"inputs ({len(ranges):,}): {', '.join(of_inputs)}",
    ]
    echo_results({"examples": sizes, "classes": classes, "inputs": ranges}, "\n".join(lines))
