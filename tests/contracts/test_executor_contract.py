"""What the driver may rely on, whatever runs the trials."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sparktuner import current_trial
from sparktuner.execute import (
    Attached,
    Cancelled,
    Checkpointed,
    Ended,
    Event,
    Executor,
    Failed,
    Finished,
    Injected,
    SerialExecutor,
    SlotChanged,
    Started,
    Submission,
    ThreadExecutor,
)
from sparktuner.execute.spark import SparkExecutor, make_executor
from sparktuner.status import FailureKind
from tests.fake_transport import FakeTransport
from tests.waiting import PATIENCE, closing_all, last_events, wait_until_running


@dataclass
class Kind:
    name: str
    make: Callable[..., Executor]  # (objective) -> an executor of `slots`
    slots: int
    stops_running: bool  # whether a cancel ends a trial that runs


def of_one_fold(objective: Callable[[Any], Any]) -> Executor:
    from sparktuner.sklearn._fold_executor import FoldExecutor

    inner = ThreadExecutor(lambda task: objective(task[0]), 2)
    return FoldExecutor(inner, 1, lambda values: (values[0],))


@pytest.fixture(
    params=[
        "serial",
        "threads",
        "folds",
        "window",
        pytest.param("spark", marks=pytest.mark.spark),
        pytest.param("connect", marks=[pytest.mark.spark, pytest.mark.service]),
    ]
)
def kind(request: pytest.FixtureRequest) -> Kind:
    name = request.param
    if name == "serial":
        return Kind(name, SerialExecutor, 1, False)
    if name == "threads":
        return Kind(name, lambda objective: ThreadExecutor(objective, 2), 2, False)
    if name == "folds":
        pytest.importorskip("sklearn", minversion="1.6")
        # In front of threads, so it does as they do.
        return Kind("threads", of_one_fold, 2, False)
    if name == "window":
        return Kind(name, lambda objective: SparkExecutor(FakeTransport(objective), 2), 2, True)
    spark = request.getfixturevalue("local_spark" if name == "spark" else "connect_spark")
    return Kind(name, lambda objective: make_executor(spark, objective, 2), 2, True)


@pytest.fixture
def opened(kind: Kind) -> Iterator[Callable[[Callable[[Any], Any]], Executor]]:
    with closing_all(kind.make) as make:
        yield make


def is_running(executor: Executor, tid: Any) -> bool:
    if isinstance(executor, SparkExecutor):
        return tid in executor._running  # elapsed() knows only what was looked at
    return executor.elapsed(tid) is not None


def test_what_the_objective_returns_comes_back(opened: Any) -> None:
    executor = opened(lambda config: {"loss": config["x"] ** 2, "extra": [None, "text"]})
    executor.submit(Submission(7, {"x": 3}))
    event = last_events(executor)[7]
    assert isinstance(event, Finished)
    assert event.value == {"loss": 9, "extra": [None, "text"]}


def test_the_objective_can_ask_which_trial_it_is(opened: Any) -> None:
    def objective(config: Any) -> Any:
        trial = current_trial()
        return trial.tid, trial.seed, trial.attempt, dict(trial.addresses)

    executor = opened(objective)
    executor.submit(Submission(7, {}, "trial 7", 1234))
    assert last_events(executor)[7].value == (7, 1234, 0, {})  # type: ignore[union-attr]
    assert current_trial().tid is None


def test_what_the_objective_attaches_comes_before_its_end(opened: Any) -> None:
    def objective(config: Any) -> Any:
        current_trial().attach("first", b"1")
        current_trial().attach("plots/second", b"2" * 100_000)
        return 1 / config

    executor = opened(objective)
    for tid, ends in ((0, Failed), (1, Finished)):
        executor.submit(Submission(tid, tid))
        *before, last = events_of_a_trial(executor)
        assert isinstance(last, ends)
        attached = [event for event in before if isinstance(event, Attached)]
        assert attached == [
            Attached(tid, "first", b"1"),
            Attached(tid, "plots/second", b"2" * 100_000),
        ]


def test_a_large_file_that_the_objective_attaches_comes_whole(opened: Any, tmp_path: Path) -> None:
    large = os.urandom(1000) * 20_000  # of which a worker sends two pieces and a half

    def objective(config: Any) -> Any:
        path = tmp_path / f"large {config}"
        path.write_bytes(large)
        for name in ("first", "second"):
            current_trial().attach(name, path)
        current_trial().attach("first", large[:-7])
        current_trial().attach("small", b"s")
        path.unlink()
        return 1 / config

    executor = opened(objective)
    for tid, ends in ((0, Failed), (1, Finished)):
        executor.submit(Submission(tid, tid))
        *before, last = events_of_a_trial(executor)
        assert isinstance(last, ends)
        attached = {event.name: event for event in before if isinstance(event, Attached)}
        assert bytes_of(attached["first"]) == large[:-7]
        assert bytes_of(attached["second"]) == large
        assert bytes_of(attached["small"]) == b"s"


def bytes_of(event: Attached) -> bytes:
    if isinstance(event.content, bytes):
        return event.content
    event.content.seek(0)
    with event.content as file:
        return file.read()


def test_functions_of_the_user_s_script_may_be_options_of_the_space(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(x: float) -> float:
        return 2 * x

    # As one at the top of a script is: the driver finds it by its name, and no worker does.
    twice.__module__, twice.__qualname__ = "__main__", "twice"
    monkeypatch.setattr(sys.modules["__main__"], "twice", twice, raising=False)
    executor = opened(lambda config: config["f"](config["x"]))
    executor.submit(Submission(0, {"f": twice, "x": 3}))
    event = last_events(executor)[0]
    assert isinstance(event, Finished), event
    assert event.value == 6


def model() -> SimpleNamespace:
    """An option of a space that is fitted in place, as estimators are."""
    return SimpleNamespace(fitted=[])


def test_each_trial_has_options_of_its_own_to_change(opened: Any, kind: Kind) -> None:
    def objective(config: Any) -> Any:
        config["model"].fitted.append(config["x"])
        config["nested"][0]["list"].append(config["x"])
        return config["model"].fitted, config["nested"][0]["list"]

    executor = opened(objective)
    option, shared = model(), [7]
    for tid in range(3):
        executor.submit(
            Submission(tid, {"model": option, "x": tid, "nested": ({"list": shared},)})
        )
        [event] = last_events(executor).values()
        assert isinstance(event, Finished), event
        assert event.value == ([tid], [7, tid])
    assert (option.fitted, shared) == ([], [7])


def _identities(lock: object, option: object) -> Callable[[Any], Any]:
    return lambda config: (config["lock"] is lock, config["model"] is option)


def test_an_option_that_cannot_be_copied_is_shared_where_it_need_not_travel(
    opened: Any, kind: Kind
) -> None:
    lock, option = threading.Lock(), model()
    objective = _identities(lock, option) if kind.name in ("serial", "threads") else str
    executor = opened(objective)
    executor.submit(Submission(0, {"lock": lock, "model": option}))
    event = last_events(executor)[0]
    if kind.name in ("serial", "threads"):
        assert isinstance(event, Finished), event
        assert event.value == (True, False)
    else:  # and refused by its name where it has to
        assert isinstance(event, Failed), event
        assert event.kind is FailureKind.ARGUMENT
        assert "config['lock'], a _thread.lock" in event.message


def test_a_result_of_none_is_a_result(opened: Any) -> None:
    executor = opened(lambda config: None)
    executor.submit(Submission(0, {}))
    event = last_events(executor)[0]
    assert isinstance(event, Finished)
    assert event.value is None


def test_an_ended_trial_says_where_and_when_it_ran(opened: Any, kind: Kind) -> None:
    executor = opened(lambda config: time.sleep(0.05))
    executor.submit(Submission(0, {}))
    event = last_events(executor)[0]
    assert isinstance(event, Finished)
    execution = event.execution
    assert execution.host
    assert execution.executor == ("fake" if kind.name == "window" else "driver")
    assert (execution.pid == os.getpid()) == (kind.name not in ("spark", "connect"))
    assert execution.attempt == 0
    assert execution.started.tzinfo is None
    assert 0.05 <= execution.duration < PATIENCE
    assert 0 <= execution.queue_time < PATIENCE


def events_of_a_trial(executor: Executor) -> list[Event]:
    events: list[Event] = []
    while not events or not isinstance(events[-1], Ended):
        events += executor.wait(PATIENCE)
    return events


def test_a_trial_starts_once_and_then_only_its_slot_changes(opened: Any) -> None:
    executor = opened(lambda config: 1)
    executor.submit(Submission(0, {}))
    *before, last = events_of_a_trial(executor)
    assert isinstance(last, Finished)
    assert before.count(Started(0)) == 1
    waits = [event.waits for event in before if isinstance(event, SlotChanged)]
    assert len(before) == 1 + len(waits)
    assert waits == [True, False][: len(waits)]


def test_what_is_posted_of_a_trial_comes_before_its_end_and_in_order(
    opened: Any, tmp_path: Path, kind: Kind
) -> None:
    posted = [Checkpointed(0, {"loss": n}) for n in range(3)] + [Injected(0, [{"tid": 7}])]
    go_on = tmp_path / "go on"

    def objective(config: Any) -> str:
        deadline = time.monotonic() + 60
        while config and not go_on.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return "done"

    executor = opened(objective)
    executor.submit(Submission(0, kind.name != "serial"))
    poster = threading.Thread(target=lambda: [executor.post(event) for event in posted])
    poster.start()
    poster.join()
    go_on.touch()
    events = events_of_a_trial(executor)
    assert [event for event in events if isinstance(event, Checkpointed | Injected)] == posted
    assert isinstance(events[-1], Finished)


def test_what_is_posted_wakes_a_wait(opened: Any, kind: Kind) -> None:
    if kind.name == "serial":
        return  # the trial runs inside wait()
    executor = opened(lambda config: time.sleep(1.5))
    executor.submit(Submission(0, {}))
    while Started(0) not in executor.wait(PATIENCE):
        pass
    executor.post(Checkpointed(0, {"loss": 1.0}))
    assert executor.wait(1.0) == [Checkpointed(0, {"loss": 1.0})]


def test_what_is_posted_of_a_trial_that_is_not_in_flight_is_dropped(opened: Any) -> None:
    executor = opened(lambda config: 1)
    executor.post(Checkpointed(0, {}))
    assert executor.wait(0.0) == []
    executor.submit(Submission(0, {}))
    last_events(executor)
    executor.post(Injected(0, []))
    executor.submit(Submission(0, {}))
    assert not any(isinstance(event, Injected) for event in events_of_a_trial(executor))


def test_a_failure_says_of_which_kind_it_is(opened: Any, kind: Kind) -> None:
    def objective(config: Any) -> Any:
        return threading.Lock() if config else 1 / 0

    executor = opened(objective)
    executor.submit(Submission(0, False))
    assert last_events(executor)[0].kind is FailureKind.OBJECTIVE  # type: ignore[union-attr]
    if kind.name in ("serial", "threads"):
        return  # what stays in this process need not be pickled
    executor.submit(Submission(1, True))
    assert last_events(executor)[1].kind is FailureKind.RESULT  # type: ignore[union-attr]
    executor.submit(Submission(2, threading.Lock()))
    assert last_events(executor)[2].kind is FailureKind.ARGUMENT  # type: ignore[union-attr]


def test_an_exception_comes_back_as_type_text_and_traceback_of_the_objective(opened: Any) -> None:
    def fails(config: Any) -> float:
        raise ValueError(f"no good: {config}")

    executor = opened(fails)
    executor.submit(Submission(0, 5))
    event = last_events(executor)[0]
    assert isinstance(event, Failed)
    assert (event.error_type, event.message) == ("ValueError", "no good: 5")
    assert event.traceback.startswith("Traceback (most recent call last)")
    assert event.traceback.rstrip().endswith("ValueError: no good: 5")
    assert "in fails" in event.traceback
    assert "sparktuner/execute" not in event.traceback
    assert event.execution is not None


def test_an_exception_of_a_user_s_own_class_is_named_with_its_module(opened: Any) -> None:
    def fails(config: Any) -> float:
        class Mine(Exception):
            def __str__(self) -> str:
                raise RuntimeError("not even this")

        raise Mine

    executor = opened(fails)
    executor.submit(Submission(0, {}))
    event = last_events(executor)[0]
    assert isinstance(event, Failed)
    assert event.error_type.endswith("fails.<locals>.Mine")
    assert "not even this" in event.message


def test_sys_exit_in_the_objective_ends_the_trial_only(opened: Any) -> None:
    executor = opened(lambda config: sys.exit(3))
    executor.submit(Submission(0, {}))
    event = last_events(executor)[0]
    assert isinstance(event, Failed)
    assert (event.error_type, event.message) == ("SystemExit", "3")
    executor.submit(Submission(1, {}))
    assert isinstance(last_events(executor)[1], Failed)


def test_the_window_is_bounded(opened: Any, kind: Kind) -> None:
    executor = opened(lambda config: time.sleep(0.2))
    for tid in range(kind.slots):
        assert executor.free_slots() == kind.slots - tid
        executor.submit(Submission(tid, {}))
    assert executor.free_slots() == 0
    with pytest.raises(RuntimeError, match="No slot is free"):
        executor.submit(Submission(99, {}))
    last_events(executor, kind.slots)
    assert executor.free_slots() == kind.slots


def test_a_trial_cannot_be_in_flight_twice(opened: Any) -> None:
    executor = opened(lambda config: 1)
    executor.submit(Submission(0, {}))
    with pytest.raises(RuntimeError):
        executor.submit(Submission(0, {}))


def test_waiting_for_nothing_returns_at_once(opened: Any) -> None:
    executor = opened(lambda config: 1)
    start = time.monotonic()
    assert executor.wait(None) == []
    assert executor.wait(30.0) == []
    assert time.monotonic() - start < 5.0


def test_waiting_ends_with_the_timeout(opened: Any, kind: Kind) -> None:
    if kind.name == "serial":
        return  # the trial runs inside wait()
    executor = opened(lambda config: time.sleep(1.5))
    executor.submit(Submission(0, {}))
    events = executor.wait(PATIENCE)
    start = time.monotonic()
    assert [type(event) for event in events] == [Started]
    assert executor.wait(0.05) == []
    assert time.monotonic() - start < 1.0


def test_every_trial_ends_exactly_once(opened: Any) -> None:
    executor = opened(lambda config: config if config % 3 else 1 / 0)
    seen: list[Any] = []
    waiting = list(range(20))
    while len(seen) < 20:
        while waiting and executor.free_slots():
            tid = waiting.pop()
            executor.submit(Submission(tid, tid, f"trial {tid}"))
        for event in executor.wait(PATIENCE):
            if isinstance(event, Ended):
                assert isinstance(event, Finished if event.tid % 3 else Failed)
                seen.append(event.tid)
    assert sorted(seen) == list(range(20))
    assert executor.wait(0.05) == []


def test_a_finished_trial_s_slot_can_be_used_again_with_the_same_tid(opened: Any) -> None:
    executor = opened(lambda config: config)
    for value in range(3):
        executor.submit(Submission(0, value))
        assert last_events(executor)[0].value == value  # type: ignore[union-attr]


def test_cancelling_a_running_trial_ends_it_within_a_second(opened: Any, kind: Kind) -> None:
    if not kind.stops_running:
        return
    executor = opened(time.sleep)
    executor.submit(Submission(0, 600))
    wait_until_running(executor, 0)
    start = time.monotonic()
    executor.cancel([0])
    assert time.monotonic() - start < 0.1
    assert last_events(executor) == {0: Cancelled(0)}
    assert time.monotonic() - start < 1.0
    executor.submit(Submission(1, 0))
    assert isinstance(last_events(executor)[1], Finished)


def test_a_cancel_right_after_submission_is_not_lost(opened: Any, kind: Kind) -> None:
    seconds = 600 if kind.stops_running else 0.01
    executor = opened(lambda config: time.sleep(seconds))
    for tid in range(8):
        executor.submit(Submission(tid, {}))
        executor.cancel([tid])
        assert isinstance(last_events(executor)[tid], Cancelled | Finished)


def test_cancelling_one_trial_leaves_the_other_alone(opened: Any, kind: Kind) -> None:
    if not kind.stops_running:
        return
    executor = opened(time.sleep)
    executor.submit(Submission(0, 600))
    executor.submit(Submission(1, 1.0))
    wait_until_running(executor, 0)
    executor.cancel([0])
    outcome = last_events(executor, 2)
    assert isinstance(outcome[0], Cancelled)
    assert isinstance(outcome[1], Finished)


def test_a_result_that_arrived_before_the_cancel_is_kept(opened: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "done")

    def objective(config: Any) -> str:
        with open(path, "w") as file:
            file.write("x")
        return "kept"

    executor = opened(objective)
    executor.submit(Submission(0, {}))
    events: list[Event] = []
    if isinstance(executor, SerialExecutor):
        events = executor.wait(None) + executor.wait(None)
    else:
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(path) or is_running(executor, 0):
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
    executor.cancel([0])
    while not any(isinstance(event, Finished | Cancelled) for event in events):
        events += executor.wait(PATIENCE)
    assert events[-1].value == "kept"  # type: ignore[union-attr]


def test_cancelling_what_is_not_in_flight_is_harmless(opened: Any) -> None:
    executor = opened(lambda config: 1)
    executor.cancel([99])
    executor.submit(Submission(0, {}))
    assert isinstance(last_events(executor)[0], Finished)
    executor.cancel([0, 0])
    executor.submit(Submission(1, {}))
    assert isinstance(last_events(executor)[1], Finished)


def test_time_runs_only_while_the_trial_does(opened: Any, kind: Kind) -> None:
    if kind.name == "serial":
        return  # nobody can ask while the trial runs
    executor = opened(lambda config: time.sleep(0.5))
    assert executor.elapsed(0) is None
    executor.submit(Submission(0, {}))
    wait_until_running(executor, 0)
    elapsed = executor.elapsed(0)
    assert elapsed is None or 0 <= elapsed < PATIENCE
    last_events(executor)
    assert executor.elapsed(0) is None


def test_after_close_nothing_can_be_submitted_and_closing_again_is_harmless(opened: Any) -> None:
    executor = opened(lambda config: 1)
    executor.close()
    executor.close()
    assert executor.free_slots() == 0
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit(Submission(0, {}))
    assert executor.wait(None) == []


def test_close_ends_every_trial_and_does_not_wait_for_ever(opened: Any, kind: Kind) -> None:
    executor = opened(lambda config: time.sleep(20))
    for tid in range(kind.slots):
        executor.submit(Submission(tid, {}))
    start = time.monotonic()
    executor.close()
    events = executor.wait(5.0)
    assert time.monotonic() - start < 10.0
    last = [event for event in events if isinstance(event, Ended)]
    assert sorted(last, key=lambda event: event.tid) == [Cancelled(t) for t in range(kind.slots)]


def test_no_thread_is_left_after_close(opened: Any, kind: Kind) -> None:
    before = set(threading.enumerate())
    executor = opened(lambda config: config)
    for tid in range(kind.slots):
        executor.submit(Submission(tid, {}))
    last_events(executor, kind.slots)
    executor.close()
    left = {thread for thread in threading.enumerate() if "sparktuner" in thread.name}
    assert left <= before


def test_an_executor_is_a_context_manager(kind: Kind) -> None:
    with kind.make(lambda config: 1) as executor:
        assert executor.free_slots() == kind.slots
    assert executor.free_slots() == 0


def test_a_parallelism_below_one_is_refused(kind: Kind, request: pytest.FixtureRequest) -> None:
    if kind.name == "serial":
        return
    with pytest.raises(ValueError, match="parallelism must be at least 1"):
        if kind.name == "threads":
            ThreadExecutor(abs, 0)
        elif kind.name == "window":
            SparkExecutor(FakeTransport(abs), 0)
        else:
            name = "local_spark" if kind.name == "spark" else "connect_spark"
            make_executor(request.getfixturevalue(name), abs, 0)
