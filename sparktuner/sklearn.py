"""Hyperopt's import path for its scikit-learn estimator, which is not there yet."""

from typing import NoReturn

_MISSING = ("HyperoptSearchCV",)


def __getattr__(name: str) -> NoReturn:
    if name in _MISSING:
        raise ImportError(
            f"sparktuner.sklearn has no {name} yet; call cross_val_score in the objective of fmin"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
