"""Plots of searches, with matplotlib: ``plot_history(trials)`` and its kin.

In reading order: the losses in the order of the trials, each parameter against the loss, and
when and where each trial ran, which parameters matter; then Hyperopt's four. All return what they
have drawn in, and work while a search runs. The extra is ``[plot]``; matplotlib is imported by the
first plot.
"""

from sparktuner.plotting._history import plot_history
from sparktuner.plotting._hyperopts import (
    main_plot_1D_attachment,
    main_plot_histogram,
    main_plot_history,
    main_plot_vars,
)
from sparktuner.plotting._importance import importances, plot_importance
from sparktuner.plotting._slice import plot_slice
from sparktuner.plotting._timeline import plot_timeline

__all__ = [
    "plot_history",
    "plot_slice",
    "plot_timeline",
    "plot_importance",
    "importances",
    "main_plot_history",
    "main_plot_histogram",
    "main_plot_vars",
    "main_plot_1D_attachment",
]


def __dir__() -> list[str]:
    return __all__
