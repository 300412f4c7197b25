"""Data sets that a search uses, as plain data that a file can hold."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from sparktuner.checks import shown
from sparktuner.mlflow._checks import can_be_sent

# What is said of one data set: MLflow's names -> text, all but `CONTEXT` those of its own JSON.
Input: TypeAlias = Mapping[str, str]

CONTEXT = "context"
FIELDS = ("name", "digest", "source_type", "source", "schema", "profile")
# MLflow's limit of an input's tag, which the context is.
_MOST_CONTEXT = 500
_EXAMPLE = "datasets={'training': mlflow.data.from_pandas(frame)}"


class Dataset(Protocol):
    """A data set of MLflow's, as ``mlflow.data.from_pandas`` and its kin make it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def digest(self) -> str:
        """A fingerprint of its content."""

    def to_json(self) -> str:
        """Returns what MLflow keeps of it."""


Datasets: TypeAlias = Mapping[str, Dataset] | Sequence[Dataset]


def inputs_of(datasets: Datasets | None) -> tuple[Input, ...]:
    """Returns what is to be said of data sets.

    Args:
        datasets: by context, or a list of those without one; None is none.

    Raises:
        TypeError: something else was given.
        ValueError: a context is one that MLflow does not take.
    """
    return tuple(
        {**_said(dataset), **({} if context is None else {CONTEXT: context})}
        for context, dataset in _pairs(datasets)
    )


def _pairs(datasets: object) -> Iterator[tuple[str | None, object]]:
    if datasets is None:
        return
    if isinstance(datasets, Mapping):
        for context, dataset in datasets.items():
            _check_context(context)
            yield context, dataset
    elif isinstance(datasets, list | tuple):
        yield from ((None, dataset) for dataset in datasets)
    else:
        raise TypeError(
            "datasets must be a dictionary of MLflow's data sets by what they are used for, or a "
            f"list of them, got {shown(datasets)}; write {_EXAMPLE}"
        )


def _check_context(context: object) -> None:
    is_text = isinstance(context, str) and can_be_sent(context)
    if not is_text or not 0 < len(str(context)) <= _MOST_CONTEXT:
        raise ValueError(
            f"datasets: what a data set is used for must be a text of 1 to {_MOST_CONTEXT} "
            f"characters, got {shown(context)}; write {_EXAMPLE}"
        )


def _said(dataset: object) -> dict[str, str]:
    # A table has a `to_json` too, so its class decides.
    if not isinstance(dataset, importlib.import_module("mlflow.data.dataset").Dataset):
        raise TypeError(
            "datasets must hold data sets of MLflow, as mlflow.data.from_pandas, from_numpy, "
            f"from_spark and load_delta make them, got {shown(dataset)}; write {_EXAMPLE}"
        )
    known = json.loads(dataset.to_json())
    return {name: str(known[name]) for name in FIELDS if known.get(name) is not None}
