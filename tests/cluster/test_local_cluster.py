"""``local-cluster``: executors that are processes of their own, some of which come and go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import lossy
from tests.cluster.standalone import HOME
from tests.connect_server import ConnectServer, require_connect_server
from tests.leftovers import leaves_nothing
from tests.new_process import in_new_process

pytestmark = [pytest.mark.spark, pytest.mark.service, pytest.mark.cluster]
MASTER = "local-cluster[2,2,1024]"

PRELUDE = """
import json, logging
from pathlib import Path
from sparktuner import SparkTrials, current_trial, fmin, hp, rand
from sparktuner.execute.spark import Slots
from tests.cluster import lossy
from tests.leftovers import leaves_nothing
from tests.waiting import PATIENCE, wait_until

def events_until(executor, condition):
    events, deadline = [], time.monotonic() + PATIENCE
    while not condition(events):
        assert time.monotonic() < deadline, (events, executor.parallelism)
        events += executor.wait(0.2)
    return events

def holding(config):
    while not os.path.exists(config):
        time.sleep(0.05)
    names = "OMP OPENBLAS MKL NUMEXPR".split()
    threads = [os.environ.get(name + "_NUM_THREADS") for name in names]
    return dict(current_trial().addresses), threads

class Facts(logging.Handler):
    def __init__(self, *names):
        super().__init__()
        self.names, self.found = names, []

    def emit(self, record):
        if getattr(record, "event", "") in self.names:
            self.found.append(vars(record))

def wait_for_slots(spark, count):
    wait_until(lambda: Slots(spark).count() == count)  # executors come up
"""
PROGRAM = """
from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
folder = Path({folder!r})
os.environ["PYTHONPATH"] = str(folder) + os.pathsep + os.environ["PYTHONPATH"]
sys.path.insert(0, str(folder))
conf = {{
    "spark.executor.memory": "512m",
    "spark.worker.resource.gpu.amount": "2",
    "spark.worker.resource.gpu.discoveryScript": str(folder / "gpus.sh"),
    "spark.executor.resource.gpu.amount": "2",
    "spark.executor.resource.gpu.discoveryScript": str(folder / "gpus.sh"),
    "spark.executorEnv.MKL_NUM_THREADS": "7",
}}
with local_spark({master!r}, **conf) as spark:
    scala = spark.sparkContext._jsc.sc()
    wait_for_slots(spark, 4)
    with leaves_nothing(spark):
        # One retry: the lost executor must not be charged to the trial.
        trials = lossy.search(spark, folder / "runs", max_trial_retries=1)
    print(json.dumps(trials.all_trials, default=str))

    wait_for_slots(spark, 4)
    print("slots", Slots(spark).count(), SparkTrials(spark_session=spark).parallelism)

    def profile(cpus, gpus):
        return ResourceProfileBuilder().require(
            TaskResourceRequests().cpus(cpus).resource("gpu", gpus)).build

    big, one = profile(2, 1), profile(1, 1)
    print("profile", SparkTrials(spark_session=spark, resource_profile=big).parallelism)
    executor = make_executor(spark, holding, None, one)
    for tid in range(executor.parallelism):
        executor.submit(Submission(tid, str(folder / "go")))
    wait_until_running(executor, *range(4))
    (folder / "go").touch()
    ended = last_events(executor, 4)
    print("addresses", sorted(event.value[0]["gpu"] for event in ended.values()))
    print("threads", ended[0].value[1])
    executor.close()

    executor = make_executor(spark, holding, None, big)
    executor.submit(Submission(0, str(folder / "go")))
    print("threads", last_events(executor, 1)[0].value[1])
    executor.close()

    def two_wait(events):
        return sum(isinstance(e, SlotChanged) and e.waits for e in events) == 2

    executor = make_executor(spark, holding, None)
    for tid in range(4):
        executor.submit(Submission(tid, str(folder / "later")))
    wait_until_running(executor, *range(4))
    facts = Facts("executor_lost", "window_changed", "slots_changed")
    logging.getLogger("sparktuner").addHandler(facts)
    logging.getLogger("sparktuner").setLevel(logging.INFO)
    scala.killExecutor(scala.getExecutorIds().apply(0))
    events = events_until(executor, two_wait)
    events_until(executor, lambda _: executor.parallelism == 2)
    print("after a loss", executor.parallelism, executor.free_slots(), len(events))
    wait_until(lambda: {{fact["event"] for fact in facts.found}} == set(facts.names))
    logging.getLogger("sparktuner").removeHandler(facts)
    logging.getLogger("sparktuner").setLevel(logging.WARNING)
    keys = "event host reason executors window before running waiting".split()
    for fact in facts.found:
        print("fact", json.dumps({{key: fact[key] for key in keys if key in fact}}))
    (folder / "later").touch()
    ended = last_events(executor, 4)
    print(sorted(event.execution.attempt for event in ended.values()))
    executor.close()

    import versioned
    (folder / "versioned.py").write_text("__version__ = '2.0.1'\\ndef loss(x): return x\\n")
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    fmin(versioned.loss, hp.uniform("x", 0, 1), rand.suggest, 2, verbose=False,
         trials=SparkTrials(2, spark_session=spark))
"""
GROWING = """
conf = {{
    "spark.executor.memory": "512m",
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
    "spark.dynamicAllocation.initialExecutors": "1",
    "spark.dynamicAllocation.minExecutors": "1",
    "spark.dynamicAllocation.maxExecutors": "2",
    "spark.dynamicAllocation.executorIdleTimeout": "2s",
    "spark.executorEnv.OMP_NUM_THREADS": "3",
}}
go = {go!r}
with local_spark("local-cluster[2,1,1024]", **conf) as spark:
    slots = Slots(spark)
    wait_until(lambda: spark.sparkContext._jsc.sc().getExecutorIds().size() >= 1)
    facts = Facts("executor_gained", "window_changed")
    logging.getLogger("sparktuner").addHandler(facts)
    logging.getLogger("sparktuner").setLevel(logging.INFO)
    executor = make_executor(spark, holding, None)
    print("begin", slots.count(), slots.can_grow(), executor.parallelism)
    for tid in range(executor.parallelism):
        executor.submit(Submission(tid, go))
    wait_until_running(executor, 0, 1)
    print("grown", slots.count(), slots.can_grow(), executor.parallelism)
    wait_until(lambda: facts.found)
    for fact in facts.found:
        print(fact["event"], fact["executor"], bool(fact["host"]), fact["executors"])
    Path(go).touch()
    print(last_events(executor, 2)[0].value[1])
    executor.close()
    wait_until(slots.can_grow)
    print("idle", slots.count())
"""


def linked_home(folder: Path) -> str:
    """A SPARK_HOME in ``folder``: ``local-cluster`` writes its executors' files there."""
    folder.mkdir()
    for path in HOME.iterdir():
        if path.name != "work":  # left there by others
            (folder / path.name).symlink_to(path)
    return str(folder)


def run(program: str, folder: Path) -> list[str]:
    """Run it in a new process, whose files are in ``folder``; the lines that it prints."""
    temporary = folder / "temporary"  # this side's; Spark's are elsewhere
    temporary.mkdir()
    environment = {
        "SPARK_HOME": linked_home(folder / "home"),
        "SPARK_LOCAL_DIRS": str(folder),
        "TMPDIR": str(temporary),
    }
    answer = in_new_process(PRELUDE + program, environment, timeout=480.0)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


@pytest.fixture(scope="module")
def on_classic(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """What ``PROGRAM`` prints, and the folder where its trials left a file for each run."""
    folder = tmp_path_factory.mktemp("classic")
    runs = folder / "runs"
    runs.mkdir()
    script = folder / "gpus.sh"
    script.write_text("""#!/bin/sh\necho '{"name": "gpu", "addresses": ["3", "5"]}'\n""")
    script.chmod(0o755)
    (folder / "versioned.py").write_text("__version__ = '1.0'\ndef loss(x): return x\n")
    return run(PROGRAM.format(master=MASTER, folder=str(folder)), folder), runs


def test_the_trials_of_a_killed_executor_are_run_again_at_no_charge(
    on_classic: tuple[list[str], Path],
) -> None:
    lines, runs = on_classic
    documents = json.loads(lines[0])
    lossy.check(documents, runs, (lossy.LOST, lossy.DIED))
    earlier = [a for d in documents for a in d["misc"]["execution"]["earlier"]]
    assert all(attempt["host"] for attempt in earlier)


def test_a_cluster_s_executors_and_resources_are_the_trials_limits(
    on_classic: tuple[list[str], Path],
) -> None:
    lines = [line for line in on_classic[0][1:] if not line.startswith("fact ")]
    assert lines[:7] == [
        "slots 4 4",
        "profile 2",
        "addresses [('3',), ('3',), ('5',), ('5',)]",
        "threads ['1', '1', '7', '1']",
        "threads ['2', '2', '7', '2']",
        "after a loss 2 0 2",
        "[0, 0, 1, 1]",
    ]


def test_a_lost_executor_is_in_the_log_with_its_host_its_reason_and_what_follows(
    on_classic: tuple[list[str], Path],
) -> None:
    found = [json.loads(line[5:]) for line in on_classic[0] if line.startswith("fact ")]
    # In no certain order: Spark counts the slots without an executor that it is about to end.
    facts = {fact["event"]: fact for fact in found}
    lost = facts["executor_lost"]
    assert lost["host"]
    assert lost["reason"].startswith("Executor killed")
    assert lost["executors"] == 1
    assert facts["window_changed"] == {"event": "window_changed", "window": 2, "before": 4}
    assert facts["slots_changed"] == {"event": "slots_changed", "running": 2, "waiting": 2}


def test_a_version_that_differs_on_the_workers_is_said(on_classic: tuple[list[str], Path]) -> None:
    *_, said = on_classic[0]
    assert len([line for line in on_classic[0] if not line.startswith("fact ")]) == 9
    assert "has other versions than the driver" in said
    assert said.endswith("versioned 2.0.1 (driver: 1.0)")


def test_trials_that_wait_make_dynamic_allocation_add_executors(tmp_path: Path) -> None:
    assert run(GROWING.format(go=str(tmp_path / "go")), tmp_path) == [
        "begin 1 True 2",
        "grown 2 False 2",
        "executor_gained 1 True 2",
        "['3', '1', '1', '1']",
        "idle 1",
    ]


@pytest.fixture
def connect_cluster(tmp_path: Path) -> Iterator[Any]:
    require_connect_server()
    home = {"SPARK_HOME": linked_home(tmp_path / "home")}
    server = ConnectServer(tmp_path, MASTER, {"spark.executor.memory": "512m"}, home)
    yield server
    server.kill()


def test_on_connect_which_does_not_tell_why_an_attempt_ended_both_are_charged(
    connect_cluster: ConnectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, temporary = tmp_path / "runs", tmp_path / "temporary"
    runs.mkdir()
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    session = connect_cluster.session()
    with leaves_nothing(session, tmp_path):
        trials = lossy.search(session, runs, max_trial_retries=2)
    session.client.close()
    untold = "this kind of session does not tell which"
    lossy.check(trials.all_trials, runs, (untold, untold))
