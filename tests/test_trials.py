"""Trials: Hyperopt's reading and writing, over any store."""

from __future__ import annotations

import pickle
import tracemalloc
from typing import Any

import cloudpickle
import pytest

from sparktuner import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    SparkTrials,
    ThreadTrials,
    Trials,
    anneal,
    atpe,
    fmin,
    hp,
    tpe,
    trials_from_docs,
)
from sparktuner.errors import AllTrialsFailed, InvalidTrial, TrialsBusy
from sparktuner.records import (
    TRIAL_KEYS,
    TRIAL_MISC_KEYS,
    MemoryStore,
    TrialDocument,
    TrialLog,
    new_document,
)


def finished(tid: Any, loss: Any, status: str = "ok", **more: Any) -> TrialDocument:
    document = new_document(tid, {"x": float(tid) if isinstance(tid, int) else 0.0}, ["x", "y"])
    document["state"] = JOB_STATE_DONE
    document["result"] = {"status": status, "loss": loss, **more}
    return document


def test_an_inserted_document_shows_only_after_a_refresh() -> None:
    trials = Trials()
    assert trials.insert_trial_doc(finished(0, 1.0)) == 0
    assert len(trials) == 0
    trials.refresh()
    assert len(trials) == 1


@pytest.mark.parametrize("key", TRIAL_KEYS)
def test_a_document_without_a_key_is_refused(key: str) -> None:
    document = finished(0, 1.0)
    del document[key]
    with pytest.raises(InvalidTrial, match=key):
        Trials().insert_trial_doc(document)


@pytest.mark.parametrize("key", TRIAL_MISC_KEYS)
def test_a_misc_without_a_key_is_refused(key: str) -> None:
    document = finished(0, 1.0)
    del document["misc"][key]
    with pytest.raises(InvalidTrial, match=key):
        Trials().insert_trial_doc(document)


def test_of_documents_inserted_together_all_or_none_are_kept() -> None:
    trials = Trials()
    trials.insert_trial_doc(finished(1, 1.0))
    with pytest.raises(InvalidTrial, match="tid 1 already"):
        trials.insert_trial_docs([finished(2, 1.0), finished(1, 2.0)])
    trials.refresh()
    assert trials.tids == [1]


def test_new_ids_never_collide_also_when_ids_have_gaps() -> None:
    trials = Trials()
    assert trials.new_trial_ids(2) == [0, 1]
    trials.insert_trial_docs([finished(7, 1.0), finished("a", 2.0)])
    assert trials.new_trial_ids(2) == [8, 9]
    assert trials.new_trial_ids(1) == [10]


def test_failed_and_cancelled_trials_are_kept_but_not_shown() -> None:
    documents = [finished(i, float(i)) for i in range(4)]
    documents[1]["state"] = JOB_STATE_ERROR
    documents[2]["state"] = JOB_STATE_CANCEL
    documents[3]["state"] = JOB_STATE_NEW
    trials = trials_from_docs(documents)
    assert trials.tids == [0, 3]
    assert len(trials.all_trials) == 4
    assert trials.count_by_state_unsynced(JOB_STATE_ERROR) == 1
    assert trials.count_by_state_unsynced([JOB_STATE_ERROR, JOB_STATE_CANCEL]) == 2
    assert trials.count_by_state_synced(JOB_STATE_DONE) == 1


def test_columns_of_all_trials_by_label() -> None:
    trials = trials_from_docs([finished(0, 3.0), finished(4, 1.0)])
    assert trials.vals == {"x": [0.0, 4.0], "y": []}
    assert trials.idxs == {"x": [0, 4], "y": []}
    assert trials.losses() == [3.0, 1.0]
    assert trials.statuses() == ["ok", "ok"]
    assert trials.argmin == {"x": 4.0}
    assert trials.best_trial["tid"] == 4


def test_the_best_trial_is_finished_ok_and_finite() -> None:
    trials = trials_from_docs(
        [
            finished(0, float("nan")),
            finished(1, -5.0, status="fail"),
            finished(2, 1.0),
            finished(3, None, status="fail"),
        ]
    )
    assert trials.best_trial["tid"] == 2


def test_without_a_finished_trial_there_is_no_best_one_and_the_error_says_why() -> None:
    with pytest.raises(AllTrialsFailed, match="no trials yet"):
        _ = Trials().best_trial
    document = finished(0, None, status="fail")
    document["misc"]["error"] = ("ValueError", "negative width")
    with pytest.raises(AllTrialsFailed, match="none of the 1 trials.*negative width"):
        _ = trials_from_docs([document]).argmin


def test_average_best_error_is_the_lowest_true_loss_of_the_lowest_losses() -> None:
    documents = [finished(0, 1.0, true_loss=4.0), finished(1, 2.0, true_loss=0.0)]
    assert trials_from_docs(documents).average_best_error() == 4.0
    documents.append(finished(2, 1.0, true_loss=3.0))
    assert trials_from_docs(documents).average_best_error() == 3.0


def test_a_document_made_by_hand_needs_no_version() -> None:
    document = finished(0, 1.0)
    del document["version"]
    assert trials_from_docs([document]).trials[0]["version"] == 0


def test_documents_of_other_tools_are_searched_on_whatever_their_ids_are() -> None:
    documents = [finished(tid, 1.0) for tid in (-3, "a", (1, 2))]
    for document in documents:
        del document["version"]
    documents.append(new_document("waits", {"x": 0.25}, ["x", "y"]))  # type: ignore[arg-type]
    trials = trials_from_docs(documents, validate=False)
    for algo in (tpe.suggest, anneal.suggest, atpe.suggest):
        n = len(trials) + 3
        fmin(abs, hp.uniform("x", -1, 1), algo, n, trials=trials, rstate=0, verbose=False)
    assert trials.statuses() == ["ok"] * 13
    assert trials.losses()[3] == 0.25


def test_documents_with_a_source_are_done_and_name_it() -> None:
    trials = Trials()
    source = finished(3, 1.0)
    [document] = trials.source_trial_docs(
        [8], [None], [{"status": "ok", "loss": 2.0}], [new_document(8, {})["misc"]], [source]
    )
    assert document["state"] == JOB_STATE_DONE
    assert document["misc"]["from_tid"] == 3


def test_average_best_error_weighs_by_the_probability_of_being_best() -> None:
    trials = trials_from_docs(
        [
            finished(0, 1.0, true_loss=0.0, loss_variance=1.0),
            finished(1, 1.0, true_loss=1.0, loss_variance=1.0),
        ]
    )
    assert trials.average_best_error() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("variance", [float("nan"), -1.0, float("inf")])
def test_what_is_no_variance_does_not_let_the_worst_trial_win(variance: float) -> None:
    documents = [finished(0, 1.0, loss_variance=0.01), finished(1, 9.0, loss_variance=variance)]
    assert trials_from_docs(documents).average_best_error() == 1.0


def test_average_best_error_takes_little_memory_however_many_trials_there_are() -> None:
    documents = [finished(i, float(i), loss_variance=1.0) for i in range(3000)]
    trials = trials_from_docs(documents)
    tracemalloc.start()
    trials.average_best_error()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6


def test_a_loss_that_is_no_number_has_no_rank() -> None:
    trials = trials_from_docs([finished(0, "low"), finished(1, 2.0), finished(2, [1.0])])
    assert trials.best_trial["tid"] == 1


def test_attachments_are_the_trials_own() -> None:
    trials = trials_from_docs([finished(0, 1.0), finished(1, 1.0)])
    first, second = trials.trials
    trials.trial_attachments(first)["model"] = b"a"
    assert dict(trials.trial_attachments(first)) == {"model": b"a"}
    assert "model" not in trials.trial_attachments(second)
    assert trials.attachments[trials.aname(first, "model")] == b"a"
    trials.delete_all()
    assert len(trials) == 0
    assert not trials.attachments


def test_views_share_the_documents_and_show_one_experiment() -> None:
    trials = Trials()
    for tid, key in enumerate(["a", "b", "a"]):
        document = finished(tid, 1.0)
        document["exp_key"] = key
        trials.insert_trial_doc(document)
    view = trials.view("a")
    assert view.tids == [0, 2]
    assert type(view) is Trials
    assert trials.view().tids == [0, 1, 2]


def test_trials_with_an_exp_key_refuse_documents_of_another() -> None:
    with pytest.raises(InvalidTrial, match="exp_key"):
        Trials(exp_key="a").insert_trial_doc(finished(0, 1.0))


def test_indexing_trials_says_what_to_do() -> None:
    with pytest.raises(NotImplementedError, match=r"trials\.trials\[0\]"):
        Trials()[0]


def test_empty_trials_are_true_so_that_or_does_not_replace_them() -> None:
    assert Trials()


@pytest.mark.parametrize(
    "trials",
    [Trials(), SparkTrials(parallelism=2, timeout=9), ThreadTrials(2)],
    ids=lambda trials: type(trials).__name__,
)
@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_trials_of_all_kinds_survive_pickling_and_go_on(trials: Trials, pickler: Any) -> None:
    space = {"x": hp.uniform("x", 0, 1), "k": hp.choice("k", [lambda: 1, "b"])}
    trials = trials.over(TrialLog(MemoryStore()))
    trials._space = space
    document = new_document(5, {"x": 0.5, "k": 1}, ["x", "k"])
    document.update(state=JOB_STATE_DONE, result={"status": "ok", "loss": 0.0})
    trials.insert_trial_doc(document)
    trials.trial_attachments(document)["a"] = 1
    copy = pickle.loads(pickler.dumps(trials))
    assert type(copy) is type(trials)
    assert copy.argmin == {"x": 0.5, "k": 1}
    assert copy.best_params == {"x": 0.5, "k": "b"}
    assert copy.trial_attachments(copy.best_trial) == {"a": 1}
    assert copy.new_trial_ids(1) == [6]


def test_repr_says_what_the_trials_hold() -> None:
    assert repr(Trials()) == "<Trials: no trials>"
    documents = [finished(i, 3.0 - i) for i in range(3)]
    documents[0]["state"] = JOB_STATE_ERROR
    trials = SparkTrials(parallelism=2)
    trials.insert_trial_docs([*documents, new_document(9, {})])
    expected = "<SparkTrials: 2 done, 1 waiting, 1 failed, best loss 1 of trial 2>"
    assert repr(trials) == expected
    assert repr(Trials(exp_key="a")) == "<Trials of exp_key 'a': no trials>"


def test_best_params_needs_a_searched_space() -> None:
    with pytest.raises(RuntimeError, match="space_eval"):
        _ = trials_from_docs([finished(0, 1.0)]).best_params


def test_the_columns_are_those_of_the_last_search_also_after_pickling() -> None:
    trials = Trials()
    with pytest.raises(RuntimeError, match="search on these trials first"):
        _ = trials.columns
    fmin(abs, hp.uniform("x", -1, 1), max_evals=2, trials=trials, verbose=False)
    assert pickle.loads(pickle.dumps(trials)).columns.labels == trials.columns.labels == ("x",)
    fmin(abs, hp.uniform("y", -1, 1), max_evals=2, trials=trials, verbose=False)
    assert [column.label for column in trials.columns.columns] == ["y"]


def test_a_second_search_on_the_same_trials_is_refused_while_the_first_runs() -> None:
    trials = Trials()
    refused: list[BaseException] = []

    def objective(x: float) -> float:
        try:
            fmin(lambda y: y, hp.uniform("y", 0, 1), trials=trials, max_evals=1, verbose=False)
        except TrialsBusy as error:
            refused.append(error)
        return x

    fmin(objective, hp.uniform("x", 0, 1), trials=trials, max_evals=2, verbose=False)
    assert len(refused) == 2
    assert len(trials) == 2


@pytest.mark.parametrize("parallelism", [0, -1])
@pytest.mark.parametrize("kind", [SparkTrials, ThreadTrials])
def test_a_parallelism_below_one_is_refused(kind: Any, parallelism: int) -> None:
    with pytest.raises(ValueError, match="parallelism must be at least 1"):
        kind(parallelism=parallelism)


def test_spark_trials_count_by_outcome() -> None:
    trials = SparkTrials(parallelism=1)
    documents = [finished(0, 1.0), finished(1, None, status="fail")]
    documents += [finished(i, None) for i in (2, 3, 4)]
    documents[2]["state"] = JOB_STATE_ERROR
    documents[3]["state"] = JOB_STATE_CANCEL
    documents[4]["state"] = JOB_STATE_NEW
    trials.insert_trial_docs(documents)
    assert trials.count_successful_trials() == 1
    assert trials.count_failed_trials() == 2
    assert trials.count_cancelled_trials() == 1
    assert trials.count_total_trials() == 5
