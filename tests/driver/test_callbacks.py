"""Callbacks are told of every trial, and can neither slow nor break a search."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sparktuner import Callback, ThreadTrials, Trials, fmin, hp, partial, tpe
from sparktuner.callbacks import Background, SearchSettings
from sparktuner.records import TrialDocument
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_RUNNING

X = hp.uniform("x", 0, 1)
PATIENCE = 60.0


def quiet(fn: Any, **kw: Any) -> Any:
    return fmin(fn, X, **{"max_evals": 4, "rstate": 0, "verbose": False, **kw})


class Recorder(Callback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.threads: set[str] = set()

    def on_search_start(self, trials: Any) -> None:
        self.told.append(("search", type(trials).__name__))

    def on_trial_start(self, document: TrialDocument) -> None:
        self.threads.add(threading.current_thread().name)
        assert document["state"] == JOB_STATE_RUNNING
        self.told.append(("start", document["tid"]))

    def on_trial_end(self, document: TrialDocument) -> None:
        self.told.append(("end", document["tid"], document["state"]))

    def on_search_end(self, reason: str | None) -> None:
        self.told.append(("over", reason))


class Broken(Callback):
    """Raises when it is told of the second trial's end."""

    def __init__(self) -> None:
        self.calls = 0

    def on_trial_end(self, document: TrialDocument) -> None:
        self.calls += 1
        if document["tid"] == 1:
            raise ZeroDivisionError("broken callback")


def test_a_callback_is_told_of_the_search_and_each_trial_in_order() -> None:
    recorder = Recorder()
    quiet(lambda x: x, max_evals=2, callbacks=[recorder])
    done = JOB_STATE_DONE
    assert recorder.told == [
        ("search", "Trials"),
        *[("start", 0), ("end", 0, done), ("start", 1), ("end", 1, done)],
        ("over", None),
    ]


@pytest.mark.parametrize("wrap", [lambda callback: callback, Background], ids=["own", "thread"])
def test_a_callback_is_told_why_a_search_ended_early(wrap: Any) -> None:
    recorder = Recorder()
    quiet(lambda x: 0.5, loss_threshold=1.0, callbacks=[wrap(recorder)])
    assert recorder.told[-1] == ("over", "loss_threshold: 0.5 is at most 1")
    with pytest.raises(KeyError):
        quiet(lambda x: {}["x"], callbacks=[wrap(recorder)])
    assert recorder.told[-2:] == [
        ("end", 0, JOB_STATE_ERROR),
        ("over", "error: KeyError: 'x'"),
    ]


@pytest.mark.parametrize("wrap", [lambda callback: callback, Background], ids=["own", "thread"])
def test_a_callback_is_told_first_what_the_search_was_asked_to_do(wrap: Any) -> None:
    class Settings(Recorder):
        def on_search_settings(self, settings: SearchSettings) -> None:
            self.told.append(settings)

    def loss(x: float) -> float:
        return x

    recorder = Settings()
    algo = partial(tpe.suggest, n_startup_jobs=2)
    fmin(loss, X, algo, 3, 60, trials=ThreadTrials(2), callbacks=[wrap(recorder)], rstate=7)
    settings = recorder.told[0]
    assert settings.space.labels == ("x",)
    assert (settings.objective, settings.algorithm) == ("loss", "sparktuner.tpe")
    assert (settings.max_evals, settings.timeout, settings.seed) == (3, 60, 7)
    assert (settings.parallelism, settings.window) == (2, 2)
    assert recorder.told[1] == ("search", "ThreadTrials")


@pytest.mark.parametrize("wrap", [lambda callback: callback, Background], ids=["own", "thread"])
def test_a_callback_that_raises_is_logged_once_and_told_no_more(
    wrap: Any, caplog: pytest.LogCaptureFixture
) -> None:
    broken, recorder, trials = Broken(), Recorder(), Trials()
    quiet(lambda x: x, trials=trials, callbacks=[wrap(broken), recorder])
    assert [t["state"] for t in trials.all_trials] == [JOB_STATE_DONE] * 4
    assert broken.calls == 2
    assert len(recorder.told) == 2 + 2 * 4
    assert caplog.text.count("ZeroDivisionError: broken callback") == 1
    assert "Traceback" in caplog.text
    assert "is told no more" in caplog.text


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_callback_may_put_something_around_the_objective(
    asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Around(Callback):
        def around_objective(self, objective: Any, trials: Any) -> Any:
            return lambda argument: 10 + objective(argument)

    class Raises(Callback):
        def around_objective(self, objective: Any, trials: Any) -> Any:
            raise ZeroDivisionError("broken callback")

    trials = ThreadTrials(2) if asynchronous else Trials()
    quiet(lambda x: x, trials=trials, callbacks=[Raises(), Around(), Background(Around())])
    losses = [loss for loss in trials.losses() if loss is not None]
    assert len(losses) == 4 and min(losses) >= 20
    assert [record.exc_info is not None for record in caplog.records] == [True]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_progress_bar_that_raises_leaves_every_trial_done(
    asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    closed: list[bool] = []

    class Bar:
        postfix = ""

        def update(self, n: int) -> None:
            if n:
                raise RuntimeError("no terminal")

    @contextlib.contextmanager
    def factory(initial: int, total: int) -> Iterator[Bar]:
        yield Bar()
        closed.append(True)

    trials = ThreadTrials(2) if asynchronous else Trials()
    quiet(lambda x: x, trials=trials, verbose=True, show_progressbar=factory)
    assert [t["state"] for t in trials.all_trials] == [JOB_STATE_DONE] * 4
    assert caplog.text.count("RuntimeError: no terminal") == 1
    assert closed == [True]


def test_what_is_no_callback_is_refused_before_the_first_trial() -> None:
    with pytest.raises(TypeError, match="callbacks must be a list of objects"):
        quiet(lambda x: x, callbacks=[print])
    with pytest.raises(TypeError, match="callbacks must be a list of objects"):
        quiet(lambda x: x, callbacks=Recorder())


class Slow(Recorder):
    """Is busy until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def on_search_start(self, trials: Any) -> None:
        self.release.wait(PATIENCE)
        super().on_search_start(trials)


def test_a_search_does_not_wait_for_a_callback_in_the_background_until_its_end() -> None:
    slow, last = Slow(), []

    def objective(x: float) -> float:
        last.append(x)
        if len(last) == 4:
            assert not slow.told  # three trials have gone by, and it was not waited for
            slow.release.set()
        return x

    quiet(objective, callbacks=[Background(slow)])
    assert len(slow.told) == 2 + 2 * 4
    assert slow.told[-1] == ("over", None)
    assert slow.threads == {"sparktuner-slow"}
    assert "sparktuner-slow" not in {thread.name for thread in threading.enumerate()}


def test_documents_that_a_callback_gets_in_the_background_do_not_change_any_more() -> None:
    slow = Slow()
    quiet(lambda x: slow.release.set() or x, callbacks=[Background(slow)])
    # on_trial_start itself asserts that the state is RUNNING.
    assert [told[0] for told in slow.told].count("start") == 4


def test_what_comes_while_a_callbacks_queue_is_full_is_left_out_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    calls: list[float] = []

    def objective(x: float) -> float:
        calls.append(x)
        if len(calls) == 20:
            slow.release.set()
        return x

    with caplog.at_level(logging.WARNING):
        quiet(objective, max_evals=20, callbacks=[Background(slow, capacity=5)])
    assert len(slow.told) < 20
    assert slow.told[-1] == ("over", None)
    assert caplog.text.count("5 calls behind") == 1


def test_a_callback_that_never_ends_is_left_behind_after_its_drain_timeout(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    quiet(lambda x: x, callbacks=[Background(slow, drain_timeout=0.05)])
    assert "had not taken in the search 0.05 s after its end" in caplog.text
    slow.release.set()


def test_a_callback_in_the_background_flushes_when_nothing_waits() -> None:
    flushed: list[int] = []
    again = threading.Event()

    class Batches(Callback):
        def __init__(self) -> None:
            self.batch: list[int] = []

        def on_trial_end(self, document: TrialDocument) -> None:
            self.batch.append(document["tid"])

        def flush(self) -> float | None:
            if self.batch and not flushed:
                flushed.append(len(self.batch))
                return 0.01  # asked again though nothing happens
            if flushed:
                again.set()
            return None

    def objective(x: float) -> float:
        if flushed:
            assert again.wait(PATIENCE)
        return x

    quiet(objective, max_evals=50, callbacks=[Background(Batches())])
    assert flushed
