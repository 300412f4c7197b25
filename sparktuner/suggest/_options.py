"""The options of algorithms, checked by name: a misspelt one is told before the first trial."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import partial, wraps
from numbers import Real
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
# What a search passes itself, as positional arguments.
_PASSED = ("new_ids", "domain", "trials", "seed")


def with_options(*sets: type) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Returns a decorator of algorithms that refuses unknown options and names what is near.

    Args:
        sets: dataclasses whose fields are options too, beside the algorithm's own arguments.

    Returns:
        The decorator. Its result raises a ``TypeError`` where an option is unknown, and
        :func:`check_options` knows it.

    >>> @with_options()
    ... def suggest(new_ids, domain, trials, seed, width=1):
    ...     return []
    >>> suggest([], None, None, 0, widht=2)
    Traceback (most recent call last):
    TypeError: ...suggest has no option 'widht'; did you mean 'width'? Its only option is width
    """

    def decorate(suggest: Callable[P, T]) -> Callable[P, T]:
        named = [
            p for p in inspect.signature(suggest).parameters.values() if p.kind != p.VAR_KEYWORD
        ]
        own = [parameter.name for parameter in named if parameter.name not in _PASSED]
        options = frozenset(own + [field.name for each in sets for field in fields(each)])
        where = f"{suggest.__module__.rpartition('.')[2]}.{suggest.__name__}"

        @wraps(suggest)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            _refuse_unknown(where, kwargs.keys() - set(_PASSED), options)
            return suggest(*args, **kwargs)

        checked.__dict__["check_keywords"] = partial(_check_keywords, where, options)
        return checked

    return decorate


def check_options(algo: object) -> None:
    """Checks the names of an algorithm's options without calling it.

    Args:
        algo: what ``fmin`` takes as its ``algo``. Only a ``functools.partial`` of one of our
            algorithms has options to check; those of ``mix.suggest`` are looked into.

    Raises:
        TypeError: there is no such option, or a search passes that argument itself; the
            message names what may be meant.

    >>> from sparktuner import tpe
    >>> check_options(partial(tpe.suggest, gama=0.25))
    Traceback (most recent call last):
    TypeError: tpe.suggest has no option 'gama'; did you mean 'gamma'? Its options are ...
    """
    if not isinstance(algo, partial):
        return
    check = getattr(algo.func, "check_keywords", None)
    if check is not None:
        check(algo.keywords)
    for part in _parts(algo.keywords):
        check_options(part)


def as_native(options: Any) -> None:
    """Makes Python's own numbers of the fields of checked options, in place.

    Args:
        options: a frozen dataclass. Fields whose default is an int become one, because 24.0 is
            a number of candidates but none of rows; fields whose default is a float, or None,
            become floats, because NumPy takes no fractions.
    """
    for field in fields(options):
        value = getattr(options, field.name)
        if isinstance(value, Real):
            number = int(value) if isinstance(field.default, int) else float(value)  # type: ignore[call-overload]
            object.__setattr__(options, field.name, number)


def _parts(keywords: Mapping[str, Any]) -> list[object]:
    """The algorithms of a mixture; what is no list of pairs is refused by the mixture itself."""
    pairs = keywords.get("p_suggest", ())
    if not isinstance(pairs, list | tuple):
        return []
    return [pair[1] for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]


def _check_keywords(where: str, options: frozenset[str], keywords: Mapping[str, object]) -> None:
    for name in _PASSED:
        if name in keywords:
            remedy = "; set rstate of fmin instead" if name == "seed" else ""
            raise TypeError(f"{where}: {name} is passed by the search{remedy}")
    _refuse_unknown(where, keywords, options)


def _refuse_unknown(where: str, given: Iterable[str], options: frozenset[str]) -> None:
    unknown = sorted(name for name in given if name not in options)
    if not unknown:
        return
    # Names differ in case too: n_ei_candidates.
    lower = {option.lower(): option for option in sorted(options)}
    near = difflib.get_close_matches(unknown[0].lower(), lower, n=1)
    meant = f"; did you mean {lower[near[0]]!r}?" if near else "."
    listed = ", ".join(sorted(options)) or "none"
    verb = "Its only option is" if len(options) == 1 else "Its options are"
    raise TypeError(f"{where} has no option {unknown[0]!r}{meant} {verb} {listed}")
