"""``sparktuner doctor`` says of each thing that a search needs that it is ok, or what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp
from sparktuner._doctor import DoctorOptions, Finding, State, _services, _spark, diagnosis
from sparktuner._doctor._finding import found
from sparktuner._doctor._secrets import without_secrets
from sparktuner.cli import main
from sparktuner.errors import WorkersNotReady
from sparktuner.execute.spark import SessionFacts, ask_worker
from sparktuner.execute.worker import worker_facts
from tests.connect_server import ConnectServer

DOCTOR = [sys.executable, "-m", "sparktuner", "doctor"]


def in_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with no Java but what ``environment`` names."""
    kept = {k: v for k, v in os.environ.items() if k not in ("JAVA_HOME", "SPARK_REMOTE")}
    return subprocess.run(
        [*DOCTOR, *arguments],
        capture_output=True,
        text=True,
        env={**kept, **environment},
        check=False,
    )


@pytest.fixture
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked for on Spark."""
    monkeypatch.setattr("sparktuner._doctor._diagnosis.spark_findings", lambda master: iter(()))


def state_of(check: str, options: DoctorOptions) -> Finding:
    return {each.check: each for each in diagnosis(options)}[check]


def test_without_java_it_says_so_and_starts_no_spark(tmp_path: Path) -> None:
    answer = in_process(PATH=str(tmp_path))
    assert answer.returncode == 1
    lines = {line.split()[1]: line for line in answer.stdout.splitlines()}
    assert lines["Python"].startswith("ok")
    assert lines["pyspark"].startswith("ok")
    assert lines["Java"].startswith("broken") and "apt-get install openjdk-17" in lines["Java"]
    assert "session" not in lines
    assert answer.stderr == ""


def test_a_missing_pyspark_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    *_, last = diagnosis(DoctorOptions())
    assert last.check == "pyspark" and last.state is State.BROKEN
    assert "pip install 'sparktuner[spark]'" in last.message


@pytest.mark.usefixtures("no_spark")
def test_a_store_is_asked_and_none_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/tuning.db"
    assert main(["doctor", "--store", url]) == 0
    assert "the first search makes it" in capsys.readouterr().out
    assert not (tmp_path / "tuning.db").exists()
    said: list[str] = []

    def objective(x: float) -> float:
        assert main(["doctor", "--store", url]) == 0
        said.append(capsys.readouterr().out)
        return abs(x)

    fmin(objective, hp.uniform("x", -1, 1), max_evals=1, trials=Trials(store=url), verbose=False)
    assert f"{url} answers; searches and workers on it now: 1" in said[0]
    assert main(["doctor", "--store", url]) == 0
    assert f"{url} answers; searches and workers on it now: 0" in capsys.readouterr().out


@pytest.mark.usefixtures("no_spark")
def test_a_file_that_is_no_store_is_broken_and_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy")
    file = tmp_path / "notes.txt"
    file.write_text("no database, but of more than sixteen bytes")
    assert main(["doctor", "--store", f"sqlite:///{file}"]) == 1
    out = capsys.readouterr().out
    assert "broken   store" in out and "file is not a database" in out
    assert file.read_text().startswith("no database")


@pytest.mark.usefixtures("no_spark")
def test_a_store_that_cannot_be_used_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--store", "nonsense://u:geheim@host/db", "--json"]) == 1
    out = capsys.readouterr().out
    store = {each["check"]: each for each in json.loads(out)}["store"]
    assert store["state"] == "broken"
    assert "there is no store for nonsense://" in store["message"]
    assert "geheim" not in out


@pytest.mark.usefixtures("no_spark")
def test_what_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_services, "_SECONDS", 0.05)
    monkeypatch.setattr(_services, "ask", lambda uri: time.sleep(2))
    told = state_of("tracking", DoctorOptions(tracking_uri="http://host:5000"))
    assert told.state is State.BROKEN and "no answer within 0.05 s" in told.message


@pytest.mark.usefixtures("no_spark")
def test_a_tracking_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def ask(uri: str) -> str:
        asked.append((uri, os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]))
        return ""

    monkeypatch.setattr(_services, "ask", ask)
    told = state_of("tracking", DoctorOptions(tracking_uri="http://u:geheim@host:5000"))
    assert told == Finding("tracking", State.OK, "http://u:***@host:5000 answers")
    assert asked == [("http://u:geheim@host:5000", "0")]
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ


@pytest.mark.usefixtures("no_spark")
def test_an_mlflow_in_a_file_is_not_made(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    told = state_of("tracking", DoctorOptions(tracking_uri=uri))
    assert told.state is State.OK and "no server" in told.message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("cannot connect to postgresql://u:geheim@h/d", "postgresql://u:geheim@h/d"),
        ("password authentication with geheim failed", "postgresql://u:geheim@h/d"),
        ("no user of geh/eim", "postgresql://u:geh%2Feim@h/d"),
        ("key geheim is unknown", "s3://bucket/x?secret_access_key=geheim"),
        ("sc://host:15002/;use_ssl=true;token=geheim does not answer", ""),
        ("FATAL: host=h password=geheim port=1", ""),
    ],
)
def test_secrets_are_never_said(text: str, url: str) -> None:
    said = without_secrets(text, url)
    assert "geheim" not in said and "geh/eim" not in said and "***" in said


def test_a_text_without_secrets_stays_as_it_is() -> None:
    text = "spark://host:7077 has 4 cores, see https://host/docs?page=2"
    assert without_secrets(text, "sqlite:///tuning.db") == text


def test_an_error_is_one_line_whatever_its_library_raises() -> None:
    def look() -> str:
        raise KeyError

    assert found("x", look) == Finding("x", State.BROKEN, "KeyError")


def facts(**changed: Any) -> SessionFacts:
    usual: dict[str, Any] = {
        "is_connect": False,
        "version": "4.0.0",
        "master": "yarn",
        "slots": 4,
        "can_grow": False,
        "task_cpus": 1,
        "speculates": False,
        "cautions": (),
    }
    return SessionFacts(**{**usual, **changed})


def test_slots_are_a_warning_where_trials_can_only_run_one_after_another() -> None:
    assert _spark._slots(facts()).state is State.OK
    assert _spark._slots(facts(slots=1, can_grow=True)).state is State.OK
    told = _spark._slots(facts(slots=1, task_cpus=8))
    assert told.state is State.WARNING and "of 8 cores each (spark.task.cpus=8)" in told.message


def test_each_setting_that_hurts_is_a_line() -> None:
    told = list(_spark._settings(facts(speculates=True, cautions=["reuse is off", "idle kill"])))
    assert [each.state for each in told] == [State.WARNING] * 3
    assert [each.state for each in _spark._settings(facts())] == [State.OK]


def test_packages_of_workers_are_held_against_the_drivers() -> None:
    here = worker_facts(("numpy", "cloudpickle", "pyspark"))["versions"]
    assert _spark._packages({**here, "numpy": "0.1"}, False).state is State.WARNING
    assert "numpy 0.1 (driver: " in _spark._packages({**here, "numpy": "0.1"}, False).message
    assert "not on workers: " in _spark._packages({}, False).message
    lacks_arrow = _spark._packages(here, True)
    assert lacks_arrow.state is State.BROKEN and "pyarrow" in lacks_arrow.message


def test_on_spark_a_worker_is_asked(spark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    told = {each["check"]: each for each in json.loads(capsys.readouterr().out)}
    assert {each["state"] for each in told.values()} == {"ok"}
    assert "Spark Classic" in told["session"]["message"]
    assert told["slots"]["message"].startswith("4, of a core each")
    assert f"at {sys.executable}" in told["workers"]["message"]
    assert "numpy" in told["packages"]["message"]


def test_workers_that_do_not_answer_in_time_are_an_error(spark: Any) -> None:
    with pytest.raises(WorkersNotReady, match="no task has ended within 1e-09 s"):
        ask_worker(spark, ["numpy"], 1e-9)


def test_a_connect_server_is_asked(connect_server: ConnectServer) -> None:
    answer = in_process("--remote", connect_server.url, PATH=os.environ["PATH"])
    assert "Traceback" not in answer.stderr
    lines = {line.split()[1]: line for line in answer.stdout.splitlines()}
    assert "Spark Connect" in lines["session"] and lines["workers"].startswith("ok")
    assert lines["Java"].endswith("Spark is elsewhere")
    assert answer.returncode == 0


@pytest.mark.spark
def test_a_cluster_that_cannot_be_reached_is_one_line() -> None:
    home = {"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}
    answer = in_process("--master", "nonsense://nowhere", PATH=os.environ["PATH"], **home)
    assert answer.returncode == 1
    assert "broken   session     No Spark session could be started" in answer.stdout
    assert "Traceback" not in answer.stdout


@pytest.mark.spark
def test_a_connect_server_that_does_not_answer_keeps_no_process_from_its_end() -> None:
    pytest.importorskip("grpc")
    answer = in_process("--remote", "sc://127.0.0.1:9", PATH=os.environ["PATH"])
    assert answer.returncode == 1
    assert "broken   session     The Spark Connect server does not answer" in answer.stdout
