"""Regression by extremely randomised trees, all of them grown at once.

Geurts, Ernst and Wehenkel (2006), Extremely Randomized Trees: each node tries a random
threshold of several random features, and keeps the one that explains most variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparktuner.space import FloatArray

_Ints = npt.NDArray[np.intp]

_MOST_CANDIDATES = 16
# A chain of splits that each part a single point from the others ends here.
_DEEPEST = 40


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees whose nodes are rows of arrays; the first ones are their roots.

    Attributes:
        trees: how many.
        feature: (nodes,) on which a node splits; -1 of a leaf.
        threshold: (nodes,) what is above it goes right.
        left: (nodes,) the left child; the right one is the next row.
        value: (nodes,) the mean of the targets in it.
    """

    trees: int
    feature: _Ints
    threshold: FloatArray
    left: _Ints
    value: FloatArray

    def predict(self, x: FloatArray) -> FloatArray:
        """Returns the mean of what the trees say.

        Args:
            x: (n, p)

        Returns:
            (n,)
        """
        total = np.zeros(len(x))
        rows = np.arange(len(x))
        for root in range(self.trees):
            at = np.full(len(x), root)
            below = rows
            while len(below):
                below = below[self.feature[at[below]] >= 0]
                node = at[below]
                goes_right = x[below, self.feature[node]] > self.threshold[node]
                at[below] = self.left[node] + goes_right
            total += self.value[at]
        return total / self.trees


def fit_forest(
    x: FloatArray, y: FloatArray, rng: np.random.Generator, trees: int, least: int = 2
) -> Forest:
    """Returns trees that each have seen all points.

    Args:
        x: (n, p) points; NaN where a feature is missing, for which each tree takes a random
            number in [0, 1], so that it explains nothing.
        y: (n,) targets.
        rng: for thresholds and missing features.
        trees: how many.
        least: how many points a leaf has at least.
    """
    n, p = x.shape
    points = np.repeat(x[None], trees, axis=0).reshape(trees * n, p)
    missing = np.isnan(points)
    points[missing] = rng.random(int(missing.sum()))
    grower = _Grower(points, np.tile(y, trees), np.repeat(np.arange(trees), n), rng, least)
    while grower.grow():
        pass
    return grower.forest(trees)


class _Grower:
    """Trees that grow by one level at a time.

    Args:
        x: (m, p) the points of all trees.
        y: (m,) their targets.
        node: (m,) the node that a point is in.
        rng: for thresholds.
        least: how many points a leaf has.
    """

    def __init__(
        self, x: FloatArray, y: FloatArray, node: _Ints, rng: np.random.Generator, least: int
    ) -> None:
        self._x, self._y, self._node = x, y, node
        self._rng, self._least = rng, least
        self._first, self._levels = 0, 0
        self._parts: list[tuple[_Ints, FloatArray, _Ints, FloatArray]] = []

    def grow(self) -> bool:
        """Splits each node of the lowest level that can be; returns whether there was one."""
        first = self._first
        n = int(self._node.max()) + 1 - first if len(self._node) else 0
        if not n:
            return False
        local = self._node - first
        count = np.bincount(local, minlength=n)
        value = np.bincount(local, self._y, minlength=n) / np.maximum(count, 1)
        feature, threshold = self._best_splits(local, n, count)
        is_split = feature >= 0
        # Children of the nodes that split, in pairs behind all that there are.
        left = np.where(is_split, first + n + 2 * (np.cumsum(is_split) - 1), -1)
        self._parts.append((feature, threshold, left, value))
        self._first, self._levels = first + n, self._levels + 1
        kept = is_split[local]
        self._x, self._y, local = self._x[kept], self._y[kept], local[kept]
        goes_right = self._x[np.arange(len(local)), feature[local]] > threshold[local]
        self._node = left[local] + goes_right
        return True

    def _best_splits(self, local: _Ints, n: int, count: _Ints) -> tuple[_Ints, FloatArray]:
        best = np.full(n, -1, dtype=np.intp)
        at, gain = np.zeros(n), np.zeros(n)
        if self._levels >= _DEEPEST:
            return best, at
        order = np.argsort(local, kind="stable")
        starts = np.concatenate([[0], np.cumsum(count)[:-1]])
        # Every node has a point: children are made of both sides of a split.
        mean = np.bincount(local, self._y, minlength=n) / count
        centred = self._y - mean[local]
        p = self._x.shape[1]
        rows = np.arange(len(local))
        for feature in self._candidates(n, min(p, _MOST_CANDIDATES)):
            x = self._x[rows, feature[local]]
            sorted_x = x[order]
            low = np.minimum.reduceat(sorted_x, starts)
            high = np.maximum.reduceat(sorted_x, starts)
            threshold = low + self._rng.random(n) * (high - low)
            right = x > threshold[local]
            n_right = np.bincount(local[right], minlength=n)
            sum_right = np.bincount(local[right], centred[right], minlength=n)
            n_left = count - n_right
            # Of centred targets the left sum is minus the right one.
            explained = sum_right**2 * (1 / np.maximum(n_left, 1) + 1 / np.maximum(n_right, 1))
            allowed = (n_left >= self._least) & (n_right >= self._least) & (explained > gain)
            best[allowed], at[allowed] = feature[allowed], threshold[allowed]
            gain[allowed] = explained[allowed]
        return best, at

    def _candidates(self, n: int, k: int) -> list[_Ints]:
        """Returns ``k`` different random features for each of ``n`` nodes."""
        p = self._x.shape[1]
        shuffled = np.argsort(self._rng.random((n, p)), axis=1)
        return [shuffled[:, i] for i in range(k)]

    def forest(self, trees: int) -> Forest:
        """Returns what has grown."""
        feature, threshold, left, value = (
            np.concatenate(part) for part in zip(*self._parts, strict=True)
        )
        return Forest(trees, feature, threshold, left, value)
