"""Attachments that workers write into the store themselves, past the driver."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import BytesIO
from typing import BinaryIO

from sparktuner.driver import Callback, TrialsView
from sparktuner.errors import StoreError
from sparktuner.execute import Objective
from sparktuner.execute.worker import Keep, current_trial, entered
from sparktuner.records import Tid, TrialAttachments, TrialStore

_log = logging.getLogger("sparktuner")


class AttachesDirectly(Callback):
    """Lets what an objective attaches go from its worker to the store.

    Args:
        store: where it goes; workers open it anew, from its pickle, which holds no password.
    """

    def __init__(self, store: TrialStore) -> None:
        self._store = store

    def around_objective(self, objective: Objective, trials: TrialsView) -> Objective:
        return AttachingObjective(objective, self._store)


class AttachingObjective:
    """Calls an objective whose attachments are written at once, by the process that runs it.

    Where the store cannot be written from there, a warning says so in that process's log, and
    the driver takes the attachment.

    Args:
        objective: the objective.
        store: where attachments go.
    """

    def __init__(self, objective: Callable[[object], object], store: TrialStore) -> None:
        self._objective = objective
        self._store = store
        # So that the search is named after the objective.
        self.__name__ = getattr(objective, "__name__", type(objective).__name__)

    def __call__(self, argument: object) -> object:
        trial = current_trial()
        if trial.tid is None:  # called by hand
            return self._objective(argument)
        keep = partial(self._keep, trial.tid, trial._keep)
        with entered(replace(trial, _keep=keep)):
            return self._objective(argument)

    def _keep(
        self, tid: Tid, through_driver: Keep | None, name: str, content: bytes | BinaryIO
    ) -> None:
        stream = BytesIO(content) if isinstance(content, bytes) else content
        try:
            TrialAttachments(self._store.attachments, tid).write(name, stream)
        except StoreError as error:
            _log.warning("attachment %r of trial %s goes by the driver: %s", name, tid, error)
            if through_driver is not None:
                stream.seek(0)
                through_driver(name, content)
