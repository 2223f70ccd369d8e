"""The programs and the page of `make bench`; no time is asserted."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from netlearn import datasets
from scripts import benchmark, beside, comparing, contenders, growth, times
from tests.files import small_dataset


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(benchmark, "EXAMPLES", 600)
    path = tmp_path / "problem.npz"
    benchmark.write_problem(datasets.load("mnist-5k"), 5, 10, 2, path)
    return path


def test_installed_contenders_do_the_same_updates(problem: Path) -> None:
    given = dict(np.load(problem, allow_pickle=False))
    _, ours = contenders.netlearn(given)
    same = [name for name in contenders.CONTENDERS if name not in {"netlearn", "scikit-learn"}]
    here = [name for name in same if contenders.CONTENDERS[name][1]()]
    assert "per-example loop" in here
    for name in here:
        for one, other in zip(ours, contenders.CONTENDERS[name][0](given)[1], strict=True):
            np.testing.assert_allclose(one, np.reshape(other, one.shape), rtol=1e-3, atol=1e-5)


def test_contender_process_returns_seconds_and_accuracy(problem: Path) -> None:
    result = benchmark.run("netlearn", problem, 1)
    assert result["seconds"] > 0
    assert 0.1 < result["accuracy"] <= 1


def test_page_shows_the_time_of_each_contender_beside_netlearn(monkeypatch: pytest.MonkeyPatch) -> None:
    results = {"netlearn": [0.2, 0.1, 0.4], "per-example loop": [3.0, 2.0, 1.0]}
    monkeypatch.setattr(benchmark, "EXAMPLES", 500)
    monkeypatch.setattr(benchmark, "NETWORKS", [(30, 10)])
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    turns = {name: iter(seconds) for name, seconds in results.items()}
    monkeypatch.setattr(benchmark, "run", lambda name, *_: {"seconds": next(turns[name]), "accuracy": 0.95})
    data = small_dataset(train=500)
    rows = benchmark.measure(data, 3, list(results))
    page = benchmark.page(data, rows, ["JAX"], 3)
    assert "## 784-30-10, mini-batch 10\n" in page
    assert "| netlearn | 0.200 | 0.100 to 0.400 | 4000.0 | 1.00 | 95.00 % |" in page
    assert "| per-example loop | 2.000 | 1.000 to 3.000 | 40000.0 | 10.00 | 95.00 % |" in page
    assert "Not installed here, and left out: JAX." in page
    assert "apt-get install gcc libopenblas-dev" in page
    assert "medians of 3 interleaved rounds" in page


def test_step_that_is_known_is_not_timed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[growth.Point] = []

    def seconds_of_a_step(data: object, point: growth.Point) -> float:
        timed.append(point)
        return 1.0

    monkeypatch.setattr(growth, "seconds_of_a_step", seconds_of_a_step)
    monkeypatch.setattr(growth, "seconds_of_the_products", lambda *_: 0.25)
    data = small_dataset(train=1000)
    measured = growth.measure(data, 1, {(30, 10): 0.5})
    assert ((30,), 10, 1000) not in timed
    of_30_and_10 = [step for row in measured.values() for point, step, _ in row if point == ((30,), 10, 1000)]
    assert of_30_and_10 == [0.5] * 4


def test_memory_is_that_of_the_largest_process() -> None:
    little, much = (beside.peak_memory([sys.executable, "-c", f"x = bytearray({size})"]) for size in (1, 150_000_000))
    assert little < 100
    assert much - little == pytest.approx(150, abs=5)


@pytest.mark.slow
def test_parts_of_a_run_are_all_timed(tmp_path: Path) -> None:
    output = beside.wait([*beside.PARTS_COMMAND, "mnist-5k", str(tmp_path)])[1]
    assert set(json.loads(output.splitlines()[-1])) == set(beside.PARTS)


def test_time_of_the_first_update_is_measured(tmp_path: Path) -> None:
    begun = time.time()
    output = beside.wait([*beside.PARTS_COMMAND, "mnist-5k", str(tmp_path), "--first"])[1]
    assert begun <= float(output) <= time.time()


def test_growth_is_measured_and_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "EXAMPLES", 1)
    measured = growth.measure(small_dataset(train=2000), 1, {})
    assert [point[2] for point, *_ in measured["training examples"]] == [1000]
    assert all(step > 0 and products > 0 for row in measured.values() for _, step, products in row)
    assert len(growth.picture(measured).axes) == len(measured)


def test_section_of_growth_shows_epochs_and_time_outside_products() -> None:
    row = [((30,), 10, 1000), ((30,), 10, 50_000)]
    text = growth.section({"training examples": [(row[0], 20e-6, 5e-6), (row[1], 25e-6, 5e-6)]})
    assert "| 1,000 | 20.0 | 5.0 | 15.0 | 0.002 |\n| 50,000 | 25.0 | 5.0 | 20.0 | 0.125 |" in text
    assert "2.00 to 2.50 µs, whatever their number: the largest is 25 % above the smallest" in text


def test_parts_of_a_step_add_up_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"the step": 30e-6, "products": 12e-6, "gathering": 1e-6, "the rest": 17e-6}
    measured = growth.parts_of_a_step(small_dataset(train=200), 4, 10, 30e-6)
    assert list(measured) == list(parts)
    assert measured["the step"] == pytest.approx(sum(measured.values()) - measured["the step"])
    assert all(measured[part] > 0 for part in ("products", "gathering"))
    monkeypatch.setattr(growth, "parts_of_a_step", lambda *_: parts)
    text = growth.parts_section(small_dataset(), 1, {(30, 10): 30e-6})
    assert "| network | the step | products | gathering | the rest |" in text
    assert "| 784-30-10, mini-batch 10 | 30.0 | 12.0 | 1.0 | 17.0 |" in text


def made_comparison(folder: Path, ends: dict[str, float]) -> None:
    """Write the files at which the parts of a comparison end."""
    for name, seconds in ends.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"training_seconds": 3.0, "total_seconds": 4.0}))
        os.utime(path, (seconds, seconds))


def test_parts_of_a_comparison_end_where_its_files_are_written(tmp_path: Path) -> None:
    runs = {"a-0": (102, 106), "b-0": (101.5, 106.5), "a-1": (106, 110), "b-1": (106.5, 111)}
    ends = {f"{run}/config.toml": begun for run, (begun, _) in runs.items()}
    ends |= {f"{run}/summary.json": ended for run, (_, ended) in runs.items()}
    made_comparison(tmp_path, ends | {"config.toml": 101, "summary.json": 114})
    parts = comparing.parts_of(tmp_path, 2, 100, 114.25)
    assert list(parts.values()) == [1.5, 6, 2, 1.5, 3, 0.25]
    assert sum(parts.values()) == 14.25


def test_section_of_a_comparison_shows_medians_of_both_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    def compare(data: str, jobs: int, folder: Path) -> dict[str, float]:
        return dict.fromkeys(comparing.PARTS, 8.0 if data == "small" else 2.0) | {comparing.MEMORY: 150.4}

    monkeypatch.setattr(comparing, "compare", compare)
    text = comparing.measure("small", 5)
    assert f"| {comparing.TRAINING} | 8.00 | 2.00 |" in text
    assert "| largest process, MB | 150 | 150 |" in text
    assert "medians of 3 rounds" in text


def test_times_in_other_pages_are_those_of_performance_md_today() -> None:
    found = times.figures(*((times.DOCS / name).read_text() for name in (times.SOURCE, "reproduction.md")))
    for name in times.PAGES:
        page = (times.DOCS / name).read_text()
        assert times.PLACE.search(page)
        assert times.copied(page, found) == page, f"{name}: python -m scripts.times"


def test_times_follow_the_table_that_they_are_copied_from() -> None:
    parts = {"training": 2.0, "probes": 0.4, "evaluation at the end": 0.05, "checkpoints and other files": 0.05}
    table = "## 784-100-10, mini-batch 10\n\n| netlearn | 0.320 | 0.3 to 0.4 |\n\n"
    lines = [f"| {part} | {s:.3f} |" for part, s in parts.items()]
    lines += ["The largest process of `netlearn train` takes 164 MB.", "`netlearn compare --jobs 2` takes 15.4 s."]
    performance = f"with openblas 0.3.30 SkylakeX.\n{table}" + "\n".join(lines)
    found = times.figures(performance, "this page took 61.6 minutes on 2 cores\nOf 41 figures of the book, 30 lie")
    assert (found["epoch"], found["run"], found["reproduce"]) == ("0.320 s", "12 s", "61.6 minutes")
    assert (found["possible"], found["full"]) == ("33 runs a second", "670 like these")
    assert (found["compare"], found["memory"]) == ("15 seconds", "164 MB")
    assert (
        times.copied("in <!--time epoch-->0.1 s<!--/--> or so", found) == "in <!--time epoch-->0.320 s<!--/--> or so"
    )
