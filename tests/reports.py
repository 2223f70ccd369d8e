"""Comparisons whose pages are tested: of images, and of everything else that can be compared."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn.comparison import compare as comparison
from tests.commands import call, workers_here

HOSTILE = "</script><img src=x onerror=alert(1)>"
IMAGES = f"""
title = "Costs & <b>names</b>"
seeds = 2
[defaults]
data = "mnist-5k"
hidden = 30
initializer = "large"
epochs = 3
[variants.quadratic]
cost = "quadratic"
[variants."{HOSTILE}"]
cost = "cross-entropy"
"""
OWN = """
import numpy as np
from netlearn.activations import Sigmoid

class Cubic:
    output = Sigmoid()
    learning_rate = 3.0

    def value(self, z, a, y):
        return (np.abs(a - y) ** 3).sum(axis=0) / 3

    def delta(self, z, a, y, out):
        error = a - y
        return np.multiply(error * np.abs(error), a * (1 - a), out=out)
"""


@contextmanager
def without_pictures() -> Iterator[None]:
    """Let comparisons work in this process and draw nothing but the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "PICTURES", ())
        patch.setattr("netlearn.cli.compare.Pool", workers_here)
        yield


def compare(out: Path, *arguments: str, experiment: str = "") -> Path:
    """Run a comparison of an experiment or of flags, and return its page."""
    given = list(arguments)
    if experiment:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.with_suffix(".toml").write_text(experiment)
        given.insert(0, str(out.with_suffix(".toml")))
    with without_pictures():
        result = call("compare", *given, "-q", "--out", str(out))
    assert result.exit_code == 0, result.output
    return out / "report.html"


def own_cost(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """Write a cost of one's own, which can be imported, and return its name."""
    module = f"costs_{folder.name.replace('-', '_')}"
    (folder / f"{module}.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(folder))
    return f"{module}:Cubic"


def points(path: Path, n: int = 60) -> Path:
    """Write a data set of points in the plane, of three classes, which are not images."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    x = (rng.normal(size=(n, 2)) + 3 * labels[:, np.newaxis]).astype(np.float32)
    np.savez(path, x_train=x, y_train=labels, x_test=x, y_test=labels)
    return path


def many(data: Path, variants: int = 60) -> str:
    """Return an experiment with that many variants, which differ in their learning rate."""
    rates = [f"{0.1 * (k + 1):.1f}" for k in range(variants)]
    tables = "".join(f"[variants.'η = {rate}']\nlearning_rate = {rate}\n" for rate in rates)
    return f"seeds = 1\n[defaults]\ndata = '{data}'\nhidden = 3\nepochs = 1\n{tables}"


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def text_of(page: Path) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page.read_text("utf-8").partition("<main")[2].partition("<script")[0]))
