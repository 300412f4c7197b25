"""The log has one line for each thing that an operator wants to know."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp
from sparktuner.driver._event_log import EventLog
from sparktuner.records import MemoryStore, TrialLog, new_document
from sparktuner.status import JOB_STATE_DONE
from tests.driver.fakes import EXECUTION

X = hp.uniform("x", 0, 1)


@pytest.fixture
def info(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="sparktuner")
    return caplog


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "sparktuner"]


def test_a_search_is_told_from_its_start_to_its_end(info: pytest.LogCaptureFixture) -> None:
    losses = iter([3.0, 1.0, 2.0])

    def objective(x: float) -> Any:
        loss = next(losses, None)
        if loss is None:
            raise KeyError("out of losses")
        return loss

    fmin(objective, X, max_evals=4, rstate=0, verbose=False, catch_eval_exceptions=True)
    told = lines(info)
    assert told[0] == (
        "search started: 1 parameters, 0 trials there, max_evals=4, 1 at a time, in MemoryStore"
    )
    kinds = [line.split(":")[0] for line in told[1:-1]]
    assert kinds == [
        "trial 0 ok", "new best", "trial 1 ok", "new best", "trial 2 ok", "trial 3 failed",
    ]  # fmt: skip
    assert told[4] == "new best: trial 1, loss 1"
    assert told[-2].startswith("trial 3 failed: KeyError: 'out of losses' (File \"")
    assert told[-1] == "search ended: all of max_evals was run; 1 failed, 3 ok; best loss 1"


def test_records_have_their_facts_as_fields(info: pytest.LogCaptureFixture) -> None:
    fmin(lambda x: 0.5, X, max_evals=9, loss_threshold=0.5, verbose=False)
    started, ok, best, ended = (vars(record) for record in info.records)
    assert (started["event"], started["window"], started["max_evals"]) == ("search_started", 1, 9)
    assert (ok["event"], ok["tid"], ok["loss"], ok["status"]) == ("trial_ok", 0, 0.5, "ok")
    assert ok["seconds"] >= 0
    assert ok["host"]
    assert best["event"] == "new_best"
    assert (ended["event"], ended["trials_ok"], ended["best_loss"]) == ("search_ended", 1, 0.5)
    assert ended["reason"].startswith("loss_threshold")


def test_an_attempt_that_came_to_nothing_is_told_with_its_reason(
    info: pytest.LogCaptureFixture,
) -> None:
    events = EventLog(TrialLog(MemoryStore()), 1, 8, None)
    document = new_document(7, {"x": 0.5})
    earlier = [{"host": "host3", "duration": 4.0, "reason": "The worker process ended"}]
    document["misc"]["execution"] = {**vars(EXECUTION), "attempt": 1, "earlier": earlier}
    document.update(state=JOB_STATE_DONE, result={"status": "ok", "loss": 2.0})
    events.on_trial_end(document)
    assert lines(info)[0] == "trial 7 was run again: The worker process ended"


def test_a_trial_of_another_space_is_no_best_to_improve_on(
    info: pytest.LogCaptureFixture,
) -> None:
    trials = Trials()
    fmin(lambda x: -5.0, X, max_evals=2, trials=trials, rstate=0, verbose=False)
    info.clear()
    other = hp.uniform("x", 5, 6)
    fmin(lambda x: 1.0, other, max_evals=2, trials=trials, rstate=0, verbose=False)
    assert [line for line in lines(info) if line.startswith("new best")] == [
        "new best: trial 2, loss 1"
    ]
    assert lines(info)[-1].endswith("best loss 1")


def test_without_the_level_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    fmin(lambda x: 0.5, X, max_evals=3, verbose=False)
    assert lines(caplog) == []
