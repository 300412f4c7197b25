"""Draws without a label: noise inside a space, of which a search knows nothing.

The functions here are ``scope.uniform``, ``scope.one_of`` and their kin, with the arguments
that Hyperopt's have. Each number of a distribution may be a node itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sparktuner.checks import shown
from sparktuner.errors import BadSearchSpace
from sparktuner.space._distributions import Distribution
from sparktuner.space._named import DISTRIBUTIONS
from sparktuner.space._nodes import Literal, Node, Sequence, as_node, nested
from sparktuner.space._parameters import Parameter, Switch

Rng: TypeAlias = np.random.Generator | np.random.RandomState
Size: TypeAlias = int | SequenceOf[int]


@dataclass(frozen=True, eq=False, repr=False)
class Draw(Node):
    """A value that each evaluation draws anew from a distribution; no parameter of the search.

    Attributes:
        name: which distribution, a key of :data:`DISTRIBUTIONS`: ``"uniform"``.
        args: the numbers of the distribution, constants or nodes.
        rng: where the draw comes from; None for the evaluation's own generator.
        size: the shape of the array that is drawn; ``()`` for one native number.

    Example:
        >>> from sparktuner.space import evaluate
        >>> noise = Draw("randint", (as_node(100),))
        >>> evaluate([noise, noise], {}, seed=0)
        (63, 63)
    """

    name: str
    args: tuple[Node, ...]
    rng: Rng | None = None
    size: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not (self.rng is None or isinstance(self.rng, Rng)):
            raise BadSearchSpace(
                f"scope.{self.name}: rng must be a numpy Generator, a RandomState or None, "
                f"got {shown(self.rng)}"
            )
        # What is ill-formed is told where it is written, not by the first trial.
        _ = self.distribution

    @property
    def pos_args(self) -> SequenceOf[Node]:
        return list(self.args)

    @cached_property
    def distribution(self) -> Distribution | None:
        """Returns the distribution, or None where a number of it is known on evaluation only."""
        if not all(map(_is_constant, self.args)):
            return None
        return self._distribution_of([_constant(arg) for arg in self.args])

    def drawn(
        self, values: Mapping[Node, object], rng: np.random.Generator
    ) -> int | float | npt.NDArray[np.generic]:
        """Returns one draw, made of one uniform number of the generator for each entry.

        Args:
            values: the values of the nodes in ``args``.
            rng: where the draw comes from, unless the node has a source of its own.

        Raises:
            BadSearchSpace: a value makes no sense as a number of the distribution.
        """
        distribution = self.distribution
        if distribution is None:
            distribution = self._distribution_of([values[arg] for arg in self.args])
        # Inverse transform sampling: a draw takes one number of the generator, whatever its
        # distribution, so that the draws after it stay the same where a number changes.
        u = (self.rng or rng).random(self.size or 1)
        numbers = [distribution.native(x) for x in distribution.quantile(u.ravel()).tolist()]
        return np.array(numbers).reshape(self.size) if self.size else numbers[0]

    def _distribution_of(self, numbers: list[object]) -> Distribution:
        try:
            return DISTRIBUTIONS[self.name](*numbers)
        except BadSearchSpace as error:
            raise BadSearchSpace(f"scope.{self.name}: {error}") from None

    def _code(self, depth: int) -> str:
        arguments = [nested(arg, depth) for arg in self.args]
        if self.size:
            arguments.append(f"size={self.size}")
        return f"scope.{self.name}({', '.join(arguments)})"


def _is_constant(node: Node) -> bool:
    if isinstance(node, Sequence):
        return all(map(_is_constant, node.items))
    return isinstance(node, Literal)


def _constant(node: Node) -> object:
    if isinstance(node, Sequence):
        return tuple(map(_constant, node.items))
    return node.value if isinstance(node, Literal) else None


def _draw(name: str, numbers: tuple[object, ...], rng: Rng | None, size: Size) -> Draw:
    # The slip that is most likely, since hp's functions begin with a label.
    if isinstance(numbers[0], str) and name != "categorical":
        raise BadSearchSpace(
            f"scope.{name} draws noise and takes no label; for a parameter of the search write "
            f"hp.{name}({numbers[0]!r}, ...)"
        )
    return Draw(name, tuple(as_node(each) for each in numbers), rng, _shape(name, size))


def _shape(name: str, size: Size) -> tuple[int, ...]:
    try:
        lengths = [size] if isinstance(size, int | np.integer) else list(size)
        shape = tuple(operator.index(length) for length in lengths)
    except TypeError:
        shape = (-1,)
    if any(length < 0 for length in shape):
        raise BadSearchSpace(
            f"scope.{name}: size must be a length, or a tuple of lengths, got {shown(size)}"
        )
    return shape


# Numbers are objects here: floats, or nodes whose value is one.


def uniform(low: object, high: object, rng: Rng | None = None, size: Size = ()) -> Draw:
    """Returns a draw of a float between ``low`` and ``high``, as ``hp.uniform`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> round(evaluate(scope.uniform(0, 10), {}, seed=0), 3)
        6.37
    """
    return _draw("uniform", (low, high), rng, size)


def quniform(
    low: object, high: object, q: object, rng: Rng | None = None, size: Size = ()
) -> Draw:
    """Returns a draw of a multiple of ``q``, as ``hp.quniform`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> evaluate(scope.quniform(0, 10, 5), {}, seed=0)
        5
    """
    return _draw("quniform", (low, high, q), rng, size)


def uniformint(
    low: object, high: object, q: object = 1.0, rng: Rng | None = None, size: Size = ()
) -> Draw:
    """Returns a draw of an integer from ``low`` to ``high``, as ``hp.uniformint`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> evaluate(scope.uniformint(0, 10), {}, seed=0)
        6
    """
    return _draw("uniformint", (low, high) if q == 1 else (low, high, q), rng, size)


def loguniform(low: object, high: object, rng: Rng | None = None, size: Size = ()) -> Draw:
    """Returns a draw of ``exp`` of a uniform float, as ``hp.loguniform`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> round(evaluate(scope.loguniform(-3, 0), {}, seed=0), 3)
        0.337
    """
    return _draw("loguniform", (low, high), rng, size)


def qloguniform(
    low: object, high: object, q: object, rng: Rng | None = None, size: Size = ()
) -> Draw:
    """Returns a draw of a multiple of ``q``, as ``hp.qloguniform`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> evaluate(scope.qloguniform(0, 3, 1), {}, seed=0)
        7
    """
    return _draw("qloguniform", (low, high, q), rng, size)


def normal(mu: object, sigma: object, rng: Rng | None = None, size: Size = ()) -> Draw:
    """Returns a draw of a float of mean ``mu``, as ``hp.normal`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> round(evaluate(scope.normal(5, 1), {}, seed=0), 3)
        5.35
    """
    return _draw("normal", (mu, sigma), rng, size)


def qnormal(mu: object, sigma: object, q: object, rng: Rng | None = None, size: Size = ()) -> Draw:
    """Returns a draw of a multiple of ``q``, as ``hp.qnormal`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> evaluate(scope.qnormal(5, 1, 1), {}, seed=0)
        5
    """
    return _draw("qnormal", (mu, sigma, q), rng, size)


def lognormal(mu: object, sigma: object, rng: Rng | None = None, size: Size = ()) -> Draw:
    """Returns a draw of ``exp`` of a normal float, as ``hp.lognormal`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> round(evaluate(scope.lognormal(0, 1), {}, seed=0), 3)
        1.42
    """
    return _draw("lognormal", (mu, sigma), rng, size)


def qlognormal(
    mu: object, sigma: object, q: object, rng: Rng | None = None, size: Size = ()
) -> Draw:
    """Returns a draw of a multiple of ``q``, as ``hp.qlognormal`` does.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> evaluate(scope.qlognormal(3, 1, 5), {}, seed=0)
        30
    """
    return _draw("qlognormal", (mu, sigma, q), rng, size)


def randint(low: object, high: object = None, rng: Rng | None = None, size: Size = ()) -> Draw:
    """Returns a draw of an integer, as ``hp.randint`` does.

    Args:
        low: the least integer; without ``high``, the end of a range from 0 on.
        high: the end of the range, which is excluded.
        rng: where the draw comes from; None for the evaluation's own generator.
        size: the shape of the array that is drawn; ``()`` for one number.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> evaluate(scope.randint(10), {}, seed=0)
        6
    """
    return _draw("randint", (low,) if high is None else (low, high), rng, size)


def categorical(p: object, rng: Rng | None = None, size: Size = ()) -> Draw:
    """Returns a draw of an integer from 0 to ``len(p) - 1`` with the probabilities ``p``.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> evaluate(scope.categorical([0.2, 0.8]), {}, seed=0)
        1
    """
    return _draw("categorical", (p,), rng, size)


def one_of(*options: object) -> Switch:
    """Returns a draw of one of the options, each equally probable; only that one is evaluated.

    Raises:
        BadSearchSpace: there is no option.

    Example:
        >>> from sparktuner.space import evaluate, scope
        >>> evaluate(scope.one_of('a', 'b', 'c'), {}, seed=0)
        'b'
    """
    if not options:
        raise BadSearchSpace("scope.one_of needs at least one option, got none")
    return Switch(randint(len(options)), tuple(as_node(option) for option in options))


def hyperopt_param(label: str, draw: object) -> Parameter:
    """Returns the parameter of the search that has the distribution of a draw.

    ``scope.hyperopt_param("x", scope.uniform(0, 1))`` is ``hp.uniform("x", 0, 1)``.

    Raises:
        BadSearchSpace: ``draw`` is no draw of one number from constants, or the label is no
            string.

    Example:
        >>> from sparktuner.space import flatten
        >>> flatten(hyperopt_param("x", uniform(0, 1)) + normal(0, 1)).labels
        ('x',)
    """
    if not isinstance(draw, Draw):
        raise BadSearchSpace(
            "scope.hyperopt_param: needs a draw, as in hyperopt_param('x', scope.uniform(0, 1)), "
            f"got {shown(draw)}; functions such as scope.int go around hyperopt_param"
        )
    if draw.distribution is None:
        raise BadSearchSpace(
            "scope.hyperopt_param: the numbers of a parameter's distribution must be constants, "
            f"got {draw!r}"
        )
    if draw.size:
        raise BadSearchSpace(f"scope.hyperopt_param: must be one number, got {draw!r}")
    try:
        return Parameter(label, draw.distribution)
    except BadSearchSpace as error:
        raise BadSearchSpace(f"scope.hyperopt_param: {error}") from None


DRAWS: Mapping[str, Callable[..., Node]] = MappingProxyType(
    {
        **{
            function.__name__: function
            for function in (
                *(uniform, quniform, uniformint, loguniform, qloguniform),
                *(normal, qnormal, lognormal, qlognormal),
                *(randint, categorical, one_of, hyperopt_param),
            )
        },
        "randint_via_categorical": categorical,
    }
)
"""The functions that ``scope`` has for draws, by name."""
