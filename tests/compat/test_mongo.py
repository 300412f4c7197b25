"""Hyperopt's own MongoTrials and worker, on the same collection as ours.

``HYPEROPT_MONGO_PYTHON`` names an interpreter that has hyperopt 0.3.0 and pymongo 3, the last
that it works with; without it these are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from sparktuner import fmin, hp, tpe
from sparktuner.mongoexp import MongoTrials
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_ERROR

PYTHON = os.environ.get("HYPEROPT_MONGO_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="HYPEROPT_MONGO_PYTHON is not set")

# Eight trials by Hyperopt's driver and its worker, side by side in one process.
SEARCH = """
import sys, threading
import numpy as np
from hyperopt import fmin, hp, rand
from hyperopt.mongoexp import MongoJobs, MongoTrials, MongoWorker

def objective(x):
    if x > 0.7:
        raise ValueError("too large")
    return {"status": "ok", "loss": x ** 2}

def work():
    jobs = MongoJobs.new_from_connection_str(sys.argv[1])
    worker = MongoWorker(jobs, 1.1, workdir=sys.argv[2], exp_key="e", logfilename=None)
    while True:
        try:
            worker.run_one("host:1")
        except ValueError:
            pass

threading.Thread(target=work, daemon=True).start()
trials = MongoTrials(sys.argv[1], exp_key="e")
fmin(objective, hp.uniform("x", -1, 1), rand.suggest, 8, trials=trials,
     rstate=np.random.default_rng(0), show_progressbar=False)
"""
READ = """
import json, sys
from hyperopt.mongoexp import MongoTrials

trials = MongoTrials(sys.argv[1], exp_key="e")
print(json.dumps({"losses": trials.losses(), "argmin": trials.argmin,
                  "vals": trials.vals["x"], "ids": trials.new_trial_ids(2)}))
"""


def hyperopt(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [PYTHON, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_search_of_hyperopts_is_gone_on_with_and_read_by_hyperopt(
    mongo_url: str,
    tmp_path: Path,
) -> None:
    from sparktuner._worker import WorkerOptions, run

    url = mongo_url.replace("mongodb://", "mongo://") + "/jobs"
    hyperopt(SEARCH, url, str(tmp_path))
    trials = MongoTrials(url, exp_key="e")
    before: list[Any] = trials.all_trials
    states = {document["state"] for document in before}
    assert states <= {JOB_STATE_DONE, JOB_STATE_ERROR}
    assert len(before) == 8
    failed = [d["misc"]["error"] for d in before if d["state"] == JOB_STATE_ERROR]
    assert failed == [("<class 'ValueError'>", "too large")] * len(failed)

    options = WorkerOptions(url, poll_interval=0.05, reserve_timeout=5)
    worker = threading.Thread(target=run, args=(options,))
    worker.start()
    fmin(lambda x: x**2, hp.uniform("x", -1, 1), tpe.suggest, 16, trials=trials, verbose=False)
    worker.join()
    read = json.loads(hyperopt(READ, url))
    assert read["losses"] == trials.losses()
    assert read["argmin"] == trials.argmin
    assert read["vals"] == trials.vals["x"]
    assert min(read["ids"]) > max(trials.tids)
