"""One thing after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import sparktuner
from sparktuner._doctor._finding import Finding, State, found
from sparktuner._doctor._services import store_answers, tracking_answers
from sparktuner._doctor._spark import python_found, spark_findings


@dataclass(frozen=True)
class DoctorOptions:
    """The options of ``sparktuner doctor``.

    Attributes:
        master: of a Spark cluster; None is the one at hand, or one inside this process.
        store: the URL of a store to ask, or None.
        tracking_uri: of an MLflow server to ask, or None.
    """

    master: str | None = None
    store: str | None = None
    tracking_uri: str | None = None


def diagnosis(options: DoctorOptions) -> Iterator[Finding]:
    """Yields what is found of each thing, as soon as it is known."""
    yield Finding("sparktuner", State.OK, sparktuner.__version__)
    yield found("Python", python_found)
    # Before Spark: they take less time, and need no Spark.
    if options.store is not None:
        yield found("store", partial(store_answers, options.store), options.store)
    if options.tracking_uri is not None:
        look = partial(tracking_answers, options.tracking_uri)
        yield found("tracking", look, options.tracking_uri)
    yield from spark_findings(options.master)
