"""Finds the part of an object that cannot be pickled, and gives it a name."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

# Deep enough for real objects; a linked list of locks need not be followed to its end.
_MAX_DEPTH = 20


class UnpicklablePart(NamedTuple):
    """The innermost part of a value that cannot be pickled.

    Attributes:
        path: how to get there from the value, e.g. ``"['model'].lock"``; empty for the value
            itself.
        part: the part itself.
        error: type and first line of what pickling it raises.
    """

    path: str
    part: object
    error: str


def find_unpicklable_part(
    value: object, dumps: Callable[[object], bytes]
) -> UnpicklablePart | None:
    """Returns the innermost part of ``value`` that ``dumps`` refuses; None if it takes it all."""
    error = _error(value, dumps)
    if error is None:
        return None
    path, seen = "", {id(value)}
    for _ in range(_MAX_DEPTH):
        for step, part in _parts(value):
            part_error = None if id(part) in seen else _error(part, dumps)
            seen.add(id(part))
            if part_error is not None:
                path, value, error = _join(path, step), part, part_error
                break
        else:
            break
    return UnpicklablePart(path, value, error)


def type_name(value: object) -> str:
    """Returns the qualified name of ``value``'s type, without ``builtins.``."""
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _error(value: object, dumps: Callable[[object], bytes]) -> str | None:
    try:
        dumps(value)
    except Exception as error:  # whatever __reduce__ raises is an answer here
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def _join(path: str, step: str) -> str:
    if step[0] in "[." or not path:
        return path + step
    return f"{path}, {step}"


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Yield (step, part) for what pickling ``value`` would pickle in turn."""
    if type(value).__module__.startswith("pyspark."):
        return  # a session says more than the lock deep inside it
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from _items(value)
    elif isinstance(value, set | frozenset):
        yield from (("an element", part) for part in value)
    elif isinstance(value, functools.partial):
        yield "the partial's function", value.func
        yield from ((f"argument {i}", part) for i, part in enumerate(value.args))
        yield from ((f"argument {key!r}", part) for key, part in value.keywords.items())
    elif isinstance(value, types.MethodType):
        yield f"the object whose method {value.__name__!r} it is", value.__self__
    elif isinstance(value, types.FunctionType):
        yield from _function_parts(value)
    else:
        yield from _attributes(value)


def _items(value: Sequence[object]) -> Iterator[tuple[str, object]]:
    names = getattr(value, "_fields", None)  # a named tuple's
    for index, part in enumerate(value):
        yield (f".{names[index]}" if names else f"[{index}]"), part


def _function_parts(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f"variable {name!r}", cell.cell_contents
        except ValueError:  # not bound yet
            continue
    for name in _global_names(function.__code__):
        if name in function.__globals__:
            yield f"global {name!r}", function.__globals__[name]
    for index, part in enumerate(function.__defaults__ or ()):
        yield f"default argument {index}", part
    for name, part in (function.__kwdefaults__ or {}).items():
        yield f"default argument {name!r}", part
    yield from _attributes(function)


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):  # functions defined inside
            yield from _global_names(constant)


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    for name, part in list(getattr(value, "__dict__", {}).items()):
        yield f".{name}", part
    if isinstance(value, type):
        return
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield f".{name}", getattr(value, name)
