"""scikit-learn's own checks of what an estimator must do, on searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from sparktuner import hp
from sparktuner.sklearn import HyperoptSearchCV, SparkSearchCV


def searches() -> list[Any]:
    alpha = {"alpha": hp.loguniform("alpha", -3, 3)}
    c = {"C": hp.loguniform("C", -3, 3)}
    piped = make_pipeline(PCA(), Ridge())
    few: dict[str, Any] = {"n_iter": 2, "cv": 2, "error_score": "raise"}
    return [
        SparkSearchCV(Ridge(), alpha, runner="serial", **few),
        SparkSearchCV(
            LogisticRegression(),
            c,
            runner="threads",
            parallelism=2,
            fmin_options={"reproducible": True},
            **few,
        ),
        SparkSearchCV(piped, {"ridge__alpha": alpha["alpha"]}, runner="serial", **few),
        HyperoptSearchCV(Ridge(), alpha, 2, cv=2, error_score="raise"),
    ]


@parametrize_with_checks(searches())
def test_a_search_is_an_estimator(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
