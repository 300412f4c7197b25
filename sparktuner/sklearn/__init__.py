"""Searches over the parameters of scikit-learn's estimators.

In reading order: :class:`SparkSearchCV`, to be used as ``RandomizedSearchCV``, and
:class:`HyperoptSearchCV`, which has the arguments of Hyperopt's estimator of that name. Both
need the extra ``sparktuner[sklearn]``.
"""

from sparktuner.sklearn._hyperopt_search import HyperoptSearchCV
from sparktuner.sklearn._spark_search import SparkSearchCV

__all__ = ["SparkSearchCV", "HyperoptSearchCV"]


def __dir__() -> list[str]:
    # What completion offers: not what the module itself imports.
    return sorted(__all__)
