"""Small searches of libraries that build on Hyperopt, on sparktuner under its name.

By hand, in an environment that has the library and sparktuner::

    python -m tests.compat.libraries nevergrad
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from typing import Any

import sparktuner


def nevergrad() -> object:
    """Asks nevergrad's optimiser for points, and tells it their losses."""
    import nevergrad as ng

    x = ng.p.Scalar(lower=-5, upper=5)
    optimizer = ng.optimizers.registry["HyperOpt"](parametrization=x, budget=30)
    return optimizer.minimize(lambda x: (x - 1) ** 2).value


def ray() -> object:
    """Takes suggestions from Ray Tune's searcher, and reports to it; no cluster is started."""
    from ray.tune.search.hyperopt import HyperOptSearch

    space = {
        "x": sparktuner.hp.uniform("x", -5, 5),
        "act": sparktuner.hp.choice("act", ["a", "b"]),
    }
    searcher = HyperOptSearch(space, metric="loss", mode="min", n_initial_points=5)
    losses = []
    for i in range(30):
        configuration = searcher.suggest(f"trial-{i}")
        losses.append((configuration["x"] - 1) ** 2)
        searcher.on_trial_complete(f"trial-{i}", {"loss": losses[-1]})
    return min(losses)


LIBRARIES: dict[str, Callable[[], Any]] = {f.__name__: f for f in (nevergrad, ray)}


def main(names: list[str]) -> None:
    """Runs the libraries that are named, or all."""
    sparktuner.as_hyperopt()
    for name in names or LIBRARIES:
        answer = LIBRARIES[name]()
        print(name, importlib.metadata.version(name), "->", answer)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
