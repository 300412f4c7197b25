"""What is to be written of one run, as plain data that a file can hold."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TypeAlias

from sparktuner.mlflow._datasets import Input

# (name, value, milliseconds since 1970, step)
Metric: TypeAlias = tuple[str, float, int, int]

# The parent run's name among entries; the others are trials' ids.
PARENT = ""

# Limits of MLflow's REST API; what is longer is refused, or cut by some servers and not others.
MOST_PARAM = 6000
MOST_TAG = 8000
MOST_KEY = 250
MOST_METRICS = 1000
MOST_PARAMS = 100
# A request has 1 MB; a metric takes a hundred bytes of it beside its name.
MOST_BYTES = 900_000

_NOT_IN_KEYS = re.compile(r"[^/\w.\- ]")


@dataclass(frozen=True)
class Entry:
    """What is still to be written of one run; two of the same run can be merged.

    Attributes:
        run: whose it is: :data:`PARENT`, or a trial's id.
        name: the run's name, where it is to be made.
        start: milliseconds; where the run is to be made.
        params: by name.
        metrics: in the order in which they are.
        tags: by name.
        refers: tags whose value is to be the id of another trial's run: name -> trial's id.
        models_of: a trial's id: the models that it has logged are this run's too.
        texts: artifacts: path -> text.
        inputs: data sets that it uses.
        status: of MLflow, where the run has ended.
        end: milliseconds, likewise.
    """

    run: str = PARENT
    name: str = ""
    start: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    refers: Mapping[str, str] = field(default_factory=dict)
    models_of: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    status: str = ""
    end: int | None = None

    def merged(self, later: Entry) -> Entry:
        """Returns what this entry and a later one of the same run say together."""
        return replace(
            self,
            name=self.name or later.name,
            start=later.start if self.start is None else self.start,
            params={**self.params, **later.params},
            metrics=self.metrics + later.metrics,
            tags={**self.tags, **later.tags},
            refers={**self.refers, **later.refers},
            models_of=later.models_of or self.models_of,
            texts={**self.texts, **later.texts},
            inputs=self.inputs + later.inputs,
            status=later.status or self.status,
            end=self.end if later.end is None else later.end,
        )

    def split(self) -> tuple[Entry, Entry]:
        """Returns what can be said at once, and what only when other runs are there."""
        first = replace(self, refers={}, models_of="", status="", end=None)
        return first, Entry(
            self.run,
            refers=self.refers,
            models_of=self.models_of,
            status=self.status,
            end=self.end,
        )

    def dumps(self) -> str:
        """Returns the entry as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, data: Mapping[str, object]) -> Entry:
        """Returns the entry that was written as JSON.

        Raises:
            TypeError, ValueError: it is none.
        """
        entry = cls(**data)  # type: ignore[arg-type]
        metrics = ((str(k), float(v), int(t), int(s)) for k, v, t, s in entry.metrics)
        inputs = ({str(k): str(v) for k, v in each.items()} for each in entry.inputs)
        return replace(entry, metrics=tuple(metrics), inputs=tuple(inputs))


def key_of(label: object) -> str:
    """Returns a label as a name that MLflow takes for a parameter or a metric."""
    key = _NOT_IN_KEYS.sub("_", str(label))[:MOST_KEY]
    # Names are paths in some stores: each has to be the only way to write it.
    if not key or key.startswith("/") or posixpath.normpath(key) != key or key[0] == ".":
        return key.replace("/", "_").replace(".", "_") or "_"
    return key


def cut(text: str, most: int) -> str:
    """Returns the beginning of a text, with a mark where something is left out."""
    return text if len(text) <= most else f"{text[: most - 2]} …"
