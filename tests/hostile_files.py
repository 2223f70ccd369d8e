"""Puts hostile files of twelve kinds in the place of each file that netlearn reads, and calls what reads it.

Prints a line for each command that neither works nor refuses in one line. The memory of the process is limited.
"""

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from netlearn.cli import compare
from netlearn.plotting import style
from netlearn.runs import RunFolder
from tests.commands import call, workers_here
from tests.files import write_folder

MOST_MEMORY = 300_000_000
SMALL = ["--data", "mnist-5k", "--epochs", "1", "--hidden", "none", "--train-size", "200", "-q"]
DATA = ["--epochs", "1", "--hidden", "none", "-q", "--out", "trained"]
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\xff\xff\xff\0\xff\xff\xff\x08\x06\0\0\0"


def hole(path: Path) -> None:
    """Write a file of 5 GB that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(5_000_000_000)


def changing(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return what replaces a file by a function of its content."""

    def write(path: Path) -> None:
        path.write_bytes(change(path.read_bytes()))

    return write


def replacing(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Return what makes something else in the place of a file."""

    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


KINDS: dict[str, Callable[[Path], None]] = {
    "empty": changing(lambda content: b""),
    "zeros": changing(lambda content: bytes(3_000_000)),
    "noise": changing(lambda content: np.random.default_rng(0).bytes(100_000)),
    "half": changing(lambda content: content[: len(content) // 2]),
    "twice": changing(lambda content: 2 * content),
    "nested": changing(lambda content: b"[" * 200_000),
    "digits": changing(lambda content: b"a = " + b"9" * 200_000),
    "UTF-16": changing(lambda content: content.decode("latin-1").encode("utf-16")),
    "hole": hole,
    "pipe": replacing(os.mkfifo),
    "device": replacing(lambda path: path.symlink_to("/dev/zero")),
    "folder": replacing(Path.mkdir),
}
SEALED = {"empty", "zeros", "noise", "half", "twice", "nested", "digits", "UTF-16"}  # small enough to be hashed
OF_A_RUN = {
    "config.toml": ["verify", "run", "-q"],
    "summary.json": ["verify", "run", "-q"],
    "weights.safetensors": ["evaluate", "run", "-q"],
    "output_neurons.safetensors": ["compare", "run", "-q", "--out", "over"],
    "SHA256SUMS": ["verify", "run", "-q"],
    "metrics.csv": ["train", "--resume", "run", "--epochs", "2", "-q"],
    "checkpoint.safetensors": ["train", "--resume", "run", "--epochs", "2", "-q"],
    "snapshots.safetensors": ["train", "--resume", "run", "--epochs", "2", "-q"],
}
OTHERS = {
    "data/train-images-idx3-ubyte.gz": ["train", "--data", "data", *DATA],
    "data/train-labels-idx1-ubyte": ["train", "--data", "data", *DATA],
    "data.npz": ["train", "--data", "data.npz", *DATA],
    "settings.toml": ["train", "--config", "settings.toml", *DATA, "--data", "mnist-5k"],
    "experiment.toml": ["compare", "experiment.toml", "-q"],
    "image.png": ["predict", "run", "image.png"],
}


def prepare() -> None:
    """Write a good file of each kind in the current folder."""
    assert call("train", *SMALL, "--snapshots", "--out", "run").exit_code == 0
    write_folder(Path("data"))
    packed, unpacked = (Path("data", f"train-labels-idx1-ubyte{end}") for end in (".gz", ""))
    write_folder(Path("unpacked"), packed=False)
    shutil.move(Path("unpacked", unpacked.name), unpacked)
    packed.unlink()
    x = np.random.default_rng(0).random((30, 4))
    np.savez("data.npz", x_train=x, y_train=np.arange(30) % 2, x_test=x, y_test=np.arange(30) % 2)
    Path("settings.toml").write_text("l2 = 0.1\n")
    Path("experiment.toml").write_text("seeds = 1\n[variants.a]\n[variants.b]\nl2 = 1\n")
    Path("image.png").write_bytes(PNG)


def cases(good: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each case and its command, after making its files in the current folder."""
    for file, command in (OF_A_RUN | OTHERS).items():
        for kind, make in KINDS.items():
            if kind == "pipe" and file in ("settings.toml", "experiment.toml", "image.png"):
                continue  # as a shell's <(…), which may take its time
            for path in Path().iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            shutil.copytree(good, Path(), dirs_exist_ok=True)
            inside = file in OF_A_RUN
            path = Path("run" if inside else "", file)
            make(path)
            if command[:2] == ["train", "--resume"]:
                Path("run", "SHA256SUMS").unlink()  # as if it was killed
            elif inside and kind in SEALED and file != "SHA256SUMS":
                with suppress(Exception):
                    RunFolder(Path("run")).finish()  # as whoever forges a run would
            yield f"{kind} {file}", command


def limit_memory() -> None:
    """Let the process have no more than that much more memory."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MOST_MEMORY, resource.RLIM_INFINITY))


def problem(command: list[str]) -> str | None:
    """Call a command and return what is wrong, unless it works or refuses in one line."""
    result = call(*command)
    lines = result.stderr.strip().splitlines()
    refused = result.exit_code in {1, 2} and bool(result.stdout or (lines and lines[-1].startswith("Error: ")))
    clean = result.exception is None or isinstance(result.exception, SystemExit)
    if clean and (refused or result.exit_code == 0) and "memory" not in result.stderr and len(result.stderr) < 2000:
        return None
    return f"{' '.join(command)}: exit code {result.exit_code}, {result.exception!r}, {result.stderr[:300]}"


def main() -> None:
    """Try all cases in the current folder."""
    vars(style)["render"] = lambda figure, kind: b""
    vars(compare)["Workers"] = workers_here
    good, here = Path("good").resolve(), Path("here").resolve()
    good.mkdir()
    os.chdir(good)
    prepare()
    shutil.copytree(good, here)
    os.chdir(here)
    for command in (OF_A_RUN | OTHERS).values():
        call(*command)  # what is imported and cached needs memory once
    limit_memory()
    count = 0
    for name, command in cases(good):
        count += 1
        if found := problem(command):
            print(f"{name}: {found}")
    print(f"{count} cases")


if __name__ == "__main__":
    main()
