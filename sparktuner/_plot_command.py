"""``sparktuner plot``: pictures of the trials in a store or a save file, without a screen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sparktuner import plotting
from sparktuner._stored import Source
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 120


def plot(source: Source, kind: str, path: str, is_dark: bool) -> None:
    """Writes a picture of trials to a file.

    Args:
        source: where the trials are.
        kind: the name of a plot without its ``plot_``, or ``overview``.
        path: the file; its ending says of what format it is.
        is_dark: whether the ground is black.

    Raises:
        NothingFound: there are no trials.
        MissingExtra: matplotlib is not installed.
        ValueError: the ending is of no format.
        OSError: the file cannot be written.
    """
    # Servers have no screen.
    plt = plotting.pyplot("Agg")
    _check_ending(path)
    trials = source.some_trials()
    with plt.style.context("dark_background" if is_dark else "default"):
        figure = _overview(trials) if kind == "overview" else _one(trials, kind)
        figure.savefig(path, dpi=_DOTS_PER_INCH)
        plt.close(figure)


def _check_ending(path: str) -> None:
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    ending = os.path.splitext(path)[1].removeprefix(".").lower()
    if ending not in known:
        raise ValueError(f"OUT must end in one of .{', .'.join(sorted(known))}, got {path!r}")


def _one(trials: Trials, kind: str) -> Figure:
    made = getattr(plotting, f"plot_{kind}")(trials)
    return (made[0] if isinstance(made, list) else made).figure


def _overview(trials: Trials) -> Figure:
    figure, axes = plotting.pyplot().subplots(2, 2, figsize=(13, 9), layout="constrained")
    plotting.plot_history(trials, ax=axes[0, 0])
    plotting.plot_importance(trials, ax=axes[0, 1])
    plotting.plot_parallel(trials, ax=axes[1, 0])
    plotting.plot_timeline(trials, ax=axes[1, 1])
    return figure
