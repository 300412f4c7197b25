"""``WorkerTrials``: trials that wait in a store for workers elsewhere."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TypeVar

import cloudpickle

from sparktuner.checks import check_number, check_whole
from sparktuner.domain import Domain
from sparktuner.driver import SearchArguments
from sparktuner.errors import UnpicklableObjective
from sparktuner.execute.worker import find_unpicklable_part, type_name
from sparktuner.records import COMMAND, TrialStore
from sparktuner.stores import open_store
from sparktuner.trials._handed_over import HandedOverLog, WorkersRunner
from sparktuner.trials._trials import Trials

# Seconds.
_LONGEST_POLL = 3600.0
_MOST_QUEUED = 1_000_000

T = TypeVar("T", bound="WorkerTrials")


class WorkerTrials(Trials):
    """Trials that wait in a store, where the processes of ``sparktuner worker`` take them.

    The search itself runs no objective: it suggests trials, keeps a few of them waiting, and
    reads what becomes of them. Workers may be started and ended at any time, on any machine
    that reaches the store; what a worker was running when it died is run by another one. When
    the driver dies, workers go on with what waits, and the next search with the rest.

    A search that ends before its time (a timeout, Ctrl-C) cancels what waits and runs.

    The objective and its space are kept in the store as a pickle, which workers load: whoever
    may write into the store can run code on the workers.

    Example:
        >>> from sparktuner import WorkerTrials
        >>> from sparktuner.records import MemoryStore
        >>> WorkerTrials(MemoryStore(), exp_key="digits")
        <WorkerTrials of exp_key 'digits': no trials>
    """

    asynchronous = True

    def __init__(
        self,
        store: str | os.PathLike[str] | TrialStore,
        exp_key: str | None = None,
        refresh: bool = True,
        poll_interval: float = 0.5,
        queued: int = 2,
    ) -> None:
        """Shows the trials that the store holds.

        Args:
            store: a URL, as :func:`sparktuner.stores.open_store` takes it, or a store.
            exp_key: as in :class:`Trials`; workers can be told to run only its trials.
            refresh: whether to read the store at once.
            poll_interval: seconds from one look into the store to the next, while the search
                waits for results.
            queued: how many trials wait for workers, at least. More keep many workers busy
                whose trials are short; fewer are suggested by more results. With
                ``reproducible=True``, how many are out at a time.

        Raises:
            ValueError: ``poll_interval`` or ``queued`` is not above 0.
        """
        check_number("poll_interval", poll_interval, above=0.0, most=_LONGEST_POLL)
        check_whole("queued", queued, least=1, most=_MOST_QUEUED)
        self._workers = WorkersRunner(poll_interval, queued)
        super().__init__(exp_key, refresh=False, store=open_store(store), runner=self._workers)
        self._log: HandedOverLog = HandedOverLog(self.store, exp_key)
        if refresh:
            self.refresh()

    def search(
        self, domain: Domain, arguments: SearchArguments, most_queued: int | None = None
    ) -> None:
        self._log.command = (COMMAND[0], self._publish(domain))
        self._log.poll_interval = self._workers.poll_interval
        self.runner = replace(self._workers, log=self._log)
        try:
            super().search(domain, arguments, most_queued)
        finally:
            self.runner = self._workers

    def view(self: T, exp_key: str | None = None, refresh: bool = True) -> T:
        view = self.over(HandedOverLog(self.store, exp_key))
        if refresh:
            view.refresh()
        return view

    def _publish(self, domain: Domain) -> str:
        """Keeps the objective and its space in the store; the name of the attachment."""
        try:
            data = cloudpickle.dumps(domain)
        except Exception as error:  # __reduce__ may raise anything
            found = find_unpicklable_part(domain.fn, cloudpickle.dumps)
            what = f"{type(error).__name__}: {error}"
            if found is not None and found.path:
                kind = type_name(found.part)
                what = f"it uses {found.path}, a {kind}, which cannot be pickled ({found.error})"
            raise UnpicklableObjective(
                f"the objective and its space cannot be sent to workers: {what}. Make it inside "
                "the objective, or let workers import the objective: sparktuner worker "
                "module:objective --space module:space"
            ) from error
        # By its content: a trial is run with the objective that it was made for.
        name = f"{COMMAND[1]}-{hashlib.sha256(data).hexdigest()[:16]}"
        attachments = self._log.attachments
        if name not in attachments:
            attachments[name] = data
        return name
