"""The process that ``sparktuner worker`` is: it takes trials from a store, and runs them.

In reading order: ``_run`` (one trial after another), ``_objectives`` (what is run),
``_reservation`` (whether a trial is still this worker's).
"""

from sparktuner._worker._run import WorkerOptions, run

__all__ = ["WorkerOptions", "run"]
