"""Trials of past searches and of workers: arguments that are wrong."""

from __future__ import annotations

import pandas

from sparktuner import (
    WorkerTrials,
    from_hyperopt,
    from_mlflow,
    from_optuna,
    from_pandas,
    hp,
    load_trials,
)
from sparktuner.records import MemoryStore
from tests.mistakes.judge import Argument

X = {"x": hp.uniform("x", 0, 1)}
FRAME = pandas.DataFrame({"x": [0.5], "loss": [1.0]})

NEW = {"new trials": "None"}
_WORKERS = {
    "exp_key": {"no experiment": "None", "an experiment": "text empty_text digits surrogate"},
    "poll_interval": {"seconds": "7 0.5 float32 fraction"},
    "queued": {"a number": "7"},
}

PAST = [
    Argument("load_trials(path)", load_trials, ("path", "file")),
    Argument("from_pandas(df)", lambda v: from_pandas(v, X), ("df", "frame")),
    Argument("from_pandas(space)", lambda v: from_pandas(FRAME, v), ("space", "hp.", "df")),
    Argument("from_pandas(loss)", lambda v: from_pandas(FRAME, X, loss=v), ("loss",)),
    Argument(
        "from_pandas(into)",
        lambda v: from_pandas(FRAME, X, into=v),
        ("into",),
        {"new trials": "None"},
    ),
    Argument("from_optuna(study)", from_optuna, ("study", "optuna")),
    # Text names some experiment, which takes a server to know: the next argument is wrong then.
    Argument("from_mlflow(experiment)", lambda v: from_mlflow(v, into=7), ("experiment", "into")),
    Argument(
        "from_mlflow(tracking_uri)",
        lambda v: from_mlflow("digits", into=7, tracking_uri=v),
        ("tracking_uri", "into"),
    ),
    Argument("from_hyperopt(trials)", from_hyperopt, ("trials",), {"no documents": "empty_list"}),
    Argument("WorkerTrials(store)", WorkerTrials, ("store",)),
    *(
        Argument(
            f"WorkerTrials({name})",
            lambda v, name=name: WorkerTrials(MemoryStore(), **{name: v}),
            (name,),
            accepts,
        )
        for name, accepts in _WORKERS.items()
    ),
]
