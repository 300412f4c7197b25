"""How many threads native libraries (OpenMP, BLAS) start in a trial, on a worker."""

from __future__ import annotations

import os
import sys

OMP = "OMP_NUM_THREADS"
_VARIABLES = (
    OMP,
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def limit_threads(omp: str) -> None:
    """Lets native libraries start one thread for each CPU of the task that this thread runs.

    What the user has set stays. Spark itself sets ``OMP_NUM_THREADS`` to ``spark.task.cpus``,
    over what the worker's environment has and whatever the ``resource_profile`` says; and
    none of the others, which some libraries prefer.

    Args:
        omp: ``OMP_NUM_THREADS`` as the user set it; empty if not at all.
    """
    cpus = _task_cpus()
    if not cpus:
        return
    # What was set here before is not the user's; `sys` stays as long as the process.
    ours: dict[str, str | None] = vars(sys).setdefault(
        "_sparktuner_variables", {OMP: os.environ.get(OMP)}
    )
    before = os.environ.get(OMP)
    for name in _VARIABLES:
        if os.environ.get(name) == ours.get(name):
            ours[name] = os.environ[name] = (omp if name == OMP else "") or str(cpus)
    if os.environ.get(OMP) != before:
        # "4,2" is for nested regions, of which only OpenMP knows.
        _limit_loaded_libraries(os.environ[OMP].partition(",")[0])


def _task_cpus() -> int:
    """The CPUs of this task, or 0 outside Spark."""
    pyspark = sys.modules.get("pyspark")
    context = None if pyspark is None else pyspark.TaskContext.get()
    return 0 if context is None else int(context.cpus())


def _limit_loaded_libraries(threads: str) -> None:
    """Tell libraries that have read their variables already, where threadpoolctl is installed."""
    try:
        import threadpoolctl
    except ImportError:
        return
    if threads.strip().isdecimal():
        threadpoolctl.threadpool_limits(int(threads))
