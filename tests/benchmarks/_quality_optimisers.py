"""Optimisers behind one interface: ``ask() -> (key, values)``, ``tell(key, loss)``.

Peers are imported on use, so that each interpreter needs only what it runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np

from tests.benchmarks._quality_tasks import Space, Values


class Optimiser(Protocol):
    """An asynchronous optimiser; what was asked and not told is pending."""

    def ask(self) -> tuple[Any, Values]: ...

    def tell(self, key: Any, loss: float) -> None: ...


def hp_space(space: Space, hp: Any, scope: Any) -> dict[str, Any]:
    """The space in Hyperopt's vocabulary, of hyperopt or of sparktuner."""
    nodes: dict[str, Any] = {}
    for label, (kind, *args) in space.items():
        match kind:
            case "uniform":
                nodes[label] = hp.uniform(label, *args)
            case "loguniform":
                nodes[label] = hp.loguniform(label, *map(math.log, args))
            case "int":
                nodes[label] = hp.uniformint(label, *args)
            case "logint":
                low, high = args
                nodes[label] = hp.qloguniform(label, math.log(low), math.log(high), 1)
            case "step":
                nodes[label] = hp.quniform(label, *args)
            case "choice":
                options = [{"option": i, **hp_space(s, hp, scope)} for i, s in enumerate(args[0])]
                nodes[label] = hp.choice(label, options)
    return nodes


class _HpOptimiser:
    """sparktuner or hyperopt: an algorithm on trial documents."""

    def __init__(self, space: Space, seed: int, suggest: Callable[..., Any], lib: Any) -> None:
        self._rng = np.random.default_rng(seed)
        self._suggest = suggest
        self._domain = lib.Domain(lambda x: 0.0, hp_space(space, lib.hp, None))
        self._trials = lib.Trials()
        self._next = 0

    def ask(self) -> tuple[Any, Values]:
        seed = int(self._rng.integers(2**31 - 1))
        tid, self._next = self._next, self._next + 1
        (document,) = self._suggest([tid], self._domain, self._trials, seed)
        document["state"] = 1
        self._trials.insert_trial_docs([document])
        self._trials.refresh()
        vals = document["misc"]["vals"]
        values = {label: entry[0] for label, entry in vals.items() if len(entry)}
        # Its documents may be copies of what was inserted.
        return self._trials.all_trials[-1], {k: _native(v) for k, v in values.items()}

    def tell(self, key: Any, loss: float) -> None:
        key["state"] = 2
        key["result"] = {"status": "ok", "loss": loss}
        self._trials.refresh()

    def load(self, configurations: list[Values], losses: list[float]) -> None:
        """Insert finished trials."""
        labels = list(dict.fromkeys(label for c in configurations for label in c))
        documents = []
        for tid, (values, loss) in enumerate(zip(configurations, losses, strict=True)):
            entries = {label: [values[label]] if label in values else [] for label in labels}
            documents.append(
                {
                    "state": 2,
                    "tid": tid,
                    "spec": None,
                    "result": {"status": "ok", "loss": loss},
                    "misc": {
                        "tid": tid,
                        "cmd": ("domain_attachment", "FMinIter_Domain"),
                        "workdir": None,
                        "idxs": {label: [tid] * len(entries[label]) for label in labels},
                        "vals": entries,
                    },
                    "exp_key": None,
                    "owner": None,
                    "version": 0,
                    "book_time": None,
                    "refresh_time": None,
                }
            )
        self._trials.insert_trial_docs(documents)
        self._trials.refresh()
        self._next = len(documents)


def _native(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return int(value) if float(value).is_integer() else value


class _OptunaOptimiser:
    def __init__(self, space: Space, seed: int, **options: Any) -> None:
        import warnings

        import optuna

        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = options.pop("sampler", optuna.samplers.TPESampler)
        self._space = space
        self._study = optuna.create_study(sampler=sampler(seed=seed, **options))

    def ask(self) -> tuple[Any, Values]:
        trial = self._study.ask()
        values: Values = {}
        self._fill(trial, self._space, values)
        return trial, values

    def _fill(self, trial: Any, space: Space, values: Values) -> None:
        for label, (kind, *args) in space.items():
            match kind:
                case "uniform" | "loguniform":
                    values[label] = trial.suggest_float(label, *args, log=kind == "loguniform")
                case "int" | "logint":
                    values[label] = trial.suggest_int(label, *args, log=kind == "logint")
                case "step":
                    values[label] = trial.suggest_float(label, *args[:2], step=args[2])
                case "choice":
                    index = trial.suggest_categorical(label, list(range(len(args[0]))))
                    values[label] = index
                    self._fill(trial, args[0][index], values)

    def tell(self, key: Any, loss: float) -> None:
        self._study.tell(key, loss)

    def load(self, configurations: list[Values], losses: list[float]) -> None:
        """Insert finished trials."""
        import optuna

        self._study.add_trials(
            optuna.trial.create_trial(
                params=values, distributions=self._distributions(self._space, values), value=loss
            )
            for values, loss in zip(configurations, losses, strict=True)
        )

    def _distributions(self, space: Space, values: Values) -> dict[str, Any]:
        from optuna import distributions as d

        found: dict[str, Any] = {}
        for label, (kind, *args) in space.items():
            match kind:
                case "uniform" | "loguniform":
                    found[label] = d.FloatDistribution(*args, log=kind == "loguniform")
                case "int" | "logint":
                    found[label] = d.IntDistribution(*args, log=kind == "logint")
                case "step":
                    found[label] = d.FloatDistribution(*args[:2], step=args[2])
                case "choice":
                    found[label] = d.CategoricalDistribution(list(range(len(args[0]))))
                    found |= self._distributions(args[0][values[label]], values)
        return found


def make(name: str, space: Space, seed: int) -> Optimiser:
    """The optimiser of that name: ``hyperopt-tpe``, ``optuna-tpe``, ``tpe``, ``atpe:k=v`` ..."""
    library, _, algorithm = name.partition("-")
    if library == "hyperopt":
        import logging

        import hyperopt

        logging.disable(logging.INFO)
        suggest = getattr(hyperopt, algorithm).suggest
        return _HpOptimiser(space, seed, suggest, hyperopt)
    if library == "optuna":
        if algorithm == "tpe":
            return _OptunaOptimiser(space, seed)
        if algorithm == "mvtpe":
            return _OptunaOptimiser(space, seed, multivariate=True, group=True, constant_liar=True)
        import optuna

        return _OptunaOptimiser(space, seed, sampler=optuna.samplers.GPSampler)
    import importlib

    import sparktuner

    # "tpe:bandwidth=0.1,gamma=0.5" sets options.
    module, _, options = name.partition(":")
    pairs = (option.split("=") for option in options.split(",") if option)
    suggest = partial(
        importlib.import_module(f"sparktuner.{module}").suggest,
        **{key: _literal(value) for key, value in pairs},
    )
    return _HpOptimiser(space, seed, suggest, sparktuner)


def _literal(text: str) -> Any:
    import ast

    try:
        return ast.literal_eval(text)
    except ValueError:
        return text


def load(optimiser: Optimiser, configurations: list[Values], losses: list[float]) -> None:
    """Give an optimiser finished trials that it did not ask for."""
    if isinstance(optimiser, _OptunaOptimiser | _HpOptimiser):
        optimiser.load(configurations, losses)
