"""Plots of searches, with matplotlib: ``plot_history(trials)`` and its kin.

In reading order: the losses in the order of the trials, each parameter against the loss, two of
them, and whole configurations; which parameters matter; when and where each trial ran; several
searches side by side; then Hyperopt's four. All return what they have drawn in, and work while a
search runs. The extra is ``[plot]``; matplotlib is imported by the first plot.

What is not in ``__all__`` are the numbers behind the plots, for the page of
:mod:`sparktuner.report`, which draws them itself, and matplotlib's pyplot, for the command line.
"""

from sparktuner.plotting._contour import plot_contour
from sparktuner.plotting._edf import distribution_function as distribution_function
from sparktuner.plotting._edf import plot_edf
from sparktuner.plotting._history import plot_history
from sparktuner.plotting._history import rolling_quantiles as rolling_quantiles
from sparktuner.plotting._hyperopts import (
    main_plot_1D_attachment,
    main_plot_histogram,
    main_plot_history,
    main_plot_vars,
)
from sparktuner.plotting._importance import foretold as foretold
from sparktuner.plotting._importance import importances, plot_importance
from sparktuner.plotting._importance import shares_of as shares_of
from sparktuner.plotting._lanes import lanes_of as lanes_of
from sparktuner.plotting._parallel import lines_of as lines_of
from sparktuner.plotting._parallel import plot_parallel
from sparktuner.plotting._seen import SeenParameter as SeenParameter
from sparktuner.plotting._seen import SeenTrials as SeenTrials
from sparktuner.plotting._seen import seen as seen
from sparktuner.plotting._slice import plot_slice
from sparktuner.plotting._style import pyplot as pyplot
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
