"""The losses of a search in the order of its trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparktuner.history import loss_view, running_best
from sparktuner.plotting._seen import SeenTrials, seen
from sparktuner.plotting._style import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    apply_view,
    axes_of,
    count,
    legend,
    plain_text,
    say,
)
from sparktuner.space import FloatArray
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# So many trials make quantiles that say something; more than the longest window say no more.
_LEAST, _LONGEST_WINDOW = 20, 200
_MARKS = {"failed": "x", "cancelled": "|", "running": ">", "waiting": "."}


def rolling_quantiles(losses: FloatArray, window: int, levels: tuple[float, ...]) -> FloatArray:
    """Returns quantiles of the losses of each trial and those before it.

    Args:
        losses: (n,) finite.
        window: of how many trials, at most n.
        levels: in [0, 1].

    Returns:
        (levels, n - window + 1): one column for each full window.
    """
    windows = np.lib.stride_tricks.sliding_window_view(losses, window)
    quantiles: FloatArray = np.quantile(windows, levels, axis=1)
    return quantiles


def plot_history(trials: Trials, *, ax: Axes | None = None) -> Axes:
    """Draws each trial's loss, the best so far, and how the bulk of the losses moves.

    The line in the middle of the band is the median of the latest trials, and half of their
    losses are in the band. Trials without a loss stand at the bottom, by how they ended. A few
    losses that are far above the others stand at the top edge.

    Args:
        trials: of a search that has ended, or runs.
        ax: where to draw; None makes a new figure.

    Returns:
        The axes.

    Raises:
        MissingExtra: matplotlib is not installed.
        TypeError: an argument is of the wrong type.

    Example:
        >>> from sparktuner import Trials, fmin, hp
        >>> trials = Trials()
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
        >>> plot_history(trials).get_ylabel()  # draws with matplotlib
        'loss'
    """
    data, ax = seen(trials), axes_of(ax)
    ax.set_title("Loss of each trial")
    if not len(data.numbers):
        say(ax, "no trials yet")
        return ax
    if data.is_ranked.any():
        _draw_losses(ax, data)
    else:
        # Marks that are no losses need no numbers.
        ax.set_yticks([])
    _draw_others(ax, data)
    ax.set_xlabel("trial")
    ax.set_ylabel("loss")
    ax.xaxis.get_major_locator().set_params(integer=True)
    legend(ax)
    return ax


def _draw_losses(ax: Axes, data: SeenTrials) -> None:
    numbers, losses = data.numbers[data.is_ranked], data.losses[data.is_ranked]
    view = loss_view(losses)
    ax.scatter(
        numbers,
        losses,
        s=14 if len(losses) < 1000 else 5,
        color=BLUE,
        alpha=0.75,
        linewidths=0,
        label=f"loss of {count(len(losses), 'trial')}",
    )
    _draw_quantiles(ax, numbers, losses)
    best = int(np.argmin(losses))
    ax.step(
        data.numbers,
        running_best(data.losses),
        where="post",
        color=ORANGE,
        linewidth=2,
        label=f"best so far: {losses[best]:.4g}",
    )
    ax.plot(numbers[best], losses[best], "*", color=ORANGE, markersize=13, markeredgecolor=BLUE)
    beyond = numbers[view.above(losses)]
    if len(beyond):
        ax.plot(
            beyond,
            np.full(len(beyond), 0.985),
            "^",
            color=BLUE,
            markersize=5,
            linestyle="",
            transform=ax.get_xaxis_transform(),
            label=f"{len(beyond):,} above",
        )
    apply_view(ax, view)


def _draw_quantiles(ax: Axes, numbers: FloatArray, losses: FloatArray) -> None:
    if len(losses) < _LEAST:
        return
    window = min(_LONGEST_WINDOW, max(10, len(losses) // 10))
    low, middle, high = rolling_quantiles(losses, window, (0.25, 0.5, 0.75))
    at = numbers[window - 1 :]
    ax.fill_between(at, low, high, color=GREY, alpha=0.25, linewidth=0)
    ax.plot(at, middle, color=GREY, linewidth=1.5, label=f"median of the last {window}")


def _draw_others(ax: Axes, data: SeenTrials) -> None:
    for end, marker in _MARKS.items():
        at = data.numbers[data.ends == end]
        if len(at):
            ax.plot(
                at,
                np.full(len(at), 0.02),
                marker,
                color=COLOURS[end],
                linestyle="",
                transform=ax.get_xaxis_transform(),
                label=plain_text(f"{len(at):,} {end}"),
            )
