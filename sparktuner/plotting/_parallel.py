"""Whole configurations, as lines through an axis for each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sparktuner.history import loss_view
from sparktuner.plotting._scales import Scale, parameter_scale, scale_of
from sparktuner.plotting._seen import SeenParameter, SeenTrials, seen
from sparktuner.plotting._slice import chosen, spread
from sparktuner.plotting._style import axes_of, gradient, plain_text, say
from sparktuner.space import FloatArray
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of more lines none is seen.
_MOST_LINES = 500
# Where lines pass a parameter that is not active.
_BELOW = -0.16


def plot_parallel(
    trials: Trials, *, labels: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draws each trial as a line through an axis for each parameter, and one for the loss.

    The best trials are brightest and on top. Where a parameter is not active, lines pass below
    its axis. Axes are logarithmic where the prior is. Of more than 500 trials that many are
    drawn: the best hundred, and others at even distances in the order of their losses.

    Args:
        trials: of a search that has ended, or runs.
        labels: of the parameters to draw, in this order; None is all of them.
        ax: where to draw; None makes a new figure.

    Returns:
        The axes.

    Raises:
        MissingExtra: matplotlib is not installed.
        TypeError: an argument is of the wrong type.
        ValueError: a label is of no parameter.

    Example:
        >>> from sparktuner import Trials, fmin, hp
        >>> trials = Trials()
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
        >>> [tick.get_text() for tick in plot_parallel(trials).get_xticklabels()]  # matplotlib
        ['x', 'loss']
    """
    data = seen(trials)
    parameters, ax = chosen(data, labels), axes_of(ax)
    rows = lines_of(data.losses)
    ax.set_title(f"{len(rows):,} of {int(data.is_ranked.sum()):,} trials, the best brightest")
    if not len(rows):
        ax.set_title("Configurations and their losses")
        say(ax, "no trial has a loss yet")
        return ax
    # From the worst to the best, so that the best are on top.
    rows = rows[::-1]
    scales = [*map(parameter_scale, parameters), _loss_scale(data)]
    at = np.stack(
        [_places(p, s, rows) for p, s in zip(parameters, scales, strict=False)]
        + [scales[-1].places(np.minimum(data.losses[rows], scales[-1].high))],
        axis=1,
    )
    _draw_lines(ax, at)
    for x, scale in enumerate(scales):
        _draw_axis(ax, x, scale)
    _name_axes(ax, parameters, bool(np.isnan([p.values[rows] for p in parameters]).any()))
    return ax


def lines_of(losses: FloatArray) -> npt.NDArray[np.intp]:
    """Returns the positions of the trials to draw, best first.

    Args:
        losses: (n,), NaN where a trial has none.
    """
    ranked = np.flatnonzero(np.isfinite(losses))
    order: npt.NDArray[np.intp] = ranked[np.argsort(losses[ranked], kind="stable")]
    if len(order) <= _MOST_LINES:
        return order
    best = _MOST_LINES // 5
    others = np.linspace(best, len(order) - 1, _MOST_LINES - best).astype(np.intp)
    kept: npt.NDArray[np.intp] = order[np.concatenate([np.arange(best), others])]
    return kept


def _loss_scale(data: SeenTrials) -> Scale:
    losses = data.losses[data.is_ranked]
    view = loss_view(losses)
    return scale_of(losses if view.top is None else np.minimum(losses, view.top), view.log)


def _places(parameter: SeenParameter, scale: Scale, rows: npt.NDArray[np.intp]) -> FloatArray:
    values = parameter.values[rows]
    at = scale.places(spread(values, 0.5) if scale.options else values)
    return np.where(np.isnan(values), _BELOW, at)


def _draw_lines(ax: Axes, at: FloatArray) -> None:
    from matplotlib.collections import LineCollection

    n, k = at.shape
    shade = np.linspace(0, 1, n) if n > 1 else np.ones(1)
    colours = gradient()(shade)
    colours[:, 3] = 0.15 + 0.75 * shade**2
    across = np.broadcast_to(np.arange(k), (n, k))
    ax.add_collection(
        LineCollection(
            np.stack([across, at], axis=2), colors=colours, linewidths=0.8 + 1.2 * shade**4
        )
    )


def _draw_axis(ax: Axes, x: int, scale: Scale) -> None:
    from matplotlib import rcParams

    colour = rcParams["axes.edgecolor"]
    ax.plot([x, x], [0, 1], color=colour, linewidth=1.2)
    behind = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "alpha": 0.7, "pad": 0.8}
    for place, text in scale.ticks():
        ax.plot([x - 0.02, x], [place, place], color=colour, linewidth=1.2)
        ax.text(
            x - 0.04, place, text, ha="right", va="center", fontsize="small", bbox=behind, zorder=4
        )


def _name_axes(ax: Axes, parameters: Sequence[SeenParameter], has_gaps: bool) -> None:
    names = [plain_text(p.label, 18) for p in parameters]
    ax.set_xticks(
        range(len(names) + 1),
        [*names, "loss"],
        rotation=30 if len(names) > 5 else 0,
        ha="right" if len(names) > 5 else "center",
        rotation_mode="anchor",
    )
    ax.set_yticks([_BELOW] if has_gaps else [], ["not active"] if has_gaps else [])
    ax.tick_params(length=0)
    ax.set_xlim(-0.5, len(names) + 0.1)
    ax.set_ylim(_BELOW - 0.05 if has_gaps else -0.05, 1.05)
    for side in ax.spines.values():
        side.set_visible(False)
