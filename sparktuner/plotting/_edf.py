"""How losses of several searches are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sparktuner.checks import shown
from sparktuner.history import loss_view
from sparktuner.plotting._seen import SeenTrials, seen
from sparktuner.plotting._style import CYCLE, axes_of, count, legend, plain_text, say
from sparktuner.space import FloatArray
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The best place of a legend is sought among all points.
_FEW = 5000
_LINES = ("-", "--", "-.", ":")


def plot_edf(
    searches: Trials | Sequence[Trials] | Mapping[str, Trials], *, ax: Axes | None = None
) -> Axes:
    """Draws which share of each search's trials has reached a loss: the higher, the better.

    The line of a search is its empirical distribution function. Trials that failed reach no
    loss, so the line of a search with such ones ends below 100 %.

    Args:
        searches: the trials of one search, a list of several, or a dictionary from their names.
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
        >>> ax = plot_edf({"first": trials})  # draws with matplotlib
        >>> ax.lines[0].get_label()
        'first (5 trials)'
    """
    named = {name: seen(trials) for name, trials in _named(searches).items()}
    ax = axes_of(ax)
    ax.set_title("Share of trials that have reached a loss")
    losses = np.concatenate([np.zeros(0), *(d.losses[d.is_ranked] for d in named.values())])
    if not len(losses):
        say(ax, "no trial has a loss yet")
        return ax
    view = loss_view(losses)
    high = float(losses.max()) if view.top is None else view.top
    for i, (name, data) in enumerate(named.items()):
        x, y = distribution_function(data, high)
        ax.step(
            x,
            y,
            where="post",
            color=CYCLE[i % len(CYCLE)],
            linestyle=_LINES[i // len(CYCLE) % len(_LINES)],
            linewidth=2,
            label=_label(name, data),
        )
    if view.log:
        ax.set_xscale("log")
    if view.ends is not None:
        ax.set_xlim(*view.ends)
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.set_xlabel("loss")
    ax.set_ylabel("share of trials")
    # Lines of good searches are at the upper left in one picture, at the right in another.
    few = sum(len(data.numbers) for data in named.values()) <= _FEW
    legend(ax, loc="best" if few else "lower right")
    return ax


def distribution_function(data: SeenTrials, high: float) -> tuple[FloatArray, FloatArray]:
    """Returns losses in ascending order, and the share of trials that have reached each.

    Of the trials that have ended; cancelled ones might have reached anything.

    Args:
        data: n trials, k of them with a loss.
        high: where the line ends.

    Returns:
        (k + 2,) losses and (k + 2,) shares: from 0 at the lowest one on.
    """
    losses = np.sort(data.losses[data.is_ranked])
    ended = int(np.isin(data.ends, ["done", "failed"]).sum())
    if not len(losses):
        return losses, losses
    reached = np.arange(len(losses) + 1) / ended
    x = np.concatenate([losses[:1], losses, [max(high, losses[-1])]])
    return x, np.concatenate([reached, reached[-1:]])


def _label(name: str, data: SeenTrials) -> str:
    size = count(len(data.numbers), "trial")
    return f"{plain_text(name)} ({size})" if name else size


def _named(searches: object) -> dict[str, Trials]:
    if isinstance(searches, Mapping):
        return {str(name): _checked(trials) for name, trials in searches.items()}
    if isinstance(searches, list | tuple):
        return {f"search {i}": _checked(trials) for i, trials in enumerate(searches, 1)}
    return {"": _checked(searches)}


def _checked(trials: object) -> Trials:
    if not isinstance(trials, Trials):
        raise TypeError(
            "searches must be a Trials, a list of them or a dictionary such as "
            f"{{'tpe': trials}}, got {shown(trials)}"
        )
    return trials
