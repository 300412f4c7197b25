"""Every plot of every odd search can be drawn, on light and on dark grounds."""

from __future__ import annotations

from typing import Any

import pytest

from sparktuner import plotting
from tests.plotting.histories import HISTORIES, many

PLOTS = [name for name in plotting.__all__ if name.startswith("plot_")]
OF_MANY = {"plot_slice": "axes"}


def drawn(name: str, trials: Any, **arguments: Any) -> list[Any]:
    """The axes of a plot, which was drawn to the last letter."""
    made = getattr(plotting, name)(trials, **arguments)
    axes = made if isinstance(made, list) else [made]
    axes[0].figure.canvas.draw()
    return axes


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning", "ignore:.*deprecated")
@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("name", PLOTS)
def test_an_odd_search_is_drawn_without_a_warning(name: str, history: str) -> None:
    assert drawn(name, HISTORIES[history]())


@pytest.mark.parametrize("name", PLOTS)
def test_the_ground_is_that_of_the_current_style(name: str) -> None:
    import matplotlib.pyplot as plt

    with plt.style.context("dark_background"):
        ax = drawn(name, HISTORIES["mixed"]())[0]
    assert ax.get_facecolor()[:3] == (0, 0, 0) and ax.figure.get_facecolor()[:3] == (0, 0, 0)


@pytest.mark.parametrize("name", PLOTS)
def test_ten_thousand_trials_are_drawn(name: str) -> None:
    assert drawn(name, many())


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_drawn_where_it_is_told_to(name: str) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(4, 4)
    trials = HISTORIES["mixed"]()
    if OF_MANY.get(name) == "axes":
        made = drawn(name, trials, axes=axes)
        assert made == list(axes.flat[: len(made)])
        with pytest.raises(ValueError, match="axes must be at least"):
            getattr(plotting, name)(trials, axes=[axes[0, 0]])
    else:
        assert drawn(name, trials, ax=axes[0, 0]) == [axes[0, 0]]
    assert plt.get_fignums() == [figure.number]
