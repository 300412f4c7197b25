"""``space="annotated"``: the annotations of the objective's parameters are the space."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sparktuner.domain import Objective, ObjectiveResult
from sparktuner.errors import InvalidAnnotatedParameter
from sparktuner.space import Node


def resolve_annotated(fn: Objective, space: object) -> tuple[Objective, object]:
    """Returns the objective and the space that ``space="annotated"`` stands for.

    Any other space is returned as it is.

    Raises:
        InvalidAnnotatedParameter: a parameter of the objective has no search space as its
            annotation.
        ValueError: the space is some other text.
    """
    if not isinstance(space, str):
        return fn, space
    if space != "annotated":
        raise ValueError(f'space is a search space or "annotated", got {space!r}')
    nodes: dict[str, object] = {}
    # eval_str: `from __future__ import annotations` makes text of the nodes.
    for name, parameter in inspect.signature(fn, eval_str=True).parameters.items():
        if not isinstance(parameter.annotation, Node):
            raise InvalidAnnotatedParameter(
                f"with space='annotated' each parameter of the objective needs a search space "
                f"as its annotation, e.g. {name}: hp.uniform({name!r}, 0, 1); "
                f"parameter {name!r} has {_shown(parameter.annotation)}"
            )
        nodes[name] = parameter.annotation
    return _Spread(fn), nodes


def _shown(annotation: object) -> str:
    return "none" if annotation is inspect.Parameter.empty else repr(annotation)


class _Spread:
    """Calls a function with a dictionary's items as keyword arguments."""

    def __init__(self, fn: Objective) -> None:
        self._fn = fn

    def __call__(self, configuration: Mapping[str, Any]) -> ObjectiveResult:
        return self._fn(**configuration)
