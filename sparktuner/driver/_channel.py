"""How an objective that runs in this process reaches the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparktuner.execute import Checkpointed, Executor, Injected
from sparktuner.records import Tid, TrialDocument


class ExecutorChannel:
    """Turns what ``Ctrl`` is asked into events of an executor.

    Attributes:
        executor: the search's; None until it has been opened, which is before the first trial.
    """

    def __init__(self) -> None:
        self.executor: Executor | None = None

    def checkpoint(self, tid: Tid, result: Mapping[str, object]) -> None:
        """Lets the loop keep a partial result in a running trial."""
        if self.executor is not None:
            self.executor.post(Checkpointed(tid, result))

    def inject(self, tid: Tid, documents: Sequence[TrialDocument]) -> None:
        """Lets the loop insert documents that a running trial has made."""
        if self.executor is not None:
            self.executor.post(Injected(tid, documents))
