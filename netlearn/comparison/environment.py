"""The environment of a run, which can change the last digits of its results and its time."""

import os
import platform
from contextlib import suppress
from pathlib import Path

import numpy as np
import scipy
from threadpoolctl import threadpool_info

from netlearn import __version__
from netlearn.numerics import BLAS_THREADS


def environment() -> dict[str, str | int | None]:
    """Return the versions of the software, the BLAS, the processor and the system."""
    blas = {
        " ".join(str(pool.get(key, "")) for key in ("internal_api", "version", "architecture")).strip()
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    return {
        "netlearn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "blas": ", ".join(sorted(blas)),
        "blas_threads": BLAS_THREADS,
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
