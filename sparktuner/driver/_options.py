"""The arguments of a search: each one's name, type, default, check and meaning, once.

To add an argument to ``fmin``, add a field to :class:`SearchArguments`.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from numbers import Real
from types import ModuleType
from typing import Any, TypeAlias

from sparktuner.checks import (
    check_callable,
    check_flag,
    check_loss_threshold,
    check_points,
    check_rng,
    check_seconds,
    check_whole,
    shown,
)
from sparktuner.domain import Objective
from sparktuner.driver._callbacks import Callback
from sparktuner.driver._progress import BarFactory
from sparktuner.driver._save_file import check_save_file
from sparktuner.driver._seeds import RandomState
from sparktuner.space import Node
from sparktuner.suggest import Suggest, check_options

# The user's own rule; what it returns as args is handed to it the next time.
# fn(trials, *args) -> (stop, args)
EarlyStop: TypeAlias = Callable[..., tuple[bool, Sequence[Any]]]
Check: TypeAlias = Callable[[str, Any], None]


def _argument(meaning: str, check: Check | None = None) -> Mapping[str, Any]:
    """What is known of an argument beside its name, type and default."""
    return {"meaning": meaning, "check": check}


def _check_threshold(name: str, value: object) -> None:
    check_loss_threshold(value)


def _check_max_evals(name: str, value: object) -> None:
    if value is not None and not (isinstance(value, float) and value == math.inf):
        check_whole(name, value, least=0)


def _check_queue(name: str, value: object) -> None:
    check_whole(name, value, least=1)


def _check_algo(name: str, value: object) -> None:
    if value is None:
        return
    _check_function(name, value)
    # First, because its messages know the options.
    check_options(value)
    check_callable(name, value, ("new_ids", "domain", "trials", "seed"))


def _check_early_stop(name: str, value: object) -> None:
    if value is not None:
        _check_function(name, value)
        check_callable(name, value, ("trials",))


def _check_function(name: str, value: object) -> None:
    # Nodes can be called, as parts of expressions, and classes, to make an object.
    if not callable(value) or isinstance(value, Node | type):
        raise TypeError(f"{name} must be callable, got {shown(value)}{_meant_by(name, value)}")


def _check_progressbar(name: str, value: object) -> None:
    if not callable(value) or isinstance(value, Node):
        check_flag(name, value)
        return
    check_callable(name, value, ("initial", "total"))


def _meant_by(name: str, value: object) -> str:
    """What a value in the place of a function looks like."""
    if name == "algo" and isinstance(value, ModuleType):
        # Hyperopt's algorithms are modules, and easily taken for the function inside.
        return "; did you mean algo=tpe.suggest?"
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"; did you mean max_evals={shown(value)}? The order is fn, space, algo, max_evals"
    return "; did you mean algo=tpe.suggest?" if name == "algo" else ""


def _check_callbacks(name: str, value: object) -> None:
    if not isinstance(value, list | tuple) or not all(isinstance(c, Callback) for c in value):
        raise TypeError(
            f"{name} must be a list of objects whose class derives from sparktuner.Callback, "
            f"got {shown(value)}"
        )


def _check_space_change(name: str, value: object) -> None:
    if not isinstance(value, str) or value not in ("adapt", "refuse", "keep"):
        raise ValueError(f"{name} must be 'adapt', 'refuse' or 'keep', got {shown(value)}")


@dataclass(frozen=True)
class SearchArguments:
    """What a search was asked to do: the arguments of ``Trials.fmin``.

    Raises:
        ValueError: an argument is out of its range.
        TypeError: an argument is of the wrong type.
    """

    fn: Objective = field(
        metadata=_argument(
            "the objective. It takes a configuration and returns the loss as a number, or a "
            "dictionary with ``status`` and, where that is ``'ok'``, ``loss``; other keys are "
            "kept."
        )
    )
    space: object = field(
        metadata=_argument(
            "nodes from ``hp`` in any nesting of dicts, lists and tuples; or ``'annotated'``: "
            "the annotations of the objective's parameters are the space."
        )
    )
    algo: Suggest | None = field(
        default=None,
        metadata=_argument(
            "``algo(new_ids, domain, trials, seed) -> documents``; None is ``atpe.suggest``.",
            _check_algo,
        ),
    )
    max_evals: float | None = field(
        default=None,
        metadata=_argument(
            "how many trials to end up with, those that were there before included, but for "
            "those of them that raised or were cancelled; ``points_to_evaluate`` come on top. "
            "None is no limit.",
            _check_max_evals,
        ),
    )
    timeout: float | None = field(
        default=None,
        metadata=_argument(
            "seconds after which no trial is started and running ones are cancelled.",
            check_seconds,
        ),
    )
    loss_threshold: float | None = field(
        default=None,
        metadata=_argument("the search ends as soon as a loss is at most this.", _check_threshold),
    )
    # Positional up to here, as in Hyperopt; `_signature` knows the order of its others.
    _: KW_ONLY
    max_queue_len: int = field(
        default=1,
        metadata=_argument(
            "how many suggestions the algorithm is asked for at a time.", _check_queue
        ),
    )
    rstate: RandomState = field(
        default=None,
        metadata=_argument(
            "a ``numpy.random.Generator``, an int, a ``RandomState``, or None. The same seed "
            "gives the same suggestions, also when a search is resumed.",
            check_rng,
        ),
    )
    verbose: bool = field(
        default=False,
        metadata=_argument("whether to show the progress bar; False is silent.", check_flag),
    )
    pass_expr_memo_ctrl: bool | None = field(
        default=None,
        metadata=_argument(
            "whether to call the objective with ``(expr, memo, ctrl)``.", check_flag
        ),
    )
    catch_eval_exceptions: bool = field(
        default=False,
        metadata=_argument(
            "whether to record trials that raise and go on. Where trials run beside the driver "
            "they are recorded anyway, unless the first ones all fail alike.",
            check_flag,
        ),
    )
    return_argmin: bool = field(
        default=True,
        metadata=_argument(
            "whether to return values by label; False returns what the objective received in "
            "the best trial.",
            check_flag,
        ),
    )
    show_progressbar: bool | BarFactory = field(
        default=True,
        metadata=_argument(
            "whether to, or a context-manager factory ``(initial, total)``.", _check_progressbar
        ),
    )
    early_stop_fn: EarlyStop | None = field(
        default=None,
        metadata=_argument(
            "``fn(trials, *args) -> (stop, args)``, asked after each trial.", _check_early_stop
        ),
    )
    trials_save_file: str = field(
        default="",
        metadata=_argument(
            "a file to keep the trials in while searching, for trials without a store. If it "
            "exists, the search is resumed from it.",
            check_save_file,
        ),
    )
    store_timeout: float | None = field(
        default=600.0,
        metadata=_argument(
            "seconds for which a store that does not answer is tried again while the search "
            "goes on; after that it ends, and what is not written is kept in a local file that "
            "the next search on the store takes in. None is no limit.",
            check_seconds,
        ),
    )
    points_to_evaluate: Sequence[Mapping[str, Any]] | None = field(
        default=None,
        metadata=_argument(
            "configurations by label (a choice's value is its index) to try first.",
            check_points,
        ),
    )
    on_space_change: str = field(
        default="adapt",
        metadata=_argument(
            "what to do with trials of another space: ``'adapt'`` learns from those that this "
            "space can make, and leaves out the others; ``'refuse'`` raises; ``'keep'`` takes "
            "all as they are.",
            _check_space_change,
        ),
    )
    reproducible: bool = field(
        default=False,
        metadata=_argument(
            "whether suggestion i is to know the results of trials 0 to i - parallelism exactly, "
            "whatever order they end in: the same seed then gives the same trials, at the price "
            "of slots that wait for the slowest trial.",
            check_flag,
        ),
    )
    deadline_margin: float | None = field(
        default=1.0,
        metadata=_argument(
            "with ``timeout``, no trial is started when less than this many times the shortest "
            "duration seen is left; None starts trials until the time is up.",
            check_seconds,
        ),
    )
    callbacks: Sequence[Callback] = field(
        default=(),
        metadata=_argument(
            "objects that are told of each trial's start and end; see "
            ":class:`sparktuner.Callback`.",
            _check_callbacks,
        ),
    )

    def __post_init__(self) -> None:
        # In the order of the fields, so that the first wrong argument is the one that is named.
        for each in dataclasses.fields(self):
            check = each.metadata.get("check")
            if check is not None:
                check(each.name, getattr(self, each.name))

    @property
    def limit(self) -> int:
        """``max_evals`` as a number; without one, more than anybody can run."""
        if self.max_evals is None or self.max_evals == math.inf:
            return sys.maxsize
        return int(self.max_evals)
