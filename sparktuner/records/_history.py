"""What a suggestion is conditioned on, as arrays, and how it is kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.errors import JobCancelled, SparkUnavailable, TrialTimeout, WorkersNotReady
from sparktuner.records._document import Configuration, Tid, TrialDocument, configuration_of
from sparktuner.records._ranking import finite_loss
from sparktuner.space import FlatSpace, FloatArray
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
)

# Errors of the cluster, which tell nothing of the trial that met them.
_NOBODYS_FAULT = (SparkUnavailable.__name__, WorkersNotReady.__name__, JobCancelled.__name__)

IntArray: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class History:
    """The trials of one search: n finished, m pending, p parameters.

    Attributes:
        tids: (n,) trial ids in the order in which the results arrived.
        losses: (n,) finite; failed and cancelled trials are not in it.
        values: (n, p) latent values, NaN where a parameter is inactive.
        pending: (m, p) latent values of trials that have no result yet.
        curves: tid -> (k, 2) reported steps and losses.
        failed: (k, p) latent values of trials that ended without a finite loss, or ran
            into their time limit; by id.
    """

    tids: IntArray
    losses: FloatArray
    values: FloatArray
    pending: FloatArray
    curves: Mapping[int, FloatArray] = field(default_factory=dict)
    failed: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def n(self) -> int:
        """The number of finished trials."""
        return len(self.losses)


class HistoryLog:
    """Follows a growing list of trial documents; each update reads only what is new.

    The list may only grow at its end, and documents move on from NEW and RUNNING; anything
    else (``delete_all``) needs a new log.

    Attributes:
        space: the columns of the arrays.
        read: what a document's values are in that space; None leaves the trial out.
    """

    def __init__(
        self,
        space: FlatSpace,
        read: Callable[[TrialDocument], Configuration | None] = configuration_of,
    ) -> None:
        self.space = space
        self.read = read
        self._read = 0
        # In the order of the list, which all drivers see alike.
        self._pending: dict[int, FloatArray] = {}  # position in the list -> (p,)
        p = len(space.columns)
        self._tids = _Rows(np.dtype(np.int64))
        self._losses = _Rows(np.dtype(np.float64))
        self._values = _Rows(np.dtype(np.float64), p)
        self._failed_tids = _Rows(np.dtype(np.int64))
        self._failed = _Rows(np.dtype(np.float64), p)

    def update(self, documents: Sequence[TrialDocument]) -> History:
        """Returns the history of ``documents``; its arrays stay as they are in later updates."""
        for position in range(self._read, len(documents)):
            document = documents[position]
            if document["state"] != JOB_STATE_CANCEL or would_fail_again(document):
                configuration = self.read(document)
                if configuration is None:
                    continue
                # Encoded while it is pending, and not again when it ends.
                self._pending[position] = self.space.encode([configuration])[0]
        self._read = len(documents)
        for position in list(self._pending):
            document = documents[position]
            if document["state"] not in (JOB_STATE_NEW, JOB_STATE_RUNNING):
                self._end(document, self._pending.pop(position))
        shape = (len(self._pending), len(self.space.columns))
        # Failed ones by id: which worker was faster must not matter to a suggestion.
        return History(
            self._tids.view(),
            self._losses.view(),
            self._values.view(),
            np.array(list(self._pending.values())).reshape(shape),
            failed=self._failed.view()[np.argsort(self._failed_tids.view(), kind="stable")],
        )

    def _end(self, document: TrialDocument, row: FloatArray) -> None:
        loss = finite_loss(document)
        if loss is None:
            if would_fail_again(document):
                self._failed_tids.append(_number(document["tid"], self._failed_tids))
                self._failed.append(row)
            return
        self._tids.append(_number(document["tid"], self._tids))
        self._losses.append(loss)
        self._values.append(row)


def _number(tid: Tid, others: _Rows) -> int:
    # Hyperopt lets tids be anything; a model only needs numbers to tell them apart.
    return int(tid) if isinstance(tid, Integral) else len(others.view())


def would_fail_again(document: TrialDocument) -> bool:
    """Returns whether a trial that ended without a loss would do so again.

    A configuration that raised, or ran into its time limit, is a bad one. One whose session,
    cluster or job went away may well be good, and so may one that was cancelled.
    """
    error = (document["misc"].get("error") or ("",))[0]
    if document["state"] == JOB_STATE_CANCEL:
        return error == TrialTimeout.__name__
    return error not in _NOBODYS_FAULT


class _Rows:
    """An array that grows at its end; views of it that were handed out stay as they are."""

    def __init__(self, dtype: np.dtype[Any], *shape: int) -> None:
        self._array = np.empty((64, *shape), dtype)
        self._n = 0

    def append(self, row: npt.ArrayLike) -> None:
        if self._n == len(self._array):
            self._array = np.concatenate([self._array, np.empty_like(self._array)])
        self._array[self._n] = row
        self._n += 1

    def view(self) -> npt.NDArray[Any]:
        return self._array[: self._n]
