"""Where the trials of an estimator's search run."""

from __future__ import annotations

import os
from typing import TypeAlias

from sparktuner.checks import check_has, check_parallelism, shown
from sparktuner.execute import Runner, SerialRunner
from sparktuner.execute.spark import SparkRunner, ThreadRunner, has_session

Place: TypeAlias = str | Runner | None

_PLACES = ("serial", "threads", "spark")


def runner_for(runner: Place, parallelism: int | None) -> Runner:
    """Returns where trials run.

    Args:
        runner: ``"serial"``, ``"threads"``, ``"spark"``, or a runner. None is Spark where the
            process has a session already, else threads where ``parallelism`` is above 1, else
            serial: no JVM is started that nobody asked for.
        parallelism: how many at a time; None is one for each CPU of this process in threads,
            and follows the cluster on Spark.

    Raises:
        ValueError: ``runner`` is another text, or ``parallelism`` does not go with it.
        TypeError: one of them is something else.
    """
    check_parallelism(parallelism)
    if runner is None:
        runner = _default(parallelism)
    if not isinstance(runner, str):
        check_has("runner", runner, ("open", "limits"), f"one of {_PLACES}, a runner, or None")
        if parallelism is not None:
            raise ValueError(
                f"parallelism must be None where runner is an object, which has its own, got "
                f"{parallelism}"
            )
        return runner
    if runner not in _PLACES:
        raise ValueError(
            f"runner must be one of {_PLACES}, a runner, or None, got {shown(runner)}"
        )
    if runner == "spark":
        return SparkRunner(parallelism)
    if runner == "threads":
        return ThreadRunner(_cpus() if parallelism is None else parallelism)
    if parallelism not in (None, 1):
        raise ValueError(
            f"parallelism must be 1 or None where runner is 'serial', got {parallelism}; write "
            "runner='threads'"
        )
    return SerialRunner()


def _default(parallelism: int | None) -> str:
    if has_session():
        return "spark"
    return "serial" if parallelism in (None, 1) else "threads"


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
