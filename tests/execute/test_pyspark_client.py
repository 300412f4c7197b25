"""``pyspark-client`` alone on the driver: no JVM, no full pyspark, and a server elsewhere.

``PYSPARK_CLIENT_PYTHON`` names the interpreter of an environment with the extra ``client``, of
this Python's minor version. Its pyspark may be of another minor version than the server's.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import sparktuner
from tests.connect_server import ConnectServer

PYTHON = os.environ.get("PYSPARK_CLIENT_PYTHON", "")
SOURCES = Path(sparktuner.__file__).parent.parent

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="PYSPARK_CLIENT_PYTHON names no environment with pyspark-client alone"
)


def with_client_alone(program: str, remote: str = "", address: str = "") -> list[str]:
    """Run a program in that environment, and return the lines that it printed.

    Args:
        program: Python.
        remote: what ``SPARK_REMOTE`` is set to, if anything.
        address: the program's only argument.
    """
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "PATH": "", "JAVA_HOME": ""}
    environment.pop("SPARK_REMOTE", None)
    if remote:
        environment["SPARK_REMOTE"] = remote
    check = "import pyspark\nassert not hasattr(pyspark, 'SparkContext'), pyspark\n"
    answer = subprocess.run(
        [PYTHON, "-c", check + program, address],
        capture_output=True,
        text=True,
        timeout=240.0,
        env=environment,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


IMPORTS = """
import importlib, pkgutil, sparktuner
for module in pkgutil.walk_packages(sparktuner.__path__, "sparktuner."):
    if not module.name.endswith(("__main__", "pytest_plugin")):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            # Stores, each with an extra of its own, and estimators are imported on use.
            ours = ("sparktuner.stores.", "sparktuner.sklearn")
            assert module.name.startswith(ours), module.name
            assert error.name.partition(".")[0] in (
                "bson", "fsspec", "gridfs", "obstore", "psycopg", "pymongo", "sqlalchemy",
                "sklearn",
            )
        print(module.name)
"""


def test_every_module_can_be_imported() -> None:
    assert "sparktuner.execute.spark.connect._transport" in with_client_alone(IMPORTS)


NOTHING_THERE = """
from sparktuner import SparkTrials, fmin, hp
from sparktuner.errors import SparkUnavailable
from sparktuner.testing import local_spark
for use in (
    lambda: fmin(abs, hp.uniform("x", -1, 1), max_evals=2, trials=SparkTrials(2)),
    lambda: SparkTrials().parallelism,
    lambda: local_spark(2).__enter__(),
    lambda: local_spark(2, connect=True).__enter__(),
):
    try:
        use()
    except SparkUnavailable as error:
        print(error)
"""


def test_without_a_session_the_message_says_what_to_write() -> None:
    search, width, *local = with_client_alone(NOTHING_THERE)
    assert search == width
    for wanted in ("SPARK_REMOTE", "SparkSession.builder.remote(", "SparkTrials(spark_session="):
        assert wanted in search
    assert len(local) == 2
    assert all("pip uninstall pyspark-client" in line for line in local)


GIVEN = "spark = SparkSession.builder.remote(sys.argv[1]).create()"
SEARCH = """
import json, sys, threading, time
import numpy as np
from pyspark.sql import SparkSession
from sparktuner import SparkTrials, fmin, hp, rand

{session}
captured = np.arange(5 * 2**17, dtype=float)  # 5 MB
class Extra:
    pass
def objective(x):
    if x == 1:
        raise ValueError("one is too many")
    if x == 2:
        time.sleep(600)
    return {{"loss": float(captured[x - 3]), "status": "ok", "extra": Extra}}

trials = SparkTrials(parallelism=2, trial_timeout=2{argument})
best = fmin(objective, hp.randint("x", 9), algo=rand.suggest, max_evals=1, trials=trials,
            points_to_evaluate=[{{"x": x}} for x in (3, 1, 2, 4, 5, 6)], verbose=False)
print(json.dumps(best))
print(json.dumps([[t["state"], t["result"].get("loss"), t["misc"].get("error")]
                  for t in trials.all_trials[:6]]))
print([thread.name for thread in threading.enumerate() if "sparktuner" in thread.name])
print(SparkTrials().parallelism)
"""


@pytest.mark.parametrize("is_given", [False, True], ids=["SPARK_REMOTE", "spark_session"])
def test_a_search_fails_ships_and_cancels_as_it_does_with_all_of_pyspark(
    is_given: bool, connect_server: ConnectServer
) -> None:
    url = connect_server.url
    if is_given:
        program = SEARCH.format(session=GIVEN, argument=", spark_session=spark")
        said = with_client_alone(program, address=url)
    else:
        said = with_client_alone(SEARCH.format(session="", argument=""), remote=url)
    best, documents, threads, width = said
    assert json.loads(best) == {"x": 3}
    states, losses, errors = zip(*json.loads(documents), strict=True)
    assert states == (2, 3, 4, 2, 2, 2)
    assert losses == (0.0, None, None, 1.0, 2.0, 3.0)
    assert errors[1][0] == "ValueError"
    assert "in objective" in errors[1][1]
    assert errors[2][0] == "TrialTimeout"
    assert threads == "[]"
    assert width == "4"


IN_THREADS = """
import sys
from pyspark.sql import SparkSession
from sparktuner import ThreadTrials, fmin, hp, rand
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
trials = ThreadTrials(2)
fmin(lambda x: x + spark.range(3).count(), hp.uniform("x", 0, 1), algo=rand.suggest,
     max_evals=2, trials=trials, verbose=False)
print([int(loss) for loss in trials.losses()])
"""


def test_objectives_in_threads_use_the_client_s_session(connect_server: ConnectServer) -> None:
    assert with_client_alone(IN_THREADS, address=connect_server.url) == ["[3, 3]"]
