"""A search space as columns: which parameters it has, and when each is active.

A column is active where the choices above it take the branch in which it stands, as in the
tree-structured spaces of Bergstra et al. (2011), Algorithms for Hyper-Parameter Optimization;
here branches may also meet again. A row of latents is one configuration, with NaN in the
columns that are not active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.errors import BadSearchSpace, DuplicateLabel
from sparktuner.space._distributions import Distribution, RandInt
from sparktuner.space._evaluate import Configuration
from sparktuner.space._nodes import Node, as_node, native
from sparktuner.space._parameters import Parameter
from sparktuner.space._routes import Graph, RouteFinder, Routes, contradict, graph_of, in_order
from sparktuner.space._stacked import StackedDistributions
from sparktuner.space._standard_normal import FloatArray

BoolArray: TypeAlias = npt.NDArray[np.bool_]
_Conditions: TypeAlias = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True)
class Column:
    """One parameter of a flat space, and the choices on which it depends.

    Attributes:
        label: the parameter's label; two columns share one only in exclusive branches.
        distribution: its prior.
        path: where the parameter was first met, for messages: ``"['svm']['C']"``.
        conditions: alternatives, each a tuple of (column index, value) that must all hold
            for the parameter to be active; ``((),)`` if it always is. A pair holds where the
            column itself is active and has that value: only the nearest choices are named,
            what they depend on follows.

    Example:
        >>> from sparktuner import hp
        >>> space = hp.choice("model", ["bayes", {"C": hp.lognormal("C", 0, 1)}])
        >>> [(column.label, column.conditions) for column in flatten(space).columns]
        [('model', ((),)), ('C', (((0, 1),),))]
    """

    label: str
    distribution: Distribution
    path: str
    conditions: _Conditions

    @property
    def is_conditional(self) -> bool:
        """Returns whether there are configurations without this parameter."""
        return self.conditions != ((),)


@dataclass(frozen=True, eq=False)
class FlatSpace:
    """A search space whose parameters are p columns, parents before their children.

    Arrays of latents have shape (n, p) and NaN where a parameter is not active.

    Attributes:
        root: the space as one node.
        columns: its parameters.
        parameters: the nodes that the columns stand for, in the same order.

    Example:
        >>> from sparktuner import hp
        >>> space = flatten([hp.randint("n", 4), hp.uniform("x", 0, 1)])
        >>> latents = space.from_unit(np.array([[0.5, 0.25]]))
        >>> space.decode(latents)
        [{'n': 2, 'x': 0.25}]
    """

    root: Node
    columns: tuple[Column, ...]
    parameters: tuple[Parameter, ...]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Returns the distinct labels, in the order of the columns."""
        return tuple(dict.fromkeys(column.label for column in self.columns))

    @cached_property
    def is_conditional(self) -> bool:
        """Returns whether any parameter is active in some configurations only."""
        return any(column.is_conditional for column in self.columns)

    @cached_property
    def _stacked(self) -> StackedDistributions:
        return StackedDistributions([column.distribution for column in self.columns])

    @cached_property
    def _branches(self) -> list[tuple[_Conditions, npt.NDArray[np.intp]]]:
        """Returns the columns that are active together, parents before their children."""
        # All columns of one option share their conditions, which are then worked out once.
        branches: dict[_Conditions, list[int]] = {}
        for j, column in enumerate(self.columns):
            if column.is_conditional:
                branches.setdefault(column.conditions, []).append(j)
        return [(conditions, np.array(js)) for conditions, js in branches.items()]

    def active(self, latents: FloatArray) -> BoolArray:
        """Returns which parameters are active, from the latents of the choices above them.

        Args:
            latents: (n, p); entries below a choice not taken may hold anything.

        Returns:
            (n, p) booleans.
        """
        if len(latents) == 1:
            # A trial is one row, for which plain loops are ten times faster.
            return np.array([self._active_row(latents[0].tolist())], dtype=np.bool_)
        mask = np.ones(latents.shape, dtype=np.bool_)
        for conditions, js in self._branches:
            # Active where one of the alternatives has all of its pairs.
            holds = np.zeros(len(latents), dtype=np.bool_)
            for condition in conditions:
                met = np.ones(len(latents), dtype=np.bool_)
                for parent, value in condition:
                    # Parents come first, so the mask of this one is final already.
                    met &= mask[:, parent] & (latents[:, parent] == value)
                holds |= met
            mask[:, js] = holds[:, None]
        return mask

    def _active_row(self, row: list[float]) -> list[bool]:
        # An inactive choice becomes NaN, which equals no value, so nothing below it is active.
        flags = []
        for j, (_, conditions) in enumerate(self._conditional_labels):
            is_active = conditions is None or _meets(row, conditions)
            if not is_active:
                row[j] = np.nan
            flags.append(is_active)
        return flags

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Returns independent draws from the prior.

        Args:
            rng: where they come from.
            n: how many.

        Returns:
            (n, p) latents.
        """
        # One number for each column, active or not, so that a draw's place in the stream does
        # not depend on what was drawn before.
        return self.from_unit(rng.random((n, len(self.columns))))

    def from_unit(self, u: FloatArray) -> FloatArray:
        """Returns the latents at points of the unit cube: quantiles of the priors.

        Args:
            u: (n, p) in [0, 1].

        Returns:
            (n, p), NaN where a parameter is not active.
        """
        latents = self._stacked.quantile(np.asarray(u, dtype=np.float64))
        latents[~self.active(latents)] = np.nan
        return latents

    def snap(self, latents: FloatArray) -> FloatArray:
        """Returns latents, each moved to the nearest one that stands for a value.

        Args:
            latents: (n, p)
        """
        return self._stacked.snap(latents)

    def decode(self, latents: FloatArray) -> list[dict[str, int | float]]:
        """Returns the configurations of latents: native values of the active labels.

        Args:
            latents: (n, p); what stands below a choice not taken is ignored. A NaN gives no
                value.
        """
        given = self.active(latents) & ~np.isnan(latents)
        values = self._stacked.from_latent(latents)
        # tolist makes Python's floats, which round to integers in an eighth of NumPy's time.
        return [
            {
                label: native(value)
                for (label, native), value, is_given in zip(self._natives, row, flags, strict=True)
                if is_given
            }
            for row, flags in zip(values.tolist(), given.tolist(), strict=True)
        ]

    def encode(self, configurations: SequenceOf[Configuration]) -> FloatArray:
        """Returns the latents of configurations.

        Equal values have equal latents, bit for bit the ones that :meth:`sample` gives. A
        value outside its bounds, from a search over a wider space, counts as the bound; an
        index that points at no option counts as no value.

        Args:
            configurations: n of them; labels of no column are ignored.

        Returns:
            (n, p), NaN where a parameter is inactive, or where its label has no value.

        Raises:
            BadSearchSpace: a value is not a number.
        """
        values = [self._values(configuration) for configuration in configurations]
        shape = len(values), len(self.columns)
        return self._stacked.to_latent(np.array(values, dtype=np.float64).reshape(shape))

    def _values(self, configuration: Configuration) -> list[float]:
        """Returns one configuration's values by column, NaN where there is none."""
        row: list[float] = []
        for label, conditions in self._conditional_labels:
            # A label may belong to several columns, of which at most one is active: the value
            # of a trial in one branch must not appear in another's column.
            value = configuration.get(label, np.nan)
            if value.__class__ not in _NUMBERS:
                value = _number(label, value)
            row.append(value if conditions is None or _meets(row, conditions) else np.nan)
        for j, origin in self._origins:
            # Here, where values are still Python's: as a float it may be another integer.
            row[j] -= origin
        return row

    @cached_property
    def _origins(self) -> list[tuple[int, int]]:
        """Returns the columns of large integers, which arrays hold as distances, and from what."""
        return [
            (j, c.distribution.origin)
            for j, c in enumerate(self.columns)
            if isinstance(c.distribution, RandInt) and c.distribution.origin
        ]

    @cached_property
    def _natives(self) -> list[tuple[str, Callable[[float], int | float]]]:
        return [(column.label, column.distribution.native) for column in self.columns]

    @cached_property
    def _conditional_labels(self) -> list[tuple[str, _Conditions | None]]:
        return [(c.label, c.conditions if c.is_conditional else None) for c in self.columns]


# By class and not isinstance, which takes three times as long: this is asked of each value of
# each trial. What has another class, booleans too, takes the longer way.
_NUMBERS = (float, int)


def _number(label: str, value: object) -> float:
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
    """Finds every parameter of a search space, and when each is active.

    Args:
        space: a node, or any nesting of dicts, lists and tuples of nodes.

    Returns:
        The space in columns; draws without a label are none of them.

    Raises:
        DuplicateLabel: two parameters of one label can be active together; both places are
            named.
        BadSearchSpace: the space is ill-formed in another way.

    Example:
        >>> from sparktuner import hp
        >>> flatten({"x": hp.uniform("x", 0, 1), "n": hp.randint("n", 5)}).labels
        ('x', 'n')
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
    # Sorted, since the order of a frozenset differs from process to process.
    return tuple(
        sorted(tuple(sorted((place[parent], value) for parent, value in a)) for a in routes)
    )


def _check_labels(parameters: Iterable[Parameter], graph: Graph, finder: RouteFinder) -> None:
    by_label: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        # One label for two columns is fine where no configuration has both.
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
