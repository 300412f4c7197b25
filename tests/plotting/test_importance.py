"""Importances are those of functions of which they are known.

Seeds are fixed, so no test fails by chance. How far off the numbers may be stands in each test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparktuner import Trials, fmin, hp, plotting, rand, tpe
from sparktuner.plotting import importances
from sparktuner.plotting._fanova import cut_losses, explained
from sparktuner.plotting._forest import fit_forest
from sparktuner.plotting._prior import distribution_of, probabilities
from sparktuner.records import describe_space
from sparktuner.space import flatten
from tests.plotting.histories import LONG, made, without_space

FLAT = {label: hp.uniform(label, 0, 1) for label in "abcz"}


def of(fn: Callable[[Any], float], space: object, n: int = 200, **arguments: Any) -> Any:
    trials = Trials()
    arguments = {"algo": rand.suggest, "rstate": 0, **arguments}
    fmin(fn, space, max_evals=n, trials=trials, verbose=False, **arguments)
    return importances(trials)


def additive(p: Any) -> float:
    return float(3 * p["a"] + 2 * p["b"] + p["c"])


@pytest.mark.parametrize(("n", "within"), [(100, 0.2), (200, 0.1), (800, 0.05)])
def test_of_an_additive_function_they_are_the_shares_of_variance(n: int, within: float) -> None:
    found = of(additive, FLAT, n)
    expected = {"a": 9 / 14, "b": 4 / 14, "c": 1 / 14, "z": 0.0}
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, abs=within)
    assert found["z"] < 0.01


def test_they_are_over_the_prior_wherever_the_search_has_looked() -> None:
    found = of(additive, FLAT, 200, algo=tpe.suggest)
    assert found == pytest.approx({"a": 9 / 14, "b": 4 / 14, "c": 1 / 14, "z": 0.0}, abs=0.2)


def test_a_logarithm_a_normal_and_a_step_are_weighed_by_their_priors() -> None:
    space = {
        "l": hp.loguniform("l", -2, 2),
        "x": hp.normal("x", 0, 1),
        "q": hp.quniform("q", 0, 4, 1),
        "n": hp.randint("n", 5),
    }
    found = of(lambda p: np.log(p["l"]) + p["x"] + p["q"] / 2, space, 400)
    total = 16 / 12 + 1 + 0.375
    expected = {"l": 16 / 12 / total, "x": 1 / total, "q": 0.375 / total, "n": 0.0}
    assert found == pytest.approx(expected, abs=0.08)


def test_a_parameter_counts_where_it_is_active_and_a_choice_between_its_branches() -> None:
    branches = [{"x": hp.uniform("x", -0.5, 0.5)}, {"y": hp.uniform("y", -0.5, 0.5)}]
    space = {"m": hp.choice("m", branches), "z": hp.uniform("z", 0, 1)}

    def fn(p: Any) -> float:
        return float(2 * p["m"]["x"] if "x" in p["m"] else 1 + p["m"]["y"])

    # Each branch half of the time: 1/4 between them, 4/12 and 1/12 inside.
    variances = {"m": 1 / 4, "x": 4 / 12 / 2, "y": 1 / 12 / 2, "z": 0.0}
    expected = {label: each / sum(variances.values()) for label, each in variances.items()}
    assert of(fn, space) == pytest.approx(expected, abs=0.05)


def test_a_choice_that_changes_nothing_but_who_is_active_explains_nothing() -> None:
    space = hp.choice("m", [{"x": hp.uniform("x", 0, 1)}, {"y": hp.uniform("y", 0, 1)}])
    found = of(lambda p: p.get("x", 0.5), space)
    assert found == pytest.approx({"x": 1.0, "m": 0.0, "y": 0.0}, abs=0.02)


def test_options_of_unequal_probability_are_weighed_by_it() -> None:
    space = {"c": hp.pchoice("c", [(0.8, 0), (0.2, 1)]), "x": hp.uniform("x", 0, 1)}
    found = of(lambda p: p["c"] + p["x"], space)
    total = 0.16 + 1 / 12
    assert found == pytest.approx({"c": 0.16 / total, "x": 1 / 12 / total}, abs=0.1)


def test_a_label_in_two_branches_is_one_parameter() -> None:
    x = hp.uniform("x", 0, 1)
    space = {
        "m": hp.choice("m", [{"x": x}, {"x": hp.uniform("x", 0, 1), "k": hp.randint("k", 3)}])
    }
    found = of(lambda p: p["m"]["x"], space)
    assert found == pytest.approx({"x": 1.0, "m": 0.0, "k": 0.0}, abs=0.05)


def test_what_acts_only_together_is_nobodys_share() -> None:
    trials = Trials()

    def fn(p: Any) -> float:
        return float((p["a"] - 0.5) * (p["b"] - 0.5))

    fmin(fn, FLAT, rand.suggest, 300, trials=trials, rstate=0, verbose=False)
    assert max(importances(trials).values()) < 0.05
    ax = plotting.plot_importance(trials)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    widths = [bar.get_width() for bar in ax.patches]
    assert names[-1] == "several together" and widths[-1] > 0.9
    assert widths[:-1] == list(importances(trials).values())


def test_noise_is_said_to_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    ax = plotting.plot_importance(made(200, loss=lambda i, u: rng.random()))
    assert ax.get_title() == "What the loss depends on cannot be told yet"


def test_one_loss_of_a_wreck_is_not_all_the_variance() -> None:
    found = of(lambda p: additive(p) if p["z"] < 0.99 else 1e12, FLAT, 400)
    assert found["a"] > found["b"] > found["z"]
    assert cut_losses(np.array([0.0] * 5 + [1.0] * 4 + [1e300])).max() < 20
    assert cut_losses(np.array([1.0, 1.0, 2.0])).tolist() == [1.0, 1.0, 2.0]


def test_of_an_unknown_space_values_are_ranked() -> None:
    found = importances(without_space(60))
    assert set(found) == {"a", "b", "never"} and found["never"] == 0


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_trials_have_none(n: int) -> None:
    assert importances(made(n)) == {}


def test_a_constant_loss_depends_on_nothing() -> None:
    assert set(importances(made(40, loss=lambda i, u: 1.0)).values()) == {0.0}


def test_the_same_trials_give_the_same_numbers() -> None:
    assert of(additive, FLAT, 30) == of(additive, FLAT, 30)


def test_probabilities_are_where_the_quantiles_are_the_values() -> None:
    space = {
        "a": hp.loguniform("a", -2, 3),
        "b": hp.qnormal("b", 1, 2, 0.5),
        "c": hp.pchoice("c", [(0.1, "x"), (0.0, "y"), (0.9, "z")]),
        "d": hp.randint("d", 3, 9),
        "e": hp.choice("e", [1, 2, 3]),
        "f": hp.uniformint("f", 1, 6),
        LONG: hp.lognormal(LONG, 0, 1),
    }
    u = (np.arange(50) + 0.5) / 50
    flat = flatten(space)
    for record, column in zip(describe_space(flat).columns, flat.columns, strict=True):
        distribution = distribution_of(record)
        assert distribution == column.distribution
        values = distribution.quantile(u).tolist()
        again = distribution.quantile(probabilities(distribution, values))
        assert np.allclose(again, values)


def test_groups_that_differ_by_chance_alone_explain_nothing() -> None:
    rng = np.random.default_rng(0)
    bins = rng.integers(16, size=4000)
    assert explained(rng.normal(size=4000), bins) < 0.005
    assert explained(bins.astype(float), bins) == pytest.approx(np.var(bins))


def test_a_forest_learns_a_curve_and_ignores_what_is_missing() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((400, 3))
    y = np.sin(6 * x[:, 0])
    x[::2, 2] = np.nan
    forest = fit_forest(x, y, rng, trees=32)
    new = rng.random((1000, 3))
    error = forest.predict(new) - np.sin(6 * new[:, 0])
    assert np.mean(error**2) < 0.03 * np.var(y)
