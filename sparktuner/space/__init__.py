"""Search spaces as frozen data.

In reading order: the distributions (by class, and by their names in ``hp``), the nodes that
hold them, what helps to write and walk nodes, evaluation of a configuration, expressions and
noise over nodes (``scope``), the flat view in columns that algorithms use, what a space or a
point must not be, and the standard normal distribution.
"""

from sparktuner.space._arguments import described, is_number
from sparktuner.space._distributions import Categorical, Distribution, Numeric, RandInt
from sparktuner.space._draws import Draw
from sparktuner.space._evaluate import Configuration, evaluate, substitute
from sparktuner.space._expressions import Scope, scope
from sparktuner.space._flatten import BoolArray, Column, FlatSpace, flatten
from sparktuner.space._generator import RngOrSeed, as_generator
from sparktuner.space._named import DISTRIBUTIONS
from sparktuner.space._nodes import Call, Literal, Node, Record, Sequence, as_node, call, native
from sparktuner.space._parameterless import require_parameters
from sparktuner.space._parameters import Parameter, Switch
from sparktuner.space._possible import out_of_bounds
from sparktuner.space._stacked import StackedDistributions
from sparktuner.space._standard_normal import (
    FloatArray,
    log_normal_cdf,
    normal_cdf,
    normal_quantile,
)
from sparktuner.space._walk import children, nodes

__all__ = [
    "Numeric",
    "RandInt",
    "Categorical",
    "Distribution",
    "DISTRIBUTIONS",
    "Node",
    "Literal",
    "Parameter",
    "Switch",
    "Draw",
    "Call",
    "Record",
    "Sequence",
    "as_node",
    "call",
    "children",
    "nodes",
    "native",
    "is_number",
    "described",
    "Configuration",
    "evaluate",
    "substitute",
    "as_generator",
    "RngOrSeed",
    "Scope",
    "scope",
    "Column",
    "FlatSpace",
    "flatten",
    "StackedDistributions",
    "require_parameters",
    "out_of_bounds",
    "normal_cdf",
    "log_normal_cdf",
    "normal_quantile",
    "FloatArray",
    "BoolArray",
]
