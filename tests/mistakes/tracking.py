"""Searches in MLflow: arguments that are wrong."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from sparktuner.mlflow import MLflowCallback, replay
from tests.mistakes.judge import Argument
from tests.mistakes.reasons import FLAGS, SECONDS
from tests.mistakes.values import VALUES

# Whether there is such a server, or experiment, is known when something is written.
_NAMED = {"not said": "None", "a name": "text digits"}
_CALLBACK: Mapping[str, Mapping[str, str]] = {
    "experiment": _NAMED,
    "tracking_uri": _NAMED,
    "nested": FLAGS,
    "drain_timeout": SECONDS,
    "worker_logging": FLAGS,
    "datasets": {"no data sets": "None empty_list empty_dict"},
}
# A name of a file that is not there is the file's error.
_NO_PATHS = tuple(VALUES.keys() - {"text", "empty_text", "digits", "surrogate"})


def _arguments() -> list[Argument]:
    return [
        *(
            Argument(
                f"MLflowCallback({name})",
                lambda v, name=name: MLflowCallback(**{name: v}),
                (name,),
                accepts,
            )
            for name, accepts in _CALLBACK.items()
        ),
        Argument(
            "MLflowCallback(datasets) in a list",
            lambda v: MLflowCallback(datasets=[v]),
            ("datasets",),
        ),
        Argument(
            "MLflowCallback(datasets) in a dictionary",
            lambda v: MLflowCallback(datasets={"training": v}),
            ("datasets",),
        ),
        Argument("replay(path)", replay, ("path",), values=_NO_PATHS),
        # With an address the file is read, and it is none of ours: that is told then.
        Argument(
            "replay(tracking_uri)", lambda v: replay(__file__, v), ("tracking_uri", "is no file")
        ),
    ]


TRACKING = _arguments() if importlib.util.find_spec("mlflow") else []
