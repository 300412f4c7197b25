"""Hyperopt's four plots take its arguments and show what the trials hold."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from sparktuner import Trials, fmin, hp, plotting
from tests.plotting.histories import HISTORIES, mixed, searched

ARGUMENTS = {
    "main_plot_history": "trials do_show status_colors title",
    "main_plot_histogram": "trials do_show title",
    "main_plot_vars": "trials do_show fontsize colorize_best columns arrange_by_loss",
    "main_plot_1D_attachment": "trials attachment_name do_show colorize_by_loss max_darkness "
    "num_trails preprocessing_fn line_width",
}


def with_curves(n: int = 12) -> Trials:
    def objective(x: float) -> dict[str, Any]:
        curve = [3.0, 2.0, x]
        return {"loss": x, "status": "ok", "attachments": {"curve": curve} if x > 0.2 else {}}

    trials = Trials()
    fmin(objective, hp.uniform("x", 0, 1), max_evals=n, trials=trials, rstate=0, verbose=False)
    return trials


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_arguments_are_hyperopts_in_its_order(name: str) -> None:
    assert list(inspect.signature(getattr(plotting, name)).parameters) == ARGUMENTS[name].split()


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning", "ignore:.*deprecated")
@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_odd_search_is_drawn_without_a_warning(name: str, history: str) -> None:
    more = ["curve"] if name == "main_plot_1D_attachment" else []
    made = getattr(plotting, name)(HISTORIES[history](), *more, do_show=False)
    (made[0] if isinstance(made, list) else made).figure.canvas.draw()


def test_a_plot_is_shown_unless_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib.pyplot as plt

    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(1))
    for name in ARGUMENTS:
        more = ["curve"] if name == "main_plot_1D_attachment" else []
        getattr(plotting, name)(mixed(), *more)
        getattr(plotting, name)(mixed(), *more, do_show=False)
        plt.close("all")
    assert len(shown) == 4


def test_the_history_has_a_point_for_each_loss_and_a_line_at_the_best() -> None:
    trials = searched(20)
    ax = plotting.main_plot_history(trials, do_show=False, status_colors={"ok": "k"}, title="T")
    assert ax.get_title() == "T"
    (points,) = ax.collections
    assert np.array_equal(points.get_offsets()[:, 1], trials.losses())
    assert points.get_facecolor()[0].tolist() == [0, 0, 0, 1]
    assert ax.lines[0].get_ydata()[0] == trials.average_best_error()


def test_the_histogram_counts_each_loss_once() -> None:
    ax = plotting.main_plot_histogram(mixed(), do_show=False)
    assert sum(bar.get_height() for bar in ax.patches) == 75


def test_the_variables_show_their_values_over_trials_or_over_losses() -> None:
    trials = searched(30)
    axes = {ax.get_title(): ax for ax in plotting.main_plot_vars(trials, False, columns=2)}
    (points,) = axes["C"].collections
    assert points.get_offsets()[:, 0].tolist() == trials.idxs["C"]
    assert points.get_offsets()[:, 1].tolist() == trials.vals["C"]
    assert axes["C"].get_yscale() == axes["lr"].get_yscale() == "log"
    ax = plotting.main_plot_vars(trials, False, arrange_by_loss=True, colorize_best=3)[0]
    (points,) = ax.collections
    assert np.array_equal(points.get_offsets()[:, 0], trials.losses())
    coloured = {tuple(colour[:3]) for colour in points.get_facecolor()}
    assert len(coloured) == 2
    best = np.sort(np.array(trials.losses(), dtype=float))[2]
    orange = points.get_facecolor()[:, 0] > 0.5
    assert orange.tolist() == [loss <= best for loss in trials.losses()]


def test_attachments_are_drawn_evenly_over_the_losses() -> None:
    trials = with_curves()
    have = sum(loss > 0.2 for loss in trials.losses())
    ax = plotting.main_plot_1D_attachment(trials, "curve", do_show=False)
    assert len(ax.lines) == have
    ends = sorted(line.get_ydata()[-1] for line in ax.lines)
    assert ends == sorted(loss for loss in trials.losses() if loss > 0.2)
    ax.clear()
    plotting.main_plot_1D_attachment(
        trials, "curve", False, num_trails=3, preprocessing_fn=lambda c: c[-1:], line_width=2
    )
    drawn = sorted(line.get_ydata()[0] for line in ax.lines)
    assert len(drawn) == 3 and drawn[0] == ends[0] and drawn[-1] == ends[-1]
    darkest = max(ax.lines, key=lambda line: line.get_alpha())
    assert darkest.get_ydata()[0] == ends[0] and darkest.get_alpha() == 0.5


def test_an_attachment_that_is_no_list_says_how_to_make_one() -> None:
    with pytest.raises(ValueError, match=r"attachment 'curve' of trial \d+ .*preprocessing_fn"):
        plotting.main_plot_1D_attachment(with_curves(), "curve", False, preprocessing_fn=str)
