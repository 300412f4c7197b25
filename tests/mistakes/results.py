"""What users' functions return: objectives, algorithms, rules to stop, progress bars."""

from __future__ import annotations

from typing import Any

from sparktuner import ThreadTrials, Trials, current_trial, fmin, hp, rand
from tests.mistakes.judge import Argument
from tests.mistakes.values import VALUES

X: Any = hp.uniform("x", -1, 1)
_LOSS = {"a number": "-1 0 7 0.5 1e308", "0 or 1": "True bool_"}
_FINITE_OR_NOT = {"a number; what is no variance is left out": "-1 0 7 0.5 nan inf -inf 1e308"}
_AS_FLOAT = {"float() makes a number of it": "True bool_ decimal_nan nan_array"}


def _fmin(fn: Any = abs, algo: Any = rand.suggest, **more: Any) -> object:
    return fmin(fn, X, algo, 2, **{"verbose": False, **more})


def _in_result(key: str, value: object) -> object:
    trials = Trials()
    _fmin(lambda x: {"status": "ok", "loss": 1.0, key: value}, trials=trials)
    assert repr(trials)
    return trials.average_best_error()


def _stop(answer: object) -> object:
    return _fmin(early_stop_fn=lambda trials, *args: answer)


def result_of(name: str) -> Any:
    """An objective that returns one of the values, made where it runs."""
    return lambda x: VALUES[name]()


RESULTS = [
    Argument("the objective's result", lambda v: _fmin(lambda x: v), ("objective", "loss"), _LOSS),
    Argument(
        "the objective's result in threads",
        lambda v: _fmin(lambda x: v, trials=ThreadTrials(2)),
        ("objective", "loss"),
        _LOSS,
    ),
    Argument("result['status']", lambda v: _in_result("status", v), ("status",)),
    Argument("result['loss']", lambda v: _in_result("loss", v), ("loss", "async"), _LOSS),
    Argument(
        "result['attachments']",
        lambda v: _in_result("attachments", v),
        ("attachments",),
        {"by name": "empty_dict dict", "none": "None"},
    ),
    *(
        Argument(
            f"result[{key!r}]",
            lambda v, key=key: _in_result(key, v),
            (key,),
            {"none": "None", **_FINITE_OR_NOT, **_AS_FLOAT},
        )
        for key in ("true_loss", "loss_variance")
    ),
    Argument(
        "current_trial().attach(name)",
        lambda v: current_trial().attach(v, b""),  # type: ignore[arg-type]
        ("name must",),
        {"a name": "text digits"},
    ),
    Argument(
        "current_trial().attach(bytes_or_path)",
        lambda v: current_trial().attach("log", v),  # type: ignore[arg-type]
        ("bytes_or_path",),
        {"bytes": "bytes"},
        # Paths, of which there is no file: an OSError, as open() raises.
        tuple(VALUES.keys() - {"text", "empty_text", "digits"}),
    ),
    Argument(
        "the algorithm's result",
        lambda v: _fmin(algo=lambda *args: v),
        ("algo",),
        {"no more to try": "empty_list"},
    ),
    Argument(
        "the algorithm's result in a list", lambda v: _fmin(algo=lambda *args: [v]), ("algo",)
    ),
    Argument("the answer of early_stop_fn", _stop, ("early_stop_fn",)),
    Argument(
        "the args of early_stop_fn",
        lambda v: _stop((False, v)),
        ("early_stop_fn",),
        {"arguments": "list list_of_None tuple loop", "none": "empty_list empty_dict"},
    ),
    Argument(
        "whether early_stop_fn stops",
        lambda v: _stop((v, [])),
        ("early_stop_fn",),
        {"true or false, by a number too": "True -1 0 7 huge_int bool_"},
    ),
    Argument(
        "the progress bar",
        lambda v: _fmin(verbose=True, show_progressbar=lambda initial, total: v),
        ("show_progressbar",),
    ),
]
