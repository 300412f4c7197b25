"""Naming the part that cannot be pickled."""

from __future__ import annotations

import functools
import pickle
import threading
from collections import namedtuple
from typing import Any

import cloudpickle
import pytest

from sparktuner.execute.worker import find_unpicklable_part, type_name

LOCK = threading.Lock()


class Holder:
    def __init__(self, lock: Any) -> None:
        self.fine = 1
        self.lock = lock

    def method(self, config: Any) -> float:
        return 0.0


class Slotted:
    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.lock = LOCK


def make_closure() -> Any:
    held = {"deep": [LOCK]}

    def helper() -> Any:
        return held

    return lambda config: helper()


def uses_global(config: Any) -> Any:
    return [LOCK for _ in config]


def has_default(config: Any, lock: Any = LOCK) -> Any:
    return lock


def has_keyword_default(config: Any, *, lock: Any = LOCK) -> Any:
    return lock


for function in (uses_global, has_default, has_keyword_default, make_closure):
    function.__module__ = "__main__"  # so that cloudpickle ships them by value

Pair = namedtuple("Pair", "left right")
loop: list[Any] = [1]
loop.append(loop)
loop.append(LOCK)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (LOCK, ""),
        ({"a": 1, "model": LOCK}, "['model']"),
        ({"a": {"b": [0, (1, LOCK)]}}, "['a']['b'][1][1]"),
        (Pair(1, LOCK), ".right"),
        (Holder(LOCK), ".lock"),
        ({"m": Holder({"x": LOCK})}, "['m'].lock['x']"),
        (Slotted(), ".lock"),
        (loop, "[2]"),
        (functools.partial(print, LOCK), "argument 0"),
        (functools.partial(print, end=LOCK), "argument 'end'"),
        (Holder(LOCK).method, "the object whose method 'method' it is.lock"),
        (make_closure(), "variable 'helper', variable 'held'['deep'][0]"),
        (uses_global, "global 'LOCK'"),
        (has_default, "default argument 0"),
        (has_keyword_default, "default argument 'lock'"),
    ],
)
def test_the_innermost_part_is_named(value: Any, path: str) -> None:
    offender = find_unpicklable_part(value, cloudpickle.dumps)
    assert offender is not None
    assert offender.path == path
    assert offender.part is LOCK
    assert offender.error == "TypeError: cannot pickle '_thread.lock' object"


def test_what_can_be_pickled_has_no_offender() -> None:
    assert find_unpicklable_part({"x": [1, 2], "f": len}, pickle.dumps) is None


def test_a_part_whose_pickling_runs_wild_is_still_named() -> None:
    class Wild:
        def __reduce__(self) -> Any:
            raise SystemError("wild\nsecond line")

    offender = find_unpicklable_part([Wild()], pickle.dumps)
    assert offender is not None
    assert (offender.path, offender.error) == ("[0]", "SystemError: wild")


def test_types_are_named_with_their_module_unless_built_in() -> None:
    assert type_name(1) == "int"
    assert type_name(LOCK) == "_thread.lock"
    assert type_name(Holder(1)).endswith("test_pickling.Holder")
