from importlib.machinery import PathFinder

import numpy as np
import pytest
from scipy.linalg import blas as whole

from netlearn import numerics
from netlearn.numerics import Array, axpy, blas
from tests.commands import python


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("alone", [True, False])
def test_routines_are_scipys_own_to_the_byte(dtype: type, alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for cached in (numerics._scipy_blas, numerics._routine):
        cached.cache_clear()
    if not alone:
        monkeypatch.setattr(PathFinder, "find_spec", lambda *arguments: None)
    gemm, gemv = blas(dtype)
    rng = np.random.default_rng(0)
    a: Array = np.asfortranarray(rng.random((40, 40)), dtype)
    b: Array = np.asfortranarray(rng.random((40, 40)), dtype)
    expected = whole.get_blas_funcs(("gemm", "gemv"), dtype=np.dtype(dtype))
    np.testing.assert_array_equal(gemm(0.5, a, b), expected[0](0.5, a, b))
    np.testing.assert_array_equal(gemv(0.5, a, b[0].copy(), 0.0, np.zeros(40, dtype)), expected[1](0.5, a, b[0]))
    y = b[1].copy()
    axpy(0.5, a[0].copy(), y)
    np.testing.assert_allclose(y, b[1] + 0.5 * a[0], rtol=1e-6)
    for cached in (numerics._scipy_blas, numerics._routine):
        cached.cache_clear()


@pytest.mark.slow
def test_training_does_not_wait_for_the_whole_of_scipys_linear_algebra() -> None:
    code = "import sys, netlearn.comparison.process as p; p.import_numerics(); exit('scipy.linalg' in sys.modules)"
    assert python("-c", code).returncode == 0
