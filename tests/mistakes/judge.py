"""Calls something public with a wrong value, and judges what comes of it."""

from __future__ import annotations

import ast
import functools
import inspect
import logging
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import sparktuner
from tests.mistakes.values import ALIKE, VALUES

PACKAGE = Path(sparktuner.__file__).parent
# A call that takes longer hangs; most take a millisecond.
SECONDS = 10.0


@dataclass(frozen=True)
class Argument:
    """One argument of something public, and what it may be beside what it is meant to be.

    Attributes:
        name: for people: ``"fmin(max_evals)"``.
        call: calls it with a value in that place.
        says: what a refusal must hold, one of them; the argument's name as a rule.
        accepts: why values are no mistakes -> their names, separated by spaces. With them what
            is alike is none, but for names with a "!" before them.
        values: names of the values to try; all of them by default.
    """

    name: str
    call: Callable[[object], object]
    says: tuple[str, ...]
    accepts: Mapping[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = tuple(VALUES)

    @property
    def accepted(self) -> set[str]:
        named = {name for names in self.accepts.values() for name in names.split()}
        alike = {name for name, other in ALIKE.items() if other in named}
        return {
            name
            for name in named | (alike & {*self.values})
            if not name.startswith("!") and f"!{name}" not in named
        }


class Hang(BaseException):
    """The time is up; not an Exception, which the code under test may catch."""


def verdicts(argument: Argument) -> Iterator[tuple[str, str]]:
    """Yields the values that are not dealt with as they should be, and what happens."""
    unknown = argument.accepted - set(argument.values)
    assert not unknown, f"{argument.name} accepts values that are not tried: {unknown}"
    for name in argument.values:
        wrong = _verdict(argument, name)
        if wrong:
            yield name, wrong


def _verdict(argument: Argument, name: str) -> str:
    value = VALUES[name]()
    try:
        return judged(lambda: argument.call(value), argument.says, name in argument.accepted)
    finally:
        if inspect.iscoroutine(value):
            value.close()


def judged(call: Callable[[], object], says: tuple[str, ...], accepted: bool) -> str:
    """Returns what is wrong with the outcome of a call; empty where nothing is.

    Args:
        call: what is called.
        says: what a refusal, or a warning, must hold, one of them.
        accepted: whether it is to be taken as no mistake.
    """
    heard: list[str] = []
    try:
        with _listening(heard), _limited():
            call()
    except Hang:
        return f"hangs for {SECONDS:g} s"
    except BaseException as error:
        if accepted:
            return f"is listed as accepted, but refused: {error!r:.200}"
        return _of_error(error, says)
    if accepted or any(each in text for text in heard for each in says):
        return ""
    return "is accepted without a word"


def _of_error(error: BaseException, says: tuple[str, ...]) -> str:
    if not isinstance(error, ValueError | TypeError | RuntimeError):
        return f"raises {type(error).__name__}: {error!r:.200} at {_place(error)}"
    if not _raised_by_us(error):
        return f"raises from inside: {error!r:.200} at {_place(error)}"
    try:
        text = str(error)
    except Exception as shown:
        return f"raises an error that cannot be shown: {shown!r}"
    if not any(each in text for each in says):
        return f"is refused without naming {says}: {error!r:.200} at {_place(error)}"
    return ""


def _raised_by_us(error: BaseException) -> bool:
    last = traceback.extract_tb(error.__traceback__)[-1]
    path = Path(last.filename)
    return PACKAGE in path.parents and last.lineno in _raises(path)


def _place(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


@functools.cache
def _raises(path: Path) -> frozenset[int]:
    """The lines of a file that belong to a raise statement."""
    tree = ast.parse(path.read_text())
    found = [each for each in ast.walk(tree) if isinstance(each, ast.Raise)]
    return frozenset(
        line for each in found for line in range(each.lineno, (each.end_lineno or 0) + 1)
    )


class _Keeper(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())


@contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Keeps what is said meanwhile by warnings and in sparktuner's log."""
    log, keeper = logging.getLogger("sparktuner"), _Keeper(heard)
    log.addHandler(keeper)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    finally:
        log.removeHandler(keeper)
        heard += [str(each.message) for each in caught if each.category is not ResourceWarning]


@contextmanager
def _limited() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
