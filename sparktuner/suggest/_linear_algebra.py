"""Small dense matrices without BLAS threads.

On matrices of a hundred rows, threads cost more than they save (a hundred times more on a
busy machine), and a sum's last bits would depend on their number. OpenBLAS starts them above
sizes that the functions here stay below.
"""

from __future__ import annotations

import numpy as np

from sparktuner.space import FloatArray

# Measured with OpenBLAS 0.3.31: larger products and factorisations take more processor time
# than wall time, which is to say threads.
_MAX_MULTIPLICATIONS = 90_000
_BLOCK = 32
# Rows of the largest matrix that a model makes of trials; not a limit of these functions.
MAX_ROWS = 96


def product(a: FloatArray, b: FloatArray) -> FloatArray:
    """``a @ b`` for matrices (k, n) and (n, m), a few rows at a time."""
    # Copied, or NumPy takes a symmetric product for a @ a.T, which OpenBLAS runs in threads.
    b = b.copy()
    rows = max(1, _MAX_MULTIPLICATIONS // max(b.size, 1))
    if len(a) <= rows:
        whole: FloatArray = a @ b
        return whole
    return np.concatenate([a[i : i + rows] @ b for i in range(0, len(a), rows)])


def inverse(k: FloatArray) -> tuple[FloatArray, float]:
    """Inverse and log determinant of a symmetric positive definite matrix.

    By blocks, through the Schur complement of the first half.

    Raises:
        ValueError: it is not positive definite.
    """
    if len(k) <= _BLOCK:
        return _inverse_of_block(k)
    h = len(k) // 2
    first, first_log = inverse(k[:h, :h])
    w = product(k[h:, :h], first)
    second, second_log = inverse(k[h:, h:] - product(w, k[:h, h:]))
    below = product(second, w)
    whole = np.empty_like(k)
    whole[:h, :h] = first + product(w.T, below)
    whole[h:, :h] = -below
    whole[:h, h:] = -below.T
    whole[h:, h:] = second
    return whole, first_log + second_log


def _inverse_of_block(k: FloatArray) -> tuple[FloatArray, float]:
    from scipy.linalg import lapack  # a tenth of the package's import time, needed only here

    factor, info = lapack.dpotrf(k, lower=1, clean=1)
    if info:
        raise ValueError("the matrix is not positive definite")
    # dpotri would do the rest in one step, in threads at any size.
    root = lapack.dtrtri(factor, lower=1)[0]
    return product(root.T, root), 2 * float(np.log(np.diag(factor)).sum())
