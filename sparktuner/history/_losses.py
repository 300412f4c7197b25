"""Losses as a picture shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktuner.space import BoolArray, FloatArray

# Losses so far apart, all above 0, are seen only on a logarithmic axis.
_ORDERS = 1e3
# From so few on there is no telling what is an outlier.
_FEW = 20


def running_best(losses: FloatArray) -> FloatArray:
    """Returns the lowest loss so far at each trial; NaN until there is one.

    Args:
        losses: (n,), NaN where a trial has none.

    Example:
        >>> running_best(np.array([np.nan, 3.0, np.nan, 1.0, 2.0])).tolist()
        [nan, 3.0, 3.0, 1.0, 1.0]
    """
    best: FloatArray = np.minimum.accumulate(np.where(np.isnan(losses), np.inf, losses))
    return np.where(np.isinf(best), np.nan, best)


@dataclass(frozen=True)
class LossView:
    """How an axis shows losses.

    Attributes:
        log: whether it is logarithmic.
        top: where it ends before the highest loss; None where it does not.
        ends: its lower and its upper end, the same in all panels; None leaves them to
            matplotlib.
    """

    log: bool
    top: float | None = None
    ends: tuple[float, float] | None = None

    def above(self, losses: FloatArray) -> BoolArray:
        """Returns which losses are beyond the axis' end, (n,) booleans."""
        return losses > (np.inf if self.top is None else self.top)


def loss_view(losses: FloatArray) -> LossView:
    """Returns an axis on which losses can be told apart.

    Few that are far above the others would press these into a line, so the axis ends before
    them; the best ones are always seen.

    Args:
        losses: (n,) finite.
    """
    if len(losses) < 2:
        return LossView(False)
    low, high = float(losses.min()), float(losses.max())
    if low > 0 and high / low >= _ORDERS:
        wider = (high / low) ** 0.05
        return LossView(True, None, (low / wider, high * wider))
    top = None
    if len(losses) >= _FEW:
        least, most = (float(end) for end in np.quantile(losses, [0.1, 0.9]))
        # The best losses are never cut off.
        cut = most + 2 * (most - least)
        if least < most and high > cut:
            top = high = cut
    room = 0.05 * (high - low)
    if not (0 < room < np.inf):
        return LossView(False, top)
    return LossView(False, top, (low - room, high + room))
