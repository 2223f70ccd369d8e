"""Measures where the time of `netlearn compare` goes, and its memory: its parts end where it writes its files."""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from scripts import beside

MOST_ROUNDS = 3  # each takes a minute on full MNIST
WHOLE, MEMORY = "the whole", "largest process, MB"
TRAINING = "training, by all workers at once"
PARTS = (
    "Python, loading the data, starting workers", TRAINING, "probes, evaluation and files of the runs",
    "curves of single runs, workers without a run", "pictures and page", "ending",
)  # fmt: skip


def compare(data: str, jobs: int, folder: Path) -> dict[str, float]:
    """Do the default comparison of costs; return the seconds of its parts and the memory of its largest process."""
    command = [sys.executable, "-m", "netlearn", "compare", "-q", "--data", data, "--jobs", str(jobs)]
    begun = time.time()
    memory = beside.peak_memory([*command, "--out", str(folder)])
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
    names = list(dict.fromkeys((data, "mnist-5k")))
    with tempfile.TemporaryDirectory() as folder:
        times = [[compare(name, jobs, Path(folder, f"{name}-{i}")) for name in names] for i in range(rounds)]
    found = [
        {part: statistics.median(each[part] for each in one) for part in one[0]} for one in zip(*times, strict=True)
    ]
    lines = [
        "## Where a comparison's time goes\n",
        f"The default `netlearn compare`, 2 costs from 6 seeds each, with {jobs} workers, in seconds: medians of "
        f"{rounds} rounds.\n",
        f"| part | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
        *(
            f"| {part} | {' | '.join(f'{each[part]:.{0 if part == MEMORY else 2}f}' for each in found)} |"
            for part in found[0]
        ),
    ]
    return "\n".join(lines) + "\n"
