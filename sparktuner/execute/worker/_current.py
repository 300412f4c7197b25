"""Which trial this is, for the objective to ask, wherever it runs.

Objectives that ask take this module with them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sparktuner.execute.worker._attached import Keep, attach


@dataclass(frozen=True)
class CurrentTrial:
    """The trial that this thread runs.

    Attributes:
        tid: the trial's id; None where the objective is called by hand.
        seed: below 2**31, tied to the search's ``rstate`` and the tid: the same whenever and
            wherever the trial runs, retries included.
        attempt: 0 for the first attempt.
        addresses: name of a resource -> the addresses that Spark assigned to the task, e.g.
            ``{"gpu": ("0",)}``; empty without a ``resource_profile``, and outside Spark.
    """

    tid: int | None
    seed: int
    attempt: int = 0
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Where no trial runs there is nothing that would keep what is attached.
    _keep: Keep | None = field(default=None, repr=False, compare=False)

    def attach(self, name: str, bytes_or_path: bytes | str | os.PathLike[str]) -> None:
        """Attaches bytes, or a file, to this trial; ``trial_attachments`` reads them.

        A file is read now: it may be changed or removed afterwards. The same name once more
        replaces what was attached before. What is attached before the objective raises is kept
        with the trial that failed. Outside of a search, where the objective is called by hand,
        the arguments are checked and nothing is kept.

        Args:
            name: of the attachment, such as ``"log.txt"`` or ``"plots/roc.png"``.
            bytes_or_path: the bytes, or the path of a file on the machine that runs the trial;
                text is a path.

        Raises:
            TypeError: ``name`` is no text, or ``bytes_or_path`` neither bytes nor a path.
            ValueError: ``name`` could not be a file's name everywhere, or ``bytes_or_path`` is
                the path of what is no file.
            OSError: the file cannot be read; a FileNotFoundError where there is none.

        Example:
            >>> from sparktuner import Trials, current_trial, fmin, hp
            >>> def objective(x):
            ...     current_trial().attach("log.txt", b"went well")
            ...     return x
            >>> trials, x = Trials(), hp.uniform("x", 0, 1)
            >>> best = fmin(objective, x, max_evals=1, trials=trials, verbose=False)
            >>> trials.trial_attachments(trials.best_trial)["log.txt"]
            b'went well'
        """
        attach(name, bytes_or_path, self._keep)

    def __getstate__(self) -> dict[str, object]:
        # An objective may return what it was told.
        return {**vars(self), "_keep": None}


def current_trial() -> CurrentTrial:
    """Returns the trial that runs in this thread; call it inside the objective.

    Where no trial runs, because the objective is called by hand, it is a trial without a number
    (``tid`` is None), whose seed is 0.

    Example:
        >>> from sparktuner import Trials, current_trial, fmin, hp
        >>> def objective(x):
        ...     return {"status": "ok", "loss": x, "tid": current_trial().tid}
        >>> trials, x = Trials(), hp.uniform("x", 0, 1)
        >>> best = fmin(objective, x, max_evals=3, trials=trials, verbose=False)
        >>> [result["tid"] for result in trials.results]
        [0, 1, 2]
    """
    trial: CurrentTrial | None = getattr(_threads(), "trial", None)
    # The same seed each time, so that an objective that is tried by hand gives one answer.
    return CurrentTrial(tid=None, seed=0) if trial is None else trial


@contextmanager
def entered(trial: CurrentTrial) -> Iterator[None]:
    """Lets :func:`current_trial` return ``trial`` in this thread."""
    threads = _threads()
    # An objective may run a search of its own in this thread.
    before = getattr(threads, "trial", None)
    threads.trial = trial
    try:
        yield
    finally:
        threads.trial = before


def task_addresses() -> dict[str, tuple[str, ...]]:
    """Returns the addresses that Spark assigned to the task of this thread, by resource.

    Empty where this thread runs no task of Spark's.
    """
    # Not imported: where it is not, this is no task of Spark's.
    pyspark = sys.modules.get("pyspark")
    context = None if pyspark is None else pyspark.TaskContext.get()
    if context is None:
        return {}
    resources = context.resources()
    return {name: tuple(each.addresses) for name, each in resources.items()}


def _threads() -> threading.local:
    # Several copies of this module may be in a worker; `sys` is there once.
    shared: threading.local = vars(sys).setdefault("_sparktuner_threads", threading.local())
    return shared
