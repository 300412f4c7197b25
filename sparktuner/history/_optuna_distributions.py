"""Parameters as distributions of Optuna, each wide enough for all trials of a study.

Optuna wants one distribution of a name throughout a study, where trials here may be of several
spaces, and hold values that a logarithm has carried past their bound by the last bit.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sparktuner.history._cells import Cell, TableColumn, converted
from sparktuner.history._spaces import option_values
from sparktuner.history._table import PARAMETERS
from sparktuner.records import ColumnRecord

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class _Range:
    """What the values of a numeric parameter may be.

    Attributes:
        low: the least.
        high: the greatest.
        log: whether they spread over orders of magnitude.
        step: the distance between two, or None.
    """

    low: float
    high: float
    log: bool
    step: float | None


def distributions(
    distributions_of: Any,
    parameters: Sequence[TableColumn],
    spaces: Mapping[str, Sequence[ColumnRecord]],
) -> dict[str, BaseDistribution]:
    """Returns a distribution for each label that has a value in some trial.

    Args:
        distributions_of: Optuna's module of them.
        parameters: the columns of a table that hold parameters.
        spaces: by label, what the parameter was in the spaces of the trials.
    """
    found = {}
    for column in parameters:
        label = column.name.removeprefix(PARAMETERS)
        values = [value for value in column.values if value is not None]
        if values:
            records = spaces.get(label, ())
            found[label] = _distribution(distributions_of, column, values, records)
    return found


def _distribution(
    of: Any, column: TableColumn, values: Sequence[Cell], records: Sequence[ColumnRecord]
) -> BaseDistribution:
    options = [option for record in records for option in option_values(record.options)]
    if options or column.kind not in ("int", "float"):
        choices = [*converted(options, column.kind), *values]
        return of.CategoricalDistribution(list(dict.fromkeys(choices)))
    numbers = [value for value in values if isinstance(value, int | float)]
    if column.kind == "int":
        whole = _range(numbers, records, least_for_log=1)
        # Optuna compares numbers as floats, which cannot tell larger integers apart.
        if max(abs(whole.low), abs(whole.high)) > 2**53:
            return of.FloatDistribution(float(whole.low), float(whole.high))
        # It has no logarithm of steps, but one of whole numbers.
        log = whole.log and whole.step == 1
        step = 1 if log or whole.step is None else int(whole.step)
        return of.IntDistribution(int(whole.low), int(whole.high), log=log, step=step)
    real = _range(numbers, records, least_for_log=math.ulp(0.0))
    if real.step is not None:
        return of.FloatDistribution(real.low, real.high, step=real.step)
    return of.FloatDistribution(real.low, real.high, log=real.log)


def _range(
    values: Sequence[float], records: Sequence[ColumnRecord], least_for_log: float
) -> _Range:
    ranges = [each for each in map(_declared, records) if each is not None]
    steps = {each.step for each in ranges}
    ends = [*values, *(e for each in ranges for e in (each.low, each.high) if math.isfinite(e))]
    low, high = min(ends), max(ends)
    step = steps.pop() if len(steps) == 1 else None
    if step is not None:
        low, high = _on_step(low, step), _on_step(high, step)
        if any(abs((v - low) / step - round((v - low) / step)) > 1e-9 for v in values):
            step = None
    log = bool(ranges) and all(each.log for each in ranges) and low >= least_for_log
    return _Range(low, high, log, step)


def _declared(record: ColumnRecord) -> _Range | None:
    """What a parameter's own call of ``hp`` says; None where it is none that is known."""
    try:
        call = ast.parse(record.code, mode="eval").body
        name, numbers = _name_and_numbers(call)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if name == "randint":
        # Its own numbers: the record has them as floats, counted from the least where large.
        low, high = numbers if len(numbers) == 2 else [0, *numbers]
        return _Range(low, high - 1, log=False, step=1)
    log = name.removeprefix("q").startswith("log")
    # A normal distribution reaches everywhere, which no distribution of Optuna's does.
    if "normal" in name or record.low is None or record.high is None:
        return _Range(math.inf, math.inf, log, record.q)
    return _Range(record.low, record.high, log, record.q)


def _name_and_numbers(call: ast.expr) -> tuple[str, list[float]]:
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        raise ValueError("no call of hp")
    return call.func.attr, [ast.literal_eval(number) for number in call.args[1:]]


def _on_step(value: float, step: float) -> float:
    """A multiple of a step as people write it: 3 * 0.1 is 0.30000000000000004."""
    exponent = Decimal(repr(float(step))).normalize().as_tuple().exponent
    return round(value, max(0, -int(exponent)))
