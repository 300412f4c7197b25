"""A user's script with thirteen mistakes, each on a line of its own marked with its number."""

from __future__ import annotations

from typing import Any

from sparktuner import Callback, SparkTrials, Trials, fmin, hp, space_eval, tpe
from sparktuner.records import TrialDocument

space = {"x": hp.uniform("x", 0, 1)}
trials = Trials()


def loss(config: dict[str, Any]) -> float:
    return float(config["x"])


def text(config: dict[str, Any]) -> str:
    return str(config["x"])


def nothing(config: dict[str, Any]) -> None:
    print(config)


def stop(trials: Trials) -> bool:
    return len(trials) > 5


class Report(Callback):
    """Overrides a method of another shape."""

    def on_trial_end(self, document: TrialDocument, loss: float) -> None:  # mistake 1
        print(document["tid"], loss)


best = fmin(loss, space, max_evals=10)
fmin(loss, space, algo=tpe.suggest, max_eval=10)  # mistake 2
fmin(loss, space, algo=tpe.suggest, max_evals="10")  # mistake 3
fmin(loss, space, algo=tpe, max_evals=10)  # mistake 4
fmin(text, space, max_evals=10)  # mistake 5
fmin(nothing, space, max_evals=10)  # mistake 6
fmin(loss, space, max_evals=10, early_stop_fn=stop)  # mistake 7
hp.uniform("x", lower=0, upper=1)  # mistake 8
hp.quniform("x", 0, 10, "1")  # mistake 9
SparkTrials(parallelism="4")  # mistake 10
print(trials.best_trial["loss"])  # mistake 11
print(best.x, space_eval(space, best))  # mistake 12
print(min(trials.losses()))  # mistake 13
