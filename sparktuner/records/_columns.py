"""Trial documents by label: Hyperopt's ``idxs`` and ``vals``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sparktuner.records._document import Tid, TrialMisc


def miscs_to_idxs_vals(
    miscs: Iterable[TrialMisc], keys: Iterable[str] | None = None
) -> tuple[dict[str, list[Tid]], dict[str, list[Any]]]:
    """Returns by label the ids, and the values, of the trials in which the label is active.

    Args:
        miscs: ``misc`` parts of trial documents.
        keys: the labels; None takes all that occur.

    Example:
        >>> from sparktuner.base import miscs_to_idxs_vals
        >>> miscs_to_idxs_vals([{"tid": 3, "idxs": {"x": [3]}, "vals": {"x": [0.5]}}])
        ({'x': [3]}, {'x': [0.5]})
    """
    miscs = list(miscs)
    # In the alphabet's order, which tables show, and programs count on.
    labels = sorted({label for misc in miscs for label in misc["idxs"]}, key=str)
    idxs: dict[str, list[Tid]] = {label: [] for label in (labels if keys is None else keys)}
    vals: dict[str, list[Any]] = {label: [] for label in idxs}
    for misc in miscs:
        for label, tids in idxs.items():
            tids.extend(misc["idxs"].get(label, ()))
            vals[label].extend(misc["vals"].get(label, ()))
    return idxs, vals
