"""``local-cluster``: executors that are processes of their own, one of which is killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster import lossy
from tests.cluster.standalone import HOME, QUICK_JVM
from tests.connect_server import ConnectServer, require_connect_server
from tests.leftovers import leaves_nothing
from tests.new_process import in_new_process

pytestmark = [pytest.mark.spark, pytest.mark.service]
MASTER = "local-cluster[2,2,1024]"

PROGRAM = """
import json
from pathlib import Path
from tests.cluster import lossy
from tests.leftovers import leaves_nothing

with local_spark({master!r}, **{{"spark.executor.memory": "512m"}}) as spark:
    with leaves_nothing(spark):
        # One retry: the lost executor must not be charged to the trial.
        trials = lossy.search(spark, Path({folder!r}), max_trial_retries=1)
    print(json.dumps(trials._dynamic_trials, default=str))
"""


def linked_home(folder: Path) -> str:
    """A SPARK_HOME in ``folder``: ``local-cluster`` writes its executors' files there."""
    folder.mkdir()
    for path in HOME.iterdir():
        if path.name != "work":  # left there by others
            (folder / path.name).symlink_to(path)
    return str(folder)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """For this side's temporary files; Spark's are elsewhere."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def test_the_trials_of_a_killed_executor_are_run_again_at_no_charge(
    runs: Path, temporary: Path, tmp_path: Path
) -> None:
    environment = {
        "SPARK_HOME": linked_home(tmp_path / "home"),
        "SPARK_LOCAL_DIRS": str(tmp_path),
        "TMPDIR": str(temporary),
        "JDK_JAVA_OPTIONS": QUICK_JVM,
    }
    answer = in_new_process(PROGRAM.format(master=MASTER, folder=str(runs)), environment)
    assert answer.returncode == 0, answer.stderr
    documents = json.loads(answer.stdout)
    lossy.check(documents, runs, (lossy.LOST, lossy.DIED))
    earlier = [a for d in documents for a in d["misc"]["execution"]["earlier"]]
    assert all(attempt["host"] for attempt in earlier)


def test_on_connect_which_does_not_tell_why_an_attempt_ended_both_are_charged(
    runs: Path, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_connect_server()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    home = {"SPARK_HOME": linked_home(tmp_path / "home")}
    server = ConnectServer(tmp_path, MASTER, {"spark.executor.memory": "512m"}, home)
    try:
        session = server.session()
        with leaves_nothing(session, tmp_path):
            trials = lossy.search(session, runs, max_trial_retries=2)
        session.client.close()
    finally:
        server.kill()
    untold = "this kind of session does not tell which"
    lossy.check(trials._dynamic_trials, runs, (untold, untold))
