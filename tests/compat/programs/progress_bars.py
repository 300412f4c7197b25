"""A progress bar of the user's own."""

import contextlib

import numpy as np
from hyperopt import Trials, fmin, hp, progress, rand

observed = {}
shapes = {}
log = []


class Bar:
    postfix = ""

    def update(self, n):
        log.append(n)

    def set_postfix_str(self, text):
        self.postfix = text


@contextlib.contextmanager
def factory(initial, total):
    log.append(["open", initial, total])
    yield Bar()
    log.append("close")


def search(max_evals, trials=None, **options):
    log.clear()
    fmin(
        lambda x: x,
        hp.uniform("x", 0, 1),
        algo=rand.suggest,
        max_evals=max_evals,
        trials=trials,
        rstate=np.random.default_rng(0),
        **options,
    )
    steps = [entry for entry in log if isinstance(entry, int)]
    return [entry for entry in log if not isinstance(entry, int)], sum(steps)


trials = Trials()
observed["factory"] = search(4, trials, show_progressbar=factory)
observed["resumed"] = search(9, trials, show_progressbar=factory)
observed["silent"] = search(2, verbose=False)
observed["no bar"] = search(2, show_progressbar=False)
with progress.no_progress_callback(initial=0, total=3) as bar:
    bar.update(1)
observed["callbacks"] = [callable(progress.default_callback)]
