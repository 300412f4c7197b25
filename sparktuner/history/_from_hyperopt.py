"""Reads the trial documents of Hyperopt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparktuner.checks import shown
from sparktuner.history._fit import SpaceFit
from sparktuner.history._past import Misfits, labels_of
from sparktuner.records import (
    TRIAL_KEYS,
    DoesNotFit,
    TrialDocument,
    configuration_of,
    new_document,
    validate_document,
)
from sparktuner.space import native

# Where Hyperopt keeps the pickled objective, in its own classes.
_OBJECTIVE = "FMinIter_Domain"


def documents_of_hyperopt(trials: Any, fit: SpaceFit | None) -> list[TrialDocument]:
    """Returns documents of ours that are those of Hyperopt; one warning says which do not fit.

    Args:
        trials: Hyperopt's ``Trials``, or documents.
        fit: the space; None takes all documents as they are.

    Raises:
        TypeError: ``trials`` are neither.
        InvalidTrial: a document is ill-formed.
    """
    theirs = getattr(trials, "_dynamic_trials", trials)
    is_list = isinstance(theirs, list | tuple)
    if not is_list or not all(isinstance(document, Mapping) for document in theirs):
        raise TypeError(
            f"trials must be Hyperopt's Trials, or a list of its documents, got {shown(trials)}"
        )
    documents, misfits = [], Misfits()
    for document in map(_copied, theirs):
        try:
            documents.append(document if fit is None else _fitted(document, fit))
        except DoesNotFit as error:
            misfits.add(str(error))
    misfits.say(len(theirs), fit)
    return documents


def attachments_of_hyperopt(trials: Any) -> dict[str, Any]:
    """Returns the attachments of Hyperopt's ``Trials`` by name, but for its objective."""
    found = getattr(trials, "attachments", {})
    kept = dict(found) if isinstance(found, Mapping) else {}
    kept.pop(_OBJECTIVE, None)
    return kept


def _copied(theirs: TrialDocument) -> TrialDocument:
    """A document with dictionaries of its own, and Python's numbers for NumPy's."""
    validate_document(theirs)
    document: Any = {key: native(theirs[key]) for key in TRIAL_KEYS}  # type: ignore[literal-required]
    document["version"] = 0
    document["result"] = {key: native(value) for key, value in theirs["result"].items()}
    misc: dict[str, Any] = dict(theirs["misc"])
    misc["tid"] = document["tid"]
    misc["idxs"] = {label: _native(tids) for label, tids in misc["idxs"].items()}
    misc["vals"] = {label: _native(values) for label, values in misc["vals"].items()}
    document["misc"] = misc
    copied: TrialDocument = document
    return copied


def _native(values: Sequence[Any] | np.ndarray[Any, Any]) -> list[Any]:
    return [native(value) for value in values]


def _fitted(document: TrialDocument, fit: SpaceFit) -> TrialDocument:
    configuration = fit.configuration(configuration_of(document), by_index=True)
    misc = new_document(document["tid"], configuration, labels_of(fit))["misc"]
    document["misc"]["idxs"], document["misc"]["vals"] = misc["idxs"], misc["vals"]
    document["misc"]["space"] = fit.record.digest
    return document
