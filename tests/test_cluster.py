"""Comparisons on a Dask cluster: the same bytes as here, whoever dies."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from netlearn.comparison import cluster as module
from netlearn.comparison import compare as comparison
from netlearn.comparison.cluster import CA
from netlearn.runs import SUMS, read_run
from tests.clusters import Cluster, certificates, running
from tests.commands import compare, one_line, rows_of
from tests.files import small_arrays, write_folder
from tests.messages import has_facts
from tests.processes import wait_until

pytestmark = pytest.mark.slow
EPOCHS = 600  # of 0.6 ms: long enough to be met while training
RUNS = [f"{cost}-{seed}" for cost in ("quadratic", "cross-entropy") for seed in (0, 1)]
SAME = ("weights.safetensors", "output_neurons.safetensors", "config.toml", "snapshots.safetensors")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("cluster"), workers=3) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "own", small_arrays(train=120, test=20))


def settings_on(data: Path) -> list[str]:
    return ["--data", str(data), "--epochs", str(EPOCHS), "--hidden", "5", "--seeds", "2", "--probe-every", "100"]


def run(data: Path, out: str, *arguments: str) -> Result:
    jobs = "1" if "--cluster" in arguments else "2"
    return compare(*settings_on(data), "--jobs", jobs, "--out", out, *arguments)


@pytest.fixture(scope="module")
def here(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the comparison as two processes here train it."""
    out = tmp_path_factory.mktemp("here") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "PICTURES", ("curves",))
        assert run(data, str(out)).exit_code == 0
    return out


def meanwhile(condition: Callable[[], object], act: Callable[[], object]) -> threading.Thread:
    """Do something as soon as a condition is met, while the comparison runs."""

    def wait_and_act() -> None:
        wait_until(condition)
        act()

    thread = threading.Thread(target=wait_and_act, daemon=True)
    thread.start()
    return thread


def assert_same(found: Path, expected: Path) -> None:
    """Assert that two comparisons are the same to the byte, but for seconds, the machine and where data lie."""
    for name in RUNS:
        for file in SAME:
            if (expected / name / file).exists():
                assert (found / name / file).read_bytes() == (expected / name / file).read_bytes(), (name, file)
        runs = [read_run(folder / name) for folder in (found, expected)]
        for column in runs[1].metrics.keys() - {"seconds"}:
            np.testing.assert_array_equal(runs[0].metrics[column], runs[1].metrics[column])
    pictures = {path.name for path in expected.glob("*.png")}
    assert pictures
    for picture in pictures:
        assert (found / picture).read_bytes() == (expected / picture).read_bytes(), picture


def test_cluster_gives_the_same_bytes_and_leaves_out_another_netlearn(
    cluster: Cluster, data: Path, here: Path
) -> None:
    result = run(data, "out", *cluster.flags)
    assert result.exit_code == 0, result.output
    assert_same(Path("out"), here)
    assert [line for line in result.stderr.splitlines() if "0.0.1" in line and "not used" in line]
    assert not [*cluster.folder.glob("worker-*/**/netlearn-*")]


def test_interrupted_comparison_collects_checkpoints_and_resumes_also_after_its_client_was_killed(
    cluster: Cluster, data: Path, here: Path
) -> None:
    thread = meanwhile(cluster.training, lambda: os.kill(os.getpid(), signal.SIGINT))
    result = run(data, "out", *cluster.flags)
    thread.join()
    assert result.exit_code == 130, result.output
    unfinished = [read_run(path.parent) for path in Path("out").glob("*/checkpoint.safetensors")]
    assert any(each.interrupted and each.summary and each.summary.updates > 0 for each in unfinished)
    resume = ["compare", "--resume", "out", *cluster.flags]
    with subprocess.Popen([sys.executable, "-m", "netlearn", *resume, "-q", "--jobs", "1"]) as client:
        wait_until(cluster.training)
        client.kill()
    assert not all((Path("out") / name / SUMS).exists() for name in RUNS)
    result = compare(*resume[1:])
    assert result.exit_code == 0, result.output
    assert_same(Path("out"), here)


def test_client_without_a_certificate_gets_nothing(cluster: Cluster, data: Path, tmp_path: Path) -> None:
    host, _, port = cluster.address.removeprefix("tls://").rpartition(":")
    context = ssl.create_default_context(cafile=cluster.tls / CA)
    context.check_hostname = False
    received = b""
    with (
        pytest.raises(OSError, match=r"(?i)certificate required|reset"),
        socket.create_connection((host, int(port))) as plain,
        context.wrap_socket(plain) as connection,
    ):
        received = connection.recv(1)
    assert received == b""
    strange = certificates(tmp_path / "strange")
    assert one_line(run(data, "out", *cluster.flags[:-1], str(strange)), 1, f"{cluster.address} ca.pem --tls-folder")
    assert not Path("out").exists()


def test_own_cost_must_be_installed_on_the_workers(cluster: Cluster, data: Path) -> None:
    Path("ours.py").write_text("from netlearn.costs import Quadratic\nclass Ours(Quadratic):\n    pass\n")
    short = ["--data", str(data), "--epochs", "1", "--hidden", "5", "--seeds", "1", "--jobs", "1", "--out", "out"]
    result = compare(*short, *cluster.flags, "--cost", "quadratic", "--cost", "ours:Ours")
    assert result.exit_code == 1, result.output
    assert [row["status"] for row in rows_of(Path("out"))] == ["finished", "failed"]
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("Ours, seed 0: ")]
    assert has_facts(line, "3 workers 'ours:Ours'")


@pytest.mark.long
def test_of_three_workers_one_fails_every_run_one_dies_and_one_is_slow(
    cluster: Cluster, data: Path, here: Path
) -> None:
    addresses, ended = cluster.addresses(), threading.Event()
    full, dying, slow = range(3)
    import resource  # noqa: PLC0415 (Windows has none)

    resource.prlimit(cluster.workers[full].pid, resource.RLIMIT_FSIZE, (0, 0))  # as a disk that is full

    def slow_down() -> None:
        while not ended.wait(0.02):
            cluster.workers[slow].send_signal(signal.SIGSTOP)
            ended.wait(0.02)
            cluster.workers[slow].send_signal(signal.SIGCONT)

    threads = [threading.Thread(target=slow_down), meanwhile(lambda: cluster.kill_training(dying), lambda: None)]
    threads[0].start()
    result = run(data, "out", *cluster.flags)
    ended.set()
    for thread in threads:
        thread.join()
    assert result.exit_code == 0, result.output
    (left_out,) = [line for line in result.stderr.splitlines() if f"{addresses[full]} is not used" in line]
    assert str(cluster.folder / f"worker-{full}") in left_out
    (lost,) = [line for line in result.stderr.splitlines() if "sent to another" in line]
    assert addresses[dying] in lost
    assert_same(Path("out"), here)


@pytest.mark.long
def test_killed_scheduler_is_an_error_and_the_comparison_resumes_here(
    cluster: Cluster, data: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 2)
    assert cluster.scheduler is not None
    thread = meanwhile(lambda: any(Path("out").glob(f"*/{SUMS}")), cluster.scheduler.kill)
    result = run(data, "out", *cluster.flags, "-q")
    thread.join()
    assert one_line(result, 1, f"{cluster.address} --resume")
    kept = [path.parent.name for path in Path("out").glob(f"*/{SUMS}")]
    written = {name: (Path("out") / name / "metrics.csv").stat().st_mtime_ns for name in kept}
    assert kept
    assert compare("--resume", "out", "-q", "--jobs", "2").exit_code == 0
    assert {name: (Path("out") / name / "metrics.csv").stat().st_mtime_ns for name in kept} == written
    assert {row["status"] for row in rows_of(Path("out"))} == {"finished"}
    assert_same(Path("out"), here)
