"""``local-cluster``: executors that are processes of their own, one of which is killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.standalone import HOME, QUICK_JVM
from tests.new_process import in_new_process

pytestmark = [pytest.mark.spark, pytest.mark.service]

PROGRAM = """
import json
from pathlib import Path
from sparktuner import SparkTrials, current_trial, fmin, hp, rand

folder = Path({folder!r})

def objective(x):
    trial = current_trial()
    daemon = Path(f"/proc/{{os.getppid()}}/stat").read_text()
    executor = int(daemon.rsplit(")", 1)[1].split()[1])  # the daemon's parent, a JVM
    run = folder / f"{{trial.tid}}.{{trial.attempt}}"
    ours = sorted(name for name in sys.modules if name.startswith("sparktuner"))
    run.write_text(json.dumps([executor, ours]))
    if trial.attempt == 0 and trial.tid < 4:  # these run side by side
        while len(list(folder.iterdir())) < 4:
            time.sleep(0.05)
        if trial.tid == 2:
            os.kill(executor, signal.SIGKILL)
        time.sleep(3)
    return x

with local_spark("local-cluster[2,2,1024]", **{{"spark.executor.memory": "512m"}}) as spark:
    trials = SparkTrials(parallelism=4, spark_session=spark, max_trial_retries=0)
    fmin(objective, hp.uniform("x", 0, 1), algo=rand.suggest, max_evals=12, trials=trials,
         verbose=False, show_progressbar=False)
    print(json.dumps([[t["tid"], t["state"], t["misc"]["execution"]["attempt"],
                       t["misc"]["execution"]["executor"], t["misc"]["execution"]["earlier"]]
                      for t in trials._dynamic_trials]))
"""


def linked_home(folder: Path) -> str:
    """A SPARK_HOME in ``folder``: ``local-cluster`` writes its executors' files there."""
    folder.mkdir()
    for path in HOME.iterdir():
        (folder / path.name).symlink_to(path)
    return str(folder)


def test_the_trials_of_a_killed_executor_are_run_again_at_no_charge(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    environment = {
        "SPARK_HOME": linked_home(tmp_path / "home"),
        "SPARK_LOCAL_DIRS": str(tmp_path),
        "JDK_JAVA_OPTIONS": QUICK_JVM,
    }
    answer = in_new_process(PROGRAM.format(folder=str(runs)), environment)
    assert answer.returncode == 0, answer.stderr
    documents = json.loads(answer.stdout)
    assert [tid for tid, *_ in documents] == list(range(12))
    assert {state for _, state, *_ in documents} == {2}

    ran = {path.name: json.loads(path.read_text()) for path in runs.iterdir()}
    assert not any(ours for _, ours in ran.values())  # nothing is installed on the executors
    killed = ran["2.0"][0]
    lost = {tid for tid in range(4) if ran[f"{tid}.0"][0] == killed}
    assert 2 in lost and len(lost) <= 2
    expected = {f"{tid}.0" for tid in range(12)} | {f"{tid}.1" for tid in lost}
    assert set(ran) == expected
    for tid, _, attempt, executor, earlier in documents:
        assert attempt == len(earlier) == (tid in lost)
        assert executor in {"0", "1", "2"}
        for end in earlier:
            assert end["host"] and end["duration"] > 0
            assert "The executor that ran the trial, or its host, was lost" in end["reason"]
