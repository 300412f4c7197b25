"""Products and inverses of small dense matrices, without BLAS threads.

On matrices of a hundred rows, threads cost more than they save (a hundred times more on a
busy machine), and the last bits of a sum would depend on their number. OpenBLAS starts them
above sizes that the functions here stay below.
"""

from __future__ import annotations

import numpy as np

from sparktuner.space import FloatArray

# Measured with OpenBLAS 0.3.31: larger products and factorisations take more processor time
# than wall time, which is to say threads.
_MAX_MULTIPLICATIONS = 90_000
# LAPACK's Cholesky factorisation runs in one thread up to this size, by the same measurement.
_BLOCK = 32
# The largest matrix that a model makes of trials has so many rows: suggestions cost the same
# from there on. It is not a limit of these functions.
MAX_ROWS = 96


def product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Returns the product (k, m) of matrices (k, n) and (n, m), a few rows at a time."""
    # Copied, or NumPy takes a symmetric product for a @ a.T, which OpenBLAS runs in threads.
    b = b.copy()
    rows = max(1, _MAX_MULTIPLICATIONS // max(b.size, 1))
    if len(a) <= rows:
        whole: FloatArray = a @ b
        return whole
    return np.concatenate([a[i : i + rows] @ b for i in range(0, len(a), rows)])


def inverse(k: FloatArray) -> tuple[FloatArray, float]:
    """Returns the inverse (n, n) and the log determinant of a symmetric positive definite matrix.

    The matrix is divided into four blocks, and its inverse put together from those of the first
    block and of its Schur complement (Rasmussen and Williams, 2006, appendix A.3).

    Raises:
        ValueError: The matrix is not positive definite.
    """
    if len(k) <= _BLOCK:
        return _inverse_of_block(k)
    # k = [[a, b'], [b, c]], a = k[:h, :h]; w = b a^-1.
    h = len(k) // 2
    first, first_log = inverse(k[:h, :h])
    w = product(k[h:, :h], first)
    # The Schur complement c - b a^-1 b' has the determinant |k| / |a|.
    second, second_log = inverse(k[h:, h:] - product(w, k[:h, h:]))
    below = product(second, w)
    # [[a^-1 + w' s^-1 w, -(s^-1 w)'], [-s^-1 w, s^-1]], s being the complement.
    whole = np.empty_like(k)
    whole[:h, :h] = first + product(w.T, below)
    whole[h:, :h] = -below
    whole[:h, h:] = -below.T
    whole[h:, h:] = second
    return whole, first_log + second_log


def cholesky(k: FloatArray) -> FloatArray:
    """Returns the lower triangle (n, n) whose product with its transpose is a symmetric matrix.

    Raises:
        ValueError: The matrix is not positive definite.
    """
    rest, root = k.copy(), np.zeros_like(k)
    for i in range(0, len(k), _BLOCK):
        j = min(i + _BLOCK, len(k))
        root[i:j, i:j], inverse_root = _root_of_block(rest[i:j, i:j])
        root[j:, i:j] = product(rest[j:, i:j], inverse_root.T)
        # What the columns so far leave of the block below them: its Schur complement.
        rest[j:, j:] -= product(root[j:, i:j], root[j:, i:j].T)
    return root


def _inverse_of_block(k: FloatArray) -> tuple[FloatArray, float]:
    # k = l l', so k^-1 = (l^-1)' l^-1. dpotri would do the rest in one step, but in threads at
    # any size.
    factor, root = _root_of_block(k)
    return product(root.T, root), 2 * float(np.log(np.diag(factor)).sum())


def _root_of_block(k: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The Cholesky factor of a small matrix, and its inverse."""
    from scipy.linalg import lapack  # a tenth of the package's import time, needed only here

    factor, info = lapack.dpotrf(k, lower=1, clean=1)
    if info:
        raise ValueError("the matrix is not positive definite")
    return factor, lapack.dtrtri(factor, lower=1)[0]
