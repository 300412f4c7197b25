"""What all plots share: matplotlib on use, axes, colours, and how losses and labels are shown.

Text, grounds and grids are those of matplotlib's current style. The colours are few, told
apart by people who see colours differently (after Okabe and Ito 2008, with a lighter blue), and
seen on light and on dark grounds; what they say is said by a shape or by words as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from sparktuner.checks import check_has, check_list
from sparktuner.errors import MissingExtra
from sparktuner.history import LossView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = (
    "#1F83CC",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#808080",
)
CYCLE = (BLUE, ORANGE, GREEN, RED, PURPLE, "#56B4E9")
COLOURS: Mapping[str, str] = MappingProxyType(
    {"done": BLUE, "failed": RED, "cancelled": GREY, "running": GREEN, "waiting": ORANGE}
)
_LONGEST = 28


def pyplot(backend: str | None = None) -> Any:
    """Returns matplotlib's pyplot.

    Args:
        backend: what draws; None leaves that to matplotlib.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib

        # Before pyplot is imported, which may look for a screen.
        if backend is not None:
            matplotlib.use(backend)
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingExtra(
            "matplotlib is not installed: pip install 'sparktuner[plot]'"
        ) from error
    return plt


def axes_of(ax: Axes | None) -> Axes:
    """Returns the axes to draw in: a new figure's where none are given.

    Raises:
        TypeError: ``ax`` is something else.
    """
    if ax is None:
        return pyplot().subplots(layout="constrained")[1]
    pyplot()
    check_has(
        "ax", ax, ("scatter", "get_xlim"), "matplotlib axes, as plt.subplots() makes, or None"
    )
    return ax


def grid_of(axes: Sequence[Axes] | None, n: int, columns: int, height: float) -> list[Axes]:
    """Returns axes for ``n`` panels: a new figure's, without the empty ones, where none are given.

    Args:
        axes: where to draw, or None.
        n: how many panels.
        columns: of a new figure, at most.
        height: of a panel in it, in inches.

    Raises:
        TypeError, ValueError: ``axes`` are no axes, or too few.
    """
    plt = pyplot()
    if axes is None:
        columns = max(1, min(columns, n))
        rows = max(1, -(-n // columns))
        size = max(6.4, 2.9 * columns), height * rows + 0.6
        _, made = plt.subplots(rows, columns, squeeze=False, figsize=size, layout="constrained")
        for unused in made.flat[max(n, 1) :]:
            unused.remove()
        return list(made.flat[: max(n, 1)])
    listed = list(axes.flat) if isinstance(axes, np.ndarray) else axes
    check_list("axes", listed, "matplotlib axes")
    for i, ax in enumerate(listed):
        check_has(f"axes[{i}]", ax, ("scatter", "get_xlim"), "matplotlib axes")
    if len(listed) < max(n, 1):
        raise ValueError(
            f"axes must be at least {max(n, 1)}, one for each panel, got {len(listed)}"
        )
    return list(listed)


def gradient() -> Colormap:
    """Returns colours from low to high that are seen on white and on black."""
    from matplotlib.colors import ListedColormap

    plasma = pyplot().get_cmap("plasma")
    return ListedColormap(plasma(np.linspace(0.25, 0.82, 256)), name="sparktuner")


def say(ax: Axes, text: str) -> None:
    """Writes into the middle of axes that have nothing else to show."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", wrap=True)
    ax.set_xticks([])
    ax.set_yticks([])


def plain_text(text: object, most: int = _LONGEST) -> str:
    """Returns text as matplotlib shows it letter by letter, cut in its middle where it is long.

    Args:
        text: a label of the user's, which may hold what matplotlib takes for a formula.
        most: how many characters are shown.
    """
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    if len(line) > most:
        line = f"{line[: most // 2]}…{line[-(most - most // 2 - 1) :]}"
    return line.replace("$", r"\$")


def count(n: int, noun: str) -> str:
    """Returns a number with its noun."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def apply_view(ax: Axes, view: LossView) -> None:
    """Makes the vertical axis that of a view of losses."""
    if view.log:
        ax.set_yscale("log")
    if view.ends is not None:
        ax.set_ylim(*view.ends)
    ax.set_ylabel("loss")


def legend(ax: Axes, **options: object) -> None:
    """Draws a legend where there is anything to explain."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        options.setdefault("loc", "upper right")
        ax.legend(handles, labels, fontsize="small", framealpha=0.85, **options)


def ring(ax: Axes, x: float, y: float, colour: str | None = None) -> None:
    """Marks the best trial by an empty star around its point."""
    from matplotlib import rcParams

    ax.plot(
        x,
        y,
        "*",
        markersize=13,
        color="none",
        markeredgecolor=rcParams["text.color"] if colour is None else colour,
        markeredgewidth=1.3,
        label="best",
    )
