"""Hyperopt's import path for plots of trials, which are not there yet."""

from typing import NoReturn

_MISSING = (
    "main_plot_history",
    "main_plot_histogram",
    "main_plot_vars",
    "main_plot_1D_attachment",
)


def __getattr__(name: str) -> NoReturn:
    if name in _MISSING:
        raise ImportError(
            f"sparktuner.plotting has no {name} yet; draw trials.losses() with matplotlib"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
