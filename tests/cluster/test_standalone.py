"""The README's command on a real standalone cluster, one of whose hosts is lost in mid-run."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktuner.status import JOB_STATE_DONE
from tests.cluster.standalone import (
    StandaloneCluster,
    is_running_python_task,
    wait_for,
)

pytestmark = [pytest.mark.spark, pytest.mark.service, pytest.mark.cluster]
EVALUATIONS = 24
README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneCluster]:
    started = StandaloneCluster(tmp_path_factory.mktemp("cluster"))
    yield started
    started.stop()


def readme_command(master: str) -> str:
    """The two lines of the README that run the demo through spark-submit, on this master."""
    lines = re.findall(r"^(?:echo|spark-submit) .*demo\.py.*$", README, re.MULTILINE)
    assert len(lines) == 2
    return "\n".join(lines).replace("spark://host:7077", master)


@pytest.fixture
def demo(cluster: StandaloneCluster, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The README's command, with fewer evaluations, saving its trials in ``tmp_path``."""
    options = f" --evaluations {EVALUATIONS} --save trials.pkl"
    scripts = Path(sys.executable).parent
    environment = cluster.environment() | {
        "SPARK_EXECUTOR_MEMORY": "512m",
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
    }
    process = subprocess.Popen(
        ["bash", "-ec", readme_command(cluster.url) + options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def saved(folder: Path) -> list[dict[str, Any]]:
    """The trials that have ended so far; the file is replaced as a whole."""
    path = folder / "trials.pkl"
    documents = pickle.loads(path.read_bytes())._dynamic_trials if path.exists() else []
    return [document for document in documents if document["state"] >= JOB_STATE_DONE]


def test_a_host_lost_in_mid_run_loses_no_trial_and_a_new_one_takes_its_part(
    cluster: StandaloneCluster, demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    doomed, _ = cluster.add_workers(2)
    wait_for(lambda: len(saved(tmp_path)) >= 2 or demo.poll() is not None)
    cluster.add_workers(1)
    wait_for(lambda: is_running_python_task(doomed.pid) or demo.poll() is not None)
    cluster.kill(doomed)
    said, _ = demo.communicate(timeout=300)
    assert demo.returncode == 0, said
    assert f"best of {EVALUATIONS} trials" in said

    documents = saved(tmp_path)
    assert sorted(document["tid"] for document in documents) == list(range(EVALUATIONS))
    assert {document["state"] for document in documents} == {JOB_STATE_DONE}
    executions = [document["misc"]["execution"] for document in documents]
    assert {execution["executor"] for execution in executions} == {"0", "1", "2"}
    retried = [execution for execution in executions if execution["earlier"]]
    assert 1 <= len(retried) <= 2  # as many as the worker has cores
    for execution in retried:
        (lost,) = execution["earlier"]
        assert execution["attempt"] == 1
        assert lost["host"] == "127.0.0.1"
        assert lost["duration"] > 0
        assert "The executor that ran the trial, or its host, was lost" in lost["reason"]
