import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from netlearn import __version__, datasets
from netlearn.costs import CrossEntropy
from netlearn.errors import DivergenceError, SettingsError
from netlearn.numerics import Array
from netlearn.runs.setup import make_trainer
from netlearn.settings import resolve
from netlearn.slowdown import Record
from tests.files import small_dataset
from tests.messages import has_facts
from tests.reference import ReferenceNetwork
from tests.runs import do_run, resume_run


def finish(folder: Path, **settings: Any) -> dict[str, Any]:
    resolved = resolve({"hidden": (5,), "epochs": 3} | settings)
    do_run(resolved, folder, draw=True)
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return summary


def test_run_folder_holds_all_files_of_the_run(tmp_path: Path) -> None:
    summary = finish(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([
        "checkpoint.safetensors", "config.toml", "curves.png", "curves.svg", "metrics.csv",
        "SHA256SUMS", "output_neurons.safetensors", "summary.json",
        "weights.safetensors",
    ])  # fmt: skip
    assert (summary["status"], summary["updates"], summary["epochs"]) == ("finished", 15, 3)
    assert (summary["seed"], summary["sizes"]) == (0, [6, 5, 3])
    assert summary["data"]["name"] == "small"
    assert summary["environment"]["netlearn"] == __version__
    assert summary["environment"]["numpy"] == np.__version__
    assert summary["environment"]["blas"]
    assert summary["environment"]["cpu"]


def test_results_are_those_of_the_stored_weights(tmp_path: Path) -> None:
    summary = finish(tmp_path, dtype="float64")
    tensors = load_file(tmp_path / "weights.safetensors")
    network = ReferenceNetwork(
        [tensors["weights.1"], tensors["weights.2"]], [tensors["biases.1"], tensors["biases.2"]],
        "cross-entropy", "sigmoid",
    )  # fmt: skip
    data = small_dataset()
    for part, examples in (("train", data.train), ("test", data.test)):
        passes = [network.forward(x.astype(float)) for x in examples.x]
        targets = np.eye(3)[examples.labels]
        assert summary[f"{part}_accuracy"] == np.mean([a[-1].argmax() for _, a in passes] == examples.labels)
        costs = [network.cost(zs[-1], y) for (zs, _), y in zip(passes, targets, strict=True)]
        assert summary[f"{part}_cost"] == pytest.approx(np.mean(costs), rel=1e-9)


def test_early_stopping_keeps_the_best_weights_and_reports_them(tmp_path: Path) -> None:
    summary = finish(tmp_path, epochs=500, patience=3, dtype="float64")
    assert summary["status"] == "stopped early"
    assert summary["epochs"] == summary["best_epoch"] + 3
    best, last = load_file(tmp_path / "best.safetensors"), load_file(tmp_path / "weights.safetensors")
    assert best.keys() == last.keys()
    assert not np.array_equal(best["weights.1"], last["weights.1"])
    network = ReferenceNetwork(
        [best["weights.1"], best["weights.2"]], [best["biases.1"], best["biases.2"]], "cross-entropy", "sigmoid"
    )
    test = small_dataset().test
    answers = [network.forward(x.astype(float))[1][-1].argmax() for x in test.x]
    assert summary["test_accuracy"] == np.mean(answers == test.labels)


def test_diverged_run_keeps_its_records(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError) as caught:
        finish(tmp_path, learning_rate=10.0, l2=470.0, epochs=100)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert has_facts(str(caught.value), f"after update {summary['updates']} with learning rate 10; {tmp_path}")
    assert has_facts(str(caught.value), summary["error"])
    assert (summary["status"], summary["test_accuracy"]) == ("diverged", None)
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) > 2
    assert (tmp_path / "curves.png").is_file()


class Textbook(CrossEntropy):
    """−Σ [y ln a + (1−y) ln(1−a)] computed from a, which is 1 in float32 from z = 17 on."""

    def value(self, z: Array, a: Array, y: Array) -> Array:
        value: Array = -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=0)
        return value


@pytest.mark.filterwarnings("ignore::netlearn.errors.CostWarning", "ignore::RuntimeWarning")
def test_cost_that_is_not_finite_at_the_start_is_not_blamed_on_the_learning_rate(tmp_path: Path) -> None:
    settings = resolve({"hidden": (), "initializer": (0, 20), "cost": f"{__name__}:Textbook"})
    with pytest.raises(DivergenceError) as caught:
        do_run(settings, tmp_path)
    assert "update 0" in str(caught.value)
    assert "learning rate" not in str(caught.value)


@pytest.mark.usefixtures("rendered")
def test_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "other"):
        finish(tmp_path / name)
    one, other = tmp_path / "one", tmp_path / "other"
    assert (one / "weights.safetensors").read_bytes() == (other / "weights.safetensors").read_bytes()
    assert (one / "curves.svg").read_bytes() == (other / "curves.svg").read_bytes()
    rows = [[row.split(",") for row in (folder / "metrics.csv").read_text().splitlines()] for folder in (one, other)]
    assert [row[:2] + row[3:] for row in rows[0]] == [row[:2] + row[3:] for row in rows[1]]


def test_variants_with_the_same_seed_are_paired() -> None:
    """They start from identical weights and see identical mini-batches; another seed changes both."""
    data = small_dataset()
    starts, batches, origins = [], [], []
    for given in ({"cost": "quadratic"}, {"cost": "cross-entropy", "learning_rate": 0.1, "l2": 5.0}, {"seed": 1}):
        trainer = make_trainer(resolve({"hidden": (5,), "epochs": 2}, given), data)
        starts.append((trainer.network.parameters.vector.tobytes(), trainer.initial_sha256))
        list(trainer)
        batches.append(trainer.batches.sha256)
        origins.append(trainer.batches.origin)
    assert starts[0] == starts[1] != starts[2]
    assert batches[0] == batches[1] != batches[2]
    assert origins[0] == origins[1] != origins[2]


def test_runs_of_unequal_length_are_paired_by_what_determines_their_mini_batches(tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [
        {"epochs": 2},
        {"epochs": 4, "cost": "quadratic"},
        {"epochs": 3, "batch_size": 7},
    ]
    short, long, other = (finish(tmp_path / str(number), **each) for number, each in enumerate(settings))
    assert short["mini_batches_sha256"] != long["mini_batches_sha256"]
    assert short["shuffling_sha256"] == long["shuffling_sha256"] != other["shuffling_sha256"]
    longer = resolve({"hidden": (5,), "epochs": 4})
    assert resume_run(longer, tmp_path / "0").shuffling_sha256 == short["shuffling_sha256"]


def test_weights_and_shuffling_use_separate_streams() -> None:
    trainer = make_trainer(resolve({"hidden": (5,)}), small_dataset())
    shuffling = trainer.batches.start(0)[0]["state"]["state"]
    fresh = make_trainer(resolve({"hidden": (6, 7)}), small_dataset())
    assert fresh.batches.start(0)[0]["state"]["state"] == shuffling  # whatever the weights drew
    first = np.random.default_rng(np.random.SeedSequence(0).spawn(2)[0]).standard_normal((5, 6)) / np.sqrt(6)
    np.testing.assert_array_equal(trainer.network.weights[0], first.astype(np.float32))
    assert (
        np.random.default_rng(np.random.SeedSequence(0).spawn(2)[0]).bit_generator.state
        != (make_trainer(resolve({"hidden": (5,)}), small_dataset()).batches.start(0)[0])
    )


@pytest.mark.parametrize("cost", ["cross-entropy", "netlearn.costs:CrossEntropy"])  # the second is as a user's own
def test_run_that_cannot_record_keeps_its_weights(cost: str, tmp_path: Path) -> None:
    settings = resolve({"hidden": (5,), "epochs": 3, "cost": cost})

    def fail(record: Record) -> None:
        if record.update == 5:
            raise OSError("nobody listens")

    with pytest.raises(OSError, match="nobody listens"):
        do_run(settings, tmp_path, on_record=fail)
    assert (tmp_path / "weights.safetensors").is_file()


BOOK = [  # cost, start, learning rate, output at epochs 0, 50, …, 300 (chapter 3; recomputed from its equations)
    ("quadratic", (0.6, 0.9), 0.15, [0.8176, 0.3870, 0.2110, 0.1527, 0.1237, 0.1061, 0.0940]),
    ("quadratic", (2.0, 2.0), 0.15, [0.9820, 0.9759, 0.9641, 0.9334, 0.7887, 0.3572, 0.2028]),
    ("cross-entropy", (0.6, 0.9), 0.15, [0.8176, 0.0792, 0.0371, 0.0241, 0.0178, 0.0141, 0.0116]),
    ("cross-entropy", (2.0, 2.0), 0.15, [0.9820, 0.0985, 0.0411, 0.0257, 0.0186, 0.0146, 0.0120]),
    ("cross-entropy", (2.0, 2.0), 0.025, [0.9820, 0.8411, 0.4956, 0.2781, 0.1803, 0.1304, 0.1011]),
    ("cross-entropy", (2.0, 2.0), 0.005, [0.9820, 0.9710, 0.9539, 0.9282, 0.8912, 0.8415, 0.7796]),
]


@pytest.mark.parametrize(("cost", "start", "learning_rate", "outputs"), BOOK)
def test_single_neuron_learns_as_the_book_says(
    cost: str, start: tuple[float, float], learning_rate: float, outputs: list[float]
) -> None:
    settings = resolve(
        {
            "cost": cost,
            "initializer": start,
            "learning_rate": learning_rate,
            "hidden": (),
            "batch_size": 1,
            "epochs": 300,
            "dtype": "float64",
        }
    )
    records: list[Record] = list(make_trainer(settings, datasets.load("neuron")))
    at_end = {record.epoch: record for record in records}
    assert [at_end[epoch].output_error for epoch in range(0, 301, 50)] == pytest.approx(outputs, abs=5.1e-5)
    if learning_rate == 0.15:
        gradients = {("quadratic", 0.6): 0.1219, ("cross-entropy", 0.6): 0.8176, ("quadratic", 2.0): 0.0173}
        expected = gradients.get((cost, start[0]), 0.9820)
        assert records[0].speeds[0] == pytest.approx(expected, abs=5.1e-5)
    if cost == "quadratic":
        steepest = max(records, key=lambda record: record.speeds[0])
        assert steepest.speeds[0] == pytest.approx(4 / 27, abs=1e-4)
        assert steepest.epoch == pytest.approx({0.6: 20, 2.0: 215}[start[0]], abs=3)


def test_batch_larger_than_the_training_set_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        make_trainer(resolve({"batch_size": 48}), small_dataset())
    assert has_facts(str(caught.value), "batch_size 48: must be 1 to 47, the training examples of small")
