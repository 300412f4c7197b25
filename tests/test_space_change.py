"""A space that is edited between two searches on the same trials, or the same save file."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import pytest

from sparktuner import Trials, fmin, hp, rand, space_eval, tpe
from sparktuner.errors import AllTrialsFailed, SpaceChanged
from sparktuner.records import SpaceRecord, describe_space, new_document
from sparktuner.space import flatten


def search(fn: Any, space: Any, trials: Trials | None, n: int = 10, **kw: Any) -> Any:
    return fmin(fn, space, max_evals=n, trials=trials, verbose=False, rstate=0, **kw)


def kind_is(best: str) -> Any:
    return lambda p: float(p["kind"] != best) + p["x"]


def kinds(*options: Any) -> dict[str, Any]:
    return {"kind": hp.choice("kind", list(options)), "x": hp.uniform("x", 0, 0.1)}


@pytest.mark.parametrize("algo", [None, tpe.suggest, rand.suggest])
def test_the_answer_is_inside_the_new_bounds(algo: Any) -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials)
    # The same cell again, with other bounds: it searches, though ten trials are there already.
    best = search(abs, hp.uniform("x", 100, 200), trials, algo=algo)
    assert 100 <= best["x"] <= 200
    assert len(trials) == 20
    assert trials.best_params == best["x"]


def test_a_save_file_of_another_space_gives_no_answer_either(tmp_path: Path) -> None:
    file = str(tmp_path / "t.pkl")
    search(abs, hp.uniform("x", -1, 1), None, trials_save_file=file)
    best = search(abs, hp.uniform("x", 100, 200), None, trials_save_file=file)
    assert 100 <= best["x"] <= 200
    with open(file, "rb") as saved:
        trials = pickle.load(saved)
    assert trials.argmin == best
    assert len(trials) == 20


def test_pickled_trials_keep_their_answer() -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials)
    best = search(abs, hp.uniform("x", 100, 200), trials)
    assert pickle.loads(pickle.dumps(trials)).argmin == best


def test_a_renamed_parameter_is_named_and_the_old_one_is_no_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trials = Trials()
    search(lambda p: p["a"], {"a": hp.uniform("a", 0, 1)}, trials)
    caplog.clear()
    best = search(lambda p: 5 + p["b"], {"b": hp.uniform("b", 0, 1)}, trials)
    assert set(best) == {"b"}
    [warning] = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "'a' is gone and 'b' is like it (renamed?)" in warning.getMessage()
    assert "10 are left out (10: no value of 'b')" in warning.getMessage()


def test_what_still_fits_is_history_and_may_be_the_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials, 20)
    inside = [t for t in trials.trials if t["misc"]["vals"]["x"][0] >= 0]
    lowest = min(t["result"]["loss"] for t in inside)
    caplog.clear()
    narrow = hp.uniform("x", 0, 1)
    best = search(abs, narrow, trials, len(inside))
    assert best["x"] == lowest
    assert trials.history(flatten(narrow)).n == len(inside)
    assert "hp.uniform('x', -1, 1) is hp.uniform('x', 0, 1) now" in caplog.text
    assert f"{len(inside)} fit it" in caplog.text
    assert f"({20 - len(inside)}: 'x' is out of bounds)" in caplog.text


def test_reordered_options_are_matched_by_value(caplog: pytest.LogCaptureFixture) -> None:
    trials = Trials()
    search(kind_is("b"), kinds("a", "b", "c"), trials, 20)
    before = trials.best_params
    caplog.clear()
    space = kinds("c", "new", "b", "a")
    best = search(kind_is("b"), space, trials, 20)
    assert best["kind"] == 2
    assert space_eval(space, best) == before == trials.best_params
    assert trials.best_trial["misc"]["vals"]["kind"] == [2]
    assert "option 'new' is new, options in another order" in caplog.text
    # What the first search wrote stays as it was.
    assert all(t["misc"]["vals"]["kind"][0] < 3 for t in trials.trials)


def test_a_removed_option_is_no_answer() -> None:
    trials = Trials()
    search(kind_is("b"), kinds("a", "b", "c"), trials, 20)
    space = kinds("a", "c")
    assert space_eval(space, search(kind_is("b"), space, trials, 20))["kind"] in ("a", "c")


def test_nested_options_are_matched_by_what_they_are_made_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    svm = {"kind": "svm", "C": hp.uniform("C", 0, 1)}
    tree: dict[str, Any] = {"kind": "tree", "depth": hp.randint("depth", 1, 5)}
    trials = Trials()
    objective = lambda p: p["C"] if p["kind"] == "svm" else 9.0  # noqa: E731
    before = search(objective, hp.choice("m", [svm, tree]), trials, 20)
    after = search(objective, hp.choice("m", [tree, svm]), trials, 20)
    assert len(trials) == 20
    assert after == {**before, "m": 1}
    assert "has changed: 'm': options in another order. Of 20" in caplog.text


def test_functions_and_objects_without_a_repr_are_options_too() -> None:
    class Model:
        def __init__(self, loss: float) -> None:
            self.loss = loss

    a, b = Model(1.0), Model(0.0)
    trials = Trials()
    search(lambda m: getattr(m, "loss", 1.0), hp.choice("m", [a, b]), trials, 12)
    again = search(lambda m: getattr(m, "loss", 1.0), hp.choice("m", [a, b, len]), trials, 12)
    assert again == {"m": 1}


def test_an_option_whose_repr_raises_is_known_by_its_class() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    space = hp.choice("m", [1, Odd()])
    assert search(lambda m: float(m == 1), space, None) == {"m": 1}
    assert describe_space(flatten(space)).columns[0].options == ("1", "<Odd>")


def test_refusing_names_the_difference_and_leaves_the_trials_as_they_are() -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials)
    with pytest.raises(SpaceChanged, match=r"hp.uniform\('x', -1, 1\) is hp.uniform\('x', 1, 2\)"):
        search(abs, hp.uniform("x", 1, 2), trials, 20, on_space_change="refuse")
    assert len(trials) == 10
    search(abs, hp.uniform("x", -1, 1), trials, 20, on_space_change="refuse")
    assert len(trials) == 20


def test_keeping_takes_all_trials_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials)
    best = search(abs, hp.uniform("x", 100, 200), trials, 20, on_space_change="keep")
    assert abs(best["x"]) < 1
    assert len(trials) == 20
    assert "has changed" not in caplog.text


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="on_space_change must be 'adapt', 'refuse' or 'keep'"):
        search(abs, hp.uniform("x", 0, 1), None, on_space_change="ignore")


def test_the_same_space_written_again_or_in_another_order_is_no_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    x, y = ("x", 0, 1), ("y", 0, 1)
    trials = Trials()
    search(lambda p: p["x"], {"x": hp.uniform(*x), "y": hp.uniform(*y)}, trials)
    caplog.clear()
    swapped = {"y": hp.uniform(*y), "x": hp.uniform(*x)}
    search(lambda p: p["x"], swapped, trials, 11, on_space_change="refuse")
    assert len(trials) == 11
    assert "has changed" not in caplog.text


def test_the_change_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials)
    for n in (5, 6, 7):
        search(abs, hp.uniform("x", 100, 200), trials, n)
    assert caplog.text.count("the search space has changed") == 1


def test_foreign_trials_are_taken_as_they_are() -> None:
    trials = Trials()
    document = new_document(0, {"x": 7.0})
    document["state"], document["result"] = 2, {"status": "ok", "loss": -1.0}
    trials.insert_trial_docs([document])
    assert search(abs, hp.uniform("x", 0, 1), trials, 3) == {"x": 7.0}


def test_without_a_trial_of_the_new_space_there_is_no_answer() -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials)
    with pytest.raises(AllTrialsFailed, match="no trial is of the space"):
        search(abs, hp.uniform("x", 100, 200), trials, 0)


def test_queued_trials_that_do_not_fit_are_cancelled() -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials, 1)
    waiting = new_document(1, {"x": -0.5})
    waiting["misc"]["space"] = trials.trials[0]["misc"]["space"]
    trials.insert_trial_docs([waiting])
    assert search(abs, hp.uniform("x", 1, 2), trials, 3)["x"] >= 1
    assert trials.all_trials[1]["misc"]["error"] == ("SpaceChanged", "'x' is out of bounds")
    assert len(trials) == 4


def test_reproducible_searches_know_only_what_fits() -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials)
    best = search(abs, hp.uniform("x", 100, 200), trials, reproducible=True)
    assert best["x"] >= 100


def test_users_see_no_attachment_of_ours() -> None:
    trials = Trials()
    search(abs, hp.uniform("x", -1, 1), trials)
    assert dict(trials.attachments) == {}


def test_a_description_is_the_same_after_it_was_stored() -> None:
    space = {"m": hp.choice("m", [{"q": hp.qnormal("q", 0, 9, 2)}, len, "é", None]), "c": 1}
    record = describe_space(flatten(space))
    again = SpaceRecord.loads(record.dumps())
    assert again == record
    assert again.digest == record.digest
    assert record.columns[0].options == ("{'q': <q>}", "builtins.len", "'é'", "None")
