"""Everything that is shipped to the workers by value, and nothing else.

A worker needs Python, pyspark and what the objective imports, but no sparktuner. Hence nothing
here may import the rest of sparktuner, and pyspark only inside the functions that run on
workers.

Reading order: ``_outcome`` (one call of the objective), ``_task`` (from bytes to bytes, around
that call), ``_opened`` (the objective in a process), ``_current`` (the trial, for its objective
to ask), ``_attached`` (what it attaches), ``_left`` (large files of that), ``_logged`` (its own
calls of MLflow), ``_probe`` (what a worker lacks), ``_facts`` (what it is), ``_pickling`` (what
cannot travel), ``_native_threads``, ``_process`` (the worker's process); then what Spark calls
there, ``_classic_task`` and ``_connect_task``.
"""

from sparktuner.execute.worker._attached import Keep
from sparktuner.execute.worker._classic_task import (
    PIECE_BYTES,
    TASK_PROPERTY,
    run_classic_take,
    run_classic_task,
)
from sparktuner.execute.worker._connect_task import run_connect_take, run_connect_task
from sparktuner.execute.worker._current import CurrentTrial, current_trial, entered
from sparktuner.execute.worker._facts import WorkerFacts, worker_facts
from sparktuner.execute.worker._left import LEFT_PIECE, LeftFile, take
from sparktuner.execute.worker._logged import LoggedObjective, join_runs, set_variables
from sparktuner.execute.worker._native_threads import OMP
from sparktuner.execute.worker._outcome import Outcome, call, decode, describe, encode
from sparktuner.execute.worker._pickling import UnpicklablePart, find_unpicklable_part, type_name
from sparktuner.execute.worker._probe import ProbeResult, probe, versions
from sparktuner.execute.worker._process import NOT_RUN
from sparktuner.execute.worker._task import PROBE_TASK, pack_task, serve

__all__ = [
    "Outcome",
    "call",
    "describe",
    "encode",
    "decode",
    "pack_task",
    "serve",
    "PROBE_TASK",
    "CurrentTrial",
    "current_trial",
    "entered",
    "Keep",
    "LoggedObjective",
    "join_runs",
    "set_variables",
    "probe",
    "ProbeResult",
    "versions",
    "worker_facts",
    "WorkerFacts",
    "find_unpicklable_part",
    "UnpicklablePart",
    "type_name",
    "OMP",
    "run_classic_task",
    "run_classic_take",
    "TASK_PROPERTY",
    "PIECE_BYTES",
    "run_connect_task",
    "run_connect_take",
    "take",
    "LeftFile",
    "LEFT_PIECE",
    "NOT_RUN",
]
