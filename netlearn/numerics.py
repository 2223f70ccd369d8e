"""What the engine computes with: one BLAS thread, BLAS routines that write in place, aligned memory."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

Array: TypeAlias = NDArray[np.floating[Any]]

BLAS_THREADS = 1  # more would make results depend on the machine, and gain nothing for mini-batches of 10
ALIGNMENT = 64  # bytes, a cache line: products of unaligned arrays take 1.2 to 1.5 times as long


@contextmanager
def numerics() -> Iterator[None]:
    """Limit BLAS to one thread and silence floating-point warnings; training checks for divergence itself."""
    with (
        _blas_libraries().limit(limits=BLAS_THREADS, user_api="blas"),
        np.errstate(over="ignore", divide="ignore", invalid="ignore"),
    ):
        yield


@cache
def _blas_libraries() -> ThreadpoolController:
    import scipy.linalg.blas  # noqa: F401, PLC0415 (scipy brings a second BLAS, which must be found too)

    return ThreadpoolController()


def blas(dtype: DTypeLike) -> tuple[Callable[..., Array], Callable[..., Array]]:
    """Return BLAS's gemm and gemv for a dtype, which can add to an array in place.

    The import takes 0.1 to 0.3 s, so it is left to those who train.
    """
    from scipy.linalg.blas import get_blas_funcs  # noqa: PLC0415

    gemm, gemv = get_blas_funcs(("gemm", "gemv"), dtype=np.dtype(dtype))
    return gemm, gemv


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Return a C-ordered array of zeros that starts on a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    block = np.zeros(size + ALIGNMENT, np.uint8)
    start = -block.ctypes.data % ALIGNMENT
    array: Array = block[start : start + size].view(dtype).reshape(shape)
    return array


def columns(n: int, batch: int, dtype: DTypeLike) -> Array:
    """Return an (n, batch) array of zeros, examples as columns, each contiguous in memory."""
    return zeros((batch, n), dtype).T


def axpy(alpha: float, x: Array, y: Array) -> None:
    """Add alpha x to y in place, in one pass; both are vectors of the same length."""
    _axpy(x.dtype)(x, y, a=alpha)


@cache
def _axpy(dtype: np.dtype[Any]) -> Callable[..., Array]:
    from scipy.linalg.blas import get_blas_funcs  # noqa: PLC0415 (as for `blas`)

    axpy: Callable[..., Array] = get_blas_funcs("axpy", dtype=dtype)
    return axpy
