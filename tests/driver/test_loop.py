"""The loop: fills the window, conditions on results, stops by the rules, loses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktuner import Trials, hp, rand, tpe
from sparktuner.domain import Domain
from sparktuner.errors import ObjectiveFailed, SparkUnavailable
from sparktuner.execute import Event, Failed
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    FailureKind,
)
from tests.driver.fakes import Clock, FakeExecutor, run_search

SPACE = hp.uniform("x", 0, 1)


def states(trials: Trials) -> list[int]:
    return [t["state"] for t in trials.all_trials]


def search(executor: FakeExecutor, *args: Any, **kw: Any) -> tuple[Trials, str | None]:
    return run_search(executor, SPACE, *args, **kw)


def test_the_window_is_filled_and_refilled_but_never_exceeded() -> None:
    executor = FakeExecutor(lambda x: x, slots=3, ready=lambda tid, waits: waits > tid % 4)
    trials, reason = search(executor, max_evals=20)
    assert executor.most_in_flight == 3
    assert states(trials) == [JOB_STATE_DONE] * 20
    assert reason is None


def test_a_suggestion_is_made_only_when_a_slot_is_free_for_it() -> None:
    seen: list[int] = []

    def algo(ids: list[int], domain: Domain, trials: Trials, seed: int) -> list[Any]:
        seen.append(sum(t["state"] == JOB_STATE_DONE for t in trials.all_trials))
        return rand.suggest(ids, domain, trials, seed)

    executor = FakeExecutor(lambda x: x, slots=2)
    search(executor, max_evals=6, algo=algo, max_queue_len=50)
    assert seen == [0, 2, 4]


def test_a_serial_search_asks_for_as_many_at_a_time_as_it_was_told() -> None:
    asked: list[int] = []

    def algo(ids: list[int], domain: Domain, trials: Trials, seed: int) -> list[Any]:
        asked.append(len(ids))
        return rand.suggest(ids, domain, trials, seed)

    search(FakeExecutor(lambda x: x), asynchronous=False, max_evals=7, algo=algo, max_queue_len=3)
    assert asked == [3, 3, 1]


def test_each_trial_asks_with_a_seed_of_its_own_also_when_resumed() -> None:
    seeds: list[int] = []

    def algo(ids: list[int], domain: Domain, trials: Trials, seed: int) -> list[Any]:
        seeds.append(seed)
        return rand.suggest(ids, domain, trials, seed)

    trials, _ = search(FakeExecutor(lambda x: x), max_evals=3, algo=algo)
    search(FakeExecutor(lambda x: x), trials=trials, max_evals=6, algo=algo)
    whole: list[int] = seeds.copy()
    seeds.clear()
    search(FakeExecutor(lambda x: x), max_evals=6, algo=algo)
    assert seeds == whole
    assert len(set(seeds)) == 6


def test_a_result_that_arrives_after_the_cancel_is_kept() -> None:
    executor = FakeExecutor(
        lambda x: x,
        slots=3,
        ready=lambda tid, waits: waits > (2 if tid == 0 else 4),
        stubborn=[2],
    )
    trials, reason = search(executor, max_evals=3, loss_threshold=2.0)
    assert reason is not None and reason.startswith("loss_threshold")
    assert states(trials) == [JOB_STATE_DONE, JOB_STATE_CANCEL, JOB_STATE_DONE]


def test_events_of_one_batch_are_all_recorded_when_the_first_ends_the_search() -> None:
    def early_stop(trials: Trials, *args: Any) -> tuple[bool, list[Any]]:
        raise RuntimeError("my early stop is broken")

    trials = Trials()
    executor = FakeExecutor(
        lambda x: x, slots=4, ready=lambda tid, waits: executor.most_in_flight == 4
    )
    with pytest.raises(RuntimeError, match="my early stop is broken"):
        search(executor, trials, max_evals=8, early_stop_fn=early_stop)
    assert states(trials) == [JOB_STATE_DONE] * 4


def test_the_deadline_cancels_what_runs_and_the_trials_can_be_searched_again() -> None:
    clock = Clock()
    executor = FakeExecutor(lambda x: x, slots=2, clock=clock, ready=lambda tid, waits: False)
    trials, reason = search(executor, deadline=10.0, max_evals=8)
    assert reason is not None and reason.startswith("timeout")
    assert clock.now == pytest.approx(10.0)
    assert states(trials) == [JOB_STATE_CANCEL] * 2
    search(FakeExecutor(lambda x: x, slots=2), trials=trials, max_evals=8)
    assert states(trials) == [JOB_STATE_CANCEL] * 2 + [JOB_STATE_DONE] * 8


def test_a_trial_that_cannot_be_stopped_is_left_behind_after_a_second() -> None:
    clock = Clock()
    executor = FakeExecutor(
        lambda x: x, slots=1, clock=clock, ready=lambda tid, waits: False, stubborn=[0]
    )
    trials, _ = search(executor, deadline=5.0, max_evals=8)
    assert states(trials) == [JOB_STATE_CANCEL]
    assert clock.now == pytest.approx(6.0)


@pytest.mark.parametrize("stubborn", [[], [1]])
def test_a_timeout_behind_which_the_session_is_gone_says_so_and_keeps_the_results(
    stubborn: list[int],
) -> None:
    executor = FakeExecutor(
        lambda x: x,
        ready=lambda tid, waits: tid == 0,
        stubborn=stubborn,
        gone="the server is gone",
    )
    trials = Trials()
    with pytest.raises(SparkUnavailable, match="the server is gone"):
        search(executor, trials=trials, deadline=5.0, max_evals=8)
    trials.refresh()
    assert states(trials) == [JOB_STATE_DONE, JOB_STATE_CANCEL]


def test_a_search_that_ends_with_nothing_in_flight_does_not_ask_for_the_session() -> None:
    executor = FakeExecutor(lambda x: x, gone="the server is gone")
    trials, reason = search(executor, max_evals=3)
    assert reason is None
    assert states(trials) == [JOB_STATE_DONE] * 3


def test_trial_timeout_cancels_that_trial_alone_and_says_so() -> None:
    clock = Clock()
    executor = FakeExecutor(lambda x: x, slots=2, clock=clock, ready=lambda tid, waits: tid != 0)
    trials, reason = search(executor, max_evals=5, trial_timeout=3.0)
    assert reason is None
    assert states(trials) == [JOB_STATE_CANCEL] + [JOB_STATE_DONE] * 4
    kind, message = trials.all_trials[0]["misc"]["error"]
    assert kind == "TrialTimeout"
    assert "trial_timeout is 3 s" in message


def test_time_spent_waiting_for_a_slot_does_not_count_for_trial_timeout() -> None:
    executor = FakeExecutor(
        lambda x: x, clock=Clock(), ready=lambda tid, waits: waits > 5, queued=[0]
    )
    trials, _ = search(executor, max_evals=1, trial_timeout=1.0)
    assert states(trials) == [JOB_STATE_DONE]


def test_a_serial_objective_that_raises_ends_the_search_with_its_own_exception() -> None:
    def objective(x: float) -> float:
        raise KeyError("broken")

    trials = Trials()
    with pytest.raises(KeyError, match="broken"):
        search(FakeExecutor(objective), trials=trials, asynchronous=False, max_evals=5)
    assert states(trials) == [JOB_STATE_ERROR]
    assert trials.all_trials[0]["misc"]["error"][0] == "KeyError"


def test_with_catch_eval_exceptions_failures_are_recorded_and_the_search_goes_on() -> None:
    def objective(x: float) -> float:
        raise KeyError("broken")

    trials, reason = search(FakeExecutor(objective), max_evals=5, catch_eval_exceptions=True)
    assert states(trials) == [JOB_STATE_ERROR] * 5
    assert reason is None


def test_first_trials_that_all_fail_alike_stop_a_parallel_search() -> None:
    def objective(x: float) -> float:
        raise ModuleNotFoundError(f"No module named 'xgboost' (x={x})")

    trials = Trials()
    with pytest.raises(ObjectiveFailed, match="first 4 trials.*(?s:.)*xgboost"):
        search(FakeExecutor(objective, slots=4), trials, max_evals=50)
    assert set(states(trials)) == {JOB_STATE_ERROR}


@pytest.mark.parametrize("value", [lambda x: f"loss={x}", lambda x: [x], lambda x: {"loss": x}])
def test_first_results_that_are_all_alike_no_results_stop_a_parallel_search(value: Any) -> None:
    trials = Trials()
    with pytest.raises(ObjectiveFailed, match="first 4 trials"):
        search(FakeExecutor(value, slots=4), trials, max_evals=50)
    assert len(trials.all_trials) < 50


def test_failures_after_a_success_or_of_different_kinds_do_not_stop_the_search() -> None:
    calls = iter(range(100))

    def objective(x: float) -> float:
        i = next(calls)
        if i == 3:
            return x
        raise [KeyError, ValueError][i % 2]("broken")

    trials, reason = search(FakeExecutor(objective, slots=2), max_evals=10)
    assert reason is None
    assert states(trials).count(JOB_STATE_ERROR) == 9


def test_a_lost_session_ends_the_search_and_keeps_the_results() -> None:
    class Lost(FakeExecutor):
        def _run(self, tid: Any) -> Event:
            if tid < 3:
                return super()._run(tid)
            return Failed(
                tid,
                FailureKind.SESSION_GONE,
                "SparkUnavailable",
                "the SparkContext was stopped",
                "",
            )

    trials = Trials()
    with pytest.raises(SparkUnavailable, match="was stopped"):
        search(Lost(lambda x: x, slots=2), trials, max_evals=50)
    assert states(trials)[:3] == [JOB_STATE_DONE] * 3
    assert JOB_STATE_RUNNING not in states(trials)


@pytest.mark.parametrize("again", [False, True], ids=["once", "while it ends too"])
def test_keyboard_interrupt_cancels_what_runs_and_keeps_the_results(again: bool) -> None:
    class Interrupted(FakeExecutor):
        def wait(self, timeout: float | None) -> list[Event]:
            if self.waits.get(2) == 1 and (again or 2 not in self.cancelled):
                raise KeyboardInterrupt
            return super().wait(timeout)

    executor = Interrupted(lambda x: x, slots=2, ready=lambda tid, waits: tid < 2)
    trials = Trials()
    with pytest.raises(KeyboardInterrupt):
        search(executor, trials, max_evals=50)
    assert states(trials)[:2] == [JOB_STATE_DONE] * 2
    assert set(states(trials)[2:]) == {JOB_STATE_CANCEL}


def test_jobs_that_somebody_else_cancelled_are_not_the_objective_s_failure() -> None:
    class Cancelling(FakeExecutor):
        def _run(self, tid: Any) -> Event:
            if tid >= 4:
                return super()._run(tid)
            return Failed(
                tid, FailureKind.JOB_CANCELLED, "JobCancelled", "cancelled by interruptAll", ""
            )

    trials, reason = search(Cancelling(lambda x: x, slots=4), max_evals=8)
    assert reason is None
    assert states(trials) == [JOB_STATE_ERROR] * 4 + [JOB_STATE_DONE] * 4


def test_an_algorithm_that_gives_nothing_more_ends_the_search_after_the_running_trials() -> None:
    def algo(ids: list[int], domain: Domain, trials: Trials, seed: int) -> list[Any]:
        return rand.suggest(ids, domain, trials, seed) if ids[0] < 3 else []

    executor = FakeExecutor(lambda x: x, slots=2, ready=lambda tid, waits: waits > 2)
    trials, reason = search(executor, max_evals=50, algo=algo)
    assert reason is not None and reason.startswith("exhausted")
    assert states(trials) == [JOB_STATE_DONE] * 3


def test_trials_in_state_new_are_run_before_the_algorithm_is_asked() -> None:
    trials = Trials()
    domain = Domain(lambda x: x, SPACE)
    trials.insert_trial_docs(rand.suggest(trials.new_trial_ids(2), domain, trials, 0))
    executor = FakeExecutor(lambda x: x)
    search(executor, trials, max_evals=3)
    assert states(trials) == [JOB_STATE_DONE] * 3
    assert [d.split(":")[0] for d in executor.descriptions] == ["trial 0", "trial 1", "trial 2"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_configuration_that_cannot_be_evaluated_is_a_failed_trial(asynchronous: bool) -> None:
    space = 1 / hp.quniform("x", 0, 3, 1)
    executor = FakeExecutor(lambda x: x, slots=2 if asynchronous else 1)
    trials, reason = run_search(
        executor, space, asynchronous=asynchronous, max_evals=30, catch_eval_exceptions=True
    )
    assert reason is None
    failed = [t for t in trials.all_trials if t["state"] == JOB_STATE_ERROR]
    assert [t["misc"]["vals"]["x"] for t in failed] == [[0]] * len(failed) != []
    assert {t["misc"]["error"][0] for t in failed} == {"ZeroDivisionError"}
    assert states(trials).count(JOB_STATE_DONE) == 30 - len(failed)


def test_a_configuration_that_cannot_be_evaluated_ends_a_serial_search_with_its_error() -> None:
    trials = Trials()
    executor = FakeExecutor(lambda x: x)
    space = 1 / hp.quniform("x", 0, 3, 1)
    with pytest.raises(ZeroDivisionError):
        run_search(executor, space, trials, asynchronous=False, max_evals=50)
    assert states(trials)[-1] == JOB_STATE_ERROR
    assert JOB_STATE_NEW not in states(trials)


def test_a_nan_loss_is_a_failed_trial_and_no_best_one() -> None:
    losses = iter([float("nan"), 2.0, float("-inf")])
    trials, _ = search(FakeExecutor(lambda x: next(losses)), max_evals=3)
    assert trials.statuses() == ["fail", "ok", "fail"]
    assert "nan" in trials.results[0]["failure"]
    assert trials.best_trial["tid"] == 1


def test_the_description_names_the_trial_and_its_parameters() -> None:
    executor = FakeExecutor(lambda x: x)
    trials, _ = search(executor, max_evals=1)
    assert executor.descriptions == [f"trial 0: x={trials.vals['x'][0]:.6g}"]


def test_documents_say_where_and_when_they_ran() -> None:
    trials, _ = search(FakeExecutor(lambda x: x), max_evals=1)
    execution = trials.miscs[0]["execution"]
    assert execution["host"] == "host"
    assert execution["duration"] == 0.5
    assert {"attempt", "started", "queue_time"} <= set(execution)


def test_attachments_go_to_the_store_and_leave_the_result() -> None:
    def objective(x: float) -> dict[str, Any]:
        return {"status": "ok", "loss": x, "attachments": {"curve": b"123"}}

    trials, _ = search(FakeExecutor(objective), max_evals=1)
    assert "attachments" not in trials.results[0]
    assert trials.trial_attachments(trials.trials[0])["curve"] == b"123"
    assert trials.attachments["ATTACH::0::curve"] == b"123"


def test_no_trial_is_started_when_the_time_is_up_before_the_search() -> None:
    executor = FakeExecutor(lambda x: x)
    trials, _ = search(executor, deadline=0.0, max_evals=5)
    assert states(trials) == []
    assert JOB_STATE_NEW not in states(trials)


def _slow_of(seed: int, slots: int, window: int) -> list[float]:
    """The values of a search whose trials end in an order that depends on ``seed`` alone."""
    rng = np.random.default_rng(seed)
    waits_of = rng.integers(1, 12, size=60)
    executor = FakeExecutor(
        lambda x: (x - 0.3) ** 2,
        slots=window,
        # Where the cluster has fewer slots than the window, later trials wait for the first.
        ready=lambda tid, waits: (
            waits > waits_of[tid] and tid in sorted(executor.in_flight)[:slots]
        ),
    )
    trials, _ = search(executor, algo=tpe.suggest, max_evals=60, reproducible=True)
    values: list[float] = trials.vals["x"]
    return values


def test_reproducible_trials_do_not_depend_on_the_order_of_results_nor_on_the_slots() -> None:
    first = _slow_of(0, slots=8, window=8)
    assert _slow_of(1, slots=8, window=8) == first
    assert _slow_of(2, slots=1, window=8) == first
    assert _slow_of(0, slots=4, window=4) != first


def test_a_reproducible_suggestion_knows_exactly_the_results_that_it_may() -> None:
    known: list[list[Any]] = []

    def algo(ids: list[int], domain: Domain, trials: Trials, seed: int) -> list[Any]:
        known.append([t["tid"] for t in trials.trials if t["state"] == JOB_STATE_DONE])
        return rand.suggest(ids, domain, trials, seed)

    executor = FakeExecutor(lambda x: x, slots=3, ready=lambda tid, waits: waits > (5 - tid) % 4)
    search(executor, max_evals=7, algo=algo, reproducible=True)
    assert known == [list(range(max(0, i - 2))) for i in range(7)]


def test_no_trial_is_started_that_could_not_end_in_time_unless_told_to() -> None:
    def run(margin: float | None) -> tuple[Trials, str | None]:
        clock = Clock()

        def objective(x: float) -> float:
            clock.advance(0.5)  # what the fake says that a trial takes
            return x

        executor = FakeExecutor(objective, clock=clock)
        return search(executor, deadline=1.25, max_evals=9, deadline_margin=margin)

    trials, reason = run(1.0)
    assert states(trials) == [JOB_STATE_DONE] * 2
    assert reason is not None and "no trial could end in the time left" in reason
    trials, reason = run(None)
    assert states(trials) == [JOB_STATE_DONE] * 3
