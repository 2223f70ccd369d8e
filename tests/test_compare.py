"""`netlearn compare` from end to end, and its failures."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from netlearn.cli import main
from netlearn.experiments.statistics import group
from netlearn.experiments.workers import Workers
from netlearn.plotting.compare import DRAWN
from netlearn.runs import read_run
from tests.commands import PATIENCE, QUICK, call, compare, rows_of, untimed, workers_here
from tests.files import wait_for
from tests.messages import has_facts

pytestmark = pytest.mark.slow  # most of these start worker processes or draw every picture

DRAWN_HERE = ("curves", "slowdown", "error-vs-gradient", "digits", "mistakes")


def test_comparison_writes_settings_runs_results_and_pictures(compared: Path) -> None:
    runs = [f"{cost}-{seed}" for cost in ("cross-entropy", "quadratic") for seed in (0, 1)]
    pictures = [f"{name}.{kind}" for name in DRAWN_HERE for kind in ("png", "svg")]
    assert sorted(path.name for path in compared.iterdir()) == sorted(
        ["SHA256SUMS", "config.toml", "report.html", "results.csv", "summary.json", *runs, *pictures]
    )
    assert [(row["variant"], row["seed"], row["status"]) for row in rows_of(compared)] == [
        (cost, seed, "finished") for seed in ("0", "1") for cost in ("quadratic", "cross-entropy")
    ]
    summary = json.loads((compared / "summary.json").read_text())
    assert summary["pairing"].startswith("Paired: ")
    assert [row["variant"] for row in summary["rows"]] == ["quadratic", "cross-entropy"]
    assert summary["rows"][1]["learning_speed_0"] == pytest.approx(1, abs=1e-4)
    assert summary["rows"][0]["learning_speed_0"] < 0.25


def test_runs_of_a_comparison_have_curves_only_on_request(copied: Path) -> None:
    assert not list(copied.glob("*/curves.*"))
    result = call("curves", str(copied))
    assert result.exit_code == 0, result.output
    assert len(result.stdout.split()) == len(list(copied.glob("*/curves.*"))) == 8
    before = {path: path.stat().st_mtime_ns for path in copied.glob("*/summary.json")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netlearn.cli.compare.Workers", workers_here)
        patch.setattr("netlearn.experiments.comparison.PICTURES", ())
        assert compare("--resume", str(copied), "-q").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_run_of_a_comparison_equals_the_run_of_train(compared: Path) -> None:
    config = compared / "quadratic-1" / "config.toml"
    CliRunner().invoke(main, ["train", "-q", "--config", str(config), "--out", "alone"])
    for name in ("weights.safetensors", "output_neurons.safetensors"):
        assert (compared / "quadratic-1" / name).read_bytes() == Path("alone", name).read_bytes()


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_results_are_the_same_whatever_the_number_of_jobs(compared: Path, jobs: str) -> None:
    result = compare(*QUICK, "-q", "--jobs", jobs, "--out", "other")
    assert result.exit_code == 0
    assert untimed(Path("other")) == untimed(compared)


@pytest.mark.usefixtures("in_this_process")
def test_config_of_a_comparison_repeats_it(compared: Path) -> None:
    result = compare(str(compared / "config.toml"), "-q", "--out", "again")
    assert result.exit_code == 0
    assert untimed(Path("again")) == untimed(compared)


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_command_prints_table_sentence_pairing_and_pictures() -> None:
    result = compare(*QUICK, "--markdown")
    lines = result.stdout.splitlines()
    assert lines[0] == "|  | quadratic | cross-entropy |"
    assert "| learning rate η | 3 | 0.5 |" in lines
    assert lines[-5].startswith("2 seeds are too few to tell a difference from chance")
    assert lines[-4].startswith("Paired: ")
    assert lines[-1] == (f"folder: runs/compare (pictures: {', '.join(f'{name}.png' for name in DRAWN_HERE)})")
    notes = result.stderr.splitlines()
    assert notes[0].startswith("data: mnist-5k (3,500 training")
    assert notes[1] == "runs: 4, quadratic, cross-entropy from 2 seeds each"
    assert notes[-1] == "4 of 4 runs complete"


@pytest.mark.usefixtures("in_this_process")
def test_existing_runs_are_overlaid_without_training(compared: Path) -> None:
    paths = [str(path) for path in sorted(compared.glob("*-[01]"))]
    result = compare(*paths, "-q", "--out", "over")
    assert result.exit_code == 0, result.output
    assert not list(Path("over").glob("*/"))
    one, other = rows_of(compared), rows_of(Path("over"))
    key = ("variant", "seed")
    assert sorted(one, key=lambda row: [row[k] for k in key]) == sorted(other, key=lambda row: [row[k] for k in key])
    for name in ("curves", "slowdown", "error-vs-gradient", "digits"):
        assert Path("over", f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_folder_of_a_comparison_stands_for_its_runs(compared: Path) -> None:
    assert json.loads(compare(str(compared), "--json", "-q").stdout)["rows"][0]["seeds"] == 2


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_overlay_can_be_overwritten_without_losing_a_run(compared: Path) -> None:
    for _ in range(2):
        assert compare(str(compared), "-q", "--out", "over", "--force").exit_code == 0
    assert compare(str(compared), "-q", "--out", "over").exit_code == 1


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_forced_comparison_removes_the_runs_of_the_previous_one() -> None:
    compare(*QUICK, "-q", "--out", "here")
    assert call("evaluate", "here/quadratic-1").exit_code == 0  # its files go with the run
    compare(*QUICK, "-q", "--out", "here", "--force", "--seeds", "1")
    assert sorted(path.name for path in Path("here").glob("*/")) == ["cross-entropy-0", "quadratic-0"]


OWN_COST = """
import numpy as np
from netlearn.activations import Sigmoid

class Quartic:
    output = Sigmoid()
    learning_rate = 5.0
    def value(self, z, a, y):
        return ((a - y) ** 4).sum(axis=0) / 4
    def delta(self, z, a, y, out):
        return np.multiply((a - y) ** 3, a * (1 - a), out=out)
"""


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_own_cost_is_in_the_table_and_in_every_picture() -> None:
    Path("mine.py").write_text(OWN_COST)
    costs = [part for cost in ("quadratic", "cross-entropy", "mine:Quartic") for part in ("--cost", cost)]
    result = compare(*QUICK, *costs, "-q")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].split() == ["quadratic", "cross-entropy", "mine:Quartic"]
    for name in ("curves", "slowdown", "error-vs-gradient", "digits"):
        assert "mine:Quartic" in texts_of(Path("runs/compare"), name)


def texts_of(folder: Path, name: str) -> str:
    """Return all that a picture of a comparison says."""
    runs = [
        read_run(path, path.name.rsplit("-", 1)[0].replace("mine-", "mine:"))
        for path in sorted(folder.glob("*-[01]"))
    ]
    figure = DRAWN[name](group(runs), "title")
    assert figure is not None
    return "\n".join(text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text")))  # type: ignore[attr-defined]


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_tuning_chooses_learning_rates_from_a_grid_and_the_table_shows_them() -> None:
    result = compare(*QUICK, "--tune", "--json")
    assert result.exit_code == 0, result.output
    rates = {row["variant"]: row["learning_rate"] for row in json.loads(result.stdout)["rows"]}
    assert rates["quadratic"] in {0.3, 0.9, 3.0, 9.0, 30.0}
    assert rates["cross-entropy"] in {0.05, 0.15, 0.5, 1.5, 5.0}
    assert f"quadratic: η = {rates['quadratic']:g}, cross-entropy: η = {rates['cross-entropy']:g}" in result.stderr
    tried = [read_run(path, path.name) for path in Path("runs/compare").glob("tuning-quadratic-*")]
    accuracy = {
        trial.settings.learning_rate: trial.summary.best_validation_accuracy for trial in tried if trial.summary
    }
    assert len(accuracy) == 5
    assert accuracy[rates["quadratic"]] == max(value for value in accuracy.values() if value is not None)


@pytest.mark.usefixtures("in_this_process", "unrendered", "unflushed")
def test_single_neuron_gets_its_own_picture_and_the_books_figures() -> None:
    path = Path(__file__).parents[1] / "configs" / "neuron.toml"
    result = compare(str(path), "-q")
    assert result.exit_code == 0, result.output
    assert "pictures: curves.png, slowdown.png, neuron.png)" in result.stdout
    bad = read_run(Path("runs/compare/quadratic-bad-start-0"), "")
    outputs = [bad.at_update("output_error", epoch) for epoch in range(0, 301, 50)]
    assert outputs == pytest.approx([0.9820, 0.9759, 0.9641, 0.9334, 0.7887, 0.3572, 0.2028], abs=5.1e-5)


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_divergence_is_a_line_below_the_table() -> None:
    Path("rates.toml").write_text(
        'seeds = 1\n[defaults]\ndata = "mnist-5k"\nepochs = 1\nhidden = [5]\n'
        "[variants.good]\n[variants.wild]\nlearning_rate = 1000\nl2 = 500\n"
    )
    result = compare("rates.toml", "-q")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert any(line.startswith("wild, seed 0: the cost is no longer finite after update ") for line in lines)
    assert lines[2].split() == ["seeds", "finished", "1", "of", "1", "0", "of", "1"]
    assert [row["status"] for row in rows_of(Path("runs/compare"))] == ["finished", "diverged"]


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_different_data_is_shown_in_the_table() -> None:
    Path("sizes.toml").write_text(
        'seeds = 1\n[defaults]\nepochs = 1\n[variants.digits]\ndata = "mnist-5k"\n'
        '[variants.neuron]\ndata = "neuron"\nbatch_size = 1\nhidden = []\n'
    )
    result = compare("sizes.toml", "-q")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].split() == ["data", "(not", "the", "same)", "mnist-5k", "neuron"]


def kill_one_worker(killed: list[int]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at and not list(Path().glob("runs/compare/*/metrics.csv")):
        time.sleep(0.02)
    child = multiprocessing.active_children()[0]
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    killed.append(child.pid)


@pytest.mark.usefixtures("one_picture")
def test_killed_worker_costs_one_retry_and_the_comparison_completes() -> None:
    killed: list[int] = []
    thread = threading.Thread(target=kill_one_worker, args=(killed,))
    thread.start()
    result = compare("--data", "mnist-5k", "--epochs", "20", "--hidden", "30", "--seeds", "2", "-q")
    thread.join()
    assert killed
    assert result.exit_code == 0, result.output
    assert [row["status"] for row in rows_of(Path("runs/compare"))] == ["finished"] * 4


@pytest.mark.usefixtures("unrendered")
def test_run_that_kills_its_workers_is_a_line_below_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def map_with_a_death(
        self: Workers, function: Any, tasks: Any, look: Any = None, on_result: Any = lambda task, result: None
    ) -> list[Any]:
        results = [
            None if getattr(task, "settings", None) and task.settings.seed == 1 else function(task) for task in tasks
        ]
        for pair in zip(tasks, results, strict=True):
            on_result(*pair)
        return results

    monkeypatch.setattr(Workers, "map", map_with_a_death)
    result = compare(*QUICK, "-q")
    assert result.exit_code == 0, result.output
    assert "quadratic, seed 1: its worker process died, twice" in result.stdout.splitlines()
    assert [row["status"] for row in rows_of(Path("runs/compare"))] == ["finished", "finished", "failed", "failed"]


LONG = ["--data", "mnist-5k", "--epochs", "30", "--seeds", "2", "--hidden", "20"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("uninterrupted") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netlearn.cli.compare.Workers", workers_here)
        patch.setattr("netlearn.experiments.comparison.PICTURES", ("curves",))
        assert compare(*LONG, "-q", "--out", str(out)).exit_code == 0
    return untimed(out)


@pytest.mark.usefixtures("in_this_process", "one_picture")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_comparison_prints_the_command_that_resumes_it(
    number: int, code: int, uninterrupted: dict[str, Any]
) -> None:
    command = [sys.executable, "-m", "netlearn", "compare", *LONG, "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        wait_for(" of 4 runs complete", process.stderr)
        os.killpg(process.pid, number)  # a terminal sends Ctrl-C to the workers too
        rest = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == code
    assert rest.splitlines()[-2:] == [
        "Complete runs are kept; to resume: netlearn compare --resume runs/compare", "Interrupted",
    ]  # fmt: skip
    ends = {path: json.loads(path.read_text())["status"] for path in Path("runs/compare").glob("*/summary.json")}
    done = {path: path.stat().st_mtime_ns for path, status in ends.items() if status == "finished"}
    assert 1 <= len(done) < 4
    assert set(ends.values()) <= {"finished", "interrupted"}
    result = compare("--resume", "runs/compare", "-q")
    assert result.exit_code == 0, result.output
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert untimed(Path("runs/compare")) == uninterrupted


@pytest.mark.parametrize(
    ("arguments", "what"), [(["--seeds", "3"], "--seeds"), (["--epochs", "3"], "--epochs"), (["depth"], "depth")]
)
def test_resumed_comparison_uses_the_settings_of_its_folder(arguments: list[str], what: str) -> None:
    result = compare("--resume", "anywhere", *arguments)
    message = f"Error: {what}: a comparison that is resumed is done as its folder has it\n"
    assert (result.exit_code, has_facts(result.stderr, message)) == (2, True)


def test_runs_of_one_variant_cannot_be_compared(compared: Path) -> None:
    result = compare(str(compared / "quadratic-0"), str(compared / "quadratic-1"), "-q")
    assert (result.exit_code, has_facts(result.stderr, "variants quadratic: ")) == (2, True)


def test_run_and_comparison_are_not_confused(compared: Path) -> None:
    run = compared / "quadratic-0"
    before = {path: path.read_bytes() for path in run.iterdir()}
    result = compare("--resume", str(run))
    message = f"Error: {run}: is a run, not a comparison; resume it with netlearn train --resume\n"
    assert (result.exit_code, has_facts(result.stderr, message)) == (1, True)
    assert {path: path.read_bytes() for path in run.iterdir()} == before
    for arguments in (["train", "--resume", str(compared)], ["verify", str(compared)]):
        result = CliRunner().invoke(main, arguments)
        message = f"Error: {compared}: is a comparison, not a run; resume it with netlearn compare --resume\n"
        assert (result.exit_code, has_facts(result.stderr, message)) == (1, True)


@pytest.fixture
def copied(compared: Path) -> Path:
    shutil.copytree(compared, "copy")
    return Path("copy")


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_resumed_comparison_leaves_a_run_with_other_settings_unchanged(copied: Path) -> None:
    CliRunner().invoke(main, ["train", "--resume", str(copied / "quadratic-0"), "--epochs", "3", "-q"])
    weights = (copied / "quadratic-0" / "weights.safetensors").read_bytes()
    result = compare("--resume", str(copied), "-q")
    assert result.exit_code == 0, result.output
    line = "quadratic, seed 0: copy/quadratic-0: holds a run with other settings; it was left unchanged"
    assert line in result.stdout.splitlines()
    assert (copied / "quadratic-0" / "weights.safetensors").read_bytes() == weights


@pytest.mark.usefixtures("in_this_process", "unrendered")
def test_resumed_comparison_follows_no_link(copied: Path) -> None:
    (copied / "quadratic-0").rename("elsewhere")
    Path("elsewhere/summary.json").unlink()
    before = sorted(Path("elsewhere").iterdir())
    (copied / "quadratic-0").symlink_to(Path("elsewhere").resolve())
    result = compare("--resume", str(copied), "-q")
    facts = ("quadratic, seed 0: ", "copy/quadratic-0: ", "must not be a link")
    assert any(all(fact in line for fact in facts) for line in result.stdout.splitlines())
    assert sorted(Path("elsewhere").iterdir()) == before


@pytest.mark.usefixtures("in_this_process", "unrendered")
@pytest.mark.parametrize("content", [b"x\n\xff\xfe,\n", b"x\nfoo\n", b""])
def test_run_whose_metrics_cannot_be_read_is_trained_again(copied: Path, compared: Path, content: bytes) -> None:
    (copied / "quadratic-0" / "summary.json").unlink()
    (copied / "quadratic-0" / "metrics.csv").write_bytes(content)
    result = compare("--resume", str(copied))
    assert result.exit_code == 0, result.output
    assert any("copy/quadratic-0/metrics.csv: " in line for line in result.stderr.splitlines())
    for left in ("results", "quadratic-0/weights.safetensors", "quadratic-0/metrics.csv"):
        assert untimed(copied)[left] == untimed(compared)[left]


@pytest.mark.usefixtures("in_this_process", "one_picture")
def test_interrupted_tuning_is_resumed() -> None:
    settings = ["--data", "mnist-5k", "--epochs", "3", "--seeds", "1", "--hidden", "20", "--tune"]
    command = [sys.executable, "-m", "netlearn", "compare", *settings, "--out", "tuned"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        give_up_at = time.monotonic() + PATIENCE
        while time.monotonic() < give_up_at and not list(Path().glob("tuned/tuning-*/summary.json")):
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130
    assert "to resume: netlearn compare --resume tuned" in rest
    result = compare("--resume", "tuned", "--json")
    assert result.exit_code == 0, result.output
    whole = compare(*settings, "--json", "--out", "whole")
    rates = [[row["learning_rate"] for row in json.loads(each.stdout)["rows"]] for each in (result, whole)]
    assert rates[0] == rates[1]
    assert untimed(Path("tuned")) == untimed(Path("whole"))
