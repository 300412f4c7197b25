"""Two parameters against the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sparktuner.history import loss_view
from sparktuner.plotting._importance import shares_of
from sparktuner.plotting._scales import Scale, parameter_scale
from sparktuner.plotting._seen import SeenParameter, SeenTrials, seen
from sparktuner.plotting._slice import chosen, spread
from sparktuner.plotting._style import (
    axes_of,
    gradient,
    plain_text,
    ring,
    say,
)
from sparktuner.space import FloatArray
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELLS = 60
_WIDTH = 0.07
# Farther from any trial than this, in widths, nothing is known.
_REACH = 2.5
_MOST_TRIALS = 1000


def plot_contour(
    trials: Trials, *, labels: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draws how the loss depends on two parameters together.

    The ground is the mean loss of the trials near each place, weighted by their distance; it is
    left empty where no trial is near. Points are trials, the star is the best one.

    Args:
        trials: of a search that has ended, or runs.
        labels: of two parameters; None takes the two that matter most and are active together.
        ax: where to draw; None makes a new figure.

    Returns:
        The axes.

    Raises:
        MissingExtra: matplotlib is not installed.
        TypeError: an argument is of the wrong type.
        ValueError: a label is of no parameter, or there are not two of them.

    Example:
        >>> from sparktuner import Trials, fmin, hp
        >>> trials = Trials()
        >>> space = [hp.uniform("x", -1, 1), hp.uniform("y", -1, 1)]
        >>> best = fmin(lambda p: p[0] * p[1], space, max_evals=20, trials=trials, verbose=False)
        >>> ax = plot_contour(trials, labels=["x", "y"])  # draws with matplotlib
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('x', 'y')
    """
    data = seen(trials)
    pair = chosen(data, labels)
    if labels is None:
        pair = _most_important(trials, data)
    elif len(pair) != 2 or pair[0] is pair[1]:
        raise ValueError(f"labels must be those of two parameters, got {list(labels)!r}")
    ax = axes_of(ax)
    ax.set_title("Loss over two parameters")
    if len(pair) < 2:
        say(ax, "no two parameters are active together")
        return ax
    x, y = pair
    ax.set_xlabel(plain_text(x.label))
    ax.set_ylabel(plain_text(y.label))
    rows = np.flatnonzero(data.is_ranked & ~np.isnan(x.values) & ~np.isnan(y.values))
    if not len(rows):
        say(ax, "no trial with both has a loss yet")
        return ax
    scales = parameter_scale(x), parameter_scale(y)
    ground = _draw_ground(ax, scales, x.values[rows], y.values[rows], data.losses[rows])
    _draw_trials(ax, data, rows.tolist(), x, y)
    _scale_axes(ax, scales)
    ax.figure.colorbar(ground, ax=ax, label="loss")
    return ax


def _most_important(trials: Trials, data: SeenTrials) -> tuple[SeenParameter, ...]:
    found = shares_of(trials, data)
    by_share = sorted(data.parameters, key=lambda each: -found.get(each.label, 0.0))
    for second in by_share[1:]:
        first = by_share[0]
        together = ~np.isnan(first.values) & ~np.isnan(second.values)
        if (together & data.is_ranked).any():
            return first, second
    return tuple(by_share[:2])


def smoothed(
    at: FloatArray, losses: FloatArray, grid: FloatArray, discrete: tuple[bool, bool]
) -> FloatArray:
    """Returns the mean of the losses near each place, NaN where none is near.

    This is the estimate of Nadaraya (1964) and Watson (1964) with a normal kernel.

    Args:
        at: (n, 2) places of trials in the unit square.
        losses: (n,)
        grid: (m, 2) places.
        discrete: of each axis, whether it has options, which are not near each other.
    """
    weights = np.ones((len(grid), len(at)))
    nearest = np.zeros((len(grid), len(at)))
    for j in range(2):
        apart = grid[:, j, None] - at[None, :, j]
        distance = np.where(np.abs(apart) < 1e-9, 0.0, np.inf) if discrete[j] else apart / _WIDTH
        nearest = np.maximum(nearest, np.abs(distance))
        with np.errstate(over="ignore"):
            weights *= np.exp(-(distance**2) / 2)
    total = weights.sum(axis=1)
    is_near = nearest.min(axis=1) <= _REACH
    means = weights @ losses / np.where(total > 0, total, 1.0)
    return np.where(is_near & (total > 0), means, np.nan)


def _draw_ground(
    ax: Axes, scales: tuple[Scale, Scale], x: FloatArray, y: FloatArray, losses: FloatArray
) -> object:
    from matplotlib.colors import LogNorm, Normalize

    view = loss_view(losses)
    shown = losses if view.top is None else np.minimum(losses, view.top)
    cells = [_cells(scale) for scale in scales]
    grid = np.stack(np.meshgrid(*cells, indexing="ij"), axis=2).reshape(-1, 2)
    at = np.stack([scales[0].places(x), scales[1].places(y)], axis=1)
    few = np.random.default_rng(0).permutation(len(at))[:_MOST_TRIALS]
    # A mean of logarithms, where losses are shown so.
    level = np.log(shown[few]) if view.log else shown[few]
    scale = float(np.abs(level).max()) or 1.0
    discrete = bool(scales[0].options), bool(scales[1].options)
    means = smoothed(at[few], level / scale, grid, discrete) * scale
    means = np.exp(means) if view.log else means
    seen_levels = means[np.isfinite(means)]
    ends = float(seen_levels.min()), float(seen_levels.max())
    norm = LogNorm(*ends) if view.log else Normalize(*ends)
    values = [each.values(cell) for each, cell in zip(scales, cells, strict=True)]
    z = np.ma.masked_invalid(means.reshape(len(cells[0]), len(cells[1])).T)
    return ax.pcolormesh(
        *values, z, cmap=gradient().reversed(), shading="nearest", rasterized=True, norm=norm
    )


def _cells(scale: Scale) -> FloatArray:
    if scale.options:
        return scale.places(np.arange(len(scale.options), dtype=np.float64))
    return (np.arange(_CELLS) + 0.5) / _CELLS


def _draw_trials(
    ax: Axes, data: SeenTrials, rows: list[int], x: SeenParameter, y: SeenParameter
) -> None:
    at = [spread(each.values[rows], 0.6) if each.options else each.values[rows] for each in (x, y)]
    ax.scatter(
        *at,
        s=9 if len(rows) < 1000 else 2,
        color="white",
        edgecolors="black",
        linewidths=0.5 if len(rows) < 1000 else 0.1,
    )
    if data.best in rows:
        best = rows.index(data.best)
        ring(ax, float(at[0][best]), float(at[1][best]), "white")


def _scale_axes(ax: Axes, scales: tuple[Scale, Scale]) -> None:
    for name, scale in zip("xy", scales, strict=True):
        if scale.options:
            step = -(-len(scale.options) // 12)
            names = [plain_text(option, 14) for option in scale.options]
            ax.set(**{f"{name}ticks": range(0, len(names), step)})
            ax.set(**{f"{name}ticklabels": names[::step]})
        elif scale.log:
            ax.set(**{f"{name}scale": "log"})
        ax.set(**{f"{name}lim": (scale.low, scale.high)})
