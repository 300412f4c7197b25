"""Plots of searches, with matplotlib: ``plot_history(trials)`` and its kin.

In reading order: the losses in the order of the trials, each parameter against the loss, two of
them, and whole configurations; which parameters matter; when and where each trial ran; several
searches side by side; then Hyperopt's four. All return what they have drawn in, and work while a
search runs. The extra is ``[plot]``; matplotlib is imported by the first plot.
"""

from sparktuner.plotting._contour import plot_contour
from sparktuner.plotting._edf import plot_edf
from sparktuner.plotting._history import plot_history
from sparktuner.plotting._hyperopts import (
    main_plot_1D_attachment,
    main_plot_histogram,
    main_plot_history,
    main_plot_vars,
)
from sparktuner.plotting._importance import importances, plot_importance
from sparktuner.plotting._parallel import plot_parallel
from sparktuner.plotting._slice import plot_slice
from sparktuner.plotting._timeline import plot_timeline

__all__ = [
    "plot_history",
    "plot_slice",
    "plot_contour",
    "plot_parallel",
    "plot_importance",
    "importances",
    "plot_timeline",
    "plot_edf",
    "main_plot_history",
    "main_plot_histogram",
    "main_plot_vars",
    "main_plot_1D_attachment",
]


def __dir__() -> list[str]:
    return __all__
