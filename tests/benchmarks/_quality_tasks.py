"""Synthetic tuning tasks, described without any optimiser's vocabulary.

A space is a dictionary from label to a tuple: ("uniform", low, high), ("loguniform", low,
high), ("int", low, high), ("logint", low, high), ("step", low, high, q) or ("choice", [a
space for each option]). An objective receives {label: value}, active labels only, a
choice's value being its index.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Space = dict[str, tuple[Any, ...]]
Values = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A loss to minimise; ``noise`` is the standard deviation of what is observed."""

    name: str
    space: Space
    loss: Callable[[Values], float]
    noise: float = 0.0
    optimum: float | None = None


def _vector(values: Values, d: int) -> np.ndarray:
    return np.array([values[f"x{i}"] for i in range(d)])


def _box(d: int, low: float, high: float) -> Space:
    return {f"x{i}": ("uniform", low, high) for i in range(d)}


def _branin(v: Values) -> float:
    x, y = v["x0"], v["x1"]
    valley = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return float(valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


_H_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
     [17, 8, 0.05, 10, 0.1, 14]]
)  # fmt: skip
_H_P = 1e-4 * np.array(
    [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
)  # fmt: skip
_H_C = np.array([1.0, 1.2, 3.0, 3.2])


def _hartmann6(v: Values) -> float:
    x = _vector(v, 6)
    return float(-_H_C @ np.exp(-(_H_A * (x - _H_P) ** 2).sum(axis=1)))


def _ackley(d: int) -> Callable[[Values], float]:
    shift = np.random.default_rng(d).uniform(-10, 10, d)

    def loss(v: Values) -> float:
        x = _vector(v, d) - shift
        root = math.sqrt(float(x @ x) / d)
        return 20 + math.e - 20 * math.exp(-0.2 * root) - math.exp(np.cos(2 * np.pi * x).mean())

    return loss


def _rosenbrock(v: Values) -> float:
    x = _vector(v, 4)
    return math.log1p(float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()))


def _valley(v: Values) -> float:
    """A rotated ellipsoid, condition number 400."""
    rotation, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(5, 5)))
    z = rotation @ (_vector(v, 5) - np.array([0.3, -0.4, 0.1, 0.5, -0.2]))
    return math.sqrt(float((z**2 * np.geomspace(1, 400, 5)).sum()))


def _levy(d: int) -> Callable[[Values], float]:
    def loss(v: Values) -> float:
        w = 1 + (_vector(v, d) - 1) / 4
        inner = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)).sum()
        last = (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
        return float(np.sin(np.pi * w[0]) ** 2 + inner + last)

    return loss


def _sparse40(v: Values) -> float:
    """40 parameters, of which 5 matter."""
    x = _vector(v, 40)[[3, 11, 19, 27, 35]] - np.array([0.2, 0.7, 0.4, 0.9, 0.55])
    return float((np.array([5, 4, 3, 2, 1]) * x**2).sum())


_TABLE = np.random.default_rng(5)
_CATEGORIES = _TABLE.normal(size=(8, 8, 4, 4)) * (_TABLE.random((8, 8, 1, 1)) < 0.3)
_SINGLE = _TABLE.normal(size=(8, 4))


def _categorical(v: Values) -> float:
    k = [v[f"c{i}"] for i in range(8)]
    single = sum(_SINGLE[i, k[i]] for i in range(8))
    pairs = sum(_CATEGORIES[i, j, k[i], k[j]] for i in range(8) for j in range(i))
    return float(single + 0.7 * pairs)


def _mixed(v: Values) -> float:
    kind, act = v["kind"], v["act"]
    target = (3, 9, 14)[kind]
    return float(
        (0.5, 0.0, 0.3)[kind]
        + 0.02 * abs(v["layers"] - target)
        + 0.3 * (math.log10(v["lr"]) + 2 + 0.5 * act) ** 2
        + 0.5 * abs(v["drop"] - 0.1 * v["layers"] % 0.7)
        + 0.2 * (math.log2(v["units"]) - 6 - kind) ** 2 / 4
        + (0.0, 0.15, 0.3, 0.1)[act]
    )


def _scales(v: Values) -> float:
    """A learning rate, a decay, a batch size: logarithmic scales with an interaction."""
    lr, wd, batch = math.log10(v["lr"]), math.log10(v["wd"]), math.log2(v["batch"])
    stable = lr - 0.3 * (batch - 5) + 2.5
    return float(
        0.1 + 0.08 * stable**2 + (0.3 * max(stable, 0.8) ** 2 if stable > 0.8 else 0)
        + 0.03 * (wd + lr + 6) ** 2 + 0.2 * (v["momentum"] - 0.9) ** 2 + 0.02 * abs(batch - 7)
        + 0.1 * (v["warm"] - 0.3) ** 2
    )  # fmt: skip


def _deep_space() -> Space:
    svm: Space = {
        "C": ("loguniform", 1e-3, 1e3),
        "kernel": ("choice", [{"g": ("loguniform", 1e-4, 10.0)}, {"deg": ("int", 2, 6),
                   "coef": ("uniform", 0.0, 2.0)}, {}]),
    }  # fmt: skip
    boost: Space = {
        "eta": ("loguniform", 1e-3, 1.0),
        "trees": ("logint", 10, 1000),
        "grow": ("choice", [{"depth": ("int", 1, 12)}, {"leaves": ("logint", 2, 256)}]),
    }
    return {
        "scale": ("choice", [{}, {}, {"pc": ("uniform", 0.1, 1.0)}]),
        "model": ("choice", [svm, boost, {"k": ("int", 1, 50), "p": ("uniform", 1.0, 4.0)}]),
    }


def _deep(v: Values) -> float:
    log = math.log10
    scaling = (0.15, 0.0, 0.02 + 0.2 * abs(v.get("pc", 0.6) - 0.6))[v["scale"]]
    if v["model"] == 0:
        base = 0.05 + scaling + 0.02 * (log(v["C"]) - 1.2) ** 2
        match v["kernel"]:
            case 0:
                return base + 0.06 * (log(v["g"]) + 2 + 0.4 * log(v["C"])) ** 2
            case 1:
                return base + 0.08 + 0.02 * abs(v["deg"] - 3) + 0.05 * (v["coef"] - 1) ** 2
        return base + 0.2
    if v["model"] == 1:
        base = 0.02 + 0.3 * scaling + 0.04 * (log(v["eta"]) + log(v["trees"]) - 0.8) ** 2
        base += 0.02 * (log(v["eta"]) + 1.5) ** 2
        if v["grow"] == 0:
            return base + 0.01 * abs(v["depth"] - 5)
        return base + 0.01 + 0.02 * (math.log2(v["leaves"]) - 5) ** 2
    return 0.12 + 2 * scaling + 0.002 * abs(v["k"] - 8) + 0.02 * (v["p"] - 1.5) ** 2


def _wide_space() -> Space:
    space: Space = {}
    for i in range(6):
        on: Space = {
            f"a{i}": ("uniform", 0.0, 1.0),
            f"b{i}": ("loguniform", 1e-3, 1.0),
            f"n{i}": ("int", 1, 16),
        }
        space[f"use{i}"] = ("choice", [{}, on])
    return space


def _wide(v: Values) -> float:
    total = 0.0
    for i in range(6):
        if not v[f"use{i}"]:
            total += 0.3 if i % 2 else 0.1
            continue
        total += 0.2 * (i % 2 == 0) + (v[f"a{i}"] - 0.15 * i) ** 2
        total += 0.05 * (math.log10(v[f"b{i}"]) + 0.5 * i) ** 2 + 0.01 * abs(v[f"n{i}"] - 2 * i)
    return total


def _styblinski(v: Values) -> float:
    x = _vector(v, 8)
    return float((x**4 - 16 * x**2 + 5 * x).sum() / 2)


_MIXED: Space = {
    "kind": ("choice", [{}, {}, {}]),
    "act": ("choice", [{}, {}, {}, {}]),
    "layers": ("int", 1, 20),
    "units": ("logint", 8, 1024),
    "lr": ("loguniform", 1e-5, 1.0),
    "drop": ("step", 0.0, 0.7, 0.05),
}
_SCALES: Space = {
    "lr": ("loguniform", 1e-6, 1.0),
    "wd": ("loguniform", 1e-8, 1e-1),
    "batch": ("logint", 8, 1024),
    "momentum": ("uniform", 0.0, 1.0),
    "warm": ("uniform", 0.0, 1.0),
}

SYNTHETIC = (
    Task("branin", {"x0": ("uniform", -5.0, 10.0), "x1": ("uniform", 0.0, 15.0)}, _branin,
         optimum=0.397887),
    Task("hartmann6", _box(6, 0.0, 1.0), _hartmann6, optimum=-3.32237),
    Task("hartmann6_noisy", _box(6, 0.0, 1.0), _hartmann6, noise=0.2, optimum=-3.32237),
    Task("ackley10", _box(10, -15.0, 15.0), _ackley(10), optimum=0.0),
    Task("rosenbrock4", _box(4, -2.0, 2.0), _rosenbrock, optimum=0.0),
    Task("valley5", _box(5, -1.0, 1.0), _valley, optimum=0.0),
    Task("levy20", _box(20, -10.0, 10.0), _levy(20), optimum=0.0),
    Task("styblinski8", _box(8, -5.0, 5.0), _styblinski, optimum=-39.16617 * 8),
    Task("sparse40", _box(40, 0.0, 1.0), _sparse40, optimum=0.0),
    Task("categorical8", {f"c{i}": ("choice", [{}] * 4) for i in range(8)}, _categorical),
    Task("mixed6", _MIXED, _mixed),
    Task("scales5", _SCALES, _scales),
    Task("scales5_noisy", _SCALES, _scales, noise=0.03),
    Task("deep_conditional", _deep_space(), _deep, optimum=0.02),
    Task("wide_conditional", _wide_space(), _wide),
)  # fmt: skip
