"""Which parameters matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparktuner.plotting._fanova import LEAST, Sample, sample_of, shares, skill
from sparktuner.plotting._seen import SeenTrials, seen
from sparktuner.plotting._style import BLUE, GREY, axes_of, count, plain_text, say
from sparktuner.records import SpaceRecord
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More bars than so many are not read.
_MOST_BARS = 25
_LEAST_SKILL = 0.1


def importances(trials: Trials) -> dict[str, float]:
    """Returns how much of the losses' variance each parameter explains alone, most first.

    This is fANOVA (Hutter, Hoos and Leyton-Brown 2014) over the prior of the search space: 0.4
    means that losses would vary by 40 % less if one knew this parameter alone. What is missing
    to 1 are interactions of several parameters. A parameter that is active in some
    configurations only counts where it is, and a choice by the difference between its
    branches. The same trials give the same numbers.

    Only trials with a finite loss count, a thousand of them at most, drawn at random. Losses
    far above the others are cut. Of a few dozen trials the numbers are rough: what matters
    most is overrated, at the cost of what matters a little.

    Args:
        trials: of a search that has ended, or runs. Of trials of several spaces, those that
            fit the latest one.

    Returns:
        A share from 0 to 1 for each label of the space; empty where fewer than ten trials have
        a loss.

    Raises:
        TypeError: ``trials`` is something else.

    Example:
        >>> from sparktuner import Trials, fmin, hp, rand
        >>> trials = Trials()
        >>> space = {"x": hp.uniform("x", 0, 1), "y": hp.uniform("y", 0, 1)}
        >>> best = fmin(
        ...     lambda p: 3 * p["x"] + p["y"] / 10, space, algo=rand.suggest, max_evals=50,
        ...     trials=trials, rstate=0, verbose=False,
        ... )
        >>> shares = importances(trials)
        >>> list(shares), shares["x"] > 0.9
        (['x', 'y'], True)
    """
    return shares_of(trials, seen(trials))


def plot_importance(trials: Trials, *, ax: Axes | None = None) -> Axes:
    """Draws how much of the losses' variance each parameter explains, as a bar for each.

    See :func:`importances` for what is measured. The last bar is what no parameter explains
    alone. Below stands how much of the losses a model of half of the trials foretells of the
    other half: where that is little, the losses are noise or the trials too few, and the bars
    are pale.

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
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=20, trials=trials, verbose=False)
        >>> bool(plot_importance(trials).patches[0].get_width() > 0.9)  # draws with matplotlib
        True
    """
    data, ax = seen(trials), axes_of(ax)
    ax.set_title("What the loss depends on")
    sample = _sample(trials, data)
    if sample is None:
        say(ax, f"{count(int(data.is_ranked.sum()), 'trial')} with a loss, {LEAST} are needed")
    elif not sample.labels:
        say(ax, "no parameters")
    else:
        told = skill(sample, np.random.default_rng(0))
        _draw_bars(ax, _ordered(sample), 1.0 if told >= _LEAST_SKILL else 0.4)
        # Of noise the shares are those of chance.
        if told < _LEAST_SKILL:
            ax.set_title("What the loss depends on cannot be told yet")
        ax.set_xlabel(f"share of the loss's variance, of which {told:.0%} can be foretold")
    return ax


def _draw_bars(ax: Axes, found: dict[str, float], alpha: float) -> None:
    names = [plain_text(label) for label in found][:_MOST_BARS]
    widths = list(found.values())[:_MOST_BARS]
    colours = [BLUE] * len(names)
    if len(names) < len(found):
        names.append(f"{len(found) - len(names)} others")
        widths.append(sum(found.values()) - sum(widths))
        colours.append(BLUE)
    # A constant loss depends on nothing, and several together explain nothing either.
    if len(found) > 1 and any(widths):
        names.append("several together")
        widths.append(max(0.0, 1.0 - sum(found.values())))
        colours.append(GREY)
    places = np.arange(len(names))
    bars = ax.barh(places, widths, color=colours, alpha=alpha)
    ax.bar_label(bars, [_percent(width) for width in widths], padding=3)
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set_xlim(0, 1.14 * max(0.01, *widths))
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")


def _percent(share: float) -> str:
    return "< 1%" if 0 < share < 0.01 else f"{share:.0%}"


def _sample(trials: Trials, data: SeenTrials) -> Sample | None:
    return sample_of(data, trials.store.attachments, latest_space(trials, data))


def shares_of(trials: Trials, data: SeenTrials) -> dict[str, float]:
    """Returns the importances of trials that were seen already."""
    sample = _sample(trials, data)
    return {} if sample is None else _ordered(sample)


def foretold(trials: Trials, data: SeenTrials) -> float:
    """Returns how much of the losses can be foretold, in [0, 1]; of less than 0.1 shares are luck.

    Args:
        trials: those of ``data``.
        data: trials that were seen already.
    """
    sample = _sample(trials, data)
    if sample is None or not sample.labels:
        return 0.0
    return skill(sample, np.random.default_rng(0))


def _ordered(sample: Sample) -> dict[str, float]:
    found = shares(sample, np.random.default_rng(0))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def latest_space(trials: Trials, data: SeenTrials) -> SpaceRecord | None:
    """Returns the space of the latest trial; None where it is not known."""
    if not len(data.documents):
        return None
    view = trials.spaces().of(data.documents[-1])
    return None if view is None else view.record
