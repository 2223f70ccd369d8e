"""Measures where the time of `netlearn compare` goes, beside version 0.1.

The ends of the parts are those at which both versions write their files.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts import earlier

MOST_ROUNDS = 3  # each takes a minute on full MNIST
FACTOR, BESIDE = 1.25, 2.0  # the aim: at most this many times the training, and seconds more
AIMED_AT = {"mnist-5k": 3.5}  # seconds, where training takes less than starting and drawing
WHOLE = "the whole"
TRAINING = "training, by all workers at once"
PARTS = (
    "Python, loading the data, starting workers", TRAINING, "probes, evaluation and files of the runs",
    "curves of single runs, workers without a run", "pictures and page", "ending",
)  # fmt: skip


def compare(data: str, jobs: int, folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Do the default comparison of costs, and return the seconds of its parts."""
    command = [sys.executable, "-P", "-m", "netlearn", "compare", "-q", "--data", data, "--jobs", str(jobs)]
    begun = time.time()
    subprocess.run(  # noqa: S603 (our own)
        [*command, "--out", str(folder)], env=environment, stdout=subprocess.DEVNULL, check=True
    )
    return parts_of(folder, jobs, begun, time.time())


def parts_of(folder: Path, jobs: int, begun: float, ended: float) -> dict[str, float]:
    """Return the seconds of the parts of a comparison, by the times of its files."""
    first = min(path.stat().st_mtime for path in folder.glob("*/config.toml"))
    runs = list(folder.glob("*/summary.json"))
    last = max(path.stat().st_mtime for path in runs)
    written = (folder / "summary.json").stat().st_mtime
    summaries = [json.loads(path.read_text()) for path in runs]
    training, whole = (sum(each[f"{name}_seconds"] for each in summaries) / jobs for name in ("training", "total"))
    seconds = (first - begun, training, whole - training, last - first - whole, written - last, ended - written)
    return dict(zip(PARTS, seconds, strict=True))


def measure(data: str, rounds: int) -> str:
    """Return the page's section, for a data set and for the bundled digits."""
    jobs, rounds = os.cpu_count() or 1, min(rounds, MOST_ROUNDS)
    lines = [
        "## Where a comparison's time goes\n",
        "The default `netlearn compare`, 2 costs from 3 seeds each, in seconds: medians of "
        f"{rounds} interleaved rounds.\n",
    ]
    with tempfile.TemporaryDirectory() as folder:
        environments = {"this version": dict(os.environ)}
        if earlier.is_there():
            environments = {"0.1": earlier.unpack(Path(folder)), **environments}
        for name in dict.fromkeys((data, "mnist-5k")):
            lines += _table(name, jobs, _medians(name, jobs, rounds, Path(folder, name), environments))
    return "\n".join(lines)


def _medians(
    data: str, jobs: int, rounds: int, folder: Path, environments: dict[str, dict[str, str]]
) -> dict[str, dict[str, float]]:
    """Return the median seconds of the parts of each version, and of the whole, in interleaved rounds."""
    found: dict[str, list[dict[str, float]]] = {version: [] for version in environments}
    for number in range(rounds):
        for version, environment in environments.items():
            parts = compare(data, jobs, folder / f"{version}-{number}", environment)
            found[version].append({**parts, WHOLE: sum(parts.values())})
    return {
        version: {part: statistics.median(each[part] for each in times) for part in (*PARTS, WHOLE)}
        for version, times in found.items()
    }


def _table(data: str, jobs: int, found: dict[str, dict[str, float]]) -> list[str]:
    """Return the times of each version on a data set, and how they compare with the aim."""
    ours = found["this version"]
    most = AIMED_AT.get(data, FACTOR * ours[TRAINING] + BESIDE)
    aim = f"{most:.1f} s" if data in AIMED_AT else f"{FACTOR:g} times the training and {BESIDE:g} s, {most:.1f} s"
    return [
        f"| {data}, {jobs} {'worker' if jobs == 1 else 'workers'} | {' | '.join(found)} |",
        f"|---|{'---:|' * len(found)}",
        *(f"| {part} | {' | '.join(f'{times[part]:.2f}' for times in found.values())} |" for part in ours),
        "",
        f"The aim is at most {aim}: {'reached' if ours[WHOLE] <= most else 'missed'}.\n",
    ]
