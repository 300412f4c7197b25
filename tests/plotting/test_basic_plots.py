"""What the plots of losses, parameters and times show is what the trials hold."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from sparktuner import Trials, fmin, hp, load_trials, plotting
from sparktuner.history import loss_view, option_names
from sparktuner.plotting._history import rolling_quantiles
from sparktuner.plotting._lanes import lanes_of
from sparktuner.plotting._seen import seen
from sparktuner.status import JOB_STATE_DONE
from tests.plotting.histories import HISTORIES, LONG, made, mixed, searched, without_space


def line(ax: Any, begins: str) -> np.ndarray:
    (found,) = (each for each in ax.lines if str(each.get_label()).startswith(begins))
    return np.array(found.get_xydata())


def points(ax: Any) -> np.ndarray:
    return np.concatenate([np.array(each.get_offsets()) for each in ax.collections[:1]])


def test_the_history_shows_each_loss_and_the_best_so_far() -> None:
    trials = mixed()
    ax = plotting.plot_history(trials)
    done = {d["tid"]: d["result"]["loss"] for d in trials.all_trials if "loss" in d["result"]}
    assert {tuple(xy) for xy in points(ax)} == set(done.items())
    best = line(ax, "best so far")[:, 1]
    assert best[-1] == min(done.values()) and (np.diff(best) <= 0).all()
    assert line(ax, "2 failed")[:, 0].tolist() == [3, 20]
    assert line(ax, "1 cancelled")[:, 0].tolist() == [7]
    assert line(ax, "1 running")[:, 0].tolist() == [78]
    assert line(ax, "1 waiting")[:, 0].tolist() == [79]


def test_without_a_loss_the_axis_has_no_numbers() -> None:
    ax = plotting.plot_history(HISTORIES["all failed"]())
    assert not len(ax.get_yticks()) and line(ax, "12 failed")[:, 0].tolist() == [*range(12)]


def test_rolling_quantiles_are_those_of_each_window() -> None:
    losses = np.random.default_rng(0).random(30)
    low, middle = rolling_quantiles(losses, 10, (0.25, 0.5))
    assert len(middle) == 21
    assert middle[4] == np.median(losses[4:14]) and low[0] == np.quantile(losses[:10], 0.25)


def test_a_few_huge_losses_do_not_flatten_the_others() -> None:
    losses = np.array([*np.linspace(0, 1, 50), 1e9])
    view = loss_view(losses)
    assert view.top is not None and 1 < view.top < 4
    assert view.above(losses).tolist() == [False] * 50 + [True]
    assert loss_view(np.linspace(1, 2, 50)).top is None
    assert loss_view(np.array([1e-6, 1.0])).log


def test_a_slice_shows_a_parameter_only_where_it_is_active() -> None:
    trials = searched(40)
    frame = trials.to_pandas()
    axes = {ax.get_xlabel(): ax for ax in plotting.plot_slice(trials)}
    assert list(axes) == ["lr", "model", "seed", "depth", "C", "kernel"]
    assert axes["C"].get_title() == "where model = svm"
    assert axes["depth"].get_title() == "where model = forest" and axes["lr"].get_title() == ""
    for label in ("C", "lr", "depth"):
        active = frame[["loss", f"params.{label}"]].dropna()
        expected = active[[f"params.{label}", "loss"]].to_numpy(float)
        assert np.array_equal(points(axes[label]), expected)
    assert axes["lr"].get_xscale() == axes["C"].get_xscale() == "log"
    assert axes["depth"].get_xscale() == "linear"
    kernels = np.round(points(axes["kernel"])[:, 0]).astype(int)
    assert [["rbf", "poly"][k] for k in kernels] == frame["params.kernel"].dropna().tolist()
    assert [tick.get_text() for tick in axes["kernel"].get_xticklabels()] == ["rbf", "poly"]


def test_a_slice_of_chosen_labels_has_their_panels_alone() -> None:
    trials = mixed()
    assert [ax.get_xlabel() for ax in plotting.plot_slice(trials, labels=["seed", "lr"])] == [
        "seed",
        "lr",
    ]
    with pytest.raises(ValueError, match=r"labels: .* no parameter 'x'; they have 'lr', 'model'"):
        plotting.plot_slice(trials, labels=["x"])
    with pytest.raises(TypeError, match="labels must be a list of labels of parameters, got 'x'"):
        plotting.plot_slice(trials, labels="x")


def test_the_space_is_known_of_trials_that_were_saved(tmp_path: Any) -> None:
    path = str(tmp_path / "search")
    fmin(
        lambda p: p["x"],
        {"x": hp.loguniform("x", -7, 0), "c": hp.choice("c", ["a", "b"])},
        max_evals=20,
        trials_save_file=path,
        rstate=0,
        verbose=False,
    )
    c, x = plotting.plot_slice(load_trials(path))
    assert x.get_xscale() == "log"
    assert [tick.get_text() for tick in c.get_xticklabels()] == ["a", "b"]


def test_trials_of_an_unknown_space_show_what_is_in_them() -> None:
    axes = plotting.plot_slice(without_space())
    assert [ax.get_xlabel() for ax in axes] == ["a", "b", "never"]


def test_the_timeline_has_a_bar_for_each_attempt_on_its_host() -> None:
    trials = mixed(40)
    lanes = lanes_of(seen(trials))
    ran = [d for d in trials.all_trials if d["book_time"] is not None]
    assert len(lanes.bars) == len(ran) + 2
    assert [bar.row for bar in lanes.bars if bar.kind == "retried"] == [12, 33]
    for bar in lanes.bars:
        assert lanes.hosts[bar.lane] == bar.host
        others = [b for b in lanes.bars if b.lane == bar.lane and b is not bar]
        assert all(b.end <= bar.begin + 3e-3 or b.begin >= bar.end - 3e-3 for b in others)
    ax = plotting.plot_timeline(trials)
    assert ax.get_title().startswith(f"{lanes.most} trials at a time")
    widths = [np.ptp(p.vertices[:4, 0]) for each in ax.collections for p in each.get_paths()]
    assert sum(widths) == pytest.approx(sum(bar.end - bar.begin for bar in lanes.bars))


def test_in_local_mode_all_trials_are_on_the_one_host_that_there_is() -> None:
    trials = mixed(40)
    for document in trials.all_trials:
        execution = document["misc"].get("execution", {})
        if document["state"] == JOB_STATE_DONE:
            execution |= {"host": "laptop", "executor": "driver"}
        elif execution:  # its worker died, and Spark has a name of its own for the host
            execution |= {"host": "127.0.0.1", "executor": ""}
    lanes = lanes_of(seen(trials))
    assert {"failed", "cancelled", "retried"} < {bar.kind for bar in lanes.bars}
    assert set(lanes.hosts) == {"laptop"}


def test_a_slot_that_is_idle_half_of_the_time_is_half_busy() -> None:
    lanes = lanes_of(seen(made(2, slots=1)))
    # Ten seconds from start to start, of which the first takes seven and the second eight.
    assert (lanes.most, lanes.seconds, lanes.busy) == (1, 18.0, pytest.approx(15 / 18))


def test_options_are_told_apart_by_the_field_that_differs() -> None:
    assert option_names(("{'k': 'a', 'm': 'x'}", "{'k': 'a', 'm': 'y', 'C': <C>}")) == ("x", "y")
    assert option_names(("['svm', <C>]", "['forest']")) == ("svm", "forest")
    assert option_names(("{'C': <C>}", "relu")) == ("{'C': <C>}", "relu")


def test_long_labels_are_cut_and_no_formula() -> None:
    axes = plotting.plot_slice(HISTORIES["long labels"]())
    assert all(len(ax.get_xlabel()) <= 34 for ax in axes)
    assert len(LONG) > 100 and "\n" not in axes[0].get_xlabel()


def test_what_is_no_trials_is_refused_by_name() -> None:
    for name in (n for n in plotting.__all__ if n.startswith("plot_")):
        with pytest.raises(TypeError, match=r"(trials|searches) must be a Trials, .* got .*1.0"):
            getattr(plotting, name)([1.0])


def test_what_are_no_axes_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="ax must be matplotlib axes"):
        plotting.plot_history(Trials(), ax=3)  # type: ignore[arg-type]


def test_importing_the_plots_does_not_import_matplotlib() -> None:
    program = "import sys, sparktuner.plotting; print('matplotlib' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'sparktuner\[plot\]'"):
        plotting.plot_history(Trials())
