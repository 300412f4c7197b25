"""One look at a worker before the first trial."""

# ruff: noqa: F401

from __future__ import annotations

import logging
import pickle
import sys
import threading
import time
from typing import Any

import pytest

from sparktuner.execute import Cancelled, Ended, Failed, Finished, Submission
from sparktuner.execute.spark import JobFailed, SparkExecutor
from sparktuner.execute.spark._preflight import Preflight
from sparktuner.execute.spark._preflight_settings import WorkerSettings
from sparktuner.execute.spark._shipping import pack_objective
from sparktuner.execute.worker import PROBE_TASK, probe, serve, versions
from sparktuner.status import FailureKind
from tests.fake_transport import FakeTransport
from tests.new_process import in_new_process


class Recording(FakeTransport):
    """Notes the tasks; the probe can be made to fail or to hang."""

    def __init__(self, objective: Any, probe_fails: JobFailed | None = None) -> None:
        super().__init__(objective)
        self.tasks: list[bytes] = []
        self.probe_fails = probe_fails

    def run(self, task: bytes, tag: str, description: str) -> bytes:
        self.tasks.append(task)
        if task == PROBE_TASK and self.probe_fails is not None:
            raise self.probe_fails
        return super().run(task, tag, description)


def outcomes(transport: Recording, trials: int = 3) -> dict[Any, Any]:
    ended: dict[Any, Any] = {}
    with SparkExecutor(transport, trials, preflight=True) as executor:
        for tid in range(trials):
            executor.submit(Submission(tid, -tid))
        while len(ended) < trials:
            ended |= {e.tid: e for e in executor.wait(30) if isinstance(e, Ended)}
    return ended


def test_one_probe_runs_before_the_first_trial() -> None:
    transport = Recording(abs)
    assert [event.value for _, event in sorted(outcomes(transport).items())] == [0, 1, 2]
    assert transport.tasks[0] == PROBE_TASK
    assert transport.tasks.count(PROBE_TASK) == 1
    assert len(transport.tasks) == 4


class Unloadable:
    def __reduce__(self) -> Any:
        return __import__, ("not_installed_anywhere",)


def test_an_objective_that_workers_cannot_unpickle_starts_no_trial_and_names_why() -> None:
    transport = Recording(Unloadable())
    ended = outcomes(transport)
    assert transport.tasks == [PROBE_TASK]
    assert {event.error_type for event in ended.values()} == {"WorkersNotReady"}
    assert "No module named 'not_installed_anywhere'" in ended[0].message
    assert "no trial was started" in ended[0].message


def test_a_probe_that_the_worker_refuses_starts_no_trial() -> None:
    mismatch = JobFailed(
        FailureKind.SPARK,
        "[PYTHON_VERSION_MISMATCH] 3.11 and 3.12",
        "trace",
        error_type="PySparkRuntimeError",
    )
    event = outcomes(Recording(abs, mismatch), 1)[0]
    assert isinstance(event, Failed)
    assert "PYTHON_VERSION_MISMATCH" in event.message
    assert f"The driver's Python is {sys.executable}. " in event.message
    assert event.traceback == "trace"


@pytest.mark.parametrize(("deaths", "probes"), [(1, 2), (2, 2)])
def test_a_probe_whose_worker_dies_is_run_again_as_often_as_a_trial(
    deaths: int, probes: int
) -> None:
    class Dying(Recording):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            if task == PROBE_TASK and len(self.tasks) < deaths:
                self.tasks.append(task)
                raise JobFailed(FailureKind.WORKER_DIED, "SIGKILL")
            return super().run(task, tag, description)

    transport = Dying(abs)
    ended = outcomes(transport)
    assert transport.tasks.count(PROBE_TASK) == probes
    if deaths < 2:
        assert {event.execution.attempt for event in ended.values()} == {0}
        return
    assert len(transport.tasks) == probes
    for event in ended.values():
        assert event.error_type == "WorkersNotReady"
        assert "unpickles the objective, ended with WorkerDied: SIGKILL" in event.message


def test_a_session_that_is_gone_is_not_blamed_on_the_workers() -> None:
    event = outcomes(Recording(abs, JobFailed(FailureKind.SESSION_GONE, "gone")), 1)[0]
    assert event.error_type == "SparkUnavailable"


def test_a_probe_cancelled_with_its_trial_is_left_to_the_next_trial() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Hanging(Recording):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            if task == PROBE_TASK and not begun.is_set():
                begun.set()
                go_on.wait(30)
                raise JobFailed(FailureKind.JOB_CANCELLED, "cancelled")
            return super().run(task, tag, description)

        def cancel(self, tag: str) -> None:
            go_on.set()

    with SparkExecutor(Hanging(abs), 2, preflight=True) as executor:
        executor.submit(Submission(0, 1))
        assert begun.wait(30)
        executor.submit(Submission(1, -1))
        assert executor.elapsed(0) is None  # a probe's time is not the trial's
        executor.cancel([0])
        ended: dict[Any, Any] = {}
        while len(ended) < 2:
            ended |= {e.tid: e for e in executor.wait(30) if isinstance(e, Ended)}
    assert ended[0] == Cancelled(0)
    assert isinstance(ended[1], Finished)


def test_modules_that_the_objective_imports_are_looked_for() -> None:
    def objective(config: Any) -> None:
        import json

        import not_here.at_all  # type: ignore[import-not-found]

        def inner() -> None:
            import nor_here  # type: ignore[import-not-found]

    class Model:
        def __call__(self, config: Any) -> None:
            import not_there  # type: ignore[import-not-found]

    assert probe(objective, ())["missing"] == ["nor_here", "not_here"]
    assert probe(Model(), ())["missing"] == ["not_there"]
    assert probe(abs, ())["missing"] == []


def test_a_module_that_may_be_optional_is_a_warning_only(caplog: pytest.LogCaptureFixture) -> None:
    def objective(config: Any) -> int:
        try:
            import not_here  # type: ignore[import-not-found]
        except ImportError:
            return 1
        return 2

    with caplog.at_level(logging.WARNING, "sparktuner"):
        assert outcomes(Recording(objective), 1)[0].value == 1
    assert "lacks what the objective imports: not_here" in caplog.text


def test_the_versions_that_matter_are_compared_and_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy

    class OtherWorker(Recording):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            if task != PROBE_TASK:
                return super().run(task, tag, description)
            with pytest.MonkeyPatch.context() as worker:
                worker.setattr(numpy, "__version__", "1.0.1+local")
                return serve([self._packed], task, "fake", 0, packages=["numpy", "pyspark"])

    assert outcomes(OtherWorker(abs), 2)[1].value == 1
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert f"numpy 1.0.1+local (driver: {numpy.__version__})" in told[0]
    assert "pyspark" not in told[0]


def test_the_version_is_found_of_what_is_not_imported_yet_and_named_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sklearn  # type: ignore[import-untyped]

    expected = sklearn.__version__
    monkeypatch.delitem(sys.modules, "sklearn")
    assert versions(["sklearn", "not_there", "json", "__main__"]) == {"sklearn": expected}


def test_what_an_objective_s_pickle_names_is_compared() -> None:
    from fractions import Fraction

    import tqdm
    from scipy.optimize import rosen

    half, bar = Fraction(1, 2), tqdm.tqdm

    def objective(config: Any) -> Any:
        return rosen([half, config]), bar

    serve_packed, _ = pack_objective(objective)
    named = pickle.loads(serve_packed).keywords["packages"]
    assert {"numpy", "pyspark", "cloudpickle", "scipy", "tqdm", "fractions"} <= set(named)
    assert "sklearn" not in named


def test_a_search_that_ends_while_the_probe_runs_starts_no_further_probe() -> None:
    begun, go_on = threading.Event(), threading.Event()
    probes: list[str] = []

    class Hanging(Recording):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            probes.append(tag)
            begun.set()
            go_on.wait(30)
            raise JobFailed(FailureKind.JOB_CANCELLED, "cancelled")

        def cancel(self, tag: str) -> None:
            go_on.set()

    executor = SparkExecutor(Hanging(abs), 3, preflight=True)
    for tid in range(3):
        executor.submit(Submission(tid, 1))
    assert begun.wait(30)
    executor.close()
    assert len(probes) == 1


def test_a_probe_that_never_ends_is_a_refusal_that_says_how_long_it_was_waited_for() -> None:
    cancelled = threading.Event()

    class Stuck(Recording):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            assert cancelled.wait(30)
            raise JobFailed(FailureKind.JOB_CANCELLED, "cancelled")

        def running_since(self, tag: str) -> float | None:
            return time.time() - 10

        def cancel(self, tag: str) -> None:
            cancelled.set()

    preflight = Preflight(Stuck(abs), 1, lambda: WorkerSettings(memory="16m"), time_limit=5)
    with pytest.raises(JobFailed, match=r"had not ended 5 s .*pyspark.memory is 16m") as refused:
        preflight.check("tag")
    assert refused.value.kind is FailureKind.WORKERS_NOT_READY


def test_a_probe_whose_worker_died_names_the_limit_of_its_memory() -> None:
    class Deadly(Recording):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            raise JobFailed(FailureKind.WORKER_DIED, "The worker process ended.")

    preflight = Preflight(Deadly(abs), 0, lambda: WorkerSettings(memory="16m"))
    with pytest.raises(JobFailed, match=r"process ended\. spark.executor.pyspark.memory is 16m"):
        preflight.check("tag")


def test_a_probe_that_waits_for_a_slot_has_no_time_limit() -> None:
    class Waiting(Recording):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            time.sleep(1.5)
            return super().run(task, tag, description)

        def running_since(self, tag: str) -> float | None:
            return None

    preflight = Preflight(Waiting(abs), 1, time_limit=0.1)
    preflight.check("tag")
    assert preflight.is_done


IDLE = WorkerSettings(idle_timeout="60", idle_kill="true")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (WorkerSettings(), []),
        (WorkerSettings(reuse="true", idle_timeout="60", idle_kill="false"), []),
        (WorkerSettings(idle_timeout="0", idle_kill="true"), []),
        (WorkerSettings(reuse="false"), ["spark.python.worker.reuse is false"]),
        (IDLE, ["spark.python.worker.idleTimeoutSeconds is 60"]),
        (
            WorkerSettings(reuse="false", idle_timeout="60", idle_kill="true"),
            ["spark.python.worker.reuse is false", "killOnIdleTimeout is on"],
        ),
    ],
)
def test_settings_that_hurt_trials_are_told(settings: WorkerSettings, told: list[str]) -> None:
    cautions = settings.cautions()
    assert len(cautions) == len(told)
    for caution, part in zip(cautions, told, strict=True):
        assert part in caution


def test_settings_are_asked_for_and_told_once_although_the_first_probe_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked: list[int] = []

    def settings() -> WorkerSettings:
        asked.append(1)
        return IDLE

    class CancelledOnce(Recording):
        def run(self, task: bytes, tag: str, description: str) -> bytes:
            if not self.tasks:
                self.tasks.append(task)
                raise JobFailed(FailureKind.JOB_CANCELLED, "cancelled")
            return super().run(task, tag, description)

    ended: dict[Any, Any] = {}
    with SparkExecutor(CancelledOnce(abs), 2, preflight=True, settings=settings) as executor:
        for tid in range(2):
            executor.submit(Submission(tid, -tid))
        while len(ended) < 2:
            ended |= {e.tid: e for e in executor.wait(30) if isinstance(e, Ended)}
    assert {type(event) for event in ended.values()} == {Failed, Finished}
    assert asked == [1]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("error_type", "message"),
    [
        ("ImportError", "numpy is broken\nlibx.so: failed to map segment\n. Must be installed."),
        ("MemoryError", "The objective could not be unpickled. What it imports must be installed"),
        ("OSError", "[Errno 12] Cannot allocate memory"),
    ],
)
def test_a_worker_without_memory_is_not_said_to_lack_modules(
    error_type: str, message: str
) -> None:
    failure = JobFailed(FailureKind.SPARK, message, error_type=error_type)
    settings = WorkerSettings(memory="100m")
    with SparkExecutor(
        Recording(abs, failure), 1, preflight=True, settings=lambda: settings
    ) as executor:
        executor.submit(Submission(0, 1))
        ended = [event for event in executor.wait(30) if isinstance(event, Failed)]
        while not ended:
            ended = [event for event in executor.wait(30) if isinstance(event, Failed)]
    said = ended[0].message
    assert f"ended with {error_type}" in said
    assert "lacks memory, not a module" in said
    assert "spark.executor.pyspark.memory is 100m" in said
    assert "installed" not in said
    assert "PYSPARK_PYTHON" not in said


@pytest.mark.spark
@pytest.mark.parametrize(
    "connect", [False, pytest.param(True, marks=pytest.mark.service)], ids=["classic", "connect"]
)
def test_a_session_s_worker_settings_are_told_before_the_first_trial(connect: bool) -> None:
    answer = in_new_process(
        f"""
import logging
from sparktuner import SparkTrials, fmin, hp
logging.basicConfig(format="%(message)s", stream=sys.stdout)
logging.getLogger("sparktuner").setLevel(logging.INFO)
conf = {{
    "spark.python.worker.reuse": "false",
    "spark.python.worker.idleTimeoutSeconds": "3600",
    "spark.python.worker.killOnIdleTimeout": "true",
}}
with local_spark(2, connect={connect}, **conf) as spark:
    trials = SparkTrials(1, spark_session=spark)
    fmin(lambda x: x, hp.uniform("x", 0, 1), max_evals=2, trials=trials, verbose=False)
"""
    )
    lines = answer.stdout.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("trial 0 ok"))
    told = "\n".join(lines[:first])
    assert told.count("spark.python.worker.reuse is false") == 1, answer.stderr
    assert told.count("killOnIdleTimeout is on") == 1
    assert "idleTimeoutSeconds is 3600" in told


@pytest.mark.spark
@pytest.mark.parametrize(
    "connect", [False, pytest.param(True, marks=pytest.mark.service)], ids=["classic", "connect"]
)
def test_too_little_memory_for_what_the_objective_imports_is_named(connect: bool) -> None:
    answer = in_new_process(
        f"""
import numpy
from sparktuner import SparkTrials, fmin, hp
with local_spark(2, connect={connect}, **{{"spark.executor.pyspark.memory": "110m"}}) as spark:
    try:
        trials = SparkTrials(1, spark_session=spark)
        space = hp.uniform("x", 0, 1)
        fmin(lambda x: float(numpy.square(x)), space, max_evals=2, trials=trials, verbose=False)
    except Exception as error:
        print(type(error).__name__, error)
"""
    )
    assert answer.stdout.startswith("WorkersNotReady"), answer.stderr
    assert "lacks memory, not a module" in answer.stdout
    assert "spark.executor.pyspark.memory is 110m" in answer.stdout
    assert "PYSPARK_PYTHON" not in answer.stdout
