"""Hyperopt's import path for trials in MongoDB, which are not there yet."""

from typing import NoReturn

_MISSING = ("MongoTrials", "MongoJobs", "MongoWorker", "MongoCtrl", "main_worker")


def __getattr__(name: str) -> NoReturn:
    if name in _MISSING:
        raise ImportError(
            f"sparktuner.mongoexp has no {name} yet; use fmin(..., trials_save_file=...)"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
