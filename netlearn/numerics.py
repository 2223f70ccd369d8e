"""What every computation of the engine runs under, so that its results are the same on one machine, always."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

BLAS_THREADS = 1  # a result cannot depend on the number of cores; more gain nothing for mini-batches of 10


@contextmanager
def numerics() -> Iterator[None]:
    """Fix the BLAS threads; keep quiet about what is not finite; whoever computes reports it in their own words."""
    with (
        _blas().limit(limits=BLAS_THREADS, user_api="blas"),
        np.errstate(over="ignore", divide="ignore", invalid="ignore"),
    ):
        yield


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
