"""Plots of a search that runs: from a callback, from another thread, from another process."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sparktuner import Callback, ThreadTrials, Trials, fmin, hp, plotting

PLOTS = [name for name in plotting.__all__ if name.startswith("plot_")]


def test_a_callback_draws_after_each_trial() -> None:
    import matplotlib.pyplot as plt

    trials = Trials()
    shown: list[int] = []

    class Drawing(Callback):
        def on_trial_end(self, document: Any) -> None:
            plt.close("all")
            points = plotting.plot_history(trials).collections[0].get_offsets()
            shown.append(len(points))

    space = {"x": hp.uniform("x", 0, 1), "n": hp.randint("n", 3)}
    fmin(lambda p: p["x"], space, max_evals=4, trials=trials, callbacks=[Drawing()], verbose=False)
    assert shown == [1, 2, 3, 4]


def test_another_thread_draws_while_trials_run() -> None:
    import matplotlib.pyplot as plt

    trials = ThreadTrials(parallelism=2)
    begun, drawn = threading.Event(), threading.Event()

    def objective(params: Any) -> float:
        begun.set()
        # Until every plot was drawn, so that all of them have met trials that run.
        if not drawn.wait(60):
            raise TimeoutError("nobody has drawn")
        return float(params["x"])

    space = {"x": hp.uniform("x", 0, 1), "c": hp.choice("c", ["a", {"k": hp.randint("k", 3)}])}
    search = threading.Thread(
        target=fmin,
        args=(objective, space),
        kwargs={"max_evals": 4, "trials": trials, "verbose": False},
    )
    search.start()
    try:
        assert begun.wait(60)
        for name in PLOTS:
            getattr(plotting, name)(trials)
            plt.close("all")
        ax = plotting.plot_history(trials)
        assert "2 running" in {line.get_label() for line in ax.lines}
        assert "2 running" in trials._repr_html_()
    finally:
        drawn.set()
        search.join()
    assert sorted(trials.losses()) and "running" not in trials._repr_html_()


def test_what_another_process_has_written_is_drawn_after_a_refresh(tmp_path: Any) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/tuning.db"
    watching = Trials(store=url)
    assert plotting.plot_history(watching).texts[0].get_text() == "no trials yet"
    fmin(abs, hp.loguniform("x", -3, 3), max_evals=5, trials=Trials(store=url), verbose=False)
    watching.refresh()
    assert len(plotting.plot_history(watching).collections[0].get_offsets()) == 5
    assert plotting.plot_slice(watching)[0].get_xscale() == "log"
