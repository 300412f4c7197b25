"""The columnar history is what a look at all documents would give, at the cost of the new."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktuner import hp
from sparktuner.records import (
    HistoryLog,
    TrialDocument,
    advance,
    configuration_of,
    finite_loss,
    new_document,
)
from sparktuner.space import flatten
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
)

SPACE = flatten(
    {"m": hp.choice("m", [{"C": hp.lognormal("C", 0, 1)}, {}]), "x": hp.randint("x", 9)}
)


class Search:
    """A list of documents to which anything legal happens."""

    def __init__(self) -> None:
        self.documents: list[TrialDocument] = []
        self.rng = np.random.default_rng(0)

    def add(self) -> None:
        [configuration] = SPACE.decode(SPACE.sample(self.rng, 1))
        self.documents.append(new_document(len(self.documents), configuration, SPACE.labels))

    def start(self) -> None:
        for document in self._in(JOB_STATE_NEW)[:1]:
            advance(document, JOB_STATE_RUNNING)

    def end(self, state: int, loss: float | None) -> None:
        result: dict[str, Any] = {"status": "ok", "loss": loss} if loss is not None else {}
        for document in self._in(JOB_STATE_RUNNING)[-1:]:
            advance(document, state, result=result or {"status": "fail"})

    def _in(self, state: int) -> list[TrialDocument]:
        return [d for d in self.documents if d["state"] == state]


@settings(max_examples=60)
@given(st.lists(st.integers(0, 6), max_size=80))
def test_the_history_always_equals_one_made_from_scratch(moves: list[int]) -> None:
    search, log = Search(), HistoryLog(SPACE)
    for move in moves:
        match move:
            case 0 | 1:
                search.add()
            case 2:
                search.start()
            case 3:
                search.end(JOB_STATE_DONE, 1.5)
            case 4:
                search.end(JOB_STATE_DONE, None)
            case 5:
                search.end(JOB_STATE_ERROR, None)
            case 6:
                search.end(JOB_STATE_CANCEL, None)
        history = log.update(search.documents)
        fresh = HistoryLog(SPACE).update(search.documents)
        assert sorted(history.tids) == sorted(fresh.tids)
        order = np.argsort(history.tids)
        np.testing.assert_array_equal(history.losses[order], fresh.losses[np.argsort(fresh.tids)])
        np.testing.assert_array_equal(history.values[order], fresh.values[np.argsort(fresh.tids)])
        np.testing.assert_array_equal(history.pending, fresh.pending)
    pending = [d for d in search.documents if d["state"] in (JOB_STATE_NEW, JOB_STATE_RUNNING)]
    rows = SPACE.encode([configuration_of(d) for d in pending])
    np.testing.assert_array_equal(log.update(search.documents).pending, rows)


def test_a_history_that_was_handed_out_does_not_change() -> None:
    search, log = Search(), HistoryLog(SPACE)
    kept = []
    for i in range(200):
        search.add()
        search.start()
        search.end(JOB_STATE_DONE, float(i))
        history = log.update(search.documents)
        kept.append((history, history.losses.copy(), history.values.copy()))
    for history, losses, values in kept:
        np.testing.assert_array_equal(history.losses, losses)
        np.testing.assert_array_equal(history.values, values)


def test_an_update_reads_no_document_that_has_ended() -> None:
    search, log = Search(), HistoryLog(SPACE)
    for i in range(50):
        search.add()
        search.start()
        search.end(JOB_STATE_DONE, float(i))
    log.update(search.documents)
    for document in search.documents:
        document.clear()
    search.documents.append(new_document(50, {"m": 1, "x": 2}, SPACE.labels))
    assert log.update(search.documents).n == 50
    assert len(log.update(search.documents).pending) == 1


def test_failed_trials_are_in_the_order_of_their_ids() -> None:
    log = HistoryLog(SPACE)
    documents = [new_document(i, {"m": 1, "x": i}, SPACE.labels) for i in range(4)]
    for document in documents[::-1]:
        document["state"] = JOB_STATE_ERROR
        failed = log.update(documents).failed
    column = [c.label for c in SPACE.columns].index("x")
    assert failed[:, column].tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("state", "error", "failed"),
    [
        (JOB_STATE_ERROR, ("ValueError", "…"), True),
        (JOB_STATE_ERROR, ["WorkerDied", "…"], True),
        (JOB_STATE_ERROR, None, True),
        (JOB_STATE_CANCEL, ("TrialTimeout", "…"), True),
        # Those may be tried again.
        (JOB_STATE_CANCEL, None, False),
        (JOB_STATE_ERROR, ("SparkUnavailable", "…"), False),
        (JOB_STATE_ERROR, ("WorkersNotReady", "…"), False),
        (JOB_STATE_ERROR, ("JobCancelled", "…"), False),
    ],
)
def test_a_trial_failed_if_it_would_fail_again(state: int, error: Any, failed: bool) -> None:
    for seen_running in (True, False):
        log = HistoryLog(SPACE)
        document = new_document(0, {"m": 1, "x": 2}, SPACE.labels)
        if seen_running:
            assert len(log.update([document]).pending) == 1
        document["state"] = state
        if error is not None:
            document["misc"]["error"] = error
        history = log.update([document])
        assert (len(history.pending), len(history.failed)) == (0, int(failed))


def test_only_a_finished_ok_finite_loss_counts() -> None:
    document = new_document(0, {})
    document.update(state=JOB_STATE_DONE, result={"status": "ok", "loss": 2})
    assert finite_loss(document) == 2.0
    for change in (
        {"state": JOB_STATE_ERROR},
        {"result": {"status": "fail", "loss": 2}},
        {"result": {"status": "ok", "loss": float("nan")}},
        {"result": {"status": "ok"}},
        {"result": {"status": "pruned", "loss": 1.0}},
    ):
        assert finite_loss({**document, **change}) is None
