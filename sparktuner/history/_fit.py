"""Values of another tool's trials, as a configuration of a search space."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import NoReturn

from sparktuner.errors import BadSearchSpace
from sparktuner.history._cells import is_missing
from sparktuner.history._options import Options, options_of
from sparktuner.records import Configuration, DoesNotFit, describe_space
from sparktuner.space import (
    Distribution,
    FlatSpace,
    Numeric,
    described,
    flatten,
    is_number,
    native,
    out_of_bounds,
)

# How many options a message names.
_SHOWN = 5


class SpaceFit:
    """Reads values by label as configurations of a space.

    Attributes:
        space: the space in columns.
        record: its description.
        ignored: label -> in how many trials it had a value and was not active.
    """

    def __init__(self, space: object) -> None:
        """Flattens the space.

        Raises:
            BadSearchSpace: the space is ill-formed, or has no parameter.
        """
        self.space: FlatSpace = flatten(space)
        if not self.space.columns:
            raise BadSearchSpace(
                "space must be the search space, such as {'x': hp.uniform('x', 0, 1)}, got "
                f"{described(space)}, which has no parameter"
            )
        self.record = describe_space(self.space)
        self.ignored: Counter[str] = Counter()
        options = options_of(self.space)
        self._distributions = {}
        self._options = {}
        for record, column, parameter in zip(
            self.record.columns, self.space.columns, self.space.parameters, strict=True
        ):
            self._distributions[record] = column.distribution
            if parameter in options:
                self._options[record] = Options(record.options, options[parameter])

    def configuration(self, values: Mapping[str, object], by_index: bool = False) -> Configuration:
        """Returns values as a configuration.

        Args:
            values: by label; of a choice, a value that means one of its options. Those of
                parameters that are not active are left out, and counted in :attr:`ignored`.
            by_index: a choice's value is the index of its option.

        Raises:
            DoesNotFit: the space cannot make them.
        """
        configuration: Configuration = {}
        # A generator that reads what is being filled in: choices before what is below them.
        for record in self.record.active(configuration):
            label, value = record.label, values.get(record.label)
            options = None if by_index else self._options.get(record)
            if options is not None:
                configuration[label] = _index(label, value, options)
            elif is_missing(value):
                raise DoesNotFit(f"no value of {label!r}")
            else:
                configuration[label] = _number(label, value, self._distributions[record])
        self._check(configuration, values)
        return configuration

    def _check(self, configuration: Configuration, values: Mapping[str, object]) -> None:
        wrong = out_of_bounds(self.space, configuration)
        if wrong:
            raise DoesNotFit(wrong[0])
        given = {label for label, value in values.items() if not is_missing(value)}
        unknown = sorted(given - set(self.space.labels), key=str)
        if unknown:
            raise DoesNotFit(f"{unknown[0]!r} is no parameter of the space")
        self.ignored.update(given - configuration.keys())


def _index(label: str, value: object, options: Options) -> int:
    index = options.index(value)
    if index is None:
        shown = ", ".join(map(repr, options.shown[:_SHOWN]))
        more = ", ..." if len(options.shown) > _SHOWN else ""
        if is_missing(value):
            raise DoesNotFit(f"no value of {label!r}")
        _refuse(label, value, f"one of its options, {shown}{more}")
    return index


def _number(label: str, value: object, distribution: Distribution) -> int | float:
    number = native(value)
    if isinstance(number, str):
        number = _read(number)
    if not is_number(number) or not isinstance(number, int | float) or not _is_finite(number):
        _refuse(label, value, "a number")
    step = getattr(distribution, "q", 1)
    if step is not None and abs(number / step - round(number / step)) > 1e-6:
        _refuse(label, value, "a whole number" if step == 1 else f"a multiple of {step:g}")
    if isinstance(distribution, Numeric):
        return distribution.native(number)
    return int(number)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an int larger than any float
        return False


def _read(text: str) -> object:
    # Whole numbers first: as a float one beyond 2**53 may be another.
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def _refuse(label: str, value: object, needed: str) -> NoReturn:
    raise DoesNotFit(f"{label!r} is {described(native(value))}, and must be {needed}")
