"""Measures where the time of `netlearn compare` goes, and its memory, beside an earlier version.

The ends of the parts are those at which both versions write their files.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from scripts import beside, earlier

MOST_ROUNDS = 3  # each takes a minute on full MNIST
FACTOR, BESIDE = 1.25, 2.0  # the aim: at most this many times the training, and seconds more
WORK = ("--seeds", "6", "--epochs", "5")  # today's default, for both versions
AIMED_AT = {"mnist-5k": 3.5}  # seconds, where training takes less than starting and drawing
WHOLE, MEMORY = "the whole", "largest process, MB"
TRAINING = "training, by all workers at once"
PARTS = (
    "Python, loading the data, starting workers", TRAINING, "probes, evaluation and files of the runs",
    "curves of single runs, workers without a run", "pictures and page", "ending",
)  # fmt: skip


def compare(data: str, jobs: int, folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Do the default comparison of costs; return the seconds of its parts and the memory of its largest process."""
    command = [sys.executable, "-P", "-m", "netlearn", "compare", "-q", "--data", data, "--jobs", str(jobs)]
    begun = time.time()
    memory = beside.peak_memory([*command, *WORK, "--out", str(folder)], environment)
    parts = parts_of(folder, jobs, begun, time.time())
    return {**parts, WHOLE: sum(parts.values()), MEMORY: memory}


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
        "The default `netlearn compare`, 2 costs from 6 seeds each, in seconds: medians of "
        f"{rounds} interleaved rounds.\n",
    ]
    with tempfile.TemporaryDirectory() as folder:
        environments = {"this version": dict(os.environ)}
        if earlier.is_there():
            environments = {earlier.NAME: earlier.unpack(Path(folder)), **environments}
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
            found[version].append(compare(data, jobs, folder / f"{version}-{number}", environment))
    return {
        version: {part: statistics.median(each[part] for each in times) for part in times[0]}
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
        *(
            f"| {part} | {' | '.join(f'{each[part]:.{0 if part == MEMORY else 2}f}' for each in found.values())} |"
            for part in ours
        ),
        "",
        f"The aim is at most {aim}: {'reached' if ours[WHOLE] <= most else 'missed'}.\n",
    ]
