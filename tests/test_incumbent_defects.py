"""What hyperopt 0.3.0 does wrong, by the number under which it is known, is done right here."""

from __future__ import annotations

import functools
import json
import os
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

from sparktuner import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    Domain,
    SparkTrials,
    Trials,
    anneal,
    atpe,
    fmin,
    hp,
    rand,
    space_eval,
    tpe,
)
from sparktuner.early_stop import no_progress_loss
from sparktuner.errors import AllTrialsFailed, BadSearchSpace, ObjectiveFailed
from sparktuner.records import TrialDocument, new_document
from tests.driver.fakes import Clock, FakeExecutor, run_search

X = hp.uniform("x", -5, 5)
ALGORITHMS: dict[str, Callable[..., list[TrialDocument]]] = {
    "rand": rand.suggest,
    "tpe": tpe.suggest,
    "anneal": anneal.suggest,
    "atpe": atpe.suggest,
}
every_algorithm = pytest.mark.parametrize("algo", ALGORITHMS.values(), ids=ALGORITHMS)


def search(fn: Any, trials: Trials | None = None, space: Any = X, **options: Any) -> Any:
    options = {"algo": rand.suggest, "max_evals": 8, "rstate": 0, "verbose": False, **options}
    return fmin(fn, space, trials=trials, **options)


def on_spark(spark: Any, **settings: Any) -> SparkTrials:
    return SparkTrials(**{"parallelism": 2, "spark_session": spark, **settings})


def faked(executor: FakeExecutor, **arguments: Any) -> Trials:
    trials, _ = run_search(executor, X, **{"rstate": 0, **arguments})
    return trials


def with_results(space: Any, n: int, loss: Callable[[Any], float | None]) -> tuple[Trials, Domain]:
    """A search of ``n`` random trials so far; those without a loss are still queued."""
    domain, trials = Domain(lambda p: 0.0, space), Trials()
    for document in rand.suggest(range(n), domain, trials, 0):
        value = loss(space_eval(space, document["misc"]["vals"]))
        if value is not None:
            document.update(state=JOB_STATE_DONE, result={"status": "ok", "loss": value})
        trials.insert_trial_doc(document)
    trials.refresh()
    return trials, domain


# --- 1: early stops on Spark


def test_1_an_early_stop_on_spark_ends_the_search_also_when_trials_fail(spark: Any) -> None:
    trials = on_spark(spark)
    search(
        lambda x: {"status": "fail"} if x < 0 else {"status": "ok", "loss": 1.0},
        trials,
        max_evals=200,
        early_stop_fn=no_progress_loss(5),
    )
    assert 5 <= trials.count_total_trials() < 60
    assert trials.count_successful_trials() > 0
    assert "early_stop_fn" in str(trials.fmin_cancelled_reason)


def test_1_an_exception_in_the_early_stop_on_spark_is_raised(spark: Any) -> None:
    def early_stop(trials: Trials, *args: Any) -> Any:
        raise ZeroDivisionError("in the early stop")

    with pytest.raises(ZeroDivisionError, match="in the early stop"):
        search(lambda x: x, on_spark(spark), early_stop_fn=early_stop)


# --- 2: timeouts


def test_2_a_timeout_cancels_no_job_of_the_users_and_does_not_stay(
    spark: Any, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    answers: list[Any] = []

    def until_released(value: Any) -> Any:
        while not release.exists():
            time.sleep(0.02)
        return value

    def run_beside() -> None:
        # The group that the search's own caller has: hyperopt cancels all of it.
        spark.sparkContext.setJobGroup("mine", "the user's own job", True)
        answers.append(spark.sparkContext.parallelize([42], 1).map(until_released).collect())

    spark.sparkContext.setJobGroup("mine", "the user's notebook", True)
    beside = threading.Thread(target=run_beside)
    beside.start()
    trials = on_spark(spark)
    try:
        began = time.monotonic()
        with pytest.raises(AllTrialsFailed):
            search(until_released, trials, timeout=2, max_evals=50)
        assert time.monotonic() - began < 2 + 3
        assert trials.count_cancelled_trials() == 2
    finally:
        release.touch()
        beside.join(60)
        for key in ("spark.jobGroup.id", "spark.job.description"):
            spark.sparkContext.setLocalProperty(key, None)
    assert answers == [[42]]
    assert trials.timeout is None
    search(lambda x: x * x, trials, max_evals=6)
    assert trials.count_successful_trials() == 6


# --- 3: loss thresholds and late results


def test_3_a_loss_threshold_waits_for_no_straggler() -> None:
    clock = Clock()
    executor = FakeExecutor(lambda x: 0.0, slots=4, clock=clock, ready=lambda tid, n: tid == 0)
    trials = faked(executor, loss_threshold=1.0, max_evals=50, max_queue_len=4)
    assert [t["state"] for t in trials.all_trials] == [
        JOB_STATE_DONE,
        *[JOB_STATE_CANCEL] * 3,
    ]
    assert clock.now < 1.5


def test_3_a_result_that_arrives_after_the_cancel_is_kept() -> None:
    # Trial 1 cannot be stopped, and answers at the first wait after it was cancelled.
    executor = FakeExecutor(lambda x: x, slots=2, stubborn=[1])
    executor.ready = lambda tid, waits: tid == 0 or 1 in executor.cancelled
    trials = faked(executor, loss_threshold=10.0, max_evals=50, max_queue_len=2)
    assert 1 in executor.cancelled
    assert [t["state"] for t in trials.trials] == [JOB_STATE_DONE] * 2


# --- 4: polling


def test_4_the_window_fills_at_once_and_no_time_is_spent_on_polls() -> None:
    executor = FakeExecutor(lambda x: x, slots=8)
    waits: list[float | None] = []
    plain_wait = executor.wait

    def wait(timeout: float | None) -> Any:
        waits.append(timeout)
        return plain_wait(timeout)

    executor.wait = wait  # type: ignore[method-assign]
    # Long enough for eight launches, each of which looks once for events that are there.
    executor.ready = lambda tid, n: n > 8 + tid % 3
    trials = faked(executor, max_evals=32)
    assert len(trials) == 32
    assert executor.most_in_flight == 8
    # Either it looks without waiting, to launch more, or it waits for an event without limit.
    assert set(waits) <= {0.0, None}


# --- 5: pickling and workers


class CountsPickles:
    """An objective that counts how often this process pickles it."""

    pickled = 0

    def __getstate__(self) -> dict[str, Any]:
        type(self).pickled += 1
        return {"data": np.arange(1000)}

    def __call__(self, x: float) -> dict[str, Any]:
        return {"status": "ok", "loss": x, "process": os.getpid()}


def test_5_the_objective_is_pickled_once_and_workers_are_reused(spark: Any) -> None:
    CountsPickles.pickled = 0
    few, many = on_spark(spark), on_spark(spark)
    search(CountsPickles(), few, max_evals=2)
    for_two = CountsPickles.pickled
    CountsPickles.pickled = 0
    search(CountsPickles(), many, max_evals=16)
    assert CountsPickles.pickled == for_two == 1
    assert len({r["process"] for r in many.results}) <= 4


# --- 6: results that cannot be pickled, packages that are missing


def test_6_an_unpicklable_result_is_one_run_and_the_message_names_the_field(
    spark: Any, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"

    def objective(x: float) -> dict[str, Any]:
        with runs.open("a") as file:
            file.write("run\n")
        return {"status": "ok", "loss": x, "handle": threading.Lock()}

    trials = on_spark(spark, parallelism=1)
    with pytest.raises(AllTrialsFailed, match="handle"):
        search(objective, trials, max_evals=1, catch_eval_exceptions=True)
    assert runs.read_text() == "run\n"
    assert "handle" in trials.all_trials[0]["misc"]["error"][1]


def test_6_a_missing_package_ends_the_search_and_is_named(spark: Any, tmp_path: Path) -> None:
    runs = tmp_path / "runs"

    def objective(x: float) -> float:
        with runs.open("a") as file:
            file.write("run\n")
        import a_package_of_the_driver_only as missing  # type: ignore[import-not-found]

        return missing.loss(x)  # type: ignore[no-any-return]

    trials = on_spark(spark)
    with pytest.raises(ObjectiveFailed, match="a_package_of_the_driver_only"):
        search(objective, trials, max_evals=40)
    assert len(runs.read_text().split()) <= trials.count_total_trials() <= 4


# --- 7: arguments that were dropped


def test_7_points_files_and_attachments_work_with_trials_on_spark(
    spark: Any, tmp_path: Path
) -> None:
    file = tmp_path / "saved"

    def objective(x: float) -> dict[str, Any]:
        return {"status": "ok", "loss": x * x, "attachments": {"x": str(x).encode()}}

    trials = on_spark(spark)
    search(
        objective,
        trials,
        max_evals=4,
        points_to_evaluate=[{"x": 1.5}, {"x": -2.0}],
        trials_save_file=str(file),
    )
    assert trials.vals["x"][:2] == [1.5, -2.0]
    assert trials.trial_attachments(trials.trials[1])["x"] == b"-2.0"
    saved = pickle.loads(file.read_bytes())
    assert saved.losses() == trials.losses()
    assert saved.trial_attachments(saved.trials[1])["x"] == b"-2.0"


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_7_trials_on_spark_are_pickled_with_a_live_session(spark: Any, pickler: Any) -> None:
    trials = on_spark(spark)
    search(lambda x: x, trials, max_evals=2)
    copy = pickler.loads(pickler.dumps(trials))
    search(lambda x: x, copy, max_evals=4)
    assert copy.losses()[:2] == trials.losses()
    assert copy.count_successful_trials() == 4


# --- 8: TPE's start-up


def test_8_trials_without_a_result_do_not_end_tpes_random_start() -> None:
    # A model of few trials is sharp: its draws would leave the prior's spread.
    queued, domain = with_results(X, 64, lambda x: None)
    draws = [
        document["misc"]["vals"]["x"][0]
        for seed in range(200)
        for document in tpe.suggest([100], domain, queued, seed)
    ]
    # 200 draws from the prior miss a tenth of its range with probability 0.9**200 < 1e-9.
    counts, _ = np.histogram(draws, bins=10, range=(-5, 5))
    assert min(counts) > 0
    empty = [
        document["misc"]["vals"]["x"][0]
        for seed in range(200)
        for document in tpe.suggest([100], domain, Trials(), seed)
    ]
    assert np.std(draws) == pytest.approx(np.std(empty), rel=0.25)


def test_8_queued_and_failed_trials_are_no_losses_in_the_model() -> None:
    trials, domain = with_results(X, 40, lambda x: x * x if x > 0 else None)
    for document in trials.all_trials[:3]:
        document.update(state=JOB_STATE_ERROR, result={"status": "fail"})
        trials._log.update(document)
    trials.refresh()
    history = trials.history(domain.space)
    finished = [t for t in trials.trials if t["state"] == JOB_STATE_DONE]
    assert len(history.losses) == len(finished) < 40
    assert np.isfinite(history.losses).all()
    assert len(history.pending) == len(trials) - len(finished)


# --- 9: spaces


@pytest.mark.parametrize(
    "make",
    [
        lambda: hp.uniform("x", 0, -1),
        lambda: hp.randint("x", 5, 2),
        lambda: hp.quniform("x", 3, 1, 1),
        lambda: hp.loguniform("x", 0, -1),
        lambda: hp.uniformint("x", 9, 1),
    ],
)
def test_9_bounds_that_are_swapped_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(BadSearchSpace, match="'x'"):
        make()


def test_9_a_label_may_be_used_in_two_branches_that_exclude_each_other() -> None:
    space = hp.choice(
        "model",
        [{"kind": "a", "C": hp.uniform("C", 0, 1)}, {"kind": "b", "C": hp.uniform("C", 0, 1)}],
    )
    trials = Trials()
    best = search(lambda p: p["C"] + (p["kind"] == "a"), trials, space, max_evals=12)
    assert set(best) == {"model", "C"}
    assert len(trials.vals["C"]) == 12
    assert space_eval(space, best)["C"] == best["C"]


# --- 10: values


def test_10_best_is_json_and_integers_are_integers() -> None:
    space = {
        "u": hp.uniform("u", 0, 1),
        "q": hp.quniform("q", 1, 9, 1),
        "i": hp.uniformint("i", 1, 9),
        "r": hp.randint("r", 3),
        "c": hp.choice("c", [10, 20]),
        "n": hp.qnormal("n", 0, 5, 2),
    }
    trials = Trials()
    best = search(lambda p: p["u"], trials, space)
    assert json.loads(json.dumps(best)) == best
    assert {label: type(value) for label, value in best.items()} == {
        "u": float,
        "q": int,
        "i": int,
        "r": int,
        "c": int,
        "n": int,
    }
    assert all(type(v) in (int, float) for vs in trials.vals.values() for v in vs)


def test_10_the_values_of_choices_are_there_beside_their_indices() -> None:
    space = {"kernel": hp.choice("kernel", ["rbf", "linear"]), "C": hp.uniform("C", 0, 1)}
    trials = Trials()
    best = search(lambda p: p["C"], trials, space)
    assert best["kernel"] in (0, 1)
    assert trials.best_params == {"kernel": ["rbf", "linear"][best["kernel"]], "C": best["C"]}


# --- 11: seeds


@pytest.mark.parametrize(
    "make", [lambda: 42, lambda: np.int64(42), lambda: np.random.RandomState(42)]
)
def test_11_integers_and_old_generators_are_seeds(make: Callable[[], Any]) -> None:
    first, second = Trials(), Trials()
    search(lambda x: x, first, rstate=make())
    search(lambda x: x, second, rstate=make())
    assert first.vals == second.vals


@every_algorithm
def test_11_going_on_with_the_same_seed_repeats_no_suggestion(algo: Any) -> None:
    parts, whole = Trials(), Trials()
    for max_evals in (5, 10):
        rstate = np.random.default_rng(7)
        search(lambda x: x * x, parts, algo=algo, max_evals=max_evals, rstate=rstate)
    search(lambda x: x * x, whole, algo=algo, max_evals=10, rstate=np.random.default_rng(7))
    assert len(set(parts.vals["x"])) == 10
    assert parts.vals == whole.vals


# --- 12: ids, batches, seeds of algorithms


def test_12_new_ids_do_not_collide_when_ids_have_gaps() -> None:
    trials = Trials()
    trials.insert_trial_docs([new_document(tid, {"x": 0.5}) for tid in (0, 7, 3)])
    trials.refresh()
    ids = trials.new_trial_ids(4)
    assert len({*ids, 0, 3, 7}) == 7


@every_algorithm
def test_12_an_algorithm_answers_n_ids_with_n_different_documents(algo: Any) -> None:
    trials, domain = with_results({"x": X, "c": hp.choice("c", [1, 2])}, 30, lambda p: p["x"] ** 2)
    ids = trials.new_trial_ids(5)
    documents = algo(ids, domain, trials, 11)
    assert [document["tid"] for document in documents] == ids
    assert len({document["misc"]["vals"]["x"][0] for document in documents}) == 5


@every_algorithm
def test_12_every_algorithm_takes_a_longer_queue(algo: Any) -> None:
    trials = Trials()
    search(lambda x: x * x, trials, algo=algo, max_queue_len=4, max_evals=30)
    assert len(trials) == 30


@every_algorithm
def test_12_every_algorithm_obeys_its_seed(algo: Any) -> None:
    trials, domain = with_results(X, 30, lambda x: x * x)

    def first(seed: int) -> float:
        value: float = algo([30], domain, trials, seed)[0]["misc"]["vals"]["x"][0]
        return value

    assert first(1) == first(1)
    assert len({first(seed) for seed in range(5)}) == 5


# --- 13: repeated points, time limits, parallelism


def test_13_tpe_evaluates_no_point_of_a_finite_space_twice_before_all_are() -> None:
    space = [hp.choice("a", [0, 1, 2]), hp.randint("b", 4)]
    seen: list[Any] = []

    def objective(point: tuple[int, int]) -> int:
        seen.append(point)
        return sum(point)

    search(objective, Trials(), space, algo=tpe.suggest, max_evals=12)
    assert len(set(seen)) == 12


def test_13_a_trial_has_a_time_limit_of_its_own() -> None:
    executor = FakeExecutor(lambda x: x, slots=2, ready=lambda tid, waits: tid != 1)
    trials = faked(executor, max_evals=5, trial_timeout=3.0)
    states = {t["tid"]: t["state"] for t in trials.all_trials}
    assert states == {tid: JOB_STATE_CANCEL if tid == 1 else JOB_STATE_DONE for tid in range(5)}
    assert trials.all_trials[1]["misc"]["error"][0] == "TrialTimeout"


def test_13_no_more_trials_are_in_flight_than_max_evals_leaves() -> None:
    executor = FakeExecutor(lambda x: x, slots=8, ready=lambda tid, waits: waits > 8)
    assert len(faked(executor, max_evals=3)) == 3
    assert executor.most_in_flight == 3


def test_13_each_trial_on_spark_says_where_it_ran(spark: Any) -> None:
    trials = on_spark(spark)
    search(lambda x: x, trials, max_evals=3)
    for misc in trials.miscs:
        assert {"host", "duration", "started"} <= set(misc["execution"])


# Settings of algorithms reach them through functools.partial, also on Spark.
def test_12_tpe_with_settings_is_still_an_algorithm(spark: Any) -> None:
    trials = on_spark(spark)
    search(lambda x: x, trials, algo=functools.partial(tpe.suggest, n_startup_jobs=2))
    assert trials.count_successful_trials() == 8
