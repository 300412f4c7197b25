"""A Spark Connect server of this process, and one that is killed in mid-run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.new_process import in_new_process

pytestmark = [pytest.mark.spark, pytest.mark.service]


def test_a_server_killed_in_mid_run_ends_the_search_and_keeps_its_results(tmp_path: Path) -> None:
    answer = in_new_process(
        f"""
from pathlib import Path
from sparktuner import SparkTrials, fmin, hp, rand
from sparktuner.errors import SparkUnavailable
from sparktuner.execute.spark import _connect
from tests.connect_server import ConnectServer
_connect._RETRIES = 3
server = ConnectServer(Path({str(tmp_path)!r}), cores=2)
spark = server.session()
trials = SparkTrials(parallelism=2, spark_session=spark)
marker = {str(tmp_path / "n")!r}
def objective(x):
    with open(marker, "a") as file:
        file.write("x")
    if os.path.getsize(marker) > 3:
        time.sleep(600)
    return x
def kill():
    while not os.path.exists(marker) or os.path.getsize(marker) < 5:
        time.sleep(0.1)
    server.kill()
threading.Thread(target=kill).start()
try:
    fmin(objective, hp.uniform("x", 0, 1), algo=rand.suggest, max_evals=9, trials=trials,
         verbose=False, show_progressbar=False)
except SparkUnavailable as error:
    print("results that came back are kept" in str(error).lower())
print(trials.count_successful_trials(), trials.count_total_trials())
print(sorted(t["state"] for t in trials._dynamic_trials))
print([t.name for t in threading.enumerate() if "sparktuner" in t.name])
os._exit(0)
"""
    )
    told, counts, states, threads = answer.stdout.splitlines()
    assert told == "True", answer.stderr
    assert counts == "3 5"
    # The first to notice fails, and ends the search; the other one may be cancelled by then.
    assert states in ("[2, 2, 2, 3, 3]", "[2, 2, 2, 3, 4]")
    assert threads == "[]"


def test_a_connect_session_with_its_server_in_this_process_serves_a_search() -> None:
    answer = in_new_process(
        """
from sparktuner import SparkTrials, fmin, hp, rand
with local_spark(2, connect=True) as spark:
    print(type(spark).__module__)
    trials = SparkTrials()  # finds the session by itself
    fmin(lambda x: (x - 1) ** 2, hp.uniform("x", -5, 5), algo=rand.suggest, max_evals=6,
         trials=trials, rstate=0, verbose=False, show_progressbar=False)
    print(trials.parallelism, trials.count_successful_trials())
    print(spark.range(3).count())
"""
    )
    assert answer.stdout.splitlines() == ["pyspark.sql.connect.session", "2 6", "3"], answer.stderr
