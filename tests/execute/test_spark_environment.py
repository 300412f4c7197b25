"""Java, the session, and the settings that sparktuner brings."""

from __future__ import annotations

import dataclasses
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sparktuner.errors import SparkUnavailable
from sparktuner.execute import Finished, Submission
from sparktuner.execute.spark import Slots, active_session, make_executor
from sparktuner.execute.spark._environment import (
    connect_client,
    environment_of,
    needs_jvm,
    parse_spark_version,
)
from sparktuner.execute.spark._java import check_java, java_range, parse_java_version
from sparktuner.testing import conf_directory, local_spark
from tests.connect_server import IS_BROUGHT
from tests.new_process import in_new_process

JAVA_8 = 'openjdk version "1.8.0_392"\nOpenJDK Runtime Environment'
JAVA_11 = 'openjdk version "11.0.21" 2023-10-17'
JAVA_17 = 'openjdk version "17.0.15" 2025-04-15'
JAVA_25 = 'openjdk version "25" 2025-09-16'


@pytest.mark.parametrize(
    ("text", "version"), [(JAVA_8, 8), (JAVA_11, 11), (JAVA_17, 17), (JAVA_25, 25), ("?", None)]
)
def test_java_s_version_is_read(text: str, version: int | None) -> None:
    assert parse_java_version(text) == version


@pytest.mark.parametrize(
    ("spark", "java", "serves"),
    [
        ("3.5.8", 8, True),
        ("3.5.8", 17, True),
        ("3.5.8", 25, False),
        ("4.0.1", 11, False),
        ("4.0.1", 21, True),
        ("4.0.1", 25, False),
        ("4.3.0", 17, True),
        ("4.3.0", 25, True),
    ],
)
def test_each_spark_has_its_range_of_java(
    spark: str, java: int, serves: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_java(tmp_path, f"echo 'openjdk version \"{java}.0.1\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if serves:
        check_java(spark)
    else:
        text = java_range((int(spark[0]), int(spark[2]))).text
        with pytest.raises(SparkUnavailable, match=f"is Java {java}, but .* needs Java {text}"):
            check_java(spark)


def fake_java(home: Path, line: str) -> None:
    (home / "bin").mkdir()
    java = home / "bin" / "java"
    java.write_text(f"#!/bin/sh\n{line}\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize("line", [None, "exit 1", "echo nothing"])
def test_no_java_that_runs_says_how_to_install_one(
    line: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if line is not None:
        fake_java(tmp_path, line)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SparkUnavailable, match="needs Java 17, 21 or 25") as caught:
        check_java("4.3.0")
    assert "apt-get install openjdk-17-jdk-headless" in str(caught.value)
    assert "JAVA_HOME" in str(caught.value)


def test_without_java_home_the_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SparkUnavailable, match="Java was not found"):
        check_java("4.3.0")


def test_without_java_the_message_comes_before_any_stack_trace(tmp_path: Path) -> None:
    environment = {**os.environ, "JAVA_HOME": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join([path for path in sys.path if path])
    program = (
        "from sparktuner.testing import local_spark\n"
        "from sparktuner.execute.spark import active_session\n"
        "for start in (active_session, lambda: local_spark().__enter__()):\n"
        "    try:\n"
        "        start()\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__, error)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    lines = answer.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("SparkUnavailable") and "needs Java" in line for line in lines)
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("text", "version"), [("4.3.0", (4, 3)), ("3.5.0-amzn-1", (3, 5)), ("4.0.1.dev2", (4, 0))]
)
def test_spark_s_version_is_read(text: str, version: tuple[int, int]) -> None:
    assert parse_spark_version(text) == version


def test_a_session_is_asked_once_what_it_is(spark: Any) -> None:
    environment = environment_of(spark)
    assert environment.version >= (3, 5)
    assert not environment.is_connect
    assert environment.in_driver
    assert Slots(spark).count() == 4


def test_the_given_or_the_active_session_is_taken(spark: Any) -> None:
    assert active_session(spark) is spark
    assert active_session().sparkContext is spark.sparkContext


def test_a_running_session_is_used_as_it_is_and_left_running(spark: Any) -> None:
    with local_spark(1) as session:
        assert session.sparkContext is spark.sparkContext
    assert spark.range(3).count() == 3


def test_the_settings_are_found_and_complete() -> None:
    names = {path.name for path in conf_directory().iterdir()}
    assert {"spark-defaults.conf", "fairscheduler.xml", "log4j2.properties"} <= names


def test_the_fixture_s_session_has_our_settings(spark: Any) -> None:
    conf = spark.sparkContext.getConf()
    assert conf.get("spark.scheduler.mode") == "FAIR"
    assert conf.get("spark.python.worker.reuse") == "true"
    assert conf.get("spark.python.unix.domain.socket.enabled") == "true"
    assert conf.get("spark.driver.host") == "127.0.0.1"
    assert conf.get("spark.ui.enabled") == "false"
    pool = spark.sparkContext._jsc.sc().getPoolForName("default")
    assert pool.isDefined()
    assert str(pool.get().schedulingMode()) == "FAIR"  # as fairscheduler.xml says


def test_workers_talk_over_unix_domain_sockets_where_spark_has_them(spark: Any) -> None:
    def enabled(config: Any) -> bool:
        return os.environ.get("PYTHON_UNIX_DOMAIN_ENABLED", "").lower() == "true"

    with make_executor(spark, enabled, 1) as executor:
        executor.submit(Submission(0, None))
        events = executor.wait(60)
        while not isinstance(events[-1], Finished):
            events += executor.wait(60)
    assert events[-1].value == (environment_of(spark).version >= (4, 1))


@pytest.mark.spark
def test_starting_and_failing_trials_keep_the_console_quiet() -> None:
    program = """
import os, sys, time
from sparktuner.execute import Submission
from sparktuner.execute.spark import make_executor
from sparktuner.testing import local_spark
NAMES = ("SPARK_CONF_DIR", "SPARK_LOCAL_IP", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")
with local_spark("local[2]", **{"spark.app.name": "mine"}) as spark:
    assert not set(NAMES) & set(os.environ)
    print(spark.conf.get("spark.app.name"), spark.sparkContext.defaultParallelism)
    python = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.executable).first()
    print(python == sys.executable)
    executor = make_executor(spark, lambda how: os._exit(1) if how == "die" else time.sleep(how))
    executor.submit(Submission(0, "die"))
    executor.submit(Submission(1, 600))
    while executor.elapsed(1) is None:
        executor.wait(0.05)
    executor.cancel([1])
    while executor._inbox.in_flight:
        executor.wait(10)
    executor.close()
    # Spark prints a stack trace about a killed task that ends while the session stops.
    tasks, deadline = spark.sparkContext._jsc.sc().taskScheduler(), time.monotonic() + 60
    while tasks.runningTasksByExecutors().apply("driver"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
"""
    said_by_java = "JDK_JAVA_OPTIONS"  # that it is set
    environment = {
        name: value
        for name, value in os.environ.items()
        if "SPARK" not in name.upper() and name != said_by_java
    }
    environment["PYTHONPATH"] = os.pathsep.join([path for path in sys.path if path])
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=240,
    )
    assert answer.stdout.splitlines() == ["mine 2", "True"], answer.stderr
    # The one line is the JVM's own, for a module that Spark's launcher asks for.
    lines = [line for line in answer.stderr.splitlines() if "incubator modules" not in line]
    assert lines == []


def test_a_platform_s_own_client_is_asked_for_nothing_that_it_lacks() -> None:
    client = connect_client(object())
    answers = dataclasses.asdict(client)
    del answers["collects_tables"]  # pyspark's own
    assert not any(answers.values())


def test_a_client_of_spark_connect_alone_needs_no_jvm(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyspark

    monkeypatch.delattr(pyspark, "SparkContext")
    assert not needs_jvm()


OWN_PYTHON = """
os.environ.pop("PYSPARK_PYTHON", None)
os.environ["PATH"] = {folder!r} + os.pathsep + os.environ["PATH"]
from sparktuner.execute.spark import active_session
if {is_own}:
    from pyspark.sql import SparkSession
    session = SparkSession.builder.master("local[1]").getOrCreate()
else:
    session = active_session()
executor = make_executor(session, lambda _: sys.executable, 1)
executor.submit(Submission(0, None))
if not {is_own} and "SPARK_REMOTE" not in os.environ:
    assert session.conf.get("spark.ui.showConsoleProgress") == "false"
print(last_events(executor, 1)[0].value == sys.executable, "PYSPARK_PYTHON" in os.environ)
executor.close()
"""


@pytest.mark.spark
@pytest.mark.parametrize("is_own", [False, True], ids=["ours", "the user's"])
@pytest.mark.parametrize("remote", ["", "local[1]"], ids=["classic", "connect"])
def test_local_workers_run_the_driver_s_python_though_the_path_has_another_one(
    is_own: bool, remote: str, tmp_path: Path
) -> None:
    if remote and (is_own or not IS_BROUGHT):
        pytest.skip("a server that somebody else starts has its own Python, or there is none")
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    program = OWN_PYTHON.format(folder=str(tmp_path), is_own=is_own)
    # Not sparktuner's own settings, which a user's session has not.
    settings = {"SPARK_CONF_DIR": str(tmp_path), **({"SPARK_REMOTE": remote} if remote else {})}
    answer = in_new_process(program, settings)
    assert answer.stdout.split() == ["True", "False"], answer.stderr


@pytest.mark.spark
def test_a_session_that_we_start_in_another_one_s_jvm_has_no_stage_bars(tmp_path: Path) -> None:
    program = """
from sparktuner.execute.spark import active_session
from pyspark.sql import SparkSession
for is_ours in (False, True):
    session = active_session() if is_ours else SparkSession.builder.getOrCreate()
    print(session.sparkContext.getConf().get("spark.ui.showConsoleProgress"))
    active_session()
    print(session.sparkContext.getConf().get("spark.ui.showConsoleProgress"))
    session.stop()
"""
    # Not sparktuner's own settings, which a user's session has not.
    answer = in_new_process(program, {"SPARK_CONF_DIR": str(tmp_path)})
    told = answer.stdout.split()
    assert told == ["true", "true", "false", "false"], answer.stderr


def test_a_local_spark_in_a_thread_leaves_another_threads_session_alone(spark: Any) -> None:
    seen: list[Any] = []

    def work() -> None:
        with local_spark(1) as session:
            seen.append(session.sparkContext)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [spark.sparkContext]
    assert spark.range(3).count() == 3
