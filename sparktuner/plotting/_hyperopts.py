"""Hyperopt's four plots, with its arguments; they draw in pyplot's current axes or figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from sparktuner.checks import (
    check_callable,
    check_flag,
    check_mapping,
    check_number,
    check_whole,
    shown,
)
from sparktuner.errors import AllTrialsFailed, InvalidLoss
from sparktuner.plotting._seen import SeenParameter, SeenTrials, seen
from sparktuner.plotting._slice import is_log, spread
from sparktuner.plotting._style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    count,
    legend,
    plain_text,
    pyplot,
    say,
)
from sparktuner.records import TrialDocument
from sparktuner.space import FloatArray
from sparktuner.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STATUS_COLOURS: Mapping[str, str] = MappingProxyType(
    {"new": GREY, "running": GREEN, "ok": BLUE, "fail": RED, "suspended": ORANGE}
)
# A legend of more lines would hide them.
_MOST_NAMED = 10


def main_plot_history(
    trials: Trials,
    do_show: bool = True,
    status_colors: Mapping[str, object] | None = None,
    title: str = "Loss History",
) -> Axes:
    """Draws each loss as a point, and a line at the loss to expect of the best trial.

    :func:`plot_history` shows more.

    Args:
        trials: what to draw.
        do_show: whether to call ``plt.show()``.
        status_colors: a colour for a status (``"ok"``, ``"fail"``, ``"new"``, ``"running"``),
            in place of ours.
        title: of the axes.

    Returns:
        The axes, pyplot's current ones.

    Raises:
        MissingExtra: matplotlib is not installed.
        TypeError: an argument is of the wrong type.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> from sparktuner import Trials, fmin, hp
        >>> figure, trials = plt.figure(), Trials()
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
        >>> main_plot_history(trials, do_show=False).get_title()
        'Loss History'
    """
    _check(do_show, title)
    if status_colors is not None:
        check_mapping("status_colors", status_colors, "{'ok': 'blue', 'fail': 'red'}")
    data, ax = seen(trials), pyplot().gca()
    losses = _all_losses(data)
    statuses = np.array([str(d["result"].get("status")) for d in data.documents], dtype=np.str_)
    for status, colour in {**_STATUS_COLOURS, **(status_colors or {})}.items():
        at = np.flatnonzero(np.isfinite(losses) & (statuses == status))
        if len(at):
            ax.scatter(data.numbers[at], losses[at], color=colour, s=16, label=status)
    best = _expected_best(trials)
    if best is not None:
        ax.axhline(best, color=ORANGE, linewidth=2, label=f"best: {best:.4g}")
    ax.set_xlabel("trial")
    ax.set_ylabel("loss")
    return _shown(ax, title, do_show)


def main_plot_histogram(
    trials: Trials, do_show: bool = True, title: str = "Loss Histogram"
) -> Axes:
    """Draws how often losses of each size came.

    Args:
        trials: what to draw.
        do_show: whether to call ``plt.show()``.
        title: of the axes.

    Returns:
        The axes, pyplot's current ones.

    Raises:
        MissingExtra: matplotlib is not installed.
        TypeError: an argument is of the wrong type.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> from sparktuner import Trials, fmin, hp
        >>> figure, trials = plt.figure(), Trials()
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
        >>> ax = main_plot_histogram(trials, do_show=False)
        >>> int(sum(bar.get_height() for bar in ax.patches))
        5
    """
    _check(do_show, title)
    data, ax = seen(trials), pyplot().gca()
    losses = data.losses[data.is_ranked]
    # Beyond this the width of a bar is no number any more.
    losses = losses[np.abs(losses) < 1e300]
    if len(losses):
        ax.hist(losses, color=BLUE, label=count(len(losses), "trial"))
        ax.set_xlabel("loss")
        ax.set_ylabel("trials")
    else:
        say(ax, "no losses yet")
    return _shown(ax, title, do_show)


def main_plot_vars(
    trials: Trials,
    do_show: bool = True,
    fontsize: float = 10,
    colorize_best: int | None = None,
    columns: int = 5,
    arrange_by_loss: bool = False,
) -> list[Axes]:
    """Draws the values of each parameter in the order of the trials, better ones stronger.

    :func:`plot_slice` shows parameters against losses.

    Args:
        trials: what to draw.
        do_show: whether to call ``plt.show()``.
        fontsize: of the titles, which are the labels.
        colorize_best: how many of the best trials get a colour of their own.
        columns: how many panels stand in a row.
        arrange_by_loss: whether losses, and not the trials' ids, are the horizontal axis.

    Returns:
        The axes, one for each parameter, in pyplot's current figure if that is empty.

    Raises:
        MissingExtra: matplotlib is not installed.
        ValueError, TypeError: a number is out of its range, or none.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> from sparktuner import Trials, fmin, hp
        >>> figure, trials = plt.figure(), Trials()
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
        >>> [ax.get_title() for ax in main_plot_vars(trials, do_show=False)]
        ['x']
    """
    _check(do_show, "")
    check_number("fontsize", fontsize, above=0)
    check_whole("columns", columns, least=1)
    check_flag("arrange_by_loss", arrange_by_loss)
    if colorize_best is not None:
        check_whole("colorize_best", colorize_best, least=0)
    data, plt = seen(trials), pyplot()
    n = max(1, len(data.parameters))
    width = min(int(columns), n)
    is_own = not plt.get_fignums() or bool(plt.gcf().axes)
    figure = plt.figure() if is_own else plt.gcf()
    if is_own:
        size = figure.get_size_inches()
        figure.set_size_inches(max(size[0], 2.0 * width), max(size[1], 1.6 * -(-n // width)))
    made = figure.subplots(-(-n // width), width, squeeze=False)
    axes: list[Axes] = list(made.flat[:n])
    for unused in made.flat[n:]:
        unused.remove()
    figure.set_layout_engine("constrained")
    for ax, parameter in zip(axes, data.parameters, strict=False):
        ax.set_title(plain_text(parameter.label), fontsize=float(fontsize))
        _draw_variable(ax, data, parameter, int(colorize_best or 0), bool(arrange_by_loss))
    if not data.parameters:
        say(axes[0], "no trials yet")
    if do_show:
        plt.show()
    return axes


def main_plot_1D_attachment(
    trials: Trials,
    attachment_name: str,
    do_show: bool = True,
    colorize_by_loss: bool = True,
    max_darkness: float = 0.5,
    num_trails: int | None = None,
    preprocessing_fn: Callable[[Any], Any] = lambda attachment: attachment,
    line_width: float = 0.1,
) -> Axes:
    """Draws an attachment of each trial that is a list of numbers, such as a learning curve.

    Up to ten of them are named in a legend.

    Args:
        trials: what to draw.
        attachment_name: which attachment; trials that lack it are left out.
        do_show: whether to call ``plt.show()``.
        colorize_by_loss: whether lines of better trials are stronger.
        max_darkness: how strong those of the best are, in [0, 1].
        num_trails: how many trials to draw, at even distances in the order of their losses;
            None is all.
        preprocessing_fn: makes a list of numbers of an attachment.
        line_width: in points.

    Returns:
        The axes, pyplot's current ones.

    Raises:
        MissingExtra: matplotlib is not installed.
        ValueError, TypeError: a number is out of its range, or none; or an attachment is no
            list of numbers.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> from sparktuner import Trials, fmin, hp
        >>> figure, trials = plt.figure(), Trials()
        >>> def objective(x):
        ...     return {"loss": x, "status": "ok", "attachments": {"curve": [1.0, x, x / 2]}}
        >>> best = fmin(
        ...     objective, hp.uniform("x", 0, 1), max_evals=5, trials=trials, verbose=False
        ... )
        >>> len(main_plot_1D_attachment(trials, "curve", do_show=False).lines)
        5
    """
    if not isinstance(attachment_name, str):
        raise TypeError(f"attachment_name must be text, got {shown(attachment_name)}")
    _check(do_show, "")
    check_flag("colorize_by_loss", colorize_by_loss)
    check_number("max_darkness", max_darkness, least=0, most=1)
    check_number("line_width", line_width, above=0)
    check_callable("preprocessing_fn", preprocessing_fn, ("attachment",))
    if num_trails is not None:
        check_whole("num_trails", num_trails, least=1)
    data, ax = seen(trials), pyplot().gca()
    rows = _evenly(data, trials, attachment_name, num_trails)
    darkness = _darkness(data.losses[rows], float(max_darkness), bool(colorize_by_loss))
    for row, alpha in zip(rows, darkness, strict=True):
        document = data.documents[row]
        given = preprocessing_fn(trials.trial_attachments(document)[attachment_name])
        name = f"trial {data.numbers[row]:.0f}, loss {data.losses[row]:.4g}"
        ax.plot(
            _numbers(attachment_name, document, given),
            color=BLUE,
            alpha=float(alpha),
            linewidth=float(line_width),
            label=name if len(rows) <= _MOST_NAMED else None,
        )
    if not len(rows):
        say(ax, f"no trial has the attachment {plain_text(repr(attachment_name))}")
    return _shown(ax, plain_text(attachment_name, 60), do_show)


def _check(do_show: object, title: object) -> None:
    check_flag("do_show", do_show)
    if not isinstance(title, str):
        raise TypeError(f"title must be text, got {shown(title)}")


def _all_losses(data: SeenTrials) -> FloatArray:
    """Losses of all trials, also of those with a status other than ok; NaN where there is none."""
    losses: FloatArray = data.losses.copy()
    for row in np.flatnonzero(np.isnan(losses)).tolist():
        loss = data.documents[row]["result"].get("loss")
        if isinstance(loss, int | float | np.number) and abs(loss) < 1e300:
            losses[row] = float(loss)
    return losses


def _expected_best(trials: Trials) -> float | None:
    try:
        best = trials.average_best_error()
    except (AllTrialsFailed, InvalidLoss):
        return None
    # No axis has room for larger ones.
    return max(-1e300, min(best, 1e300))


def _draw_variable(
    ax: Axes, data: SeenTrials, parameter: SeenParameter, n_best: int, by_loss: bool
) -> None:
    rows = np.flatnonzero(data.is_ranked & ~np.isnan(parameter.values))
    values, losses = parameter.values[rows], data.losses[rows]
    if parameter.options:
        # Many options are not all named.
        step = -(-len(parameter.options) // 8)
        names = [plain_text(option, 12) for option in parameter.options]
        ax.set_yticks(range(0, len(names), step), names[::step])
    elif is_log(parameter, values):
        ax.set_yscale("log")
    if not len(rows):
        return
    every = data.losses[data.is_ranked]
    ranks = np.searchsorted(np.sort(every), losses) / max(1, len(every) - 1)
    chosen = losses <= np.sort(every)[min(n_best, len(every)) - 1] if n_best else losses != losses
    ax.scatter(
        losses if by_loss else data.numbers[rows],
        spread(values, 0.5) if parameter.options else values,
        c=[ORANGE if best else BLUE for best in chosen],
        # By rank: a few bad losses would make all others equally dark.
        alpha=np.where(chosen, 1.0, 1.0 - 0.6 * ranks),
        s=16,
        linewidths=0,
    )
    ax.set_xlabel("loss" if by_loss else "trial")


def _evenly(data: SeenTrials, trials: Trials, name: str, most: int | None) -> Sequence[int]:
    ranked: list[int] = np.flatnonzero(data.is_ranked).tolist()
    found = [row for row in ranked if name in trials.trial_attachments(data.documents[row])]
    if most is None or most >= len(found):
        return found
    by_loss = sorted(found, key=lambda row: data.losses[row])
    return [by_loss[int(i)] for i in np.linspace(0, len(by_loss) - 1, int(most))]


def _darkness(losses: FloatArray, most: float, by_loss: bool) -> FloatArray:
    if not by_loss or len(losses) < 2:
        return np.full(len(losses), most)
    ranks = np.argsort(np.argsort(losses)) / (len(losses) - 1)
    # Never invisible.
    return most * (1.0 - 0.7 * ranks)


def _numbers(name: str, document: TrialDocument, given: object) -> FloatArray:
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.ndim != 1:
        raise ValueError(
            f"the attachment {name!r} of trial {document['tid']!r} must be a list of numbers, got "
            f"{type(given).__name__}; pass preprocessing_fn=..., which makes one of it"
        )
    return numbers


def _shown(ax: Axes, title: str, do_show: bool) -> Axes:
    ax.set_title(title)
    legend(ax)
    if do_show:
        pyplot().show()
    return ax
