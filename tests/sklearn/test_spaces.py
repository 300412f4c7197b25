"""Spaces in scikit-learn's words become those of sparktuner."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

from scipy import stats

from sparktuner import hp, space_eval
from sparktuner.errors import BadSearchSpace
from sparktuner.pyll.stochastic import sample
from sparktuner.sklearn._folds import parameters_of
from sparktuner.sklearn._spaces import space_of
from sparktuner.space import Parameter, as_node, nodes


def parameter(value: object) -> str:
    """What one entry of param_distributions becomes."""
    found = [n for n in nodes(as_node(space_of({"a": value}))) if isinstance(n, Parameter)]
    assert len(found) == 1
    return repr(found[0])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (stats.uniform(1, 4), hp.uniform("a", 1, 5)),
        (stats.uniform(loc=-1, scale=2), hp.uniform("a", -1, 1)),
        (stats.loguniform(1e-3, 1e2), hp.loguniform("a", math.log(1e-3), math.log(1e2))),
        (stats.randint(2, 9), hp.randint("a", 2, 9)),
        (stats.norm(2, 0.5), hp.normal("a", 2, 0.5)),
    ],
    # A frozen distribution shows its address, which is another one in each process.
    ids=lambda each: each.dist.name if hasattr(each, "dist") else str(each),
)
def test_a_distribution_of_scipy_becomes_one_of_hp(theirs: object, ours: object) -> None:
    assert parameter(theirs) == repr(ours)


def test_a_lognormal_keeps_its_quantiles() -> None:
    theirs = stats.lognorm(0.7, scale=3.0)
    space: Any = space_of({"a": theirs})
    draws = [sample(space, seed)["a"] for seed in range(400)]
    # A Kolmogorov-Smirnov distance that is exceeded with a probability below 1e-6.
    assert stats.kstest(draws, theirs.cdf).statistic < 0.14


@pytest.mark.parametrize(
    "options", [["a", None], ("a", None), np.array([1, 2]), range(3), [(50,), (100, 50)]]
)
def test_of_a_list_one_is_chosen(options: Any) -> None:
    space: Any = space_of({"a": options})
    drawn = {repr(sample(space, seed)["a"]) for seed in range(40)}
    assert drawn == {repr(each) for each in np.asarray(options, object).tolist()} or drawn == {
        repr(each) for each in options
    }


def test_a_tuple_of_nodes_is_a_value_in_parts_and_the_rest_is_constant() -> None:
    space: Any = space_of(
        {"layers": (hp.randint("a", 1, 9), hp.randint("b", 1, 9)), "solver": "adam", "tol": 1e-3}
    )
    assert space_eval(space, {"a": 3, "b": 5}) == {
        "layers": (3, 5),
        "solver": "adam",
        "tol": 1e-3,
    }


def test_of_a_list_of_dictionaries_one_is_chosen() -> None:
    space: Any = space_of([{"kernel": ["linear"]}, {"kernel": ["rbf"], "gamma": stats.uniform()}])
    drawn = [sample(space, seed) for seed in range(30)]
    assert {d["kernel"] for d in drawn} == {"linear", "rbf"}
    assert all(("gamma" in d) == (d["kernel"] == "rbf") for d in drawn)


@pytest.mark.parametrize(
    "distribution", [stats.beta(2, 2), stats.loguniform(1, 2, loc=-1), stats.lognorm(1, loc=2)]
)
def test_a_distribution_without_a_counterpart_is_refused_with_what_to_write(
    distribution: object,
) -> None:
    with pytest.raises(BadSearchSpace, match=r"space\['a'\].*hp\.uniform"):
        space_of({"a": distribution})


def test_groups_are_opened_and_dictionaries_that_are_values_are_not() -> None:
    names = ["class_weight", "clf"]
    configuration = {
        "class_weight": {0: 1, 1: 5},
        "which": {"clf": "svm", "more": {"clf__C": 1.0}},
        "clf__options": {"a": 1},
    }
    assert parameters_of(configuration, names) == {
        "class_weight": {0: 1, 1: 5},
        "clf": "svm",
        "clf__C": 1.0,
        "clf__options": {"a": 1},
    }
