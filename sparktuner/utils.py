"""Hyperopt's import path for what libraries take from its ``utils``."""

from __future__ import annotations

from datetime import datetime

from sparktuner.checks import check_mapping, shown
from sparktuner.records import utcnow
from sparktuner.space import Literal, Node, nodes


def coarse_utcnow() -> datetime:
    """Returns the time as naive UTC, cut to milliseconds, as trial documents keep it.

    Example:
        >>> from sparktuner.utils import coarse_utcnow
        >>> coarse_utcnow().microsecond % 1000
        0
    """
    return utcnow()


def use_obj_for_literal_in_memo(
    expr: Node, obj: object, lit: object, memo: dict[Node, object]
) -> dict[Node, object]:
    """Gives each constant of a space that is ``lit`` another value, and returns the memo.

    Args:
        expr: the space.
        obj: what stands in.
        lit: what it stands in for; compared by identity.
        memo: node -> value, as :func:`sparktuner.pyll.rec_eval` takes it; changed in place.

    Example:
        >>> from sparktuner.pyll import as_apply, rec_eval
        >>> expr = as_apply([1, str])
        >>> rec_eval(expr, memo=use_obj_for_literal_in_memo(expr, "here", str, {}))
        (1, 'here')
    """
    check_mapping("memo", memo, "{node: 0.5}", is_filled=True)
    if not isinstance(expr, Node):
        raise TypeError(f"expr must be a node, such as pyll.as_apply(space), got {shown(expr)}")
    for node in nodes(expr):
        if isinstance(node, Literal) and node.value is lit:
            memo[node] = obj
    return memo


__all__ = ["coarse_utcnow", "use_obj_for_literal_in_memo"]
