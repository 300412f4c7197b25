"""A search space as columns: which parameters there are, and when each is active."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.errors import BadSearchSpace, DuplicateLabel
from sparktuner.space._distributions import Distribution
from sparktuner.space._evaluate import Configuration
from sparktuner.space._nodes import Node, Parameter, as_node, native
from sparktuner.space._routes import Graph, RouteFinder, Routes, contradict, graph_of, in_order
from sparktuner.space._stacked import StackedDistributions
from sparktuner.space._standard_normal import FloatArray

BoolArray: TypeAlias = npt.NDArray[np.bool_]
_Conditions: TypeAlias = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True)
class Column:
    """One parameter of a flat space.

    Attributes:
        label: the parameter's label; two columns share one only in exclusive branches.
        distribution: its prior.
        path: where the parameter was first met, for messages: ``"['svm']['C']"``.
        conditions: alternatives, each a tuple of (column index, value) that must all hold
            for the parameter to be active; ``((),)`` if it always is. A pair holds where the
            column itself is active and has that value: only the nearest choices are named,
            what they depend on follows.
    """

    label: str
    distribution: Distribution
    path: str
    conditions: _Conditions

    @property
    def is_conditional(self) -> bool:
        """Whether there are configurations without this parameter."""
        return self.conditions != ((),)


@dataclass(frozen=True, eq=False)
class FlatSpace:
    """The parameters of a search space as p columns, parents before their children.

    Arrays of latents have shape (n, p) and NaN where a parameter is not active.

    Attributes:
        root: the space as one node.
        columns: its parameters.
        parameters: the nodes that the columns stand for, in the same order.
    """

    root: Node
    columns: tuple[Column, ...]
    parameters: tuple[Parameter, ...]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels, in the order of the columns."""
        return tuple(dict.fromkeys(column.label for column in self.columns))

    @cached_property
    def is_conditional(self) -> bool:
        """Whether any parameter is active in some configurations only."""
        return any(column.is_conditional for column in self.columns)

    @cached_property
    def _stacked(self) -> StackedDistributions:
        return StackedDistributions([column.distribution for column in self.columns])

    @cached_property
    def _branches(self) -> list[tuple[_Conditions, npt.NDArray[np.intp]]]:
        """Columns that are active together, parents before their children."""
        branches: dict[_Conditions, list[int]] = {}
        for j, column in enumerate(self.columns):
            if column.is_conditional:
                branches.setdefault(column.conditions, []).append(j)
        return [(conditions, np.array(js)) for conditions, js in branches.items()]

    def active(self, latents: FloatArray) -> BoolArray:
        """Which parameters are active, from the latents of the choices above them.

        Args:
            latents: (n, p); entries below a choice not taken may hold anything.

        Returns:
            (n, p)
        """
        if len(latents) == 1:
            # A trial is one row, for which plain loops are ten times faster.
            return np.array([self._active_row(latents[0].tolist())], dtype=np.bool_)
        mask = np.ones(latents.shape, dtype=np.bool_)
        for conditions, js in self._branches:
            holds = np.zeros(len(latents), dtype=np.bool_)
            for condition in conditions:
                met = np.ones(len(latents), dtype=np.bool_)
                for parent, value in condition:
                    met &= mask[:, parent] & (latents[:, parent] == value)
                holds |= met
            mask[:, js] = holds[:, None]
        return mask

    def _active_row(self, row: list[float]) -> list[bool]:
        flags = []
        for j, (_, conditions) in enumerate(self._conditional_labels):
            is_active = conditions is None or _meets(row, conditions)
            if not is_active:
                row[j] = np.nan
            flags.append(is_active)
        return flags

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """``n`` independent draws from the prior, as latents of shape (n, p)."""
        return self.from_unit(rng.random((n, len(self.columns))))

    def from_unit(self, u: FloatArray) -> FloatArray:
        """Latents at points of the unit cube, each column through its prior's quantiles.

        Args:
            u: (n, p) in [0, 1].

        Returns:
            (n, p), NaN where a parameter is not active.
        """
        latents = self._stacked.quantile(np.asarray(u, dtype=np.float64))
        latents[~self.active(latents)] = np.nan
        return latents

    def snap(self, latents: FloatArray) -> FloatArray:
        """Latents (n, p), each moved to the nearest one that stands for a value."""
        return self._stacked.snap(latents)

    def decode(self, latents: FloatArray) -> list[dict[str, Any]]:
        """Configurations of native values, active labels only.

        Args:
            latents: (n, p); what stands below a choice not taken is ignored. A NaN gives no
                value.
        """
        given = self.active(latents) & ~np.isnan(latents)
        values = self._stacked.from_latent(latents)
        return [
            {
                label: native(value)
                for (label, native), value, is_given in zip(self._natives, row, flags, strict=True)
                if is_given
            }
            for row, flags in zip(values.tolist(), given.tolist(), strict=True)
        ]

    def encode(self, configurations: SequenceOf[Configuration]) -> FloatArray:
        """Latents of shape (n, p); NaN where inactive, or where a label has no value.

        Equal values have equal latents, bit for bit the ones that :meth:`sample` gives. A
        value outside its bounds, from a search over a wider space, counts as the bound; an
        index that points at no option counts as no value.

        Raises:
            BadSearchSpace: a value is not a number.
        """
        values = [self._values(configuration) for configuration in configurations]
        shape = len(values), len(self.columns)
        return self._stacked.to_latent(np.array(values, dtype=np.float64).reshape(shape))

    def _values(self, configuration: Configuration) -> list[float]:
        """One configuration's values by column, NaN where there is none."""
        row: list[float] = []
        for label, conditions in self._conditional_labels:
            value = configuration.get(label, np.nan)
            if value.__class__ not in _NUMBERS:
                value = _number(label, value)
            row.append(value if conditions is None or _meets(row, conditions) else np.nan)
        return row

    @cached_property
    def _natives(self) -> list[tuple[str, Callable[[float], Any]]]:
        return [(column.label, column.distribution.native) for column in self.columns]

    @cached_property
    def _conditional_labels(self) -> list[tuple[str, _Conditions | None]]:
        return [(c.label, c.conditions if c.is_conditional else None) for c in self.columns]


_NUMBERS = (float, int)


def _number(label: str, value: Any) -> float:
    number = native(value)
    if not isinstance(number, bool | int | float):
        raise BadSearchSpace(
            f"the value of parameter {label!r} must be a number (a choice's is the index of its "
            f"option), got {value!r}"
        )
    return number


def _meets(row: list[float], conditions: _Conditions) -> bool:
    # Plain loops: this runs for each column of each trial.
    for condition in conditions:
        for parent, value in condition:
            if row[parent] != value:
                break
        else:
            return True
    return False


def flatten(space: object) -> FlatSpace:
    """Find every parameter of a search space and when it is active.

    Raises:
        DuplicateLabel: two parameters of one label can be active together; both places are
            named.
        BadSearchSpace: the space is ill-formed in another way.
    """
    root = as_node(space)
    graph = graph_of(root)
    finder = RouteFinder(graph)
    parameters = [node for node in graph.paths if isinstance(node, Parameter)]
    _check_labels(parameters, graph, finder)
    order = in_order(parameters, finder)
    place = {parameter: j for j, parameter in enumerate(order)}
    columns = tuple(
        Column(
            parameter.label,
            parameter.distribution,
            _path(graph, parameter),
            _conditions(finder.routes(parameter), place),
        )
        for parameter in order
    )
    return FlatSpace(root, columns, tuple(order))


def _path(graph: Graph, parameter: Parameter) -> str:
    return graph.paths[parameter] or "the space itself"


def _conditions(routes: Routes, place: dict[Parameter, int]) -> _Conditions:
    return tuple(
        sorted(tuple(sorted((place[parent], value) for parent, value in a)) for a in routes)
    )


def _check_labels(parameters: Iterable[Parameter], graph: Graph, finder: RouteFinder) -> None:
    by_label: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        others = by_label.setdefault(parameter.label, [])
        for other in others:
            if not _exclusive(other, parameter, finder):
                raise DuplicateLabel(
                    f"label {parameter.label!r} names two parameters that can be active "
                    f"together: at {_path(graph, other)} and at {_path(graph, parameter)}; "
                    "give one of them another label, or use the same node in both places"
                )
        others.append(parameter)


def _exclusive(first: Parameter, second: Parameter, finder: RouteFinder) -> bool:
    return all(
        contradict(a, b) for a in finder.whole_routes(first) for b in finder.whole_routes(second)
    )
