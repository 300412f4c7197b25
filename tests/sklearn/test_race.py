"""The rule by which folds are left out keeps to its level."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

from scipy import stats

from sparktuner.sklearn._race import FoldRace

Noise = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

# What differs from fold to fold beside the fold itself: also skewed, heavy-tailed, coarse (as an
# accuracy on few rows), or more so for some configurations than for others.
NOISE: dict[str, Noise] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails": lambda rng, shape: rng.standard_t(3, size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape),
    "skewed down": lambda rng, shape: -rng.exponential(size=shape),
    "coarse": lambda rng, shape: np.round(rng.normal(size=shape)),
    "unequal": lambda rng, shape: rng.normal(size=shape) * rng.lognormal(0, 1, size=(shape[0], 1)),
}
LEVEL = 0.05


def search(scores: np.ndarray) -> tuple[bool, float]:
    """Whether the best row is dropped when rows are scored one by one, and the share left out."""
    race = FoldRace(scores.shape[1], LEVEL)
    lost, left_out = set(), 0
    for i, row in enumerate(scores.tolist()):
        known: dict[int, float] = {}
        for fold, score in enumerate(row):
            known[fold] = score
            if race.is_beaten(known):
                lost.add(i)
                left_out += len(row) - len(known)
                break
        else:
            race.add(row)
    means = scores.mean(axis=1)
    best = np.flatnonzero(means > means.max() - 1e-9)
    return lost.issuperset(best), left_out / scores.size


def test_in_10000_searches_the_best_one_is_dropped_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(0)
    wrong, left_out = 0, []
    kinds = list(NOISE.values())
    for i in range(10_000):
        n_folds = (3, 5, 10)[i % 3]
        # From configurations that are all alike to some that are clearly worse.
        quality = rng.normal(0, (0.0, 0.3, 3.0)[i // 3 % 3], size=(20, 1))
        noise = kinds[i // 9 % len(kinds)](rng, (20, n_folds))
        dropped, share = search(quality + rng.normal(0, 2, size=(1, n_folds)) + noise)
        wrong += dropped
        left_out.append(share)
    # At the level itself the count would exceed this once in a million seeds.
    assert wrong <= stats.binom.ppf(1 - 1e-6, 10_000, LEVEL)
    assert wrong <= 0.02 * 10_000
    assert np.mean(left_out) > 0.1


def test_what_is_clearly_worse_is_dropped_early() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 0.01, size=(60, 5)) + rng.normal(0, 1, size=(1, 5))
    scores[10:] -= 5.0
    dropped, share = search(scores)
    assert not dropped
    assert share > 0.3


def test_nothing_is_dropped_before_some_are_complete_or_where_nothing_differs() -> None:
    race = FoldRace(5, LEVEL)
    assert not race.is_beaten({0: -1e9, 1: -1e9})
    for _ in range(10):
        race.add([1.0] * 5)
    assert not race.is_beaten({0: 0.5, 1: 0.5, 2: 0.5})


def test_one_fold_or_all_of_them_decide_nothing_and_two_folds_have_no_race() -> None:
    rng = np.random.default_rng(2)
    for n_folds in (1, 2, 5):
        race = FoldRace(n_folds, LEVEL)
        for _ in range(10):
            race.add(list(rng.normal(size=n_folds)))
        for known in {1, n_folds}:
            assert not race.is_beaten(dict.fromkeys(range(known), -100.0 * known))


def test_what_has_no_mean_cannot_win() -> None:
    race = FoldRace(5, LEVEL)
    assert race.is_beaten({3: math.nan})
    assert not race.add([1.0, 1.0, math.nan, 1.0, 1.0])
    assert race.best is None
