"""Spaces and losses at the ends of what floats can hold, by seeded chance."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from sparktuner import anneal, atpe, hp, qmc, tpe
from sparktuner.errors import BadSearchSpace
from sparktuner.records import TrialDocument
from sparktuner.space import Column, Node, Numeric, RandInt, evaluate
from tests.suggest.searches import Search, values

ALGORITHMS: dict[str, Callable[..., list[TrialDocument]]] = {
    "tpe": partial(tpe.suggest, n_startup_jobs=3),
    "atpe": partial(atpe.suggest, n_startup_jobs=3),
    "anneal": anneal.suggest,
    "qmc": qmc.suggest,
}
LOSSES: list[list[float | None]] = [
    [1.0],
    [1.7e308, -1.7e308, 1e300],
    [1e300, 0.0, 1e-300, 5.0],
    [None, None, 1.0, 2.0],
    [5e-324, 0.0, 1e-320],
]
SIZES = [1e-300, 1e-12, 1e-3, 1.0, 1e6, 1e15, 2.0**60, 1e100, 1e299]
STEPS = [5e-324, 1e-9, 0.1, 1 / 3, 1.0, 3.0, 1e15, 1e100]
STARTS = [0, -5, 2**53 - 1, 2**60 + 1, -(2**60) - 1, -(2**64), 2**64 - 3]


def _integers(r: random.Random, label: str) -> Node:
    low = r.choice(STARTS)
    return hp.randint(label, low, min(2**64, low + r.choice([1, 2, 3, 1000, 2**40, 2**65])))


def _between(r: random.Random, label: str) -> Node:
    low = r.choice([-1, 0, 1]) * r.choice(SIZES)
    high = low + r.choice([*SIZES, abs(low) * 1e-15])
    if r.random() < 0.5:
        return hp.uniform(label, low, high)
    return hp.quniform(label, low, high, r.choice(STEPS))


def _logarithmic(r: random.Random, label: str) -> Node:
    low = r.uniform(-745, 700)
    high = low + r.choice([1e-12, 1e-3, 1, 30, 700])
    if r.random() < 0.5:
        return hp.loguniform(label, low, high)
    return hp.qloguniform(label, low, high, r.choice(STEPS))


def _unbounded(r: random.Random, label: str) -> Node:
    mu, sigma = r.choice([-1, 0, 1]) * r.choice(SIZES), r.choice(SIZES)
    if r.random() < 0.5:
        return hp.normal(label, mu, sigma)
    return hp.qnormal(label, mu, sigma, r.choice(STEPS))


def _log_unbounded(r: random.Random, label: str) -> Node:
    mu, sigma = r.uniform(-740, 700), r.choice([1e-12, 1, 30, 1e100])
    if r.random() < 0.5:
        return hp.lognormal(label, mu, sigma)
    return hp.qlognormal(label, mu, sigma, r.choice(STEPS))


def _rare(r: random.Random, label: str) -> Node:
    return hp.pchoice(label, [(0.0, 1), (1e-300, 2), (1.0, 3)])


KINDS = [_integers, _between, _logarithmic, _unbounded, _log_unbounded, _rare]


def _part(r: random.Random, name: str, depth: int) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for i in range(r.randint(1, 3)):
        label = f"{name}{i}"
        if depth and r.random() < 0.35:
            options = [_part(r, f"{label}{j}", depth - 1) for j in "abc"[: r.randint(1, 3)]]
            part[label] = hp.choice(label, options)
        else:
            part[label] = _legal(r, label)
    return part


def _legal(r: random.Random, label: str) -> Node:
    while True:
        try:
            return r.choice(KINDS)(r, label)
        except BadSearchSpace:
            pass  # some of these numbers make no distribution together


def _is_possible(column: Column, value: object) -> bool:
    distribution = column.distribution
    if isinstance(distribution, RandInt):
        return type(value) is int and distribution.low <= value < distribution.high
    if not isinstance(distribution, Numeric):
        return type(value) is int and 0 <= value < len(distribution.p)
    if type(value) is not (int if distribution.is_whole else float):
        return False
    low, high = distribution.limits
    slack = 1e-12 * max(abs(low), abs(high)) if math.isfinite(low + high) else 0.0
    return math.isfinite(value) and low - slack <= value <= high + slack


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ALGORITHMS)
def test_nothing_at_the_ends_of_the_floats_ends_a_search(name: str, seed: int) -> None:
    r = random.Random(seed)
    search, losses = Search(_part(r, "p", 2)), r.choice(LOSSES)
    space = search.domain.space
    columns = {column.label: column for column in space.columns}
    # What underflows is 0, which is meant; anything else would be a warning to users.
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        for i in range(10):
            for document in search.ask(ALGORITHMS[name], r.choice([1, 1, 3]), seed=i):
                configuration = values(document)
                evaluate(space.root, configuration)
                wrong = {k: v for k, v in configuration.items() if not _is_possible(columns[k], v)}
                assert not wrong
                if r.random() < 0.85:
                    search.tell(document, r.choice(losses))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_stepped_value_far_from_a_narrow_mean_does_no_harm(name: str) -> None:
    search = Search(hp.qnormal("x", 0.3, 1e-200, 1))
    with np.errstate(all="raise", under="ignore"):
        search.run(ALGORITHMS[name], 8, lambda configuration: 0.0)
    assert {values(document)["x"] for document in search.documents} <= {-1, 0, 1}
