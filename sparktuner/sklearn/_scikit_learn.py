"""What is used of scikit-learn beyond its public names, and whether it is there: the one border.

The base class does what a fitted search does (``predict``, ``score``, tags, routing), so that
users get scikit-learn's own behaviour; the search itself is ours.
"""

from __future__ import annotations

from sparktuner.errors import MissingExtra

try:
    from sklearn.base import BaseEstimator, clone, is_classifier
    from sklearn.model_selection import check_cv
    from sklearn.model_selection._search import BaseSearchCV
    from sklearn.model_selection._validation import _warn_or_raise_about_fit_failures
    from sklearn.utils import check_random_state, get_tags, indexable
    from sklearn.utils.validation import _check_method_params
except ImportError as error:
    # get_tags came with 1.6.
    raise MissingExtra(
        "sparktuner.sklearn needs scikit-learn 1.6 or later, which cannot be imported here "
        f"({error}): pip install 'sparktuner[sklearn]'"
    ) from error

check_method_params = _check_method_params
tell_failed_fits = _warn_or_raise_about_fit_failures

__all__ = [
    "BaseEstimator",
    "BaseSearchCV",
    "clone",
    "is_classifier",
    "check_cv",
    "check_random_state",
    "get_tags",
    "indexable",
    "check_method_params",
    "tell_failed_fits",
]
