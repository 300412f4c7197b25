"""The numbers of ``tests.benchmarks.stores`` for a storage of Optuna, in Optuna's environment.

Started by it, with one argument, JSON: ``url`` (of SQLAlchemy, or ``journal:PATH``), ``trials``,
``labels`` and ``history``. Prints JSON: seconds of each trial and of opening the history.
"""

# ruff: noqa: T201
from __future__ import annotations

import json
import sys
import time
from typing import Any

import optuna
from optuna.distributions import FloatDistribution
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState


def opened(url: str) -> BaseStorage:
    kind, _, path = url.partition(":")
    return JournalStorage(JournalFileBackend(path)) if kind == "journal" else RDBStorage(url)


def run_trial(storage: BaseStorage, study_id: int, labels: int) -> float:
    """What ``ask``, the suggestion of each parameter and ``tell`` write."""
    begun = time.perf_counter()
    trial_id = storage.create_new_trial(study_id)
    for i in range(labels):
        storage.set_trial_param(trial_id, f"p{i}", 0.1 * i, FloatDistribution(0.0, 1.0))
    storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [0.5])
    return time.perf_counter() - begun


def main() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    options: dict[str, Any] = json.loads(sys.argv[1])
    storage = opened(options["url"])
    study_id = storage.create_new_study([StudyDirection.MINIMIZE], "study")
    labels = options["labels"]
    seconds = [run_trial(storage, study_id, labels) for _ in range(options["trials"])]
    template = optuna.trial.create_trial(
        params={f"p{i}": 0.1 * i for i in range(labels)},
        distributions={f"p{i}": FloatDistribution(0.0, 1.0) for i in range(labels)},
        value=0.5,
    )
    for _ in range(options["history"] - options["trials"]):
        storage.create_new_trial(study_id, template)
    begun = time.perf_counter()
    study = optuna.load_study(study_name="study", storage=opened(options["url"]))
    n = len(study.trials)
    print(json.dumps({"seconds": seconds, "opening": time.perf_counter() - begun, "trials": n}))


if __name__ == "__main__":
    main()
