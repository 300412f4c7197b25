"""Whether Spark is in order: on this machine, in its session, on its workers."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sparktuner._cluster import session_at
from sparktuner._doctor._finding import Finding, State, broken, found
from sparktuner._doctor._secrets import without_secrets
from sparktuner.execute.spark import (
    SessionFacts,
    ask_worker,
    java_found,
    pyspark_found,
    session_facts,
)
from sparktuner.execute.worker import WorkerFacts, versions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What results and pickles are made of, and what objectives import most often.
_PACKAGES = ("numpy", "cloudpickle", "pyspark", "pyarrow", "pandas", "scipy", "sklearn")
# An idle cluster may have to start a machine first.
_SECONDS = 180.0
_CORES = 2  # of a Spark inside this process


def spark_findings(master: str | None) -> Iterator[Finding]:
    """Yields what is found of this machine and of Spark, until something is broken.

    Args:
        master: of a cluster; None is the one at hand, or one inside this process.
    """
    pyspark = found("pyspark", pyspark_found)
    yield pyspark
    if pyspark.state is State.BROKEN:
        return
    java = found("Java", lambda: _java(master))
    yield java
    # Spark would try to start, and fail with a stack trace that says less.
    if java.state is State.BROKEN:
        return
    yield from _session_findings(master)


def _java(master: str | None) -> str:
    if master is not None and master.startswith("sc://"):
        return "not needed: Spark is elsewhere"
    return java_found() or "not needed: Spark runs already, or is elsewhere"


def _session_findings(master: str | None) -> Iterator[Finding]:
    try:
        with session_at(master, _CORES) as session:
            yield from _of_session(session)
    except Exception as error:  # pyspark raises a dozen kinds here
        yield broken("session", error, master or "")


def _of_session(session: SparkSession) -> Iterator[Finding]:
    facts = session_facts(session)
    kind = "Spark Connect" if facts.is_connect else "Spark Classic"
    where = without_secrets(facts.master) or "a place that is not told"
    yield Finding("session", State.OK, f"{kind}, Spark {facts.version} at {where}")
    yield _slots(facts)
    yield from _settings(facts)
    yield from _workers(session, facts)


def _slots(facts: SessionFacts) -> Finding:
    each = "a core" if facts.task_cpus == 1 else f"{facts.task_cpus} cores"
    text = f"{facts.slots}, of {each} each (spark.task.cpus={facts.task_cpus})"
    if facts.can_grow:
        return Finding("slots", State.OK, f"{text}; waiting trials make the cluster grow")
    if facts.slots > 1:
        return Finding("slots", State.OK, text)
    return Finding(
        "slots",
        State.WARNING,
        f"{text}: one trial at a time. Ask for more executors or cores (spark.executor.instances, "
        "spark.executor.cores, or local[4] as the master), or set a lower spark.task.cpus",
    )


def _settings(facts: SessionFacts) -> Iterator[Finding]:
    cautions = list(facts.cautions)
    if facts.speculates:
        cautions.append(
            "spark.speculation is on: Spark starts a second copy of a trial that takes long, "
            "which takes another slot. Set it to false before the session starts"
        )
    for caution in cautions:
        yield Finding("settings", State.WARNING, caution)
    if not cautions:
        yield Finding("settings", State.OK, "workers are reused, and not ended while they compute")


def _workers(session: SparkSession, facts: SessionFacts) -> Iterator[Finding]:
    told: list[WorkerFacts] = []

    def look() -> str:
        told.append(ask_worker(session, _PACKAGES, _SECONDS))
        worker = told[0]
        return f"{worker['host']} runs Python {worker['python']} at {worker['executable']}"

    yield found("workers", look)
    for worker in told:
        yield _packages(worker["versions"], facts.is_connect)


def _packages(there: dict[str, str], is_connect: bool) -> Finding:
    here = versions(_PACKAGES)
    if is_connect and "pyarrow" not in there:
        text = "workers have no pyarrow, which Spark Connect needs: install it there"
        return Finding("packages", State.BROKEN, text)
    differing = [
        f"{name} {there[name]} (driver: {here[name]})"
        for name in here
        if name in there and here[name].partition("+")[0] != there[name].partition("+")[0]
    ]
    missing = [name for name in here if name not in there]
    problems = [f"other versions on workers than here: {', '.join(differing)}"] * bool(differing)
    problems += [f"not on workers: {', '.join(missing)}"] * bool(missing)
    if problems:
        text = f"{'; '.join(problems)}. Install the same there if your objective uses them"
        return Finding("packages", State.WARNING, text)
    return Finding("packages", State.OK, ", ".join(f"{k} {v}" for k, v in sorted(there.items())))


def python_found() -> str:
    """Returns which Python this is, in words."""
    return f"{platform.python_version()} at {sys.executable}"
