"""A log is a store as one search sees it."""

from __future__ import annotations

import pickle

import pytest

from sparktuner import hp
from sparktuner.errors import StaleTrial
from sparktuner.records import MemoryStore, TrialLog, new_document
from sparktuner.space import flatten
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_NEW, JOB_STATE_RUNNING

SPACE = flatten(hp.uniform("x", 0, 1))


def two_logs() -> tuple[TrialLog, TrialLog]:
    store = MemoryStore()
    return TrialLog(store), TrialLog(store)


def test_what_one_log_writes_another_one_sees_after_a_refresh() -> None:
    one, other = two_logs()
    document = new_document(0, {"x": 0.5})
    one.insert([document])
    assert list(other.documents) == []
    other.refresh()
    assert list(other.documents) == [document]
    document["state"] = JOB_STATE_RUNNING
    one.update(document)
    other.refresh()
    assert other.documents[0]["state"] == JOB_STATE_RUNNING
    assert len(one.documents) == len(other.documents) == 1


def test_a_log_keeps_the_documents_that_it_was_given_and_changes_to_them() -> None:
    log, _ = two_logs()
    document = new_document(0, {})
    log.insert([document])
    log.refresh()
    assert log.documents[0] is document
    document["result"]["note"] = "not written yet"
    log.refresh()
    assert log.documents[0]["result"]["note"] == "not written yet"


def test_after_a_stale_update_the_log_has_what_the_other_one_wrote() -> None:
    one, other = two_logs()
    one.insert([new_document(0, {})])
    other.refresh()
    theirs = other.documents[0]
    theirs["state"] = JOB_STATE_DONE
    other.update(theirs)
    with pytest.raises(StaleTrial):
        one.update(one.documents[0])
    assert one.documents[0]["state"] == JOB_STATE_DONE


def test_a_log_has_the_history_and_the_best_of_its_documents() -> None:
    log, _ = two_logs()
    assert log.best() is None
    for tid, loss in enumerate([3.0, 1.0, 2.0]):
        document = new_document(tid, {"x": tid / 10})
        document.update(state=JOB_STATE_DONE, result={"status": "ok", "loss": loss})
        log.insert([document])
    history = log.history(SPACE)
    assert history.losses.tolist() == [3.0, 1.0, 2.0]
    best = log.best()
    assert best is not None
    assert best["tid"] == 1
    other = flatten(hp.uniform("x", 0, 2))
    assert log.history(other).n == 3


def test_only_a_log_that_is_alive_owns_trials() -> None:
    one, other = two_logs()
    with pytest.raises(RuntimeError, match=r"alive\(\)"):
        one.claim()
    with one.alive():
        one.insert_own([new_document(0, {}), new_document(1, {})])
        with other.alive():
            assert other.claim() == []
    with other.alive():
        claimed = other.claim(limit=1)
        assert claimed == [other.documents[0]]
        assert claimed[0] is other.documents[0]
        assert (claimed[0]["state"], claimed[0]["owner"]) == (JOB_STATE_NEW, other.owner)


def test_a_pickled_log_is_a_copy_of_which_nobody_owns_a_trial() -> None:
    log, _ = two_logs()
    with log.alive():
        log.insert_own([new_document(0, {"x": 0.5})])
        copy: TrialLog = pickle.loads(pickle.dumps(log))
    assert list(copy.documents) == list(log.documents)
    with copy.alive():
        assert [document["tid"] for document in copy.claim()] == [0]
    assert log.documents[0]["version"] == 0


def test_deleting_forgets_the_experiments_documents_alone() -> None:
    store = MemoryStore()
    logs = {key: TrialLog(store, key) for key in "ab"}
    for tid, key in enumerate("ab"):
        logs[key].insert([new_document(tid, {}, exp_key=key)])
    logs["a"].delete_all()
    logs["b"].refresh()
    assert len(logs["a"].documents) == 0
    assert len(logs["b"].documents) == 1
