"""Studies of Optuna as history of a search."""

from __future__ import annotations

import logging
from datetime import timezone
from typing import Any

import pytest

from sparktuner import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_RUNNING,
    Trials,
    fmin,
    from_optuna,
    hp,
    trials_from_docs,
)
from sparktuner.records import advance, new_document
from sparktuner.space import flatten
from tests.history.searches import SPACE, searched

optuna = pytest.importorskip("optuna", reason="optuna is not installed")
optuna.logging.set_verbosity(optuna.logging.WARNING)

SVM = {"kind": "svm", "C": hp.loguniform("C", -7, 3)}
FOREST = {"kind": "forest", "depth": hp.uniformint("depth", 2, 8)}
MODELS = hp.choice("model", [SVM, FOREST])


def suggest(trial: Any) -> float:
    if trial.suggest_categorical("model", ["forest", "svm"]) == "svm":
        return float(trial.suggest_float("C", 1e-3, 20, log=True))
    depth = trial.suggest_int("depth", 2, 8)
    if depth == 8:
        raise ValueError("too deep")
    if depth == 7:
        trial.report(0.5, step=1)
        raise optuna.TrialPruned
    trial.set_user_attr("rows", 100)
    return float(depth)


def study_of(n: int = 40, **options: Any) -> Any:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), **options)
    study.optimize(suggest, n_trials=n, catch=(ValueError,))
    return study


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [r for r in caplog.records if r.name == "sparktuner"]
    return [r.getMessage() for r in records if r.levelno == logging.WARNING]


def test_a_search_goes_on_from_a_study(caplog: pytest.LogCaptureFixture) -> None:
    study = study_of()
    trials = from_optuna(study, MODELS)
    assert len(trials.all_trials) == 40 and warned(caplog) == []
    assert trials.best_trial["result"]["loss"] == study.best_value
    [label] = study.best_params.keys() - {"model"}
    assert trials.argmin == {"model": 0, label: study.best_params[label]}
    count = len(trials)
    fmin(lambda p: p.get("C", 5), MODELS, max_evals=count + 5, trials=trials, verbose=False)
    assert len(trials) == count + 5


def test_choices_are_matched_by_value_whatever_their_order() -> None:
    study = study_of()
    trials = from_optuna(study, MODELS)
    for theirs, ours in zip(study.trials, trials.all_trials, strict=True):
        [index] = ours["misc"]["vals"]["model"]
        assert ["svm", "forest"][index] == theirs.params["model"]


def test_failed_and_pruned_trials_are_told_apart() -> None:
    study = study_of()
    trials = from_optuna(study, MODELS)
    by_state: dict[str, set[Any]] = {}
    for theirs, ours in zip(study.trials, trials.all_trials, strict=True):
        error = ours["misc"].get("error", (None,))[0]
        by_state.setdefault(theirs.state.name, set()).add((ours["state"], error))
    assert by_state == {
        "COMPLETE": {(2, None)},
        "FAIL": {(3, "Failed")},
        "PRUNED": {(4, "TrialPruned")},
    }
    failed = sum(t.state.name == "FAIL" for t in study.trials)
    assert len(trials.history(flatten(MODELS)).failed) == failed > 0


def test_attributes_and_times_are_kept() -> None:
    study = study_of()
    trials = from_optuna(study, MODELS)
    theirs = next(t for t in study.trials if "rows" in t.user_attrs)
    ours = trials.all_trials[theirs.number]
    assert ours["result"]["rows"] == 100
    assert theirs.datetime_start is not None
    in_utc = theirs.datetime_start.astimezone(timezone.utc).replace(tzinfo=None)
    assert ours["book_time"] == in_utc


def test_a_study_that_maximises_has_its_values_negated() -> None:
    study = study_of(direction="maximize")
    trials = from_optuna(study, MODELS)
    assert trials.best_trial["result"]["loss"] == -study.best_value


def test_what_is_not_finished_or_does_not_fit_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    study = study_of()
    study.enqueue_trial({"model": "svm"})
    study.ask()
    narrow = hp.choice("model", [{"kind": "svm", "C": hp.uniform("C", 0, 1)}])
    trials = from_optuna(study, narrow)
    fitting = sum(t.params.get("C", 2) <= 1 for t in study.trials if t.value is not None)
    assert len(trials.all_trials) == fitting > 0
    [text] = warned(caplog)
    assert text.startswith(f"{fitting} of 41 trials are taken as history")
    assert "1: a trial is not finished" in text
    assert "'C' is" in text and "must be from 0 to 1" in text
    assert "'model' is the str 'forest', and must be one of its options" in text


def test_a_cancelled_trial_of_ours_comes_back_as_one() -> None:
    documents = [new_document(tid, {"x": 0.5}) for tid in range(2)]
    advance(documents[0], JOB_STATE_CANCEL)
    advance(documents[1], JOB_STATE_RUNNING)
    advance(documents[1], JOB_STATE_DONE, result={"status": "fail", "why": "no data"})
    back = from_optuna(trials_from_docs(documents).to_optuna(), hp.uniform("x", 0, 1))
    assert [t["state"] for t in back.all_trials] == [JOB_STATE_CANCEL, JOB_STATE_DONE]
    assert back.all_trials[1]["result"]["status"] == "fail"
    assert back.all_trials[1]["result"]["why"] == "no data"


def test_without_a_space_choices_are_indices_of_optunas() -> None:
    study = study_of()
    trials = from_optuna(study)
    for theirs, ours in zip(study.trials, trials.all_trials, strict=True):
        vals = {label: v[0] for label, v in ours["misc"]["vals"].items() if v}
        assert ["forest", "svm"][vals["model"]] == theirs.params["model"]
        assert "C" not in theirs.params or vals["C"] == theirs.params["C"]


def test_several_objectives_are_refused() -> None:
    study = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.raises(ValueError, match=r"must have one objective, got 2; .*from_pandas"):
        from_optuna(study, MODELS)


def test_what_is_no_study_is_refused() -> None:
    with pytest.raises(TypeError, match=r"must be a study of Optuna, got 'sqlite.*load_study"):
        from_optuna("sqlite:///study.db")  # type: ignore[arg-type]


def test_our_own_study_comes_back_as_it_was() -> None:
    trials = searched()
    again = from_optuna(trials.to_optuna(), SPACE)
    assert again.vals == trials.vals and again.losses() == trials.losses()
    for old, new in zip(trials.all_trials, again.all_trials, strict=True):
        assert new["misc"]["vals"] == old["misc"]["vals"]
        assert (new["state"], new["misc"].get("error")) == (old["state"], old["misc"].get("error"))
        assert new["result"].keys() <= old["result"].keys()


def test_trials_are_added_to_those_that_are_given() -> None:
    into = Trials(exp_key="from a study")
    assert from_optuna(study_of(5), MODELS, into=into) is into
    assert {t["exp_key"] for t in into.all_trials} == {"from a study"}
