"""netlearn as it was at an earlier commit, unpacked from the history, to be measured beside this version."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

COMMIT = "647bdea213dd9d41979fe809215bf1d836fa3957"  # of version 0.2, before it was rebuilt
NAME = f"netlearn at {COMMIT[:7]}"
PROJECT = Path(__file__).resolve().parent.parent
TRAIN = """
import sys, numpy
from scripts.contenders import netlearn
seconds, weights = netlearn(dict(numpy.load(sys.argv[1])))
numpy.savez(sys.argv[2], *weights, seconds=seconds)
"""


def is_there() -> bool:
    """Return whether the history is at hand: it is not in a shallow clone."""
    try:
        found = subprocess.run(_git("cat-file", "-e", COMMIT), capture_output=True, check=False)  # noqa: S603 (our own)
    except FileNotFoundError:
        return False
    return found.returncode == 0


def unpack(folder: Path) -> dict[str, str]:
    """Unpack the package into a folder; return the environment in which `python -P` imports it."""
    archive = subprocess.run(_git("archive", COMMIT, "netlearn"), capture_output=True, check=True).stdout  # noqa: S603
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)  # noqa: S603, S607
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(PROJECT)])}


def train(problem: Mapping[str, NDArray[Any]]) -> tuple[float, list[NDArray[Any]]]:
    """Train a contender's problem with the earlier version; return the seconds and the trained arrays."""
    with tempfile.TemporaryDirectory() as folder:
        given, trained = Path(folder, "problem.npz"), Path(folder, "trained.npz")
        np.savez(given, **dict[str, Any](problem))
        command = [sys.executable, "-P", "-c", TRAIN, str(given), str(trained)]
        subprocess.run(command, env=unpack(Path(folder)), check=True)  # noqa: S603 (our own)
        arrays = dict(np.load(trained))
    return float(arrays.pop("seconds")), list(arrays.values())


def _git(*arguments: str) -> list[str]:
    return ["git", "-C", str(PROJECT), *arguments]
