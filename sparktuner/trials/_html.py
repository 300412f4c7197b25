"""Trials as a notebook shows them: a line, a small table and a small chart.

Colours of text are those of the page, which may be light or dark. Everything that a user or a
store has written is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from sparktuner.history import loss_view, running_best
from sparktuner.space import FloatArray

_WIDTH, _HEIGHT = 420, 130
# Room for the numbers at the left, and for what is written below.
_LEFT, _BOTTOM, _EDGE = 58, 18, 6
_MOST_POINTS = 400
_MOST_ROWS = 12
_LONGEST = 60
_BLUE, _ORANGE = "#1F83CC", "#E69F00"


def trials_html(
    summary: str,
    losses: FloatArray,
    best: tuple[object, float] | None,
    values: Sequence[tuple[str, object]],
    error: str,
) -> str:
    """Returns trials as HTML.

    Args:
        summary: what there is, in one line.
        losses: (n,) in the order of the trials, NaN where one has none.
        best: the best trial's id and loss; None where no trial has a loss.
        values: its parameters.
        error: of the last trial that failed; shown where no trial has a loss.
    """
    parts = [f"<div>{_text(summary, 300)}</div>"]
    if best is None:
        if error:
            parts.append(f"<div>Last error: {_text(error, 300)}</div>")
    else:
        parts.append(
            '<div style="display:flex;flex-wrap:wrap;gap:24px;align-items:center;margin-top:6px">'
            f"{_table(best, values)}{losses_svg(losses)}</div>"
        )
    return f'<div style="font-size:13px;line-height:1.5">{"".join(parts)}</div>'


def losses_svg(losses: FloatArray) -> str:
    """Returns a chart of losses and of the best so far, as SVG of at most about 40 kB.

    Args:
        losses: (n,) in the order of the trials, NaN where one has none; at least one has one.
    """
    known = losses[np.isfinite(losses)]
    view = loss_view(known)
    low, high = view.ends if view.ends is not None else _around(known)
    # The numbers are those of the highest and of the lowest point.
    ends = f"{min(known.max(), high):.3g}", f"{known.min():.3g}"
    both = np.clip(np.stack([losses, running_best(losses)]), low, high)
    if view.log:
        both, low, high = np.log(both), float(np.log(low)), float(np.log(high))
    # Halved, so that no difference overflows.
    share = (both / 2 - low / 2) / (high / 2 - low / 2)
    y, best = _EDGE + (_HEIGHT - _BOTTOM - _EDGE) * (1 - share)
    x = _LEFT + (_WIDTH - _LEFT - _EDGE) * (np.arange(len(losses)) + 0.5) / len(losses)
    dots = "".join(f'<circle cx="{x[i]:.1f}" cy="{y[i]:.1f}" r="2"/>' for i in points_of(losses))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        'style="max-width:100%" xmlns="http://www.w3.org/2000/svg">'
        "<title>The loss of each trial, and the best so far</title>"
        '<g fill="none" stroke="currentColor" stroke-opacity="0.35">'
        f'<path d="M{_LEFT} {_EDGE}V{_HEIGHT - _BOTTOM}H{_WIDTH - _EDGE}"/></g>'
        f'<g fill="{_BLUE}" fill-opacity="0.9">{dots}</g>'
        f'<path d="{_steps(x, best)}" fill="none" stroke="{_ORANGE}" stroke-width="2"/>'
        '<g fill="currentColor" font-size="11" font-family="sans-serif" text-anchor="end">'
        f'<text x="{_LEFT - 5}" y="{_EDGE + 9}">{ends[0]}</text>'
        f'<text x="{_LEFT - 5}" y="{_HEIGHT - _BOTTOM}">{ends[1]}</text>'
        f'<text x="{_WIDTH - _EDGE}" y="{_HEIGHT - 4}">loss by trial, '
        f'<tspan fill="{_ORANGE}">best so far</tspan></text></g></svg>'
    )


def points_of(losses: FloatArray) -> list[int]:
    """Returns the positions of the trials that are drawn: of many, two of each stretch.

    Args:
        losses: (n,), NaN where a trial has none.
    """
    rows = np.flatnonzero(np.isfinite(losses))
    if len(rows) <= _MOST_POINTS:
        return [int(row) for row in rows]
    # Beside the best one any other, so that the cloud looks as all of them would.
    stretches = np.array_split(rows, _MOST_POINTS // 2)
    best = {int(stretch[np.argmin(losses[stretch])]) for stretch in stretches}
    return sorted(best | {int(stretch[len(stretch) // 2]) for stretch in stretches})


def _around(known: FloatArray) -> tuple[float, float]:
    # One value, or the ends of all floats.
    low, high = float(known.min()), float(known.max())
    room = 0.0 if high > low else abs(low) / 10 or 1.0
    return low - room, high + room


def _steps(x: FloatArray, y: FloatArray) -> str:
    known = np.flatnonzero(np.isfinite(y))
    first = int(known[0])
    path = [f"M{x[first]:.1f} {y[first]:.1f}"]
    for i in known[1:]:
        if y[i] != y[i - 1]:
            path.append(f"H{x[i]:.1f}V{y[i]:.1f}")
    return "".join([*path, f"H{x[-1]:.1f}"])


def _table(best: tuple[object, float], values: Iterable[tuple[str, object]]) -> str:
    values = list(values)
    rows = [("loss", best[1]), *islice(values, _MOST_ROWS)]
    cells = "".join(
        f'<tr><td style="text-align:left">{_text(label)}</td>'
        f'<td style="text-align:left">{_text(value)}</td></tr>'
        for label, value in rows
    )
    if len(values) > _MOST_ROWS:
        more = f"{len(values) - _MOST_ROWS} more in trials.best_params"
        cells += f'<tr><td colspan="2" style="text-align:left">{more}</td></tr>'
    head = f'<tr><th colspan="2" style="text-align:left">best: trial {_text(best[0])}</th></tr>'
    # In old pages tables do not inherit, and would be black on dark grounds.
    style = "color:inherit;font-size:inherit"
    return f'<table style="{style}"><thead>{head}</thead><tbody>{cells}</tbody></table>'


def _text(value: object, most: int = _LONGEST) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return html.escape(text if len(text) <= most else f"{text[: most - 1]}…")
