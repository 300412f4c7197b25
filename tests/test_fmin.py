"""fmin from its arguments to its answer, in this process."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import pickle
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktuner import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    ThreadTrials,
    Trials,
    fmin,
    fmin_pass_expr_memo_ctrl,
    hp,
    pyll,
    rand,
    space_eval,
    tpe,
)
from sparktuner.domain import Domain
from sparktuner.driver import Progress
from sparktuner.early_stop import no_progress_loss
from sparktuner.errors import (
    AllTrialsFailed,
    BadSearchSpace,
    InvalidAnnotatedParameter,
    InvalidLoss,
    InvalidResultStatus,
    StoreError,
)
from sparktuner.fmin import FMinIter, generate_trials_to_calculate
from sparktuner.pyll import scope
from sparktuner.records import new_document
from sparktuner.stores import Lost

X = hp.uniform("x", -5, 5)
NESTED = {
    "model": hp.choice("model", [{"kind": "svm", "C": hp.lognormal("C", 0, 1)}, {"kind": "tree"}]),
    "depth": hp.quniform("depth", 1, 9, 1),
}


def quiet(fn: Any, space: Any, **kw: Any) -> Any:
    return fmin(fn, space, **{"verbose": False, "rstate": 0, "max_evals": 5, **kw})


def test_tpe_by_default_finds_the_minimum_of_a_parabola() -> None:
    best = quiet(lambda x: (x - 3) ** 2, X, max_evals=100)
    assert best["x"] == pytest.approx(3, abs=0.5)


def test_best_holds_a_choices_index_and_best_params_its_value() -> None:
    trials = Trials()
    best = quiet(lambda p: p["depth"] + ("C" in p["model"]), NESTED, trials=trials, max_evals=40)
    assert best["model"] == 1
    assert "C" not in best
    assert trials.best_params["model"] == {"kind": "tree"}
    assert trials.best_params == space_eval(NESTED, best)
    assert (
        quiet(lambda p: 0, NESTED, trials=trials, max_evals=0, return_argmin=False)
        == trials.best_params
    )


def test_everything_in_a_document_but_its_times_is_json() -> None:
    trials = Trials()
    quiet(lambda p: np.float32(p["depth"]), NESTED, trials=trials)
    for document in trials.trials:
        json.dumps([document["misc"]["vals"], document["misc"]["idxs"], document["result"]])
    json.dumps(trials.argmin)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (None, InvalidLoss, "return statement missing"),
        ("0.3", InvalidLoss, "'0.3' of type str"),
        (1j, InvalidLoss, "complex"),
        ([1.0], InvalidLoss, "list"),
        ({"loss": 1.0}, InvalidResultStatus, "needs a 'status'"),
        ({"loss": 1.0, "status": "done"}, InvalidResultStatus, "'done'"),
        ({"status": "ok"}, InvalidLoss, "no 'loss'"),
        ({"status": "ok", "loss": None}, InvalidLoss, "None"),
        ({"status": "ok", "loss": "low"}, InvalidLoss, "'low'"),
    ],
)
def test_a_result_that_is_none_is_refused_with_what_to_return(
    value: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        quiet(lambda x: value, X)


@pytest.mark.parametrize("value", [3, np.float32(3), np.array(3.0), np.array([3.0]), True, 3.0])
def test_whatever_is_one_real_number_is_a_loss(value: Any) -> None:
    trials = Trials()
    quiet(lambda x: value, X, trials=trials, max_evals=1)
    assert trials.losses() == [np.asarray(value, dtype=float).item()]
    assert type(trials.losses()[0]) is float


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_when_no_loss_is_finite_there_is_no_answer_and_the_error_says_why(loss: float) -> None:
    with pytest.raises(AllTrialsFailed, match="cannot be compared"):
        quiet(lambda x: loss, X)


@pytest.mark.parametrize(
    ("argument", "value", "text"),
    [
        ("max_evals", -1, "max_evals must be at least 0"),
        ("max_evals", 2.5, "max_evals must be an integer"),
        ("timeout", 0, "timeout must be None or a number of seconds above 0"),
        ("timeout", "1h", "timeout must be"),
        ("loss_threshold", "low", "loss_threshold must be"),
        ("max_queue_len", 0, "max_queue_len must be at least 1"),
        ("algo", tpe, r"did you mean algo=tpe\.suggest"),
        ("rstate", "seed", "rstate must be a numpy.random.Generator"),
        ("rstate", -1, "rstate must be"),
        ("algo", 5, r"algo must be callable, got 5; did you mean max_evals=5\? The order is"),
        ("algo", "tpe", r"did you mean algo=tpe\.suggest"),
        ("algo", functools.partial(tpe.suggest, gama=1), "no option 'gama'; did you mean 'gamma'"),
        ("early_stop_fn", 3, "early_stop_fn must be callable"),
        ("trials", [], r"trials must be a Trials object, such as Trials\(\), got \[\]"),
        ("trials", Trials, "trials must be a Trials object"),
        ("points_to_evaluate", {"x": 1}, "must be a list of dictionaries"),
        ("points_to_evaluate", [{"y": 1}], r"points_to_evaluate\[0\] has values for \['y'\]"),
        ("points_to_evaluate", [{"x": 7}], r"points_to_evaluate\[0\]: 'x' is 7, and must be from"),
        ("points_to_evaluate", [{"x": float("nan")}], r"points_to_evaluate\[0\]: 'x' is nan"),
        ("points_to_evaluate", [{}], r"points_to_evaluate\[0\]: no value for parameter 'x'"),
    ],
)
def test_an_argument_out_of_its_range_is_named(argument: str, value: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        quiet(lambda x: x, X, **{argument: value})


@pytest.mark.parametrize(
    "rstate",
    [7, np.random.default_rng(7), np.random.RandomState(7), np.int64(7)],
    ids=lambda seed: type(seed).__name__,
)
def test_any_kind_of_seed_is_accepted(rstate: Any) -> None:
    assert "x" in quiet(lambda x: x, X, rstate=rstate)


def test_the_same_seed_gives_the_same_trials_and_another_one_others() -> None:
    def values(rstate: Any) -> list[float]:
        trials = Trials()
        quiet(lambda x: x * x, X, rstate=rstate, trials=trials, max_evals=40)
        return trials.vals["x"]

    assert values(1) == values(1)
    assert values(np.random.default_rng(1)) == values(np.random.default_rng(1))
    assert values(1) != values(2)


def test_the_seed_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPEROPT_FMIN_SEED", "5")
    a, b = (quiet(lambda x: x, X, rstate=None) for _ in range(2))
    assert a == b


def test_a_search_that_is_resumed_gives_the_trials_of_one_that_was_not() -> None:
    whole, parts = Trials(), Trials()
    quiet(lambda x: x * x, X, trials=whole, max_evals=40)
    for max_evals in (13, 25, 40):
        quiet(lambda x: x * x, X, trials=parts, max_evals=max_evals)
    assert parts.vals == whole.vals


def test_nothing_to_do_returns_what_there_is_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert quiet(lambda x: x, X, max_evals=0) == {}
    assert quiet(lambda x: x, X, max_evals=0, return_argmin=False) is None
    trials = Trials()
    best = quiet(lambda x: x, X, trials=trials, max_evals=5)
    with caplog.at_level(logging.WARNING):
        assert quiet(lambda x: x, X, trials=trials, max_evals=3) == best
    assert "that are there already, 5;" in caplog.text
    assert len(trials) == 5


@pytest.mark.parametrize("steps", [1, 3])
def test_a_search_step_by_step_goes_on_after_trials_that_raised(steps: int) -> None:
    """Those are not in ``len(trials)``, from which people count on."""
    calls = []

    def objective(x: float) -> float:
        calls.append(x)
        if len(calls) in (2, 3):
            raise OSError("flaky")
        return x * x

    trials = Trials()
    for _ in range(6):
        with contextlib.suppress(OSError):
            quiet(objective, X, trials=trials, max_evals=len(trials) + steps)
    assert len(trials) >= 4
    assert len(trials.all_trials) == len(calls) == len(trials) + 2


@pytest.mark.parametrize("endless", [{"max_evals": float("inf")}, {"timeout": float("inf")}])
def test_infinity_is_no_limit(endless: dict[str, Any]) -> None:
    trials = Trials()
    stop = no_progress_loss(1)
    quiet(lambda x: 1.0, X, trials=trials, **{"early_stop_fn": stop, "max_evals": 9, **endless})
    assert 0 < len(trials) < 9


def test_points_come_first_on_top_of_max_evals_and_only_once() -> None:
    """As in Hyperopt: 2 points and ``max_evals=6`` make 8 trials."""
    trials = Trials()
    points = [{"x": 1.5}, {"x": -2.0}]
    quiet(lambda x: x * x, X, trials=trials, points_to_evaluate=points, max_evals=6)
    assert trials.vals["x"][:2] == [1.5, -2.0]
    assert len(trials) == 8
    quiet(lambda x: x * x, X, trials=trials, points_to_evaluate=points, max_evals=6)
    assert len(trials) == 8
    quiet(lambda x: x * x, X, trials=trials, points_to_evaluate=points, max_evals=10)
    assert [x for x in trials.vals["x"] if x in (1.5, -2.0)] == [1.5, -2.0]
    assert len(trials) == 12


def test_numpy_numbers_among_the_points_come_back_as_pythons_own() -> None:
    space = {"n": hp.randint("n", 10), "x": X}
    points = [{"n": np.int64(3), "x": np.float32(0.5)}]
    best = quiet(lambda p: 0.0, space, points_to_evaluate=points, max_evals=0)
    assert best == {"n": 3, "x": 0.5}
    assert [type(value) for value in best.values()] == [int, float]


def test_noise_in_a_space_is_tied_to_the_trial_and_no_parameter_of_the_search() -> None:
    space = {"x": hp.uniform("x", 0, 1), "noise": scope.normal(0, 1)}

    def search() -> tuple[Trials, list[dict[str, float]]]:
        trials, received = Trials(), []
        quiet(lambda p: received.append(p) or p["x"], space, trials=trials, algo=rand.suggest)
        return trials, received

    trials, received = search()
    assert len({p["noise"] for p in received}) == 5
    assert set(trials.argmin) == {"x"}
    assert trials.best_params in received
    copy = pickle.loads(pickle.dumps(trials))
    assert copy.best_params == trials.best_params
    assert search()[1] == received


def test_generated_trials_are_evaluated_first() -> None:
    trials = generate_trials_to_calculate([{"x": 0.0}, {"x": 1.0}])
    best = quiet(lambda x: x * x, X, trials=trials, max_evals=2)
    assert best == {"x": 0.0}


def test_a_loss_threshold_stops_the_search() -> None:
    trials = Trials()
    quiet(lambda x: x * x, X, trials=trials, max_evals=1000, loss_threshold=1.0)
    assert len(trials) < 1000
    assert min(trials.losses()) <= 1.0 < min(trials.losses()[:-1], default=2.0)
    assert trials.fmin_cancelled_reason is not None
    assert "loss_threshold" in trials.fmin_cancelled_reason


def test_a_loss_threshold_that_was_reached_before_stops_a_resumed_search_at_once() -> None:
    trials = Trials()
    quiet(lambda x: 0.5, X, trials=trials, max_evals=3)
    quiet(lambda x: 2.0, X, trials=trials, max_evals=30, loss_threshold=1.0)
    assert len(trials) == 3
    assert trials.fmin_cancelled_reason == "loss_threshold: 0.5 is at most 1"


@pytest.mark.parametrize("queue", [{"points_to_evaluate": [{"x": 3.0}, {"x": 2.0}, {"x": 1.0}]},
                                   {"max_queue_len": 3}])  # fmt: skip
def test_suggestions_that_an_early_end_left_out_are_cancelled_in_the_saved_file_too(
    tmp_path: Path, queue: dict[str, Any]
) -> None:
    trials, file = Trials(), tmp_path / "trials.pkl"
    quiet(abs, X, trials=trials, loss_threshold=9, trials_save_file=str(file), **queue)
    states = [t["state"] for t in pickle.loads(file.read_bytes()).all_trials]
    assert states == [t["state"] for t in trials.all_trials]
    # The user's own trials wait for the next search.
    left = JOB_STATE_CANCEL if "max_queue_len" in queue else JOB_STATE_NEW
    assert states == [JOB_STATE_DONE, left, left]


def test_points_that_an_early_end_left_out_are_evaluated_by_the_next_search() -> None:
    trials = Trials()
    points = [{"x": x} for x in (3.0, -2.0, 1.0, 0.5)]
    quiet(abs, X, trials=trials, points_to_evaluate=points, loss_threshold=2.5)
    assert trials.losses() == [3.0, 2.0, None, None]
    quiet(abs, X, trials=trials, max_evals=4)
    assert trials.losses() == [3.0, 2.0, 1.0, 0.5]


@pytest.mark.parametrize(
    "space", [None, 3.0, {"lr": [0.1, 0.01]}, np.linspace(0, 1, 5), {"a": {"b": "c"}}]
)
def test_a_space_without_parameters_is_evaluated_once_or_refused(space: Any) -> None:
    trials = Trials()
    with pytest.raises(BadSearchSpace, match="no parameter.*write"):
        quiet(lambda p: 1.0, space, trials=trials, max_evals=40)
    assert trials.all_trials == []
    assert quiet(lambda p: 1.0, space, trials=trials, max_evals=1) == {}
    assert len(trials) == 1


def test_a_space_or_an_objective_that_is_something_else_is_named() -> None:
    with pytest.raises(TypeError, match=r"must be callable, got .*; write fmin\(fn, space\)"):
        quiet(X, lambda x: x)
    with pytest.raises(BadSearchSpace, match=r"is a function; call it: make_space\(\)"):

        def make_space() -> Any:
            return X

        quiet(lambda x: x, make_space)


def test_attachments_that_are_no_dictionary_are_refused() -> None:
    for attachments in ([1], {1: 2}, np.array([1, 2])):
        with pytest.raises(InvalidResultStatus, match="'attachments' must be a dictionary"):
            quiet(lambda x: {"status": "ok", "loss": x, "attachments": attachments}, X)  # noqa: B023


def test_an_async_objective_is_told_apart() -> None:
    async def objective(x: float) -> float:
        return x

    with pytest.raises(InvalidLoss, match="async"):
        quiet(objective, X)


async def coroutine(x: float) -> float:
    return x


def generator(x: float) -> Any:
    yield x


class Objective:
    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    async def __call__(self, x: float) -> float:
        return x


@pytest.mark.parametrize(
    ("objective", "error", "text"),
    [
        (coroutine, InvalidLoss, "async function.*asyncio.run"),
        (functools.partial(coroutine), InvalidLoss, "async function"),
        (Objective(), InvalidLoss, "async function"),
        (generator, InvalidLoss, "there is a yield in it"),
        (Objective, TypeError, r"is the class Objective.*fmin\(Objective\(...\), space\)"),
        (lambda x, y: x, TypeError, "called with one argument.*missing.*'y'.*space='annotated'"),
        (lambda *, lr: lr, TypeError, "called with one argument, the configuration"),
    ],
)
@pytest.mark.parametrize("make", [Trials, lambda: ThreadTrials(2)])
def test_a_function_that_can_be_no_objective_is_refused_before_the_first_trial(
    make: Any, objective: Any, error: type[Exception], text: str
) -> None:
    trials = make()
    with pytest.raises(error, match=text):
        quiet(objective, X, trials=trials)
    assert trials.all_trials == []


def test_no_progress_loss_stops_and_survives_failed_trials() -> None:
    trials = Trials()
    quiet(
        lambda x: {"status": "fail"} if x < 0 else {"status": "ok", "loss": 1.0},
        X,
        trials=trials,
        max_evals=1000,
        early_stop_fn=no_progress_loss(10),
    )
    first_ok = trials.statuses().index("ok")
    assert len(trials) == first_ok + 10


def test_an_early_stop_gets_back_the_arguments_that_it_returned() -> None:
    seen: list[tuple[int, ...]] = []

    def count(trials: Trials, *args: int) -> tuple[bool, list[int]]:
        seen.append(args)
        return len(seen) == 4, [len(trials.trials), 7]

    quiet(lambda x: x, X, max_evals=100, early_stop_fn=count)
    assert seen == [(), (1, 7), (2, 7), (3, 7)]


def test_an_early_stop_is_asked_after_failed_trials_too() -> None:
    asked = []

    def stop(trials: Trials, *args: Any) -> tuple[bool, list[Any]]:
        asked.append(len(trials.trials))
        return trials.best_trial["result"]["loss"] < 3 or len(asked) == 7, []

    def objective(x: float) -> Any:
        calls.append(x)
        if len(calls) == 3:
            return {"status": "fail"}
        if len(calls) != 5:
            raise OSError("flaky")
        return 10.0

    calls: list[float] = []
    quiet(objective, X, max_evals=30, early_stop_fn=stop, catch_eval_exceptions=True)
    # Not before there is a result; and without a best trial, asking for it says nothing.
    assert asked == [1, 1, 2, 2, 2, 2, 2]


@pytest.mark.parametrize("answer", [True, None, (True,), (1, 2, 3)])
def test_an_early_stop_that_breaks_its_protocol_is_told_so(answer: Any) -> None:
    with pytest.raises(TypeError, match=r"must return \(stop, args\)"):
        quiet(lambda x: x, X, early_stop_fn=lambda trials, *args: answer)


def test_an_annotated_objective_is_its_own_space() -> None:
    def objective(x: hp.uniform("x", -5, 5), y: hp.choice("y", [1, 2])) -> float:  # type: ignore[valid-type]
        return x**2 + y  # type: ignore[no-any-return]

    assert set(quiet(objective, "annotated")) == {"x", "y"}
    assert set(Trials().fmin(objective, "annotated", max_evals=2)) == {"x", "y"}


def test_an_annotation_that_is_no_space_is_named() -> None:
    def objective(x: float) -> float:
        return x

    with pytest.raises(InvalidAnnotatedParameter, match="parameter 'x' has"):
        quiet(objective, "annotated")
    with pytest.raises(ValueError, match='or "annotated"'):
        quiet(objective, "annotatd")


def test_an_objective_may_ask_for_the_expression_the_memo_and_a_ctrl() -> None:
    @fmin_pass_expr_memo_ctrl
    def objective(expr: Any, memo: Any, ctrl: Any) -> dict[str, Any]:
        ctrl.attachments["half"] = pyll.rec_eval(expr, memo=memo) / 2
        return {"status": "ok", "loss": pyll.rec_eval(expr, memo=memo)}

    trials = Trials()
    best = quiet(objective, X + 0.0, trials=trials)
    attached = trials.trial_attachments(trials.best_trial)
    assert attached["half"] == best["x"] / 2


def test_a_custom_bar_is_a_context_with_postfix_and_update() -> None:
    calls: list[Any] = []

    class Bar:
        postfix = ""

        def update(self, n: int) -> None:
            calls.append((n, self.postfix))

    @contextlib.contextmanager
    def factory(initial: int, total: int) -> Iterator[Bar]:
        calls.append(("opened", initial, total))
        yield Bar()
        calls.append("closed")

    quiet(lambda x: 1.0, X, max_evals=2, verbose=True, show_progressbar=factory)
    assert calls[0] == ("opened", 0, 2)
    assert calls[-1] == "closed"
    assert sum(n for n, *_ in calls[1:-1]) == 2
    assert calls[-2][1] == "best loss: 1, running: 0, failed: 0"


def test_the_bar_counts_trials_cancelled_at_the_end_as_neither_done_nor_failed() -> None:
    steps: list[int] = []
    bar = types.SimpleNamespace(postfix="", update=steps.append)
    progress = Progress(lambda initial, total: contextlib.nullcontext(bar), [], 9)
    document = new_document(0, {"x": 1.0})
    document["state"] = JOB_STATE_CANCEL
    progress.on_trial_end(document)
    assert (steps, bar.postfix) == ([0], "best loss: ?, running: 0, failed: 0")
    document["misc"]["error"] = ("TrialTimeout", "cancelled after 1.0 s")
    progress.on_trial_end(document)
    assert (steps, bar.postfix) == ([0, 1], "best loss: ?, running: 0, failed: 1")


def test_verbose_false_prints_nothing_and_true_shows_the_bar(
    capfd: pytest.CaptureFixture[str],
) -> None:
    quiet(lambda x: x, X)
    assert capfd.readouterr() == ("", "")
    quiet(lambda x: 1.0, X, verbose=True)
    captured = capfd.readouterr()
    assert "5/5" in captured.err
    assert "best loss: 1" in captured.err


def test_a_saved_search_is_resumed_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "trials.pkl"
    file.parent.mkdir()
    whole = Trials()
    quiet(lambda x: x * x, X, trials=whole, max_evals=30)
    quiet(lambda x: x * x, X, max_evals=12, trials_save_file=str(file))
    assert len(pickle.loads(file.read_bytes()).trials) == 12
    trials = Trials()
    quiet(lambda x: x * x, X, max_evals=30, trials_save_file=str(file), trials=trials)
    assert trials.vals == whole.vals
    assert [p.name for p in file.parent.iterdir()] == ["trials.pkl"]


def test_an_objective_that_breaks_leaves_the_trials_before_it_in_the_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "trials.pkl"
    calls: list[float] = []

    def objective(x: float) -> float:
        calls.append(x)
        return x / (len(calls) - 4)

    with pytest.raises(ZeroDivisionError):
        quiet(objective, X, max_evals=9, trials_save_file=str(file))
    saved = pickle.loads(file.read_bytes())
    assert [t["state"] for t in saved.all_trials] == [2, 2, 2, 3]


def test_a_result_that_cannot_be_pickled_does_not_lose_the_saved_trial(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "trials.pkl"
    quiet(
        lambda x: {"status": "ok", "loss": x, "note": "a", "generator": (i for i in range(3))},
        X,
        max_evals=3,
        trials_save_file=str(file),
    )
    saved = pickle.loads(file.read_bytes())
    assert [result["generator"] for result in saved.results] == [Lost("generator")] * 3
    assert [result["note"] for result in saved.results] == ["a"] * 3
    assert "without result.generator, which cannot be pickled" in caplog.text


def test_a_file_that_holds_no_trials_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "precious.txt"
    file.write_text("my thesis")
    with pytest.raises(StoreError, match="holds no saved trials"):
        quiet(lambda x: x, X, trials_save_file=str(file))
    assert file.read_text() == "my thesis"


def test_what_a_dead_driver_was_running_is_run_again() -> None:
    trials = Trials()
    quiet(lambda x: x, X, trials=trials, points_to_evaluate=[{"x": 2.0}], max_evals=0)
    document = trials.all_trials[0]
    document.update(state=JOB_STATE_RUNNING, result={"status": "new"}, owner="a dead driver")
    trials._log.update(document)
    quiet(lambda x: x, X, trials=trials, max_evals=1)
    assert trials.losses() == [2.0]
    assert JOB_STATE_NEW not in [t["state"] for t in trials.trials]


def test_a_search_can_be_stepped_by_hand() -> None:
    from sparktuner import Domain

    trials = Trials()
    steps = FMinIter(rand.suggest, Domain(lambda x: x, X), trials, rstate=3, max_evals=4)
    next(steps)
    assert len(trials) == 1
    steps.run(2)
    assert len(trials) == 3
    steps.exhaust()
    assert len(trials) == 4
    assert list(steps) == []


def test_trials_in_state_new_can_be_evaluated_one_by_one() -> None:
    trials = generate_trials_to_calculate([{"x": 1.0}, {"x": 2.0}, {"x": 3.0}])
    steps = FMinIter(rand.suggest, Domain(abs, X), trials, rstate=0)
    steps.serial_evaluate(1)
    assert trials.losses() == [1.0, None, None]
    steps.serial_evaluate()
    assert trials.losses() == [1.0, 2.0, 3.0]


def test_steps_by_hand_go_on_after_trials_that_raised() -> None:
    def objective(x: float) -> float:
        if len(trials.all_trials) == 2:
            raise OSError("flaky")
        return x

    trials = Trials()
    steps = FMinIter(rand.suggest, Domain(objective, X), trials, rstate=0, max_evals=3)
    steps.catch_eval_exceptions = True
    assert [len(each) for each in steps] == [1, 1, 2, 3]


def test_steps_by_hand_end_with_their_timeout() -> None:
    trials = Trials()
    FMinIter(rand.suggest, Domain(abs, X), trials, rstate=0, timeout=0.2).exhaust()
    assert trials.losses()


def test_space_eval_takes_plain_values_and_the_lists_of_documents() -> None:
    trials = Trials()
    quiet(lambda p: p["depth"], NESTED, trials=trials, max_evals=3)
    for misc in trials.miscs:
        plain = {k: v[0] for k, v in misc["vals"].items() if v}
        assert space_eval(NESTED, misc["vals"]) == space_eval(NESTED, plain)


def test_space_eval_names_the_label_that_has_no_value() -> None:
    with pytest.raises(BadSearchSpace, match="no value for parameter 'depth'"):
        space_eval(NESTED, {"model": 1})


def test_the_module_fmin_can_be_called_like_the_function() -> None:
    import importlib

    module: Any = importlib.import_module("sparktuner.fmin")
    assert "x" in module(lambda x: x, X, max_evals=1, verbose=False)
