"""A trial's time limit: what waits for a slot is not charged for it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from sparktuner.execute import Finished, Submission
from sparktuner.execute.spark import make_executor
from tests.faults.conftest import Site
from tests.waiting import last_events, wait_until

SLOTS = 4
# Longer than a server takes to report for the first time that a task waits.
LONG = 4.0


def test_no_second_counts_of_a_trial_that_waits_for_a_slot(site: Site, tmp_path: Path) -> None:
    release = tmp_path / "release"

    def hold(batches: Any) -> Any:
        for batch in batches:
            (tmp_path / f"{batch.column(0)[0]}.holds").touch()
            while not release.exists():
                time.sleep(0.05)
            yield batch

    frame = site.session.range(0, SLOTS, 1, SLOTS).mapInArrow(hold, "id long")
    holder = threading.Thread(target=frame.count)
    executor = make_executor(site.session, abs, 1)
    try:
        executor.submit(Submission(0, -1))  # behind the probe
        last_events(executor, 1)
        holder.start()
        wait_until(lambda: len(list(tmp_path.glob("*.holds"))) == SLOTS)
        executor.submit(Submission(1, -1))
        counted: list[float] = []
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            executor.wait(0.05)
            counted.append(executor.elapsed(1) or 0.0)
        release.touch()
        assert max(counted) == 0.0
        assert isinstance(last_events(executor, 1)[1], Finished)
    finally:
        release.touch()
        executor.close()
        holder.join()
