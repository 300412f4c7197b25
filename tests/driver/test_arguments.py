"""An argument of fmin is defined once, and shown everywhere."""

from __future__ import annotations

import dataclasses
import inspect
import pydoc
from typing import Any

import pytest

from sparktuner import SparkTrials, ThreadTrials, Trials, fmin, hp, rand
from sparktuner.driver import SearchArguments

X = hp.uniform("x", 0, 1)
# In Hyperopt's order.
_HEAD = ["fn", "space", "algo", "max_evals", "timeout", "loss_threshold"]
HYPEROPT_FMIN = [
    *_HEAD,
    *("trials", "rstate", "allow_trials_fmin", "pass_expr_memo_ctrl", "catch_eval_exceptions"),
    *("verbose", "return_argmin", "points_to_evaluate", "max_queue_len", "show_progressbar"),
    *("early_stop_fn", "trials_save_file"),
]


@pytest.mark.parametrize("kind", [Trials, ThreadTrials, SparkTrials])
def test_trials_fmin_shows_every_argument_with_its_default(kind: type[Trials]) -> None:
    shown = inspect.signature(kind.fmin).parameters
    fields = dataclasses.fields(SearchArguments)
    assert {*shown} == {"self", *(field.name for field in fields)}
    for field in fields[2:]:
        assert shown[field.name].default == field.default


def test_fmin_shows_every_argument_in_hyperopts_order_as_far_as_it_is_positional() -> None:
    shown = inspect.signature(fmin).parameters
    positional = [p.name for p in shown.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == HYPEROPT_FMIN[:7]
    assert set(HYPEROPT_FMIN) <= set(shown)


@pytest.mark.parametrize("function", [fmin, Trials.fmin])
def test_help_tells_what_each_argument_means(function: Any) -> None:
    text = pydoc.plain(pydoc.render_doc(function))
    for field in dataclasses.fields(SearchArguments):
        assert f"{field.name}: {field.metadata['meaning'].split()[0]}" in text
    assert text.index("Args:") < text.index("Returns:") < text.index("Raises:")


def test_hyperopts_positional_arguments_mean_what_they_mean_there() -> None:
    trials = Trials()
    given: dict[str, Any] = {}

    class Noting(Trials):
        def fmin(self, fn: Any, space: Any, **arguments: Any) -> Any:
            given.update(arguments)
            return super().fmin(fn, space, **arguments)

    trials = Noting()
    fmin(
        abs, X, rand.suggest, 3, None, None, trials, 7, True, None, True, False, False,
        None, 2, False, None, "",
    )  # type: ignore[call-arg]  # fmt: skip
    assert len(trials) == 3
    expected = {"rstate": 7, "catch_eval_exceptions": True, "verbose": False,
                "return_argmin": False, "max_queue_len": 2}  # fmt: skip
    assert expected.items() <= given.items()
    again = Trials()
    again.fmin(abs, X, rand.suggest, 3, None, None, 2, 7, False, None, True, False, False)  # type: ignore[call-arg]
    assert again.vals == trials.vals


def test_a_subclass_with_hyperopts_own_signature_is_called_with_nothing_it_does_not_know() -> None:
    class Old(Trials):
        def fmin(  # type: ignore[override]
            self, fn: Any, space: Any, algo: Any, max_evals: Any, timeout: Any,
            loss_threshold: Any, max_queue_len: Any, rstate: Any, verbose: Any,
            pass_expr_memo_ctrl: Any, catch_eval_exceptions: Any, return_argmin: Any,
            show_progressbar: Any, early_stop_fn: Any, trials_save_file: Any,
        ) -> Any:  # fmt: skip
            return "mine"

    assert fmin(abs, X, max_evals=1, trials=Old()) == "mine"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"max_eval": 3}, r"fmin\(\) has no argument 'max_eval'; did you mean 'max_evals'"),
        ({"parallelism": 3}, r"fmin\(\) has no argument 'parallelism'; its arguments are"),
    ],
)
def test_an_unknown_argument_is_named_with_what_may_be_meant(
    arguments: dict[str, Any], text: str
) -> None:
    with pytest.raises(TypeError, match=text):
        fmin(abs, X, **arguments)
    with pytest.raises(TypeError, match=text):
        Trials().fmin(abs, X, **arguments)


def test_too_many_positional_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="takes at most 18 positional arguments"):
        fmin(abs, X, *[None] * 17)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="two values for argument 'rstate'"):
        fmin(abs, X, None, 3, None, None, None, 7, rstate=8)  # type: ignore[call-arg]


@pytest.mark.parametrize("call", [fmin, Trials().fmin])
def test_arguments_that_are_missing_are_named_and_not_our_own_classes(
    call: Any,
) -> None:
    with pytest.raises(TypeError, match=r"fmin\(\): missing a required argument: 'space'; its"):
        call(abs)
