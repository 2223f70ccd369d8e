"""The connection to a Dask scheduler: encrypted, with certificates, unless the user insists otherwise."""

import signal
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from netlearn.errors import ClusterError, NetlearnError, SettingsError

if TYPE_CHECKING:
    from distributed import Client

WITHIN = 10  # seconds for a scheduler to answer
MOST_LOST = 3  # workers of a run, where the scheduler is started here; the default of others is 4
CA, CERTIFICATE, KEY = "ca.pem", "cert.pem", "key.pem"  # in the TLS folder
LOCAL = "local:"
SILENT = 51  # above every level of logging: netlearn says itself what Dask would log
MOST_LOCAL = 256
SHAPES = "tls://HOST:PORT or local:N"


@contextmanager
def connected(address: str, tls_folder: Path | None = None, *, insecure: bool = False) -> Iterator["Client"]:
    """Connect to a scheduler, or start a cluster of N worker processes on this machine for "local:N".

    Args:
        address: of the scheduler, tls://HOST:PORT, or "local:N".
        tls_folder: holds ca.pem, cert.pem and key.pem; only for tls://.
        insecure: allows tcp://HOST:PORT, without encryption and certificates.

    Raises:
        SettingsError: the address, the folder and `insecure` do not fit together.
        ClusterError: Dask is not installed, or the scheduler does not answer in 10 seconds.
    """
    workers = _check(address, tls_folder, insecure=insecure)
    try:
        import dask  # noqa: PLC0415 (an optional extra, which takes 0.5 s to import)
        import distributed  # noqa: PLC0415
        from distributed.utils import silence_logging_cmgr  # noqa: PLC0415
    except ImportError as error:
        raise ClusterError(
            f"--cluster {address}: needs Dask, which is not installed: pip install 'netlearn[dask]'"
        ) from error
    limits = {
        "distributed.comm.timeouts.connect": WITHIN,
        "distributed.nanny.pre-spawn-environ.PYTHONSAFEPATH": 1,
        "distributed.scheduler.allowed-failures": MOST_LOST - 1,  # of a scheduler that is started here
    }
    with silence_logging_cmgr(SILENT), warnings.catch_warnings(), dask.config.set(limits), ExitStack() as stack:
        warnings.filterwarnings("ignore", module="distributed")
        if workers:
            security = distributed.Security.temporary()
            with answering(address, "cannot be started"):
                place = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        security=security,
                        dashboard_address=None,
                        memory_limit=None,
                        silence_logs=SILENT,
                        preload=["netlearn.comparison.orders"],
                    )
                )
        else:
            place, security = address, distributed.Security() if tls_folder is None else _security(tls_folder)
        with answering(address, f"cannot be reached within {WITHIN} s"):
            client = stack.enter_context(
                distributed.Client(place, security=security, set_as_default=False, timeout=WITHIN)
            )
        yield client


@contextmanager
def answering(address: str, otherwise: str = "the scheduler no longer answers") -> Iterator[None]:
    """Turn errors of the connection into a `ClusterError`."""
    try:
        yield
    except NetlearnError:
        raise
    except Exception as error:  # Dask raises OSErrors, TimeoutErrors and RuntimeErrors
        reason = error.__cause__ or error
        if isinstance(reason, ssl.SSLError):
            otherwise = f"rejected: its certificate and that in --tls-folder must be signed by the {CA} of both"
        raise ClusterError(f"--cluster {address}: {otherwise}: {type(reason).__name__}: {reason}") from error


def _check(address: str, tls_folder: Path | None, *, insecure: bool) -> int:
    """Check what a user gave; return the number of worker processes on this machine, or 0 for other clusters."""
    number = address.removeprefix(LOCAL)
    if number != address:
        if not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST_LOCAL):
            raise SettingsError(f"--cluster {address}: N must be a number of processes from 1 to {MOST_LOCAL}")
        if tls_folder is not None or insecure:
            raise SettingsError(f"--cluster {address}: makes its own certificates; must be without --tls-folder "
                                "and --insecure")  # fmt: skip
        return int(number)
    protocol, _, place = address.partition("://")
    host, _, port = place.rpartition(":")
    if protocol not in {"tls", "tcp"} or not (host and port.isascii() and port.isdigit()):
        raise SettingsError(f"--cluster {address}: must be {SHAPES}")
    if protocol == "tcp" and not insecure:
        raise SettingsError(
            f"--cluster {address}: must be tls://, since anyone who reaches the port of a scheduler without "
            "certificates can run code as you; --insecure allows it"
        )
    if (protocol == "tcp") == (tls_folder is not None) or (protocol == "tls" and insecure):
        needed = "with --tls-folder, without --insecure" if protocol == "tls" else "without --tls-folder"
        raise SettingsError(f"--cluster {address}: must be {needed}")
    return 0


def _security(folder: Path) -> Any:
    from distributed import Security  # noqa: PLC0415 (an optional extra)

    for name in (CA, CERTIFICATE, KEY):
        if not (folder / name).is_file():
            raise SettingsError(f"--tls-folder {folder}: has no {name}; must hold {CA}, {CERTIFICATE} and {KEY}")
    certificate, key = str(folder / CERTIFICATE), str(folder / KEY)
    return Security(
        tls_ca_file=str(folder / CA), tls_client_cert=certificate, tls_client_key=key, require_encryption=True
    )


@contextmanager
def deferred(put: Callable[[Callable[[], object]], object]) -> Iterator[None]:
    """Put the handler of the first Ctrl-C or SIGTERM in a queue, to be called where it is safe.

    Some of Dask's code swallows the exceptions that the handlers raise. The second signal is not deferred.
    """
    with ExitStack() as restored:

        def defer(handler: Callable[[int, FrameType | None], object], number: int, frame: FrameType | None) -> None:
            restored.close()
            put(partial(handler, number, frame))

        if threading.current_thread() is threading.main_thread():  # only there are signals received
            for number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(number)
                if callable(handler):
                    restored.callback(signal.signal, number, handler)
                    signal.signal(number, partial(defer, handler))
        yield
