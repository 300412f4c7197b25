"""Hyperopt's import path for trials in MongoDB."""

from __future__ import annotations

from typing import NoReturn

from sparktuner.trials import WorkerTrials

__all__ = ["MongoTrials", "as_mongo_str"]

_INSTEAD = {
    "MongoJobs": "sparktuner.stores.open_store('mongo://host:port/db/jobs')",
    "MongoWorker": "the command 'sparktuner worker --store mongo://host:port/db/jobs'",
    "MongoCtrl": "sparktuner.Ctrl",
    "main_worker": "the command 'sparktuner worker --store mongo://host:port/db/jobs'",
}


class MongoTrials(WorkerTrials):
    """Trials in MongoDB that workers run, as Hyperopt's class of this name does.

    It can be pointed at a jobs collection that Hyperopt has filled. The workers are processes of
    ``sparktuner worker --store mongo://host:port/db/jobs``, with the options of Hyperopt's
    ``hyperopt-mongo-worker``. See :class:`sparktuner.trials.WorkerTrials` for the rest.

    Example:
        >>> from sparktuner.mongoexp import MongoTrials
        >>> trials = MongoTrials("mongo://localhost:27017/db/jobs", "digits", refresh=False)
        >>> trials.exp_key
        'digits'
    """

    def __init__(
        self,
        arg: str,
        exp_key: str | None = None,
        cmd: object = None,
        workdir: str | None = None,
        refresh: bool = True,
    ) -> None:
        """Connects when the trials are first read.

        Args:
            arg: ``mongo://host:port/db/jobs``, or any URL of MongoDB.
            exp_key: marks new trials, and shows only those that carry it.
            cmd: Hyperopt's; not used.
            workdir: Hyperopt's; workers have an option for it.
            refresh: whether to read the store at once.
        """
        super().__init__(as_mongo_str(arg), exp_key, refresh)


def as_mongo_str(s: str) -> str:
    """Returns a URL of MongoDB: ``mongo://`` is put before what has no scheme."""
    return s if "://" in s else f"mongo://{s}"


def __getattr__(name: str) -> NoReturn:
    if name in _INSTEAD:
        raise ImportError(f"sparktuner.mongoexp has no {name}; use {_INSTEAD[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
