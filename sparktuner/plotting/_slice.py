"""Each parameter against the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sparktuner.checks import check_list
from sparktuner.history import LossView, loss_view
from sparktuner.plotting._seen import SeenParameter, SeenTrials, seen
from sparktuner.plotting._style import (
    apply_view,
    gradient,
    grid_of,
    plain_text,
    ring,
    say,
)
from sparktuner.space import FloatArray
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 4
_GOLDEN = (5**0.5 - 1) / 2


def spread(places: FloatArray, width: float = 0.6) -> FloatArray:
    """Returns positions of options, moved apart so that no trials hide each other.

    Always by the same: multiples of the golden ratio fill an interval evenly, however many.

    Args:
        places: (n,)
        width: of the strip that an option takes.
    """
    return places + ((np.arange(1, len(places) + 1) * _GOLDEN) % 1.0 - 0.5) * width


def plot_slice(
    trials: Trials, *, labels: Sequence[str] | None = None, axes: Sequence[Axes] | None = None
) -> list[Axes]:
    """Draws each parameter's values against the losses, one panel for each parameter.

    A parameter that is active in some configurations only shows those, and says where it is
    active; such ones follow the others, branch by branch. The axis is logarithmic where the
    prior is. Later trials are brighter, so that one sees where the search has gone.

    Args:
        trials: of a search that has ended, or runs.
        labels: of the parameters to draw; None is all of them.
        axes: one for each panel; None makes a new figure.

    Returns:
        The axes, one for each panel.

    Raises:
        MissingExtra: matplotlib is not installed.
        TypeError: an argument is of the wrong type.
        ValueError: a label is of no parameter, or there are too few axes.

    Example:
        >>> from sparktuner import Trials, fmin, hp
        >>> trials = Trials()
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
        >>> [ax.get_xlabel() for ax in plot_slice(trials)]  # draws with matplotlib
        ['x']
    """
    data = seen(trials)
    parameters = chosen(data, labels)
    drawn = grid_of(axes, len(parameters), _COLUMNS, 2.7)
    if not parameters:
        say(drawn[0], "no trials yet" if not len(data.numbers) else "no parameters")
        return drawn
    view = loss_view(data.losses[data.is_ranked])
    points = None
    for i, (ax, parameter) in enumerate(zip(drawn, parameters, strict=False)):
        made = _draw(ax, data, parameter, view)
        points = made if made is not None else points
        # On the left alone, in a figure of our own.
        if axes is None and i % min(_COLUMNS, len(parameters)):
            ax.set_ylabel("")
    if axes is None and points is not None and len(data.numbers) > 1:
        drawn[0].figure.colorbar(points, ax=drawn, label="trial", pad=0.01)
    return drawn[: len(parameters)]


def chosen(data: SeenTrials, labels: Sequence[str] | None) -> tuple[SeenParameter, ...]:
    """Returns the parameters of labels, all where there are none.

    Raises:
        TypeError: ``labels`` is no list.
        ValueError: a label is of no parameter.
    """
    if labels is None:
        return data.parameters
    check_list("labels", labels, "labels of parameters")
    return tuple(data.parameter(label) for label in labels)


def label_axis(ax: Axes, parameter: SeenParameter, values: FloatArray) -> None:
    """Makes the horizontal axis that of a parameter."""
    ax.set_xlabel(plain_text(parameter.label))
    if parameter.options:
        n = len(parameter.options)
        names = [plain_text(option, 14) for option in parameter.options]
        # More than so many would be written over each other.
        step = -(-n // 12)
        is_long = sum(map(len, names)) > 24
        ax.set_xticks(
            range(0, n, step),
            names[::step],
            rotation=35 if is_long else 0,
            ha="right" if is_long else "center",
            rotation_mode="anchor",
        )
        ax.set_xlim(-0.5, n - 0.5)
    elif is_log(parameter, values):
        ax.set_xscale("log")


def is_log(parameter: SeenParameter, values: FloatArray) -> bool:
    """Returns whether values are shown on a logarithmic axis."""
    return parameter.log and len(values) > 0 and values.min() > 0


def _draw(ax: Axes, data: SeenTrials, parameter: SeenParameter, view: LossView) -> object:
    if parameter.condition:
        ax.set_title(plain_text(f"where {parameter.condition}", 40), fontsize="small")
    rows = np.flatnonzero(data.is_ranked & ~np.isnan(parameter.values))
    values, losses = parameter.values[rows], data.losses[rows]
    label_axis(ax, parameter, values)
    if not len(rows):
        say(ax, "no loss here yet")
        ax.set_ylabel("loss")
        return None
    at = spread(values) if parameter.options else values
    every = data.numbers
    points = ax.scatter(
        at,
        losses,
        c=data.numbers[rows],
        cmap=gradient(),
        vmin=every.min(),
        vmax=every.max(),
        s=16 if len(rows) < 1000 else 5,
        alpha=0.85,
        linewidths=0,
    )
    if data.best in rows:
        best = int(np.flatnonzero(rows == data.best)[0])
        ring(ax, float(at[best]), float(losses[best]))
    apply_view(ax, view)
    return points
