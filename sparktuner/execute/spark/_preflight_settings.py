"""The settings of Spark's Python workers that make a search slow, or end its trials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sparktuner.execute.spark._environment import is_connect, read_conf

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MEMORY = "spark.executor.pyspark.memory"
_REUSE = "spark.python.worker.reuse"
# (seconds, whether to kill): RDD jobs obey the first pair; SQL ones the second, whose defaults
# are the first pair's values.
_IDLE = ("spark.python.worker.idleTimeoutSeconds", "spark.python.worker.killOnIdleTimeout")
_IDLE_SQL = (
    "spark.sql.execution.pyspark.udf.idleTimeoutSeconds",
    "spark.sql.execution.pyspark.udf.killOnIdleTimeout",
)
_NO_TIME = re.compile(r"0*[a-z]*")


@dataclass(frozen=True)
class WorkerSettings:
    """What the session says of its Python workers; what is not set, or hidden, is empty.

    Attributes:
        reuse: ``spark.python.worker.reuse``.
        idle_names: of the two settings that end workers which send nothing for a while.
        idle_timeout: the first one's value.
        idle_kill: the second one's.
        memory: ``spark.executor.pyspark.memory``.
    """

    reuse: str = ""
    idle_names: tuple[str, str] = _IDLE
    idle_timeout: str = ""
    idle_kill: str = ""
    memory: str = ""

    def cautions(self) -> list[str]:
        """Returns what a user is to be told before the first trial, a sentence for each."""
        return [text for text in (self._on_reuse(), self._on_idleness()) if text]

    def _on_reuse(self) -> str:
        if self.reuse != "false":
            return ""
        return (
            f"{_REUSE} is false: each trial starts a Python process of its own and unpickles the "
            "objective there, which takes short trials several times as long. Set it to true, "
            "Spark's default, before the session starts, unless no two trials may share a process"
        )

    def _on_idleness(self) -> str:
        if self.idle_kill != "true" or _NO_TIME.fullmatch(self.idle_timeout):
            return ""
        seconds, kill = self.idle_names
        return (
            f"{kill} is on, and {seconds} is {self.idle_timeout}: a worker that computes sends "
            "nothing, so Spark takes it for idle and ends each trial that takes longer than "
            f"that. Set {kill}=false, or {seconds} to more than your longest trial takes, before "
            "the session starts"
        )


def worker_settings(session: SparkSession) -> WorkerSettings:
    """Returns what this session says of its Python workers."""
    get = partial(read_conf, session)
    names = _IDLE_SQL if is_connect(session) else _IDLE
    kill = get(names[1])
    return WorkerSettings(
        reuse=get(_REUSE),
        idle_names=names,
        idle_timeout=get(names[0]) if kill == "true" else "",
        idle_kill=kill,
        memory=get(MEMORY),
    )
