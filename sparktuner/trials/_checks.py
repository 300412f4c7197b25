"""Checks of what users hand to the methods of trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral

import numpy as np

from sparktuner.checks import check_has, check_text, shown
from sparktuner.errors import InvalidTrial
from sparktuner.records import Tid
from sparktuner.space import Node
from sparktuner.status import JOB_STATES


def check_parts(exp_key: object, runner: object) -> None:
    """Refuses what trials cannot be made of.

    Raises:
        TypeError: an argument is of the wrong type; None is right for each.
    """
    check_text("exp_key", exp_key)
    if runner is not None:
        check_has("runner", runner, ("asynchronous", "limits", "open"), "a runner or None")


def states_of(arg: object) -> list[int]:
    """Returns the states that are meant by one of them, or by several.

    Raises:
        TypeError: ``arg`` is something else.
        ValueError: there is no such state.
    """
    several = isinstance(arg, list | tuple | set | frozenset | range | np.ndarray)
    states: list[object] = [arg]
    if several and getattr(arg, "ndim", 1) == 1:
        states = list(arg)  # type: ignore[call-overload]
    if not all(isinstance(each, Integral) and not isinstance(each, bool) for each in states):
        raise TypeError(
            f"arg must be a state, such as JOB_STATE_DONE, or a list of states, got {shown(arg)}"
        )
    if not all(each in JOB_STATES for each in states):
        raise ValueError(f"arg must be one of the states {JOB_STATES}, got {shown(arg)}")
    return [int(each) for each in states]  # type: ignore[call-overload]


def check_documents(name: str, documents: object) -> None:
    """Refuses what is no collection of documents, such as one document.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(documents, Mapping):
        raise TypeError(f"{name} must be a list of trial documents; put the dictionary in a list")
    # Nodes have the method, only to say that they cannot be iterated.
    several = isinstance(documents, Iterable) and not isinstance(documents, Node | np.ndarray)
    if not several or isinstance(documents, str | bytes):
        raise TypeError(f"{name} must be a list of trial documents, got {shown(documents)}")


def tid_of(trial: object) -> Tid:
    """Returns the id of a document that a user holds.

    Raises:
        InvalidTrial: it is no document.
    """
    if not isinstance(trial, Mapping) or "tid" not in trial:
        raise InvalidTrial(
            f"trial must be a trial document, such as trials.trials[0], got {shown(trial)}"
        )
    tid: Tid = trial["tid"]
    return tid


def check_columns(**columns: object) -> None:
    """Refuses lists of which the i-th entries are not of one trial.

    Args:
        **columns: by the arguments' names; what is in ``results``, ``miscs`` and ``sources``
            must be dictionaries.

    Raises:
        TypeError: one is no list, or holds something else.
        ValueError: they are not of one length.
    """
    lengths = {}
    for name, column in columns.items():
        listed = isinstance(column, list | tuple | range | np.ndarray)
        if not listed or getattr(column, "ndim", 1) == 0:
            raise TypeError(f"{name} must be a list with an entry a trial, got {shown(column)}")
        lengths[name] = len(column)  # type: ignore[arg-type]
        if name in ("results", "miscs", "sources"):
            for i, each in enumerate(column):  # type: ignore[arg-type, var-annotated]
                if not isinstance(each, Mapping):
                    raise TypeError(f"{name}[{i}] must be a dictionary, got {shown(each)}")
    if len(set(lengths.values())) > 1:
        raise ValueError(f"these must have an entry a trial each, got lengths {lengths}")
