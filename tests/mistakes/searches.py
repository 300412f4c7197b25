"""The arguments of a search, and of what goes with it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from sparktuner import Domain, FMinIter, Trials, fmin, fmin_pass_expr_memo_ctrl, hp, rand
from sparktuner.callbacks import Background, Callback
from sparktuner.early_stop import expected_gain, no_progress_loss, regret_bound
from sparktuner.fmin import generate_trial, generate_trials_to_calculate, space_eval
from tests.mistakes.judge import Argument
from tests.mistakes.reasons import DICTS, FLAGS, SECONDS, SEEDS

X: Any = hp.uniform("x", -1, 1)
DEFAULT = {"the default": "None"}
NO_LIMIT = {"no limit": "None inf 1e308 huge_int"}
THRESHOLD = {
    "a number": "-1 0 7 0.5 1e308",
    "none, or one that any loss or none reaches": "None inf -inf",
}
# By name: what a refusal says beside it, and what is no mistake.
_FMIN: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "fn": ("objective", {}),
    "space": ("space", {"a space": "node"}),
    "algo": ("algo", DEFAULT),
    "max_evals": ("max_evals", NO_LIMIT | {"a number": "7"}),
    "timeout": ("timeout", SECONDS),
    "loss_threshold": ("loss_threshold", THRESHOLD),
    "trials": ("trials", DEFAULT),
    "rstate": ("rstate", SEEDS),
    "allow_trials_fmin": ("", FLAGS),
    "pass_expr_memo_ctrl": ("", {"false, or for the objective to say": "None 0"}),
    "catch_eval_exceptions": ("", FLAGS),
    "verbose": ("", FLAGS),
    "return_argmin": ("", FLAGS),
    "points_to_evaluate": ("", {"no points": "None empty_list"}),
    "max_queue_len": ("", {"any number at once": "7 1e308 huge_int"}),
    "show_progressbar": ("", FLAGS | {"does not tell its arguments": "builtin"}),
    "early_stop_fn": ("", DEFAULT),
    "trials_save_file": ("", {"a file's name": "text digits", "no file": "empty_text"}),
    "store_timeout": ("", SECONDS),
    "on_space_change": ("", {}),
    "reproducible": ("", FLAGS),
    "deadline_margin": ("", SECONDS),
    "callbacks": ("", {"no callbacks": "empty_list"}),
}
_ITERATED = ("algo", "rstate", "max_queue_len", "max_evals", "timeout", "loss_threshold")


def searched(**wrong: object) -> object:
    """A search with some arguments in the place of right ones."""
    # Where no number of trials ends it, the first loss does.
    limits = {"loss_threshold": 1.0} if "max_evals" in wrong else {"max_evals": 2}
    given: dict[str, Any] = {"fn": abs, "space": X, "algo": rand.suggest, "verbose": False}
    return fmin(**{**given, **limits, **wrong})


def _searched(name: str, value: object) -> object:
    return searched(**{name: value})


def _stepped(name: str, value: object) -> object:
    given = {"domain": Domain(abs, X), "trials": Trials(), "rstate": 0, "max_evals": 2}
    given |= {"algo": rand.suggest, name: value}
    iterator: Any = FMinIter
    return list(itertools.islice(iterator(**given), 1))


def _fmin(name: str) -> Argument:
    says, accepts = _FMIN[name]
    return Argument(f"fmin({name})", lambda v: _searched(name, v), (says or name,), accepts)


def _iterated(name: str) -> Argument:
    accepts = {**_FMIN[name][1], **({"no step": "0"} if name == "max_evals" else {})}
    return Argument(f"FMinIter({name})", lambda v: _stepped(name, v), (name,), accepts)


def _iterator() -> FMinIter:
    return FMinIter(rand.suggest, Domain(abs, X), Trials(), 0, loss_threshold=1.0)


_WITHIN = [
    Argument("fmin(callbacks) in a list", lambda v: _searched("callbacks", [v]), ("callbacks",)),
    Argument(
        "fmin(points_to_evaluate) in a list",
        lambda v: _searched("points_to_evaluate", [v]),
        ("points_to_evaluate", "no value"),
    ),
    Argument(
        "fmin(points_to_evaluate) as x",
        lambda v: _searched("points_to_evaluate", [{"x": v}]),
        ("points_to_evaluate",),
        {"a value of x": "True -1 0 0.5 bool_ !fraction"},
    ),
]
_STEPS = [
    *map(_iterated, _ITERATED),
    Argument("FMinIter(domain)", lambda v: _stepped("domain", v), ("domain",)),
    Argument("FMinIter(trials)", lambda v: _stepped("trials", v), ("trials",)),
    Argument(
        "FMinIter.run(N)",
        lambda v: _iterator().run(v),
        ("N ",),
        {"a number": "0 7 1e308 huge_int"},
    ),
    Argument(
        "FMinIter.serial_evaluate(N)",
        lambda v: _iterator().serial_evaluate(v),
        ("N ",),
        {"a number, or all": "-1 0 7 1e308 huge_int"},
    ),
]
_BESIDE = [
    Argument(
        "space_eval(hp_assignment)",
        lambda v: space_eval({"x": X}, v),
        ("hp_assignment", "no value for parameter"),
    ),
    Argument(
        "space_eval(hp_assignment) as a choice",
        lambda v: space_eval(hp.choice("c", ["a", "b"]), {"c": v}),
        ("'c'",),
        {"an index": "True 0 bool_", "as a trial's vals have it": "list"},
    ),
    Argument(
        "fmin_pass_expr_memo_ctrl(f)",
        fmin_pass_expr_memo_ctrl,
        ("f must",),
        {"what can be marked and called": "class function"},
    ),
    Argument(
        "generate_trial(tid)",
        lambda v: generate_trial(v, {"x": 1}),
        ("tid",),
        {"a number": "-1 0 7 huge_int", "as other tools have": "text empty_text digits surrogate"},
    ),
    Argument("generate_trial(space)", lambda v: generate_trial(0, v), ("space",), DICTS),
    Argument(
        "generate_trials_to_calculate(points)",
        generate_trials_to_calculate,
        ("points",),
        {"no points": "empty_list"},
    ),
    Argument(
        "generate_trials_to_calculate(points) in a list",
        lambda v: generate_trials_to_calculate([v]),
        ("points",),
        DICTS,
    ),
    Argument(
        "no_progress_loss(iteration_stop_count)",
        no_progress_loss,
        ("iteration_stop_count",),
        {"a number": "7 1e308 huge_int"},
    ),
    Argument(
        "no_progress_loss(percent_increase)",
        lambda v: no_progress_loss(3, v),
        ("percent_increase",),
        {"a number": "0 7 0.5 1e308"},
    ),
    Argument("regret_bound(percent)", regret_bound, ("percent",), {"a number": "7 0.5 1e308"}),
    Argument(
        "regret_bound(min_trials)",
        lambda v: regret_bound(1, v),
        ("min_trials",),
        {"a number": "7 1e308 huge_int"},
    ),
    Argument(
        "expected_gain(seconds_per_percent)",
        expected_gain,
        ("seconds_per_percent",),
        {"a number": "7 0.5 1e308"},
    ),
    Argument(
        "expected_gain(min_trials)",
        lambda v: expected_gain(1, v),
        ("min_trials",),
        {"a number": "7 1e308 huge_int"},
    ),
    Argument("Background(callback)", Background, ("callback",)),
    Argument(
        "Background(capacity)",
        lambda v: Background(Callback(), v),
        ("capacity",),
        {"a number": "7 1e308 huge_int"},
    ),
    Argument(
        "Background(drain_timeout)",
        lambda v: Background(Callback(), 5, v),
        ("drain_timeout",),
        SECONDS,
    ),
]
FMIN = {name: _fmin(name) for name in _FMIN}
SEARCHES = [*FMIN.values(), *_WITHIN, *_STEPS, *_BESIDE]
