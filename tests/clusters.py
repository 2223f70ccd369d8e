"""Starts a Dask cluster as on several machines: with certificates, and a folder and a cache for each worker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from netlearn.comparison.cluster import CA, CERTIFICATE, KEY
from netlearn.runs import SUMS
from tests.commands import PATIENCE
from tests.processes import wait_until

OTHER = "netlearn-0.0.1.dist-info"


def certificates(folder: Path) -> Path:
    """Write the files of a new authority and of a certificate that it signed."""
    from distributed import Security  # noqa: PLC0415 (its import takes a second, and few tests need it)

    made = Security.temporary()
    folder.mkdir(parents=True)
    (folder / CA).write_text(made.tls_ca_file)
    (folder / CERTIFICATE).write_text(made.tls_client_cert)
    (folder / KEY).write_text(made.tls_client_key)
    return folder


@dataclass
class Cluster:
    """A scheduler and worker processes, which share nothing but this machine's network."""

    folder: Path
    tls: Path
    address: str = ""
    scheduler: "subprocess.Popen[bytes] | None" = None
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def flags(self) -> list[str]:
        return ["--cluster", self.address, "--tls-folder", str(self.tls)]

    def start(self, kind: str, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a process in a folder of its own."""
        folder = self.folder / f"{kind}-{len(self.workers)}"
        folder.mkdir()
        tls = ["--tls-ca-file", CA, "--tls-cert", CERTIFICATE, "--tls-key", KEY]
        given = [str(self.tls / each) if each in {CA, CERTIFICATE, KEY} else each for each in tls]
        common = ["--protocol", "tls", "--host", "127.0.0.1", "--no-dashboard", *given]
        own = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONSAFEPATH": "1"}
        with (folder / "log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{kind}", *common, *arguments],
                cwd=folder, stdout=log, stderr=log, env=os.environ | own | environment,
            )  # fmt: skip

    def start_scheduler(self) -> None:
        file = self.folder / "scheduler.json"
        self.scheduler = self.start("scheduler", "--port", "0", "--scheduler-file", str(file))
        wait_until(file.exists)
        wait_until(file.read_text)
        self.address = json.loads(file.read_text())["address"]

    def start_worker(self, **environment: str) -> None:
        alone = ["--nthreads", "1", "--no-nanny", "--local-directory", ".", "--name", str(len(self.workers))]
        self.workers.append(self.start("worker", self.address, *alone, **environment))

    def addresses(self) -> dict[int, str]:
        """Return the addresses of the workers by their numbers, when all are there."""
        from distributed import Client, Security  # noqa: PLC0415 (as above)

        security = Security(
            tls_ca_file=str(self.tls / CA), tls_client_cert=str(self.tls / CERTIFICATE),
            tls_client_key=str(self.tls / KEY), require_encryption=True,
        )  # fmt: skip
        with Client(self.address, security=security, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=PATIENCE)
            found = client.run_on_scheduler(lambda dask_scheduler: dict(dask_scheduler.aliases))
        return {int(name): address for name, address in found.items()}

    def training(self) -> list[int]:
        """Return the numbers of the workers that are training now."""
        return [number for number, process in enumerate(self.workers) if process.poll() is None and self._run(number)]

    def kill_training(self, number: int) -> bool:
        """Kill a worker in the middle of a run, while it is stopped and so cannot end it; return whether it was."""
        if number not in self.training():
            return False
        self.workers[number].send_signal(signal.SIGSTOP)
        if not self._run(number):
            self.workers[number].send_signal(signal.SIGCONT)
            return False
        self.workers[number].kill()
        self.workers[number].wait()
        return True

    def _run(self, number: int) -> str | None:
        """Return the folder of the run that a worker is training now."""
        for folder, _, names in os.walk(self.folder / f"worker-{number}"):  # what vanishes meanwhile is no error
            if folder.endswith("/run") and "metrics.csv" in names and SUMS not in names:
                return folder
        return None


@contextmanager
def running(folder: Path, workers: int) -> Iterator[Cluster]:
    """Run a scheduler, workers, and one more that has another version of netlearn; all are there."""
    cluster = Cluster(folder, certificates(folder / "tls"))
    other = folder / "other" / OTHER
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: netlearn\nVersion: 0.0.1\n")
    try:
        cluster.start_scheduler()
        for _ in range(workers):
            cluster.start_worker()
        cluster.start_worker(PYTHONPATH=str(other.parent))
        cluster.addresses()
        yield cluster
    finally:
        for process in [*cluster.workers, *([cluster.scheduler] if cluster.scheduler else [])]:
            process.kill()
            process.wait()
