"""Pickling what goes to the workers, so that they need no sparktuner."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import cloudpickle as installed_cloudpickle
from pyspark import cloudpickle

from sparktuner.errors import UnpicklableArgument, UnpicklableObjective
from sparktuner.execute import worker
from sparktuner.execute._by_value import ByValue
from sparktuner.execute._protocol import Objective
from sparktuner.execute.worker import UnpicklablePart, find_unpicklable_part, type_name

# Their versions matter whatever the objective names: arrays in results, pickles on their way.
_ALWAYS_COMPARED = ("numpy", "cloudpickle", "pyspark")

_dumps: Callable[[object], bytes] = cloudpickle.dumps
# pyspark's own, which knows nothing of the modules that users register with the installed one.
_PYSPARKS = ByValue(cloudpickle)


@contextmanager
def pickled_by_value() -> Iterator[None]:
    """Lets pyspark's pickler ship ``execute.worker``, and modules that users registered, by value.

    pyspark brings a cloudpickle of its own, which every worker has; modules that users
    register with the installed cloudpickle are unknown to it.
    """
    names = installed_cloudpickle.list_registry_pickle_by_value()
    theirs = [sys.modules[name] for name in names if name in sys.modules]
    with _PYSPARKS.holding([worker, *theirs]):
        yield


def pickle_by_value(function: Callable[..., object]) -> bytes:
    """Returns a function of ``execute.worker`` as bytes, to unpickle which needs no sparktuner."""
    with pickled_by_value():
        return _dumps(function)


def pack_argument(argument: object) -> bytes:
    """Returns a pickled configuration; functions and classes of the user's script go by value.

    Raises:
        UnpicklableArgument: names the part that cannot be pickled.
    """
    with pickled_by_value():
        try:
            return _dumps(argument)
        except Exception as error:  # __reduce__ may raise anything
            found = find_unpicklable_part(argument, _dumps)
            what = "it"
            if found is not None:
                what = f"config{found.path}, a {type_name(found.part)},"
            raise UnpicklableArgument(
                f"The configuration cannot be sent to the workers: {what} cannot be pickled "
                f"({error}). Offer a name or a number in the space, and make the object from it "
                "in the objective."
            ) from error


def pack_objective(objective: Objective, omp: str = "") -> list[bytes]:
    """Returns two pickles that a worker needs for each trial: our own part, and the objective.

    Args:
        objective: the objective.
        omp: ``OMP_NUM_THREADS`` as the user set it; empty if not at all.

    Raises:
        UnpicklableObjective: names the variable that cannot be pickled.
    """
    with pickled_by_value():
        try:
            packed, packages = _dumps_noting_packages(objective)
            return [_dumps(partial(worker.serve, omp=omp, packages=packages)), packed]
        except Exception as error:  # __reduce__ may raise anything
            found = find_unpicklable_part(objective, _dumps)
            raise UnpicklableObjective(_refusal(found, error)) from error


class _NotingPickler(cloudpickle.CloudPickler):
    """Notes the top-level modules of the functions, classes and objects that it pickles."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)  # type: ignore[no-untyped-call]
        self.packages: set[str] = set()

    def reducer_override(self, obj: object) -> Any:
        named = obj if isinstance(obj, type | FunctionType | BuiltinFunctionType) else type(obj)
        module = obj.__name__ if isinstance(obj, ModuleType) else named.__module__
        self.packages.add(str(module).partition(".")[0])
        return super().reducer_override(obj)  # type: ignore[no-untyped-call]


def _dumps_noting_packages(value: object) -> tuple[bytes, list[str]]:
    with io.BytesIO() as file:
        pickler = _NotingPickler(file)
        pickler.dump(value)  # type: ignore[no-untyped-call]
        return file.getvalue(), sorted({*pickler.packages, *_ALWAYS_COMPARED})


def _refusal(found: UnpicklablePart | None, error: Exception) -> str:
    if found is None or not found.path:
        return f"The objective cannot be sent to the workers: {type(error).__name__}: {error}"
    kind = type_name(found.part)
    return (
        f"The objective cannot be sent to the workers: it uses {found.path}, "
        f"a {kind}, which cannot be pickled ({found.error}). {_advice(kind)}"
    )


def _advice(kind: str) -> str:
    if kind.startswith("pyspark."):
        return (
            "Workers have no Spark session: collect the data before the search, for instance "
            "with df.toPandas(), or use ThreadTrials, whose objectives may use Spark."
        )
    if kind.startswith(("_io.", "socket.", "ssl.", "sqlite3.")):
        return "Open it inside the objective."
    if kind == "generator":
        return "Make a list of it before the search."
    return "Make it inside the objective, or let the objective use only data that can be pickled."
