"""Functions that take the fields of a dataclass as their arguments.

The dataclass is the one definition of names, types, defaults and meanings: type checkers and
editors see its fields as the function's signature, and so do ``help`` and ``inspect``.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
A = TypeVar("A")
R = TypeVar("R")
S = TypeVar("S")


def takes(
    kind: Callable[P, A], then: Sequence[str] = ()
) -> Callable[[Callable[[A], R]], Callable[P, R]]:
    """Lets a function of one ``kind``, a dataclass, be called with the fields of it.

    Args:
        kind: the dataclass; its fields' metadata have a ``meaning`` each.
        then: what further positional arguments mean, beyond those that are positional fields.
    """

    def decorate(function: Callable[[A], R]) -> Callable[P, R]:
        # Type checkers take the parameters from P, which is the dataclass's constructor.
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(_gather(kind, function.__name__, then, args, kwargs))

        _describe(call, kind, ())
        return call

    return decorate


def method_takes(
    kind: Callable[P, A], then: Sequence[str] = ()
) -> Callable[[Callable[[S, A], R]], Callable[Concatenate[S, P], R]]:
    """Does what :func:`takes` does for a method."""

    def decorate(method: Callable[[S, A], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(method)
        def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return method(self, _gather(kind, method.__name__, then, args, kwargs))

        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        _describe(call, kind, (itself,))
        return call

    return decorate


def _gather(
    kind: Callable[..., A],
    name: str,
    then: Sequence[str],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> A:
    """An instance of ``kind`` from the arguments of a call."""
    parameters = inspect.signature(kind).parameters
    # Python would name the dataclass's __init__, and not what was meant.
    for unknown in kwargs.keys() - parameters.keys():
        close = difflib.get_close_matches(unknown, parameters, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; its arguments are {[*parameters]}"
        raise TypeError(f"{name}() has no argument {unknown!r}{hint}")
    # Hyperopt lets every argument be positional; static checkers are shown only the first ones.
    n = sum(p.kind is not inspect.Parameter.KEYWORD_ONLY for p in parameters.values())
    rest = args[n:]
    if len(rest) > len(then):
        raise TypeError(f"{name}() takes at most {n + len(then)} positional arguments")
    for further, value in zip(then, rest, strict=False):
        if further in kwargs:
            raise TypeError(f"{name}() got two values for argument {further!r}")
        kwargs[further] = value
    try:
        inspect.signature(kind).bind(*args[:n], **kwargs)
    except TypeError as error:
        first = ", ".join([*parameters][:4])
        raise TypeError(f"{name}(): {error}; its arguments begin with {first}") from None
    return kind(*args[:n], **kwargs)


def _describe(call: Any, kind: Callable[..., Any], first: Sequence[inspect.Parameter]) -> None:
    """Gives a function the signature of ``kind``, and its docstring the arguments' meanings."""
    signature = inspect.signature(kind)
    # For help() and for notebooks, which read signatures and docstrings at run time.
    call.__signature__ = inspect.signature(call).replace(
        parameters=[*first, *signature.parameters.values()]
    )
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(kind)  # type: ignore[arg-type]
    by_name = {each.name: each for each in fields}
    lines = ["Args:"]
    for name in signature.parameters:
        text = f"{name}: {by_name[name].metadata['meaning']}"
        lines += textwrap.wrap(text, 87, initial_indent="    ", subsequent_indent=" " * 8)
    before, returns, after = inspect.cleandoc(call.__doc__ or "").partition("Returns:\n")
    call.__doc__ = before + "\n".join(lines) + "\n\n" + returns + after
