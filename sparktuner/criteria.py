"""Hyperopt's import path for acquisition functions, which are not there yet."""

from typing import NoReturn

_MISSING = (
    "EI_empirical",
    "EI_gaussian",
    "EI_gaussian_empirical",
    "logEI_gaussian",
    "UCB",
)


def __getattr__(name: str) -> NoReturn:
    if name in _MISSING:
        raise ImportError(
            f"sparktuner.criteria has no {name} yet; compute it with scipy.stats.norm"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
