"""What the engine computes with: one BLAS thread, BLAS routines that write in place, aligned memory."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

Array: TypeAlias = NDArray[np.floating[Any]]

BLAS_THREADS = 1  # more would make results depend on the machine, and gain nothing for mini-batches of 10
N, T, IN_PLACE = 0, 1, 1  # flags of BLAS's routines: as it is, transposed, overwrite the array that is added to
ALIGNMENT = 64  # bytes, a cache line: products of unaligned arrays take 1.2 to 1.5 times as long


@contextmanager
def numerics() -> Iterator[None]:
    """Limit BLAS to one thread and silence floating-point warnings; training checks for divergence itself."""
    with (
        _blas_libraries().limit(limits=BLAS_THREADS, user_api="blas"),
        np.errstate(over="ignore", divide="ignore", invalid="ignore"),
    ):
        yield


def blas_kernels() -> str:
    """Return the BLAS libraries in use, with their versions and the kernels chosen for the processor."""
    libraries = _blas_libraries().select(user_api="blas").info()
    keys = ("internal_api", "version", "architecture")
    return ", ".join(sorted({" ".join(str(each.get(key, "")) for key in keys).strip() for each in libraries}))


@cache
def _blas_libraries() -> ThreadpoolController:
    # The search waits for ever if another thread, meanwhile, imports an extension module: it must be made before.
    _scipy_blas()  # scipy brings a second BLAS, which must be found too
    return ThreadpoolController()


@cache
def _scipy_blas() -> Any:
    """Return the module of scipy's BLAS routines; all of scipy.linalg would take seven times as long to import."""
    import scipy  # noqa: PLC0415 (left to those who train, as its BLAS)

    spec = PathFinder.find_spec("_fblas", [str(Path(scipy.__file__).parent / "linalg")])
    if spec is None or spec.loader is None:
        return import_module("scipy.linalg.blas")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _routine(name: str, dtype: np.dtype[Any]) -> Callable[..., Array]:
    routine: Callable[..., Array] = getattr(_scipy_blas(), {"f": "s", "d": "d"}[dtype.char] + name)
    return routine


def blas(dtype: DTypeLike) -> tuple[Callable[..., Array], Callable[..., Array]]:
    """Return BLAS's gemm and gemv for float32 or float64, which can add to an array in place.

    gemm(α, a, b, β, c, T or N for a, T or N for b, IN_PLACE) does c → α a b + β c, where T transposes, and
    gemv(α, a, v, β, y) does y → α a v + β y. Matrices must lie in memory column by column, or they are copied.
    """
    gemm, routine = (_routine(name, np.dtype(dtype)) for name in ("gemm", "gemv"))

    def gemv(alpha: float, a: Array, v: Array, beta: float, y: Array) -> Array:
        return routine(alpha, a, v, beta, y, 0, 1, 0, 1, N, IN_PLACE)  # v and y each from 0 on in steps of 1

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
    _routine("axpy", x.dtype)(x, y, a=alpha)
