import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from scipy.stats import binomtest

from netlearn.comparison.pairing import pairing
from netlearn.comparison.statistics import Reached, group, race, summarize, summarize_all
from netlearn.errors import RunError
from netlearn.runs import Run, read_run
from netlearn.settings import resolve
from tests.comparisons import UPDATES, run
from tests.files import small_dataset
from tests.messages import has_facts
from tests.runs import do_run, reseal


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = resolve({"hidden": (5,), "epochs": 3, "data": "small"})
    do_run(settings, folder, data=small_dataset(train=235))
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "run"
    copy.mkdir()
    for file in finished.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


def test_run_folder_is_read_back(folder: Path) -> None:
    read = read_run(folder, "name")
    assert (read.variant, read.problem, read.updates_per_epoch) == ("name", None, 24)
    assert read.settings == resolve({"hidden": (5,), "epochs": 3, "data": "small"})
    assert read.summary is not None
    assert read.summary.sizes == (6, 5, 3)
    np.testing.assert_array_equal(read.metrics["update"], [0, 1, 2, 5, 10, 20, 24, 48, 72])
    assert read.at_update("epoch", 48) == 2
    assert read.at_update("epoch", 49) is None


def test_single_output_neurons_are_stored_and_match_the_theory(folder: Path) -> None:
    samples = read_run(folder, "").samples()
    assert list(samples) == [0, 10]
    for error, gradient in samples.values():
        assert error.shape == (100 * 3,)
        np.testing.assert_allclose(gradient, error, rtol=1e-6)


def test_run_without_single_neurons_reads_as_none(folder: Path) -> None:
    (folder / "output_neurons.safetensors").unlink()
    reseal(folder)
    assert read_run(folder, "").samples() == {}


METRICS = "{}/metrics.csv: not the metrics of a run"
WRONG = [
    ("config.toml", b"format = 2\nepochs = 0", "{}/config.toml: epochs 0: must be a whole number, at least 1"),
    ("summary.json", b"{", "{}/summary.json: not the summary of a run: Input data was truncated"),
    ("summary.json", b"{}", "{}/summary.json: not the summary of a run: Object missing required field `status`"),
    ("metrics.csv", b"", f"{METRICS}: its columns or rows are others"),
    ("metrics.csv", b"update,epoch\n0,0\n", f"{METRICS}: its columns or rows are others"),
    ("metrics.csv", b"update\nmany\n", f"{METRICS}: its columns or rows are others"),
    ("metrics.csv", b"\xff\xfe", METRICS),
    *((name, None, f"{{}} {name}") for name in ("config.toml", "metrics.csv", "summary.json")),
]


@pytest.mark.parametrize(("name", "content", "message"), WRONG, ids=range(len(WRONG)))
def test_folder_with_a_wrong_or_missing_file_is_refused(
    folder: Path, name: str, content: bytes | None, message: str
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
        reseal(folder)
    with pytest.raises(RunError) as caught:
        read_run(folder, "")
    assert has_facts(str(caught.value), message.format(folder))


def test_reading_a_run_imports_no_cost(folder: Path) -> None:
    Path("evil.py").write_text("open('ran', 'w')")
    (folder / "config.toml").write_text(
        (folder / "config.toml").read_text().replace('cost = "cross-entropy"', 'cost = "evil:Cost"')
    )
    reseal(folder)
    assert read_run(folder, "").settings.cost == "evil:Cost"
    assert not Path("ran").exists()


def test_inconsistent_neurons_file_is_refused(folder: Path) -> None:
    save_file({"error.0": np.zeros(300, np.float32)}, folder / "output_neurons.safetensors", {"updates": "0"})
    reseal(folder)
    with pytest.raises(RunError, match=r"output_neurons\.safetensors: .*gradient\.0"):
        read_run(folder, "").samples()


def test_row_summarizes_a_variant_over_its_seeds() -> None:
    runs = [
        run(seed=0, test_accuracy=0.9, calibration_error=0.02),
        run(seed=1, test_accuracy=0.8, best_validation_accuracy=0.8, calibration_error=0.04),
    ]
    row = summarize("a", runs)
    assert (row.seeds, row.finished, row.learning_rate, row.data) == (2, 2, 0.5, "small")
    assert row.test_accuracy == pytest.approx(0.85)
    assert row.test_spread == pytest.approx(np.std([0.9, 0.8], ddof=1))
    assert row.test_lowest == 0.8
    assert row.best_validation_accuracy == pytest.approx(0.85)
    assert [reached.updates for reached in row.reached] == [(100, 100), (500, 500), ()]
    assert [reached.median for reached in row.reached] == [(10, 100), (100, 500), None]
    assert row.early_accuracy == pytest.approx(np.mean([0.1, 0.2, 0.5, 0.8, 0.9]))
    assert row.learning_speed_0 == pytest.approx(0.2)
    assert row.learning_speed_100 == pytest.approx(0.14)
    assert row.stuck_after_epoch_1 == pytest.approx(0.06)
    assert row.calibration_error == pytest.approx(0.03)
    assert row.calibration_spread == pytest.approx(0.02 / np.sqrt(2))
    assert row.seconds_per_epoch == 1.5


def test_diverged_and_failed_runs_count_as_seeds_with_their_problem() -> None:
    failed = dataclasses.replace(run(seed=2), summary=None, metrics={}, problem="its worker process died, twice")
    runs = [run(), run(seed=1, test_accuracy=None, error="the cost is no longer finite"), failed]
    row = summarize("a", runs)
    assert (row.seeds, row.finished, row.test_accuracy, row.test_spread) == (3, 1, 0.9, None)
    assert row.problems == ("seed 1: the cost is no longer finite", "seed 2: its worker process died, twice")
    assert (row.diverged, row.failed) == (1, 1)
    assert (row.reached[0].updates, row.reached[0].seeds) == ((100,), 2)  # diverged is never, failed is not a result


@pytest.mark.parametrize(
    ("updates", "seeds", "median"),
    [((1, 2, 9), 3, 2), ((1, 5), 3, 5), ((1,), 3, None), ((1, 5), 2, 3), ((), 1, None), ((0,), 1, 0)],
)
def test_median_counts_seeds_that_never_reached_it_as_last(
    updates: tuple[int, ...], seeds: int, median: float | None
) -> None:
    found = Reached(0.9, updates, seeds, tuple(update // 2 for update in updates)).median
    assert (None if found is None else found[1]) == median
    assert found is None or found[0] <= found[1]


def test_runs_are_grouped_by_variant_in_order() -> None:
    groups = group([run("b", 0), run("a", 0), run("b", 1)])
    assert {name: [each.settings.seed for each in runs] for name, runs in groups.items()} == {"b": [0, 1], "a": [0]}


@pytest.mark.parametrize(
    ("other", "start"),
    [
        ({}, "Paired: "),
        (
            {"initial_weights_sha256": "x"},
            "Half paired: runs with the same seed had identical mini-batches, but different",
        ),
        (
            {"mini_batches_sha256": "x"},
            "Half paired: runs with the same seed had identical initial weights, but different",
        ),
        (
            {"initial_weights_sha256": "x", "mini_batches_sha256": "x"},
            "Not paired: runs with the same seed had different",
        ),
        ({"updates": 500, "mini_batches_sha256": "x"}, "Paired: "),  # as far as both trained
        (
            {"updates": 500, "mini_batches_sha256": "x", "shuffling_sha256": "x"},
            "Half paired: runs with the same seed had identical initial weights, but different",
        ),
        ({"updates": 500, "shuffling_sha256": None}, "Half paired: "),  # an older run, of which no more is known
        ({"seed": 1}, "Not paired: no seed has two finished runs."),
        ({"error": "diverged"}, "Not paired: no seed has two finished runs."),
    ],
)
def test_pairing_follows_from_the_hashes(other: dict[str, Any], start: str) -> None:
    assert pairing([run("a"), run("b", **other)]).startswith(start)


@pytest.mark.parametrize(
    ("hashes", "had"),
    [
        ("xxxx", "Paired: identical initial weights and mini-batches"),
        ("xxxy", "Half paired: identical mini-batches, and identical initial weights but for d"),
        ("yxxx", "Half paired: identical mini-batches, and identical initial weights but for a"),
        ("xxyy", "Half paired: identical mini-batches, but partly different initial weights"),
        ("wxyz", "Half paired: identical mini-batches, but different initial weights"),
    ],
)
def test_pairing_names_the_variants_that_are_exceptions(hashes: str, had: str) -> None:
    runs = [
        run(name, seed, initial_weights_sha256=each)
        for name, each in zip("abcd", hashes, strict=True)
        for seed in range(2)
    ]
    assert pairing(runs) == had.replace(": ", ": runs with the same seed had ") + " (by SHA-256)."


def test_pairing_of_variants_that_differ_in_both_names_them() -> None:
    runs = [run("a"), run("b"), run("c", initial_weights_sha256="x", mini_batches_sha256="x")]
    assert has_facts(
        pairing(runs), "Partly paired identical initial weights but for c, and identical mini-batches but for c"
    )


def reached_at(variant: str, *places: int | None, **given: Any) -> list[Run]:
    """Return runs that reached 90 % at these updates."""
    curves = [[0.91 if place is not None and update >= place else 0.1 for update in UPDATES] for place in places]
    return [
        dataclasses.replace(made, metrics=made.metrics | {"validation_accuracy": np.array(curve)})
        for seed, curve in enumerate(curves)
        for made in [run(variant, seed, **given)]
    ]


def test_seeds_between_the_same_probes_are_tied_and_a_seed_that_never_got_there_is_last() -> None:
    groups = group([*reached_at("a", 100, 100, 500, None, 10, 10), *reached_at("b", 500, 100, 100, None, None, 100)])
    (found,) = race(summarize_all(groups), groups)
    assert (found.first, found.other, found.seeds, found.ahead, found.tied) == ("a", "b", 6, 3, 2)
    assert found.p == pytest.approx(binomtest(3, 4).pvalue)


def test_sign_test_has_no_p_where_the_seeds_could_never_make_it_small() -> None:
    groups = group([*reached_at("a", *[100] * 5), *reached_at("b", *[500] * 5)])
    assert [each.p for each in race(summarize_all(groups), groups)] == [None]
    three = group([*reached_at("a", *[100] * 6), *reached_at("b", *[500] * 6), *reached_at("c", *[500] * 6)])
    assert [each.p for each in race(summarize_all(three), three)] == [None, None]


def test_accuracy_that_was_there_before_the_first_update_is_the_fastest() -> None:
    groups = group([*reached_at("a", 10, 10), *reached_at("b", 0, 0)])
    rows = summarize_all(groups)
    assert [row.reached[1].median for row in rows] == [(1, 10), (0, 0)]
    assert [(each.first, each.ahead) for each in race(rows, groups)] == [("b", 2)]


def test_seed_that_is_there_twice_counts_once() -> None:
    (row,) = summarize_all(group([run("a", 0), run("a", 0), run("a", 1)]))
    assert (row.seeds, row.finished) == (2, 2)
