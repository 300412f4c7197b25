"""A real standalone cluster: the README's command, and a host lost in mid-run."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktuner.status import JOB_STATE_DONE
from tests.cluster import held_search
from tests.cluster.standalone import CORES, StandaloneCluster, descends_from
from tests.waiting import wait_until

pytestmark = [pytest.mark.spark, pytest.mark.service, pytest.mark.cluster]
README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneCluster]:
    started = StandaloneCluster(tmp_path_factory.mktemp("cluster"))
    yield started
    started.stop()


@pytest.fixture
def shell(
    cluster: StandaloneCluster, tmp_path: Path
) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts commands with the cluster's environment, in the folder of the test."""
    processes: list[subprocess.Popen[str]] = []
    scripts = Path(sys.executable).parent
    environment = cluster.environment() | {
        "SPARK_EXECUTOR_MEMORY": "512m",
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
    }

    def start(command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["bash", "-ec", command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def readme_command(master: str) -> str:
    """The two lines of the README that run the demo through spark-submit, on this master."""
    lines = re.findall(r"^(?:echo|spark-submit) .*demo\.py.*$", README, re.MULTILINE)
    assert len(lines) == 2
    return "\n".join(lines).replace("spark://host:7077", master)


def saved(folder: Path, count: int) -> list[dict[str, Any]]:
    """The documents in ``trials.pkl``, all of which ended well."""
    documents: list[dict[str, Any]] = pickle.loads((folder / "trials.pkl").read_bytes()).all_trials
    assert sorted(document["tid"] for document in documents) == list(range(count))
    assert {document["state"] for document in documents} == {JOB_STATE_DONE}
    return documents


def test_a_host_lost_in_mid_run_loses_no_trial_and_a_new_one_takes_its_part(
    cluster: StandaloneCluster, shell: Any, tmp_path: Path
) -> None:
    def running_below(worker: subprocess.Popen[bytes]) -> int:
        pids = [int(path.name.split(".")[1]) for path in tmp_path.glob("*.run")]
        return sum(descends_from(pid, worker.pid) for pid in pids)

    def has_ended() -> bool:
        return search.poll() is not None

    doomed, survivor = cluster.add_workers(2)
    options = f"--master {cluster.url} --total-executor-cores {held_search.SLOTS}"
    search = shell(f"spark-submit {options} {held_search.__file__} {tmp_path} 12 go")
    for worker in (doomed, survivor):
        wait_until(lambda worker=worker: running_below(worker) == CORES or has_ended())
    newcomer, *_ = cluster.add_workers(1)
    cluster.kill(doomed)
    wait_until(lambda: running_below(newcomer) == CORES or has_ended())
    (tmp_path / "go").touch()
    said, _ = search.communicate(timeout=300)
    assert search.returncode == 0, said

    documents = saved(tmp_path, 12)
    executions = [document["misc"]["execution"] for document in documents]
    retried = [execution for execution in executions if execution["earlier"]]
    assert len(retried) == CORES
    assert {execution["executor"] for execution in retried} == {"2"}
    assert len({execution["executor"] for execution in executions}) == 2
    for execution in retried:
        (lost,) = execution["earlier"]
        assert execution["attempt"] == 1
        assert lost["host"] == "127.0.0.2"
        assert lost["duration"] > 0
        assert "The executor that ran the trial, or its host, was lost" in lost["reason"]


def test_a_copy_that_spark_starts_of_a_running_trial_may_end_it(
    cluster: StandaloneCluster, shell: Any, tmp_path: Path
) -> None:
    hosts = cluster.status()["aliveworkers"]
    cluster.add_workers(max(0, 2 - hosts))  # a copy runs on another host
    conf = (
        "--conf spark.speculation=true --conf spark.speculation.interval=100ms "
        "--conf spark.speculation.task.duration.threshold=1s"
    )
    options = f"--master {cluster.url} {conf} {held_search.__file__} {tmp_path}"
    search = shell(f"spark-submit {options} 4 copy")
    said, _ = search.communicate(timeout=300)
    assert search.returncode == 0, said
    for document in saved(tmp_path, 4):
        assert document["misc"]["execution"]["attempt"] == 0
        assert len(list(tmp_path.glob(f"{document['tid']}.*"))) == 2


def test_the_readme_s_command_tunes_on_a_cluster(
    cluster: StandaloneCluster, shell: Any, tmp_path: Path
) -> None:
    if not cluster.status()["aliveworkers"]:
        cluster.add_workers(1)
    demo = shell(readme_command(cluster.url) + " --evaluations 8 --save trials.pkl")
    said, _ = demo.communicate(timeout=300)
    assert demo.returncode == 0, said
    assert "best of 8 trials" in said
    for document in saved(tmp_path, 8):
        assert document["misc"]["execution"]["executor"] in {"0", "1"}
