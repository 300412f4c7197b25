"""Functions of nodes: ``scope.int(node)`` is the node whose value is ``int`` of the other's.

A function here does at evaluation what its name says; ``scope`` makes nodes that hold it.
"""

from __future__ import annotations

import difflib
import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar, overload

import numpy as np
import numpy.typing as npt

from sparktuner.checks import shown
from sparktuner.space._draws import DRAWS
from sparktuner.space._nodes import Call, Node, as_node, call, name_of
from sparktuner.space._parameters import Switch

_Function = TypeVar("_Function", bound=Callable[..., object])
_T = TypeVar("_T")


def repeat(n: int, value: _T) -> list[_T]:
    """Returns a list that holds ``value`` ``n`` times."""
    return [value] * n


def identity(value: _T) -> _T:
    """Returns the value itself."""
    return value


def apply(
    function: Callable[..., _T],
    args: Iterable[object] = (),
    kwargs: Mapping[str, object] | None = None,
) -> _T:
    """Calls a function with a tuple of arguments and a dictionary of keyword arguments."""
    return function(*args, **(kwargs or {}))


def asarray(value: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> npt.NDArray[np.generic]:
    """Returns the value as a NumPy array."""
    return np.asarray(value, dtype=dtype)


_BUILTINS: tuple[Callable[..., object], ...] = (
    *(int, float, str, bool, len, list, dict, range),
    *(abs, round, min, max, getattr, functools.partial),
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv),
    *(operator.mod, operator.neg, operator.pow, operator.getitem),
    *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
    *(np.exp, np.log, np.sqrt, np.sin, np.cos, np.tan, np.sum, np.minimum, np.maximum),
    *(repeat, identity, asarray),
)
# They go by their own names, but for this one: ``call`` is taken in this file.
_FUNCTIONS: Mapping[str, Callable[..., object]] = MappingProxyType(
    {**{name_of(function): function for function in _BUILTINS}, "call": apply}
)


class Scope:
    """The functions that may stand in a search space, as attributes that make nodes.

    A function of your own joins with :meth:`define`, and goes before one of the same name
    that is here. A node holds the function itself, so that workers need no scope.

    Noise: ``uniform``, ``quniform``, ``uniformint``, ``loguniform``, ``qloguniform``,
    ``normal``, ``qnormal``, ``lognormal``, ``qlognormal``, ``randint``, ``categorical`` and
    ``one_of`` take no label. Each evaluation draws them anew, and a search does not see them;
    ``hyperopt_param(label, draw)`` makes a parameter of one.

    Example:
        >>> from sparktuner import hp
        >>> from sparktuner.space import evaluate
        >>> evaluate(scope.int(hp.uniform("x", 0, 9)), {"x": 4.5})
        4
        >>> evaluate(scope.normal(hp.uniform("x", 0, 9), 0.1) > 4, {"x": 4.5}, seed=0)
        True
        >>> scope.hyperopt_param("x", scope.uniform(0, 9))
        hp.uniform('x', 0, 9)
    """

    def __init__(self) -> None:
        self._defined: dict[str, tuple[Callable[..., object], int | None]] = {}

    def __getattr__(self, name: str) -> Callable[..., Node]:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._defined:
            return functools.partial(_call_with_length, *self._defined[name])
        if name in _FUNCTIONS:
            return functools.partial(call, _FUNCTIONS[name])
        if name in DRAWS:
            return DRAWS[name]
        raise AttributeError(self._unknown(name))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_FUNCTIONS, *DRAWS, *self._defined})

    def switch(self, index: object, *options: object) -> Switch:
        """Makes the node of the option that the index points at, counted from 0.

        Only that option is evaluated.

        Raises:
            BadSearchSpace: there is no option, or the index can point at none.

        Example:
            >>> from sparktuner import hp
            >>> scope.switch(hp.randint("n", 2), "a", "b")
            scope.switch(hp.randint('n', 2), 'a', 'b')
        """
        return Switch(as_node(index), tuple(as_node(option) for option in options))

    @overload
    def define(self, f: _Function, o_len: int | None = None, pure: bool = False) -> _Function: ...

    @overload
    def define(
        self, f: None = None, o_len: int | None = None, pure: bool = False
    ) -> Callable[[_Function], _Function]: ...

    def define(
        self, f: _Function | None = None, o_len: int | None = None, pure: bool = False
    ) -> _Function | Callable[[_Function], _Function]:
        """Makes ``scope.<name of f>`` available and returns ``f``: a decorator.

        A definition replaces what the name meant before, as when a notebook's cell runs again.

        Args:
            f: a function with a name.
            o_len: how many items its result has, so that its node can be unpacked.
            pure: accepted for Hyperopt's sake; every function is taken to be pure.

        Raises:
            ValueError: the function has no name, or that of one of scope's methods.

        Example:
            >>> from sparktuner.space import evaluate
            >>> own = Scope()
            >>> @own.define
            ... def half(x):
            ...     return x / 2
            >>> evaluate(own.half(3), {})
            1.5
        """
        if f is None:
            return self.define_info(o_len, pure)
        name = getattr(f, "__name__", "")
        if not (callable(f) and name.isidentifier()) or name.startswith("_"):
            raise ValueError(
                "scope.define needs a function whose name does not start with '_', got "
                f"{shown(f)}; write it with def"
            )
        if hasattr(type(self), name):
            raise ValueError(
                f"scope.define: {name!r} is a method of scope; give your function another name"
            )
        self._defined[name] = (f, o_len)
        return f

    def define_pure(self, f: _Function) -> _Function:
        """Makes a function available, as :meth:`define` does, and returns it."""
        return self.define(f)

    def define_info(
        self, o_len: int | None = None, pure: bool = False
    ) -> Callable[[_Function], _Function]:
        """Returns a decorator that defines a function: ``@scope.define_info(o_len=2)``.

        Args:
            o_len: how many items the function's result has, so that its node can be unpacked.
            pure: accepted for Hyperopt's sake; every function is taken to be pure.
        """
        return lambda f: self.define(f, o_len, pure)

    def define_if_new(
        self, f: _Function, o_len: int | None = None, pure: bool = False
    ) -> _Function:
        """Makes ``f`` available unless its name is taken, and returns it."""
        name = name_of(f)
        if name in _FUNCTIONS or name in DRAWS or name in self._defined:
            return f
        return self.define(f, o_len, pure)

    def undefine(self, f: Callable[..., object] | str) -> None:
        """Forgets a function that :meth:`define` made available.

        Raises:
            ValueError: there is no such function.
        """
        name = f if isinstance(f, str) else name_of(f)
        if name not in self._defined:
            raise ValueError(f"scope.undefine: {name!r} was not defined with scope.define")
        del self._defined[name]

    def _unknown(self, name: str) -> str:
        if name in ("choice", "pchoice"):
            return f"scope has no {name!r}: parameters need a label, write hp.{name}('label', ...)"
        known = [n for n in dir(self) if not n.startswith("_")]
        close = difflib.get_close_matches(name, known)
        hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
        return f"scope has no {name!r}; {hint}A function of your own joins with @scope.define"


def _call_with_length(
    function: Callable[..., object], length: int | None, *args: object, **kwargs: object
) -> Call:
    return replace(call(function, *args, **kwargs), length=length)


scope = Scope()
