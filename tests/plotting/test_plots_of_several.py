"""What the plots of several parameters, and of several searches, show is what the trials hold."""

from __future__ import annotations

import numpy as np
import pytest

from sparktuner import Trials, hp, plotting
from sparktuner.plotting._contour import smoothed
from sparktuner.plotting._parallel import lines_of
from sparktuner.plotting._scales import scale_of
from tests.plotting.histories import made, mixed, searched, without_space


def test_a_line_passes_each_axis_at_its_value_and_below_those_not_active() -> None:
    trials = searched(30)
    ax = plotting.plot_parallel(trials, labels=["lr", "depth", "C"])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["lr", "depth", "C", "loss"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["not active"]
    (lines,) = ax.collections
    segments = np.array(lines.get_segments())
    by_loss = sorted(trials.trials, key=lambda d: -d["result"]["loss"])
    lr = np.log([d["misc"]["vals"]["lr"][0] for d in by_loss])
    assert np.allclose(segments[:, 0, 1], (lr - lr.min()) / np.ptp(lr))
    has_depth = [bool(d["misc"]["vals"]["depth"]) for d in by_loss]
    assert (segments[:, 1, 1] >= 0).tolist() == has_depth
    assert (segments[:, 2, 1] < 0).tolist() == has_depth
    assert segments[-1, 3, 1] == 0 and segments[0, 3, 1] == 1


def test_of_many_trials_the_best_and_an_even_choice_of_the_others_are_lines() -> None:
    losses = np.random.default_rng(0).random(10_000)
    losses[5] = np.nan
    rows = lines_of(losses)
    assert len(rows) == len(set(rows.tolist())) == 500
    assert np.array_equal(losses[rows[:100]], np.sort(losses)[:100])
    assert losses[rows[-1]] == np.nanmax(losses)


def test_a_scale_leads_there_and_back() -> None:
    values = np.array([1e-4, 1e-2, 0.1, np.nan])
    for log in (True, False):
        scale = scale_of(values, log)
        assert np.allclose(scale.values(scale.places(values)), values, equal_nan=True)
    assert scale_of(values, True).places(values)[1] == pytest.approx(2 / 3)
    assert scale_of(np.array([3.0]), False).places(np.array([3.0])).tolist() == [0.5]
    wide = scale_of(np.array([-1.7e308, 1.7e308]), False)
    assert wide.places(np.array([0.0])).tolist() == [0.5]


def test_the_ground_is_the_mean_of_what_is_near_and_empty_elsewhere() -> None:
    at = np.array([[0.1, 0.1], [0.12, 0.1], [0.9, 0.9]])
    losses = np.array([1.0, 3.0, 7.0])
    grid = np.array([[0.11, 0.1], [0.9, 0.9], [0.5, 0.5]])
    means = smoothed(at, losses, grid, (False, False))
    assert means[:2] == pytest.approx([2.0, 7.0]) and np.isnan(means[2])
    options = np.array([[0.25, 0.5], [0.75, 0.5]])
    assert smoothed(options, losses[:2], options, (True, False)).tolist() == [1.0, 3.0]


def test_a_contour_shows_the_trials_that_have_both_parameters() -> None:
    trials = searched(40)
    ax = plotting.plot_contour(trials, labels=["lr", "depth"])
    (points,) = (c for c in ax.collections if len(c.get_offsets()) > 1)
    both = [d["misc"]["vals"] for d in trials.trials if d["misc"]["vals"]["depth"]]
    expected = sorted((v["lr"][0], v["depth"][0]) for v in both)
    assert sorted(map(tuple, points.get_offsets().tolist())) == expected
    assert ax.get_xscale() == "log" and ax.get_yscale() == "linear"


def test_a_contour_of_no_labels_takes_the_two_that_matter_most() -> None:
    space = {label: hp.uniform(label, 0, 1) for label in "abcd"}
    trials = made(60, space, loss=lambda i, u: 2 * u["c"] + u["b"])
    ax = plotting.plot_contour(trials)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("c", "b")


@pytest.mark.parametrize("labels", [["lr"], ["lr", "lr"], ["lr", "C", "model"], []])
def test_a_contour_is_of_two_parameters(labels: list[str]) -> None:
    with pytest.raises(ValueError, match="labels must be those of two parameters"):
        plotting.plot_contour(mixed(), labels=labels)


def test_a_contour_of_parameters_that_are_never_together_says_so() -> None:
    ax = plotting.plot_contour(mixed(), labels=["C", "depth"])
    assert ax.texts[0].get_text() == "no trial with both has a loss yet"


def test_the_distribution_ends_at_the_share_that_did_not_fail() -> None:
    first, second = mixed(), without_space(20)
    ax = plotting.plot_edf({"first": first, "second": second})
    assert [line.get_label() for line in ax.lines] == ["first (80 trials)", "second (20 trials)"]
    losses = sorted(d["result"]["loss"] for d in first.trials if "loss" in d["result"])
    x, y = ax.lines[0].get_data()
    assert list(x[1:-1]) == losses
    # Two of 77 that have ended have failed; one was cancelled, one runs and one waits.
    assert y[0] == 0 and y[-1] == pytest.approx(75 / 77)
    assert ax.lines[1].get_ydata()[-1] == 1


def test_searches_may_be_one_a_list_or_named() -> None:
    trials = without_space(5)
    assert plotting.plot_edf(trials).lines[0].get_label() == "5 trials"
    labels = [line.get_label() for line in plotting.plot_edf([trials, trials]).lines]
    assert labels == ["search 1 (5 trials)", "search 2 (5 trials)"]
    with pytest.raises(TypeError, match="searches must be a Trials, a list of them"):
        plotting.plot_edf([trials, 3])  # type: ignore[list-item]
    assert plotting.plot_edf([Trials(), Trials()]).texts
