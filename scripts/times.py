"""Copies figures of docs/performance.md and reproduction.md to the pages that use them: each stands in one place.

In a page, `<!--time NAME-->…<!--/-->` surrounds a figure of `figures`: python -m scripts.times.
"""

import math
import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
SOURCE = "performance.md"
PAGES = ("../README.md", "scaling.md", "guide.md", "development.md")
PLACE = re.compile(r"<!--time ([\w -]+)-->(.*?)<!--/-->")
OTHER_PARTS = ("probes", "evaluation at the end", "checkpoints and other files")
EPOCHS, RUNS, WORKERS, MACHINES = 30, 10_000, 400, 100  # of the example in scaling.md
CLIENT = 0.018  # CPU seconds of `netlearn compare` for a run, as scaling.md says


def figures(performance: str, reproduction: str) -> dict[str, str]:
    """Return the figures by name, with their units, from the text of performance.md and reproduction.md."""
    (table,) = re.findall(r"^## 784-100-10, mini-batch 10\n\n(.*?)\n\n", performance, re.DOTALL | re.MULTILINE)
    epoch = float(_found(r"^\| netlearn \| ([\d.]+) ", table))
    parts = {name: float(_found(rf"^\| {name} \| ([\d.]+) ", performance)) for name in ("training", *OTHER_PARTS)}
    run = EPOCHS * epoch * sum(parts.values()) / parts["training"]
    possible, stored = WORKERS / run, 1 / CLIENT
    accuracies: dict[str, str] = {}
    for experiment in ("slowdown", "tie"):
        section = reproduction.partition(f"`netlearn compare {experiment}`")[2].partition("\n## ")[0]
        for cost, mean, lowest in re.findall(
            r"^\| ([\w-]+) \| test .* \|  \| (\S+ % ± \S+ %) \| (\S+ %)", section, re.M
        ):
            accuracies |= {f"{experiment} {cost}": mean, f"{experiment} {cost} lowest": lowest}
    return accuracies | {
        "published": _found(r"^Of (\d+) figures of the book", reproduction),
        "inside": _found(r"^Of \d+ figures of the book, (\d+) lie", reproduction),
        "epoch": f"{epoch:.3f} s",
        "kernels": _found(r"openblas [\d.]+ (\w+)[,.]", performance),
        "run": f"{run:.0f} s",
        "one machine": f"{RUNS * run / (WORKERS / MACHINES) / 3600:.1f} hours",
        "possible": f"{possible:.0f} runs a second",
        "stored": f"{stored:.0f} runs a second",
        "all": f"{math.ceil(RUNS / min(possible, stored) / 60)} minutes",
        "compare": f"{float(_found(r'^`netlearn compare --jobs 2` takes ([0-9.]+) s', performance)):.0f} seconds",
        "memory": _found(r"^The largest process of `netlearn train` takes (\d+ MB)", performance),
        "full": f"{round(WORKERS * stored / possible, -1):.0f} like these",
        "reproduce": f"{_found(r' ([0-9.]+) minutes on', reproduction)} minutes",
    }


def copied(page: str, found: dict[str, str]) -> str:
    """Return a page with the figures of today."""
    return PLACE.sub(lambda place: f"<!--time {place[1]}-->{found[place[1]]}<!--/-->", page)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ValueError(f"{pattern}: not found")
    return match[1]


if __name__ == "__main__":
    found = figures(*((DOCS / name).read_text() for name in (SOURCE, "reproduction.md")))
    for name in PAGES:
        (DOCS / name).write_text(copied((DOCS / name).read_text(), found))
