"""Trials as a study of Optuna."""

from __future__ import annotations

import math
import sys
import warnings
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sparktuner import (
    JOB_STATE_CANCEL,
    JOB_STATE_RUNNING,
    Trials,
    fmin,
    hp,
    trials_from_docs,
)
from sparktuner.errors import MissingExtra
from sparktuner.fmin import generate_trial
from sparktuner.records import advance, new_document
from tests.history.searches import searched


def test_without_optuna_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"pip install 'sparktuner\[optuna\]'"):
        Trials().to_optuna()


class TestWithOptuna:
    """What needs the package."""

    @pytest.fixture(autouse=True)
    def optuna(self) -> Any:
        module = pytest.importorskip("optuna", reason="optuna is not installed")
        module.logging.set_verbosity(module.logging.WARNING)
        return module

    def test_the_best_trial_is_the_best_one(self) -> None:
        trials = searched()
        study = trials.to_optuna()
        assert study.direction.name == "MINIMIZE"
        assert study.best_value == trials.best_trial["result"]["loss"]
        assert study.best_trial.user_attrs["tid"] == trials.best_trial["tid"]
        assert study.best_params["lr"] == trials.argmin["lr"]
        assert study.best_params["act"] == str(trials.best_params["act"])

    def test_finished_and_failed_trials_are_told_apart(self) -> None:
        trials = searched()
        study = trials.to_optuna()
        states = [each.state.name for each in study.trials]
        assert states == ["FAIL" if t["state"] == 3 else "COMPLETE" for t in trials.all_trials]
        failed = next(each for each in study.trials if each.state.name == "FAIL")
        assert failed.user_attrs["error"] == "ValueError" and failed.value is None

    def test_running_waiting_and_cancelled_trials_are_there(self) -> None:
        documents = [new_document(tid, {"x": 0.5}) for tid in range(3)]
        advance(documents[1], JOB_STATE_RUNNING)
        advance(documents[2], JOB_STATE_CANCEL)
        study = trials_from_docs(documents).to_optuna()
        assert [each.state.name for each in study.trials] == ["WAITING", "RUNNING", "FAIL"]
        assert study.trials[2].user_attrs["state"] == "cancelled"

    def test_inactive_parameters_are_absent(self) -> None:
        for each in searched().to_optuna().trials:
            assert ("C" in each.params) != ("depth" in each.params)
            assert each.params.keys() == each.distributions.keys()

    def test_parameters_have_their_distributions(self, optuna: Any) -> None:
        of = optuna.distributions
        space = {
            "u": hp.uniform("u", -1, 2),
            "lu": hp.loguniform("lu", 0, math.log(8)),
            "qu": hp.quniform("qu", 0, 0.9, 0.3),
            "steps": hp.quniform("steps", 0, 64, 16),
            "qlu": hp.qloguniform("qlu", 0, math.log(100), 1),
            "ints": hp.uniformint("ints", 1, 9),
            "r": hp.randint("r", 5),
            "far": hp.randint("far", 2**60 + 1, 2**60 + 4),
            "c": hp.choice("c", [16, 32]),
            "p": hp.pchoice("p", [(0.9, "a"), (0.1, "b")]),
        }
        trials = Trials()
        fmin(lambda p: p["u"], space, max_evals=20, trials=trials, rstate=0, verbose=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = trials.to_optuna().trials[0].distributions
        assert found["u"] == of.FloatDistribution(-1.0, 2.0)
        assert found["lu"].log and found["lu"].high == pytest.approx(8)
        assert found["qu"] == of.FloatDistribution(0.0, 0.9, step=0.3)
        assert found["steps"] == of.IntDistribution(0, 64, step=16)
        assert found["qlu"] == of.IntDistribution(1, 100, log=True)
        assert found["ints"] == of.IntDistribution(1, 9)
        assert found["r"] == of.IntDistribution(0, 4)
        assert found["far"] == of.FloatDistribution(2.0**60, 2.0**60)
        assert found["c"] == of.CategoricalDistribution((16, 32))
        assert found["p"] == of.CategoricalDistribution(("a", "b"))

    def test_normal_parameters_have_the_range_of_their_values(self, optuna: Any) -> None:
        space = {
            "n": hp.normal("n", 0, 1),
            "qn": hp.qnormal("qn", 0, 9, 2),
            "ln": hp.lognormal("ln", 0, 1),
            "qln": hp.qlognormal("qln", 0, 1, 0.5),
        }
        trials = Trials()
        fmin(lambda p: p["n"], space, max_evals=20, trials=trials, rstate=0, verbose=False)
        found = trials.to_optuna().trials[0].distributions
        for label in space:
            values = trials.vals[label]
            assert (found[label].low, found[label].high) == (min(values), max(values))
        assert found["ln"].log and not found["n"].log
        assert found["qn"].step == 2 and isinstance(found["qn"].low, int)
        assert found["qln"].step == 0.5

    def test_values_past_their_bound_widen_it(self, optuna: Any) -> None:
        trials = Trials()
        space = hp.uniform("x", 0, 1)
        fmin(abs, space, max_evals=1, trials=trials, verbose=False)
        trials.all_trials[0]["misc"]["vals"]["x"] = [1.0000001]
        assert trials.to_optuna().trials[0].distributions["x"].high == 1.0000001

    def test_trials_of_two_spaces_share_one_distribution(self, optuna: Any) -> None:
        trials = Trials()
        for n, options in ((4, ["relu", "tanh"]), (9, ["gelu", "relu"])):
            space = {"act": hp.choice("act", options), "x": hp.uniform("x", 0, n)}
            fmin(lambda p: p["x"], space, max_evals=n, trials=trials, rstate=0, verbose=False)
        each = {str(t.distributions) for t in trials.to_optuna().trials}
        assert len(each) == 1
        found = trials.to_optuna().trials[0].distributions
        assert set(found["act"].choices) == {"relu", "tanh", "gelu"}
        assert (found["x"].low, found["x"].high) == (0.0, 9.0)

    def test_a_space_that_is_not_known_is_told_by_its_values(self, optuna: Any) -> None:
        documents = [generate_trial(tid, {"x": tid / 2, "c": tid}) for tid in range(3)]
        found = trials_from_docs(documents).to_optuna().trials[0].distributions
        assert found["x"] == optuna.distributions.FloatDistribution(0.0, 1.0)
        assert found["c"] == optuna.distributions.IntDistribution(0, 2)

    def test_times_are_local_as_optunas_are(self) -> None:
        trials = searched(max_evals=1)
        [each] = trials.to_optuna().trials
        started = trials.all_trials[0]["misc"]["execution"]["started"]
        local = started.replace(tzinfo=timezone.utc).astimezone().replace(tzinfo=None)
        assert each.datetime_start == local <= each.datetime_complete

    def test_results_and_places_are_attributes_of_the_user(self) -> None:
        [each] = searched(max_evals=1).to_optuna().trials
        assert each.user_attrs["result.rows"] == 100
        assert each.user_attrs["host"] and each.user_attrs["attempts"] == 1
        assert each.user_attrs["duration"] >= 0

    def test_trials_without_times_are_taken_too(self) -> None:
        document = generate_trial(0, {"x": 0.5})
        document["state"], document["result"] = 2, {"status": "ok", "loss": 1.0, "to": math.inf}
        document["result"]["when"] = datetime(2024, 1, 1)
        [each] = trials_from_docs([document]).to_optuna().trials
        assert each.value == 1.0 and each.datetime_complete is not None
        assert each.user_attrs["result.to"] == "inf"
        assert each.user_attrs["result.when"].startswith("2024-01-01T00:00")

    def test_no_trials_are_a_study_without_any(self) -> None:
        assert Trials().to_optuna().trials == []

    def test_optunas_plots_run_on_it(self, optuna: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("matplotlib", reason="matplotlib is not installed")
        monkeypatch.setenv("MPLBACKEND", "agg")
        study = searched().to_optuna()
        plots = optuna.visualization.matplotlib
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plots.plot_optimization_history(study)
            plots.plot_slice(study)
            plots.plot_param_importances(study)
            plots.plot_parallel_coordinate(study)
            plots.plot_timeline(study)
        assert optuna.importance.get_param_importances(study).keys() >= {"lr", "layers"}

    def test_optunas_interactive_plots_run_on_it(self, optuna: Any) -> None:
        pytest.importorskip("plotly", reason="plotly is not installed")
        study = searched().to_optuna()
        plots = optuna.visualization
        assert plots.plot_optimization_history(study).data
        assert plots.plot_slice(study).data
        assert plots.plot_param_importances(study).data

    def test_optuna_goes_on_with_it(self) -> None:
        study = searched().to_optuna()
        before = len(study.trials)
        known = study.best_trial.distributions
        study.optimize(lambda t: t._suggest("lr", known["lr"]), n_trials=2)
        assert len(study.trials) == before + 2

    def test_a_storage_keeps_it_for_the_dashboard(self, optuna: Any, tmp_path: Path) -> None:
        trials, url = searched(), f"sqlite:///{tmp_path / 'study.db'}"
        trials.to_optuna(storage=url, study_name="search")
        again = optuna.load_study(storage=url, study_name="search")
        assert [t.value for t in again.trials] == [t.value for t in trials.to_optuna().trials]
        assert again.best_params == trials.to_optuna().best_params
        with pytest.raises(optuna.exceptions.DuplicatedStudyError):
            trials.to_optuna(storage=url, study_name="search")

    def test_a_journal_keeps_it_too(self, optuna: Any, tmp_path: Path) -> None:
        from optuna.storages.journal import JournalFileBackend

        backend = JournalFileBackend(str(tmp_path / "study.log"))
        storage = optuna.storages.JournalStorage(backend)
        assert len(searched().to_optuna(storage, "search").trials) == 30
        assert JOB_STATE_RUNNING not in (t["state"] for t in searched().all_trials)
