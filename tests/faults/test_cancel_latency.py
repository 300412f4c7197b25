"""How soon a cancelled trial is in the documents, and its worker's process gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest

from sparktuner import SparkTrials, current_trial, fmin, hp, rand
from sparktuner.errors import AllTrialsFailed
from sparktuner.execute.spark import SparkExecutor
from sparktuner.status import JOB_STATE_CANCEL
from tests.faults.conftest import Site
from tests.waiting import wait_until

TRIALS = 3
TO_THE_DOCUMENT = 0.5
TO_THE_PROCESS_S_END = 5.0


def test_a_cancelled_trial_is_recorded_within_half_a_second_and_stopped_within_five(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[int, float] = {}
    cancel = SparkExecutor.cancel

    def noting_when(executor: SparkExecutor, tids: Iterable[Any]) -> None:
        chosen = list(tids)
        asked.update({tid: time.time() for tid in chosen if tid not in asked})
        cancel(executor, chosen)

    monkeypatch.setattr(SparkExecutor, "cancel", noting_when)

    def objective(x: float) -> None:
        pulse = tmp_path / str(current_trial().tid)

        def beat() -> None:  # as long as the process lives
            while True:
                pulse.touch()
                time.sleep(0.05)

        threading.Thread(target=beat, daemon=True).start()
        time.sleep(600)

    trials = SparkTrials(1, spark_session=site.session, trial_timeout=4.0)
    with pytest.raises(AllTrialsFailed):
        fmin(
            objective,
            hp.uniform("x", 0, 1),
            algo=rand.suggest,
            max_evals=TRIALS,
            trials=trials,
            verbose=False,
        )
    assert {t["state"] for t in trials.all_trials} == {JOB_STATE_CANCEL}
    recorded = {t["tid"]: t["refresh_time"] for t in trials.all_trials}
    waits = [
        when.replace(tzinfo=timezone.utc).timestamp() - asked[tid]
        for tid, when in recorded.items()
    ]
    assert min(waits) < TO_THE_DOCUMENT, waits  # the best, for a busy machine's sake

    pulses = [tmp_path / str(tid) for tid in range(TRIALS)]
    wait_until(lambda: all(time.time() - pulse.stat().st_mtime > 1.0 for pulse in pulses))
    ends = [pulse.stat().st_mtime - asked[tid] for tid, pulse in enumerate(pulses)]
    assert max(ends) < TO_THE_PROCESS_S_END, ends
