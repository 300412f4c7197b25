"""Values of parameters as places between 0 and 1, as axes of several parameters need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktuner.plotting._seen import SeenParameter
from sparktuner.plotting._style import plain_text
from sparktuner.space import FloatArray


@dataclass(frozen=True)
class Scale:
    """From values to places in [0, 1], and back.

    Attributes:
        low: the value at 0.
        high: the value at 1.
        log: whether between them places are those of logarithms.
        options: names of the values 0, 1, ...; empty where they are numbers.
    """

    low: float
    high: float
    log: bool
    options: tuple[str, ...] = ()

    def places(self, values: FloatArray) -> FloatArray:
        """Returns the places of values (n,); NaN stays."""
        low, high = self.low, self.high
        if self.log:
            values, low, high = np.log(values), np.log(low), np.log(high)
        # Halved, so that no difference overflows.
        places: FloatArray = (values / 2 - low / 2) / (high / 2 - low / 2)
        return places

    def values(self, places: FloatArray) -> FloatArray:
        """Returns the values at places (n,)."""
        low, high = (np.log(self.low), np.log(self.high)) if self.log else (self.low, self.high)
        values: FloatArray = low * (1 - places) + high * places
        return np.exp(values) if self.log else values

    def ticks(self) -> list[tuple[float, str]]:
        """Returns the places and texts of a few marks."""
        if self.options:
            step = -(-len(self.options) // 8)
            chosen = range(0, len(self.options), step)
            at = self.places(np.array(chosen, dtype=np.float64))
            return [
                (float(place), plain_text(self.options[i], 14))
                for place, i in zip(at, chosen, strict=True)
            ]
        ends = np.array([0.0, 0.5, 1.0])
        return [
            (float(place), f"{value:.3g}")
            for place, value in zip(ends, self.values(ends), strict=True)
        ]


def scale_of(values: FloatArray, log: bool, options: tuple[str, ...] = ()) -> Scale:
    """Returns a scale on which all values have a place.

    Args:
        values: (n,), NaN where there is none.
        log: whether logarithms are wanted, which only values above 0 have.
        options: names of the values.
    """
    if options:
        return Scale(-0.5, len(options) - 0.5, False, options)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    log = log and low > 0
    if not low < high:
        # One value stands in the middle.
        room = abs(low) * 0.5 or 1.0
        return Scale(low - room, high + room, False)
    return Scale(low, high, log)


def parameter_scale(parameter: SeenParameter) -> Scale:
    """Returns the scale of a parameter."""
    return scale_of(parameter.values, parameter.log, parameter.options)
