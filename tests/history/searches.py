"""Searches whose trials are turned into other tools' data."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktuner import Trials, fmin, hp

SPACE = {
    "lr": hp.loguniform("lr", np.log(1e-4), np.log(1e-1)),
    "layers": hp.uniformint("layers", 1, 5),
    "drop": hp.quniform("drop", 0, 0.5, 0.1),
    "act": hp.choice("act", ["relu", "tanh", None]),
    "model": hp.choice(
        "model",
        [
            {"kind": "svm", "C": hp.lognormal("C", 0, 1)},
            {"kind": "forest", "depth": hp.randint("depth", 2, 9)},
        ],
    ),
}


def objective(params: Any) -> dict[str, Any]:
    if params["layers"] == 5:
        raise ValueError("five layers do not converge")
    loss = (np.log(params["lr"]) + 5) ** 2 + params["drop"]
    weights = [1.0, 2.0]
    return {"loss": loss, "status": "ok", "rows": 100, "note": "fine", "weights": weights}


def searched(trials: Trials | None = None, max_evals: int = 30) -> Trials:
    """Trials of a search of which some failed."""
    trials = Trials() if trials is None else trials
    fmin(
        objective,
        SPACE,
        max_evals=max_evals,
        trials=trials,
        rstate=0,
        catch_eval_exceptions=True,
        verbose=False,
    )
    return trials
