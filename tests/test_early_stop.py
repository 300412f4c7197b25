"""Rules that end a search by what it may still gain."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from sparktuner import STATUS_FAIL, STATUS_OK, Trials, fmin, hp, rand, trials_from_docs
from sparktuner.early_stop import expected_gain, no_progress_loss, regret_bound

X = hp.uniform("x", -5, 5)
RULES = [regret_bound(), expected_gain(1e-9)]


def search(fn: Callable[[Any], Any], rule: Any, space: Any = X, **options: Any) -> Trials:
    trials: Trials = options.pop("trials", None) or Trials()
    options = {"max_evals": 200, "rstate": 3, "verbose": False, **options}
    fmin(fn, space, early_stop_fn=rule, trials=trials, **options)
    return trials


def square(x: float) -> float:
    return (x - 1) ** 2


def test_a_search_that_has_found_the_optimum_stops_and_says_by_which_rule() -> None:
    trials = search(square, regret_bound())
    assert 20 <= len(trials) < 60
    assert trials.best_trial["result"]["loss"] < 0.05
    assert trials.fmin_cancelled_reason == "early_stop_fn: regret_bound asked to stop"


def test_a_smaller_percentage_takes_more_trials() -> None:
    lengths = [len(search(square, regret_bound(percent, 5))) for percent in (100, 5, 0.05)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]


def test_as_many_trials_as_asked_for_are_made_in_any_case() -> None:
    assert len(search(square, regret_bound(1e6, min_trials=33))) >= 33
    assert len(search(square, expected_gain(1e-9, min_trials=33))) >= 33


def test_many_parameters_go_on() -> None:
    space = [hp.uniform(f"x{i}", 0, 1) for i in range(12)]
    trials = search(
        lambda p: sum((x - 0.3) ** 2 for x in p), regret_bound(), space, algo=rand.suggest
    )
    assert len(trials) == 200


def test_a_best_loss_that_is_uncertain_is_good_enough_sooner() -> None:
    def with_error(**known: Any) -> int:
        result = {"status": STATUS_OK, **known}
        return len(search(lambda x: {"loss": square(x), **result}, regret_bound(0.01)))

    alone = with_error()
    assert with_error(loss_variance=4.0) < alone
    assert with_error(fold_losses=[1.0, -1.0, 3.0]) < alone
    # What users keep under such a name may be anything.
    for other in ({"loss_variance": "large"}, {"fold_losses": ["a", "b"]}, {"fold_losses": [1]}):
        assert with_error(**other) == alone


@pytest.mark.parametrize("rule", RULES, ids=["regret_bound", "expected_gain"])
@pytest.mark.parametrize(
    "odd",
    [
        lambda x: {"status": STATUS_FAIL},
        lambda x: float("nan"),
        lambda x: float("inf"),
        lambda x: 1 / 0,
        lambda x: 7.0,
    ],
    ids=["failed", "nan", "infinite", "raises", "ties"],
)
def test_odd_results_among_others_do_no_harm(rule: Any, odd: Callable[[float], Any]) -> None:
    def objective(x: float) -> Any:
        return odd(x) if x < 0 else square(x)

    trials = search(objective, rule, catch_eval_exceptions=True)
    assert len(trials) < 200


@pytest.mark.parametrize("rule", RULES, ids=["regret_bound", "expected_gain"])
def test_equal_losses_have_nothing_to_gain(rule: Any) -> None:
    assert len(search(lambda x: 1.0, rule)) == 20


@pytest.mark.parametrize("rule", RULES, ids=["regret_bound", "expected_gain"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_trials_are_no_reason_to_stop(rule: Any, n: int) -> None:
    assert len(search(square, rule, max_evals=n)) == n


def test_a_space_of_choices_alone_stops_when_it_is_known() -> None:
    space = [hp.choice("a", [*range(4)]), hp.choice("b", [*range(4)])]
    assert len(search(lambda p: p[0] + p[1], regret_bound(), space)) < 60


def test_a_dearer_percent_takes_more_trials() -> None:
    def slow(x: float) -> float:
        time.sleep(0.001)
        return square(x)

    lengths = [len(search(slow, expected_gain(dear), max_evals=80)) for dear in (1e-6, 1e6)]
    assert lengths[0] == 20
    assert lengths[1] == 80


def test_a_search_that_is_resumed_looks_at_its_first_trials_too() -> None:
    trials = Trials()
    search(square, None, trials=trials, max_evals=60)
    search(square, regret_bound(), trials=trials)
    assert len(trials) <= 61


def test_a_search_that_still_gains_goes_on() -> None:
    losses = iter(range(100, 0, -1))
    assert len(search(lambda x: next(losses), regret_bound(), max_evals=60)) == 60


def test_rules_cost_little() -> None:
    search(square, no_progress_loss(200), max_evals=20)  # imports
    rule, spent = regret_bound(1e-9), []

    def timed(trials: Trials, *args: Any) -> Any:
        start = time.process_time()
        answer = rule(trials, *args)
        spent.append(time.process_time() - start)
        return answer

    trials = search(square, timed, algo=rand.suggest)
    assert len(trials) == 200
    # Measured at 3 ms; the limit is for busy machines.
    assert sum(spent) / len(spent) < 0.02


def test_trials_without_a_space_are_told_so() -> None:
    with pytest.raises(RuntimeError, match="known only after fmin"):
        regret_bound()(trials_from_docs([]))
