"""Options to train on a cluster."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from netlearn.cli.options import PATH
from netlearn.cli.progress import note
from netlearn.comparison import cluster
from netlearn.comparison.pool import Workers
from netlearn.errors import SettingsError

Function = TypeVar("Function", bound=Callable[..., Any])


class ClusterOptions(NamedTuple):
    """The cluster that the options name, if any."""

    address: str | None
    tls_folder: Path | None
    insecure: bool

    def workers(self, jobs: int, *, quiet: bool) -> Workers | None:
        """Return workers that train on the cluster and draw with `jobs` processes here; None without a cluster."""
        if self.address is None:
            for name, value in (("--tls-folder", self.tls_folder), ("--insecure", self.insecure)):
                if value:
                    raise SettingsError(f"{name}: must be given with --cluster")
            return None

        tell = (lambda text: None) if quiet else note
        return cluster.Cluster(jobs, self.address, self.tls_folder, insecure=self.insecure, note=tell)


def cluster_options(function: Function) -> Function:
    """Give a command the options of a cluster; `cluster_of` reads them."""
    for option in (
        click.option("--insecure", is_flag=True, help="allow a scheduler tcp://HOST:PORT, without certificates."),
        click.option(
            "--tls-folder", type=PATH, metavar="FOLDER", help="folder of ca.pem, cert.pem and key.pem, for tls://."
        ),
        click.option(
            "--cluster",
            metavar="ADDRESS",
            help="train on the Dask cluster with scheduler tls://HOST:PORT, or local:N for N processes here.",
        ),
    ):
        function = option(function)
    return function


def cluster_of(flags: dict[str, Any]) -> ClusterOptions:
    """Take the options of a cluster from the flags of a command."""
    return ClusterOptions(flags.pop("cluster"), flags.pop("tls_folder"), flags.pop("insecure"))
