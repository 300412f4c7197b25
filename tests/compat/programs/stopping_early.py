"""Early stops of the library's and of the user's own, loss thresholds and timeouts."""

import time

import numpy as np
from hyperopt import Trials, fmin, hp, rand, tpe
from hyperopt.early_stop import no_progress_loss

observed = {}
shapes = {}
space = hp.uniform("x", -5, 5)


def search(objective=lambda x: x**2, algo=tpe.suggest, **options):
    trials = Trials()
    options = {"max_evals": 300, **options}
    fmin(
        objective,
        space,
        algo=algo,
        trials=trials,
        rstate=np.random.default_rng(8),
        verbose=False,
        **options,
    )
    return trials


observed["a flat loss"] = len(search(lambda x: 1.0, early_stop_fn=no_progress_loss(10)))
falling = iter(range(1000, 0, -1))
observed["a falling loss"] = len(
    search(lambda x: next(falling), max_evals=30, early_stop_fn=no_progress_loss(5))
)
slow = iter(np.linspace(100, 99, 1000))
observed["too slow a fall"] = (
    len(search(lambda x: next(slow), early_stop_fn=no_progress_loss(5, percent_increase=10))) < 20
)

calls = []


def patience(trials, best=None, count=0):
    calls.append([len(trials.trials), best is None, count])
    loss = trials.trials[-1]["result"]["loss"]
    if best is None or loss < best:
        return False, [loss, 0]
    return count + 1 >= 3, [best, count + 1]


rising = iter(range(1000))
observed["the user's own"] = len(search(lambda x: next(rising), early_stop_fn=patience))
observed["its calls"] = calls

keyword_calls = []


def three(trials, *args):
    keyword_calls.append(list(args))
    return len(trials) >= 3, ["state", len(trials)]


observed["arguments come back"] = [len(search(early_stop_fn=three)), keyword_calls]


def stop_at(trials):
    return trials.best_trial["result"]["loss"] < 1.0, []


trials = search(early_stop_fn=stop_at, algo=rand.suggest)
observed["at a loss"] = [
    sum(loss < 1.0 for loss in trials.losses()),
    trials.losses()[-1] < 1.0,
]
trials = search(loss_threshold=2.0)
observed["loss_threshold"] = [
    sum(loss <= 2.0 for loss in trials.losses()),
    trials.losses()[-1] <= 2.0,
]


def slowly(x):
    time.sleep(0.02)
    return x


trials = search(slowly, timeout=1)
observed["timeout"] = 1 <= len(trials) < 300
