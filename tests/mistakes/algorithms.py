"""The options of algorithms, and what a search passes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import scipy.stats.qmc  # noqa: F401 - not imported within a case's time

from sparktuner import Domain, Trials, anneal, atpe, fmin, grid, hp, mix, qmc, rand, tpe
from sparktuner.suggest import AnnealOptions
from tests.mistakes.judge import Argument
from tests.mistakes.reasons import FLAGS, SEEDS

SPACE = {"x": hp.uniform("x", -1, 1), "c": hp.choice("c", [1, 2])}
DOMAIN = Domain(lambda p: p["x"], SPACE)
_COUNT = {"a number": "7"}
_COUNT_OR_NONE = {"a number": "0 7"}
_POSITIVE = {"a number": "7 0.5 1e308"}
_NUMBER = {"a number": "0 7 0.5 1e308"}
_SHARE = {"a share": "0 0.5"}
_OPTIONS: Mapping[Any, Mapping[str, Mapping[str, str]]] = {
    tpe: {
        "prior_weight": _POSITIVE,
        "n_startup_jobs": _COUNT_OR_NONE,
        "n_EI_candidates": _COUNT,
        "gamma": _POSITIVE | {"a tenth": "None"},
        "softness": _NUMBER,
        "joint": _SHARE,
        "linear_forgetting": _COUNT_OR_NONE,
        "good_bandwidth": _POSITIVE,
        "bad_bandwidth": _POSITIVE,
        "pending_weight": _NUMBER,
        "verbose": FLAGS,
    },
    atpe: {
        "n_startup_jobs": _COUNT_OR_NONE,
        "n_candidates": _COUNT,
        "n_refinements": _COUNT_OR_NONE,
        "n_parents": _COUNT,
        "max_points": _COUNT,
        "max_fit_points": _COUNT,
        "tpe_share": _SHARE,
        "length_scale": _POSITIVE,
        "length_scale_sd": _POSITIVE,
        "noise": _POSITIVE,
        "fit_evaluations": _COUNT,
        "tpe": {},
    },
    anneal: {"avg_best_idx": {"a number": "7 1e308"}, "shrink_coef": _NUMBER},
    qmc: {"sequence": {}, "scramble": {"a seed": "0 7 huge_int 1e308"}},
    grid: {"resolution": {"a number; choices and integers keep theirs": "7"}},
    mix: {"p_suggest": {}},
}
_IDS = {"numbers": "list tuple range array", "none": "empty_list"}
_ANY_IDS = _IDS | {"ids of other tools": "list_of_None loop matrix"}
_PASSED: Mapping[str, Mapping[str, str]] = {
    "new_ids": _ANY_IDS,
    "domain": {},
    "trials": {},
    "seed": SEEDS,
}


def _searched_before() -> Trials:
    trials = Trials()
    fmin(lambda p: p["x"], SPACE, rand.suggest, 12, trials=trials, rstate=0, verbose=False)
    return trials


BEFORE = _searched_before()


def _name(module: Any, name: str) -> str:
    return f"{module.__name__.rpartition('.')[2]}.suggest({name})"


def _option(module: Any, name: str) -> Argument:
    # Asked for directly: a search would add its own checks before.
    return Argument(
        _name(module, name),
        lambda v: module.suggest([99], DOMAIN, BEFORE, 0, **{name: v}),
        (name,),
        _OPTIONS[module][name],
    )


def _passed(module: Any, name: str) -> Argument:
    given: dict[str, Any] = {"new_ids": [99], "domain": DOMAIN, "trials": BEFORE, "seed": 0}
    accepts = _IDS if (module, name) == (qmc, "new_ids") else _PASSED[name]
    return Argument(
        _name(module, name), lambda v: module.suggest(**{**given, name: v}), (name,), accepts
    )


def _mixed(*pair: Any) -> Any:
    return mix.suggest([99], DOMAIN, BEFORE, 0, [pair])


_MIXTURES = [
    Argument(
        "mix.suggest(p_suggest) in a list",
        lambda v: mix.suggest([99], DOMAIN, BEFORE, 0, [v]),  # type: ignore[list-item]
        ("p_suggest",),
    ),
    Argument(
        "mix.suggest(p_suggest) as a probability",
        lambda v: _mixed(v, rand.suggest),
        ("p_suggest",),
    ),
    Argument("mix.suggest(p_suggest) as an algorithm", lambda v: _mixed(1, v), ("p_suggest",)),
]
_EXPLAINED = [
    Argument("tpe.explain(trials)", lambda v: tpe.explain(v, DOMAIN), ("trials",)),
    Argument("tpe.explain(domain)", lambda v: tpe.explain(BEFORE, v), ("domain",)),
    Argument(
        "tpe.explain(gamma)",
        lambda v: tpe.explain(BEFORE, DOMAIN, gamma=v),
        ("gamma",),
        _OPTIONS[tpe]["gamma"],
    ),
    Argument("AnnealOptions(floor)", lambda v: AnnealOptions(2, 0.1, v), ("floor",), _NUMBER),
]
ALGORITHMS = [
    *(_option(module, name) for module, names in _OPTIONS.items() for name in names),
    *(_passed(m, name) for m in (rand, tpe, atpe, anneal, qmc, grid) for name in _PASSED),
    *_MIXTURES,
    *_EXPLAINED,
]
