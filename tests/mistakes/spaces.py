"""The arguments of search spaces, and of what reads and evaluates them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sparktuner import Domain, Trials, base, describe, graph_viz, hp, pyll, pyll_utils, rand, utils
from sparktuner.pyll import stochastic
from tests.mistakes.judge import Argument
from tests.mistakes.reasons import DICTS, FILLED, FLAGS, NUMBERS, SECONDS, SEEDS
from tests.mistakes.values import VALUES

X: Any = hp.uniform("x", -1, 1)
NOISY: Any = X + pyll.scope.uniform(0, 1)
_LABELS = {"any text is a label": "text digits surrogate"}
# By function: its numbers, and which of the values it can take for each.
_NUMBERS: Mapping[str, Mapping[str, tuple[float, str]]] = {
    "uniform": {"low": (0, "-1 0 0.5"), "high": (1, "7 0.5")},
    "quniform": {"low": (0, "-1 0 0.5"), "high": (1, "7 0.5"), "q": (0.1, "7 0.5 1e308")},
    "uniformint": {"low": (0, "-1 0 7 0.5"), "high": (9, "7 0.5")},
    "loguniform": {"low": (-3, "-1 0 0.5"), "high": (1, "-1 0 7 0.5")},
    "qloguniform": {"low": (0, "-1 0 0.5"), "high": (3, "7 0.5"), "q": (1, "7 0.5 1e308")},
    "normal": {"mu": (0, "-1 0 7 0.5"), "sigma": (1, "7 0.5")},
    "qnormal": {"mu": (0, "-1 0 7 0.5"), "sigma": (1, "7 0.5"), "q": (1, "7 0.5 1e308")},
    "lognormal": {"mu": (0, "-1 0 7 0.5"), "sigma": (1, "7 0.5")},
    "qlognormal": {"mu": (0, "-1 0 7 0.5"), "sigma": (1, "7 0.5"), "q": (1, "7 0.5 1e308")},
    "randint": {"low": (0, "-1 0 7"), "high": (9, "7")},
}
# A space may be a constant, and a part of one is whatever the objective is to be handed.
_CONSTANTS = {"a constant of the space": " ".join(VALUES.keys() - {"loop"})}


def _number(function: str, name: str) -> Argument:
    numbers = {each: value for each, (value, _) in _NUMBERS[function].items()}

    def call(value: object) -> object:
        given: Any = {**numbers, name: value}
        return getattr(hp, function)("x", **given)

    return Argument(
        f"hp.{function}({name})", call, (name,), {"a bound or step": _NUMBERS[function][name][1]}
    )


def _label(function: str) -> Argument:
    given = [value for value, _ in _NUMBERS.get(function, {}).values()] or [[(0.5, 1), (0.5, 2)]]
    return Argument(
        f"hp.{function}(label)",
        lambda v: getattr(hp, function)(v, *given),
        ("label", "hp.choice('x', ['a', 'b'])"),
        _LABELS,
    )


def _space(name: str, call: Callable[[Any], object]) -> Argument:
    return Argument(f"{name}(expr)", call, ("space",), _CONSTANTS)


_HP = [
    *(_label(function) for function in [*_NUMBERS, "choice", "pchoice"]),
    *(_number(function, name) for function, names in _NUMBERS.items() for name in names),
    Argument("hp.uniformint(q)", lambda v: hp.uniformint("x", 0, 9, v), ("q ",)),
    Argument("hp.randint(upper)", lambda v: hp.randint("x", v), ("high", "low"), {"n": "7"}),
    Argument(
        "hp.choice(options)",
        lambda v: hp.choice("x", v),
        ("options", "contain itself"),
        {
            "what has a length and an order": "list list_of_None tuple range array matrix",
            "as programs write it; refused where it is drawn": "empty_list",
        },
    ),
    Argument(
        "hp.choice(options) in a list",
        lambda v: hp.choice("x", [v]),
        ("contain itself",),
        _CONSTANTS,
    ),
    Argument("hp.pchoice(p_options)", lambda v: hp.pchoice("x", v), ("options",)),
    Argument(
        "hp.pchoice(p_options) in a list",
        lambda v: hp.pchoice("x", [v, (0.5, 1)]),
        ("options", "probabilities"),
    ),
    Argument(
        "hp.pchoice(p_options) as a probability",
        lambda v: hp.pchoice("x", [(v, 2), (0.5, 1)]),
        ("probabilit",),
        {"a half": "0.5"},
    ),
]
_DOMAIN = [
    Argument("Domain(fn)", lambda v: Domain(v, X), ("objective",), {"no objective": "None"}),
    Argument(
        "Domain(expr)",
        lambda v: Domain(abs, v),
        ("space",),
        {"a constant": " ".join(VALUES.keys() - {"loop", "function"})},
    ),
    Argument(
        "Domain(pass_expr_memo_ctrl)",
        lambda v: Domain(lambda *three: 0.0, X, pass_expr_memo_ctrl=v),
        ("pass_expr_memo_ctrl",),
        FLAGS,
    ),
    Argument("Domain.evaluate(config)", lambda v: Domain(abs, X).evaluate(v), ("config", "'x'")),
    Argument(
        "Domain.evaluate(ctrl)",
        lambda v: Domain(abs, X).evaluate({"x": 1}, v),
        ("ctrl",),
        {"none": "None"},
    ),
    Argument(
        "Domain.evaluate(attach_attachments)",
        lambda v: Domain(abs, X).evaluate({"x": 1}, None, v),
        ("attach_attachments",),
        FLAGS,
    ),
    Argument(
        "Domain.memo_from_config(config)", Domain(abs, X).memo_from_config, ("config",), DICTS
    ),
    Argument("Domain.argument(document)", Domain(abs, X).argument, ("trial",)),
    Argument(
        "Domain.argument(seed)",
        lambda v: Domain(abs, NOISY).argument(
            rand.suggest([0], Domain(abs, X), Trials(), 0)[0], v
        ),
        ("rng",),
        SEEDS,
    ),
]
_PYLL = [
    Argument(
        "pyll.rec_eval(expr)",
        pyll.rec_eval,
        ("space", "no value"),
        {"a constant": " ".join(VALUES.keys() - {"loop", "node"})},
    ),
    Argument("pyll.rec_eval(memo)", lambda v: pyll.rec_eval(X, memo=v), ("memo",)),
    Argument(
        "pyll.rec_eval(rng)", lambda v: pyll.rec_eval(NOISY, memo={X: 0}, rng=v), ("rng",), SEEDS
    ),
    Argument(
        "pyll.rec_eval(deepcopy_inputs)",
        lambda v: pyll.rec_eval(X, v, {X: 1}),
        ("deepcopy_inputs",),
        FLAGS,
    ),
    _space("pyll.dfs", pyll.dfs),
    _space("pyll.toposort", pyll.toposort),
    _space("pyll.as_apply", pyll.as_apply),
    _space("pyll.clone", pyll.clone),
    _space("pyll.clone_merge", pyll.clone_merge),
    _space("pyll.stochastic.sample", lambda v: stochastic.sample(v, 0)),
    Argument("pyll.clone(memo)", lambda v: pyll.clone(X, v), ("memo",), FILLED | {"new": "None"}),
    Argument(
        "pyll.clone_merge(memo)",
        lambda v: pyll.clone_merge(X, v),
        ("memo",),
        FILLED | {"new": "None"},
    ),
    Argument(
        "pyll.clone_merge(merge_literals)",
        lambda v: pyll.clone_merge(X, None, v),
        ("merge_literals",),
        FLAGS,
    ),
    Argument("pyll.stochastic.sample(rng)", lambda v: stochastic.sample(X, v), ("rng",), SEEDS),
    Argument(
        "pyll.stochastic.sample(memo)",
        lambda v: stochastic.sample(X, 0, memo=v),
        ("memo",),
        DICTS | {"nothing known": "None"},
    ),
    Argument(
        "pyll.scope.define(f)",
        pyll.scope.define,
        ("scope.define",),
        {"a decorator": "None", "what can be called by a name": "class function builtin"},
    ),
    Argument(
        "pyll.scope.uniform(low)",
        lambda v: pyll.rec_eval(pyll.scope.uniform(v, 9)),
        ("low", "takes no label", "space", "no value"),
        {"a bound": "-1 0 7 0.5"},
    ),
    Argument(
        "pyll.scope.hyperopt_param(label)",
        lambda v: pyll.scope.hyperopt_param(v, pyll.scope.uniform(0, 1)),
        ("label",),
        _LABELS,
    ),
    Argument(
        "pyll.scope.hyperopt_param(draw)",
        lambda v: pyll.scope.hyperopt_param("x", v),
        ("hyperopt_param",),
    ),
]
_LIBRARIES = [
    Argument(
        "pyll_utils.validate_label(f)",
        pyll_utils.validate_label,
        ("f must",),
        {"what can be called": "class function builtin node"},
    ),
    Argument(
        "pyll_utils.validate_label(f)(label)",
        lambda v: pyll_utils.validate_label(hp.uniform)(v, 0, 1),
        ("label",),
        _LABELS,
    ),
    _space("pyll_utils.expr_to_config", lambda v: pyll_utils.expr_to_config(v, (), {})),
    Argument(
        "pyll_utils.expr_to_config(conditions)",
        lambda v: pyll_utils.expr_to_config(X, v, {}),
        ("conditions",),
        {"a tuple or none": "tuple None"},
    ),
    Argument(
        "pyll_utils.expr_to_config(hps)",
        lambda v: pyll_utils.expr_to_config(X, (), v),
        ("hps",),
        FILLED,
    ),
    Argument(
        "utils.use_obj_for_literal_in_memo(expr)",
        lambda v: utils.use_obj_for_literal_in_memo(v, 1, 2, {}),
        ("expr",),
        {"a node": "node"},
    ),
    Argument(
        "utils.use_obj_for_literal_in_memo(memo)",
        lambda v: utils.use_obj_for_literal_in_memo(pyll.as_apply([str]), 1, str, v),
        ("memo",),
        FILLED,
    ),
    _space("describe", describe),
    _space("graph_viz.dot_hyperparameters", graph_viz.dot_hyperparameters),
    Argument(
        "base.validate_timeout(timeout)",
        base.validate_timeout,
        ("timeout",),
        SECONDS,
    ),
    Argument(
        "base.validate_loss_threshold(loss_threshold)",
        base.validate_loss_threshold,
        ("loss_threshold",),
        NUMBERS | {"none, or one that any loss or none reaches": "None inf -inf"},
    ),
    Argument("base.spec_from_misc(misc)", base.spec_from_misc, ("misc",)),
    Argument(
        "base.miscs_update_idxs_vals(miscs)",
        lambda v: base.miscs_update_idxs_vals(v, {"x": []}, {"x": []}),
        ("miscs",),
        {"nothing to do": "empty_list"},
    ),
    Argument(
        "base.miscs_update_idxs_vals(idxs)",
        lambda v: base.miscs_update_idxs_vals([{"tid": 4}], v, {"x": [1]}),  # type: ignore
        ("idxs",),
        {"nothing to do": "empty_dict"},
    ),
    Argument(
        "base.miscs_update_idxs_vals(vals)",
        lambda v: base.miscs_update_idxs_vals([{"tid": 4}], {"x": [4]}, v),  # type: ignore
        ("vals",),
    ),
]
SPACES = [*_HP, *_DOMAIN, *_PYLL, *_LIBRARIES]
