"""Trials on the hosts and slots on which they ran."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from sparktuner.plotting._lanes import Bar, Lanes, lanes_of
from sparktuner.plotting._seen import seen
from sparktuner.plotting._style import COLOURS, GREY, PURPLE, axes_of, count, plain_text, say
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {**COLOURS, "retried": PURPLE}
_HATCHES = {"failed": "xxxx", "retried": "////", "cancelled": "...."}
_UNITS = ((172800.0, 86400.0, "days"), (7200.0, 3600.0, "hours"), (180.0, 60.0, "minutes"))
# More bars than so many are thinner than the edges that would be drawn around them.
_MOST_EDGES = 400


def plot_timeline(trials: Trials, *, ax: Axes | None = None) -> Axes:
    """Draws when each trial ran, one line for each slot of each host.

    What is empty in a line is time in which the slot had no trial. A bar's colour and hatching
    say how the trial ended; attempts after which a trial was tried again are bars too. There
    are as many lines for a host as trials that ran there at one time.

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
        >>> plot_timeline(trials).get_title()[:15]  # draws with matplotlib
        '1 trial at a ti'
    """
    lanes, ax = lanes_of(seen(trials)), axes_of(ax)
    if not lanes.bars:
        ax.set_title("When each trial ran")
        say(ax, "no trial has run yet")
        return ax
    n = len(lanes.hosts)
    ax.set_title(f"{count(lanes.most, 'trial')} at a time, their slots {lanes.busy:.0%} busy")
    unit, name = next(
        ((u, n) for least, u, n in _UNITS if lanes.seconds >= least), (1.0, "seconds")
    )
    _draw_bars(ax, lanes, unit)
    ax.set_xlabel(f"{name} since the first trial began")
    ax.set_xlim(0, max(lanes.seconds / unit, 1e-3))
    ax.set_ylim(n - 0.5, -0.5)
    _name_hosts(ax, lanes.hosts)
    _legend(ax)
    return ax


def _draw_bars(ax: Axes, lanes: Lanes, unit: float) -> None:
    from matplotlib.collections import PolyCollection

    kinds = [kind for kind in _COLOURS if any(bar.kind == kind for bar in lanes.bars)]
    edges = 0.6 if len(lanes.bars) <= _MOST_EDGES else 0.0
    for kind in kinds:
        bars = [bar for bar in lanes.bars if bar.kind == kind]
        ax.add_collection(
            PolyCollection(
                _corners(bars, unit),
                facecolors=_COLOURS[kind],
                edgecolors=ax.get_facecolor(),
                linewidths=edges,
                hatch=_HATCHES.get(kind),
                label=f"{kind} ({len(bars):,})",
            )
        )


def _corners(bars: Sequence[Bar], unit: float) -> np.ndarray:
    left = np.array([bar.begin for bar in bars]) / unit
    right = np.array([bar.end for bar in bars]) / unit
    lane = np.array([bar.lane for bar in bars], dtype=np.float64)
    x = np.stack([left, right, right, left], axis=1)
    y = np.stack([lane - 0.4, lane - 0.4, lane + 0.4, lane + 0.4], axis=1)
    return np.stack([x, y], axis=2)


def _name_hosts(ax: Axes, hosts: Sequence[str]) -> None:
    ticks, names, lane = [], [], 0
    for host, group in groupby(hosts):
        n = len(list(group))
        ticks.append(lane + (n - 1) / 2)
        names.append(plain_text(host, 24))
        lane += n
        if lane < len(hosts):
            ax.axhline(lane - 0.5, color=GREY, linewidth=0.8)
    # Names that would be written over each other are left out.
    step = -(-len(ticks) // 20)
    ax.set_yticks(ticks[::step], names[::step])
    ax.tick_params(axis="y", length=0)


def _legend(ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    # Below: bars reach everywhere inside.
    ax.legend(
        handles,
        labels,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=4,
        fontsize="small",
        frameon=False,
    )
