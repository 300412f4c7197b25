"""The arguments of a search, checked once."""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np

from sparktuner.checks import check_loss_threshold, check_parallelism, check_seconds, check_whole
from sparktuner.suggest import propose_adaptive, suggest_with

# algo(new_ids, domain, trials, seed) -> documents in state NEW.
Suggest: TypeAlias = Callable[..., Any]

__all__ = [
    "SearchOptions",
    "Seeds",
    "check_loss_threshold",
    "check_parallelism",
    "check_seconds",
]

SEED_VARIABLE = "HYPEROPT_FMIN_SEED"


@dataclass(frozen=True)
class SearchOptions:
    """How one search goes; the fields are the arguments of :func:`sparktuner.fmin`.

    ``trial_timeout`` (seconds a trial may run) comes from the trials object.

    Raises:
        ValueError: an argument is out of its range.
        TypeError: an argument is of the wrong type.
    """

    algo: Suggest | None = None
    max_evals: float | None = None
    timeout: float | None = None
    loss_threshold: float | None = None
    max_queue_len: int = 1
    rstate: Any = None
    verbose: bool = False
    pass_expr_memo_ctrl: bool | None = None
    catch_eval_exceptions: bool = False
    return_argmin: bool = True
    show_progressbar: Any = True
    early_stop_fn: Callable[..., Any] | None = None
    trials_save_file: str = ""
    points_to_evaluate: Sequence[Mapping[str, Any]] | None = None
    trial_timeout: float | None = None
    reproducible: bool = False
    deadline_margin: float | None = 1.0

    def __post_init__(self) -> None:
        check_seconds("timeout", self.timeout)
        check_seconds("trial_timeout", self.trial_timeout)
        check_seconds("deadline_margin", self.deadline_margin)
        check_loss_threshold(self.loss_threshold)
        if self.max_evals not in (None, math.inf):
            check_whole("max_evals", self.max_evals, least=0)
        check_whole("max_queue_len", self.max_queue_len, least=1)
        for name in ("algo", "early_stop_fn"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise TypeError(
                    f"{name} must be callable, got {value!r}"
                    + ("; did you mean algo=tpe.suggest?" if name == "algo" else "")
                )

    @property
    def suggest(self) -> Suggest:
        """The algorithm; adaptive TPE where none was named."""
        return (
            functools.partial(suggest_with, propose_adaptive) if self.algo is None else self.algo
        )

    @property
    def limit(self) -> int:
        """``max_evals`` as a number; without one, more than anybody can run."""
        return sys.maxsize if self.max_evals in (None, math.inf) else int(self.max_evals)


@dataclass(frozen=True)
class Seeds:
    """A seed for each suggestion, tied to its trial: resuming a search repeats none."""

    entropy: int

    @classmethod
    def from_rstate(cls, rstate: Any) -> Seeds:
        """From a Generator, a RandomState (both move on by one draw), an int, or None.

        None takes the environment variable ``HYPEROPT_FMIN_SEED``, else fresh entropy.

        Raises:
            TypeError: ``rstate`` is none of these.
        """
        if rstate is None and os.environ.get(SEED_VARIABLE):
            rstate = int(os.environ[SEED_VARIABLE])
        if rstate is None:
            return cls(int(np.random.SeedSequence().generate_state(1, np.uint64)[0]))
        if isinstance(rstate, np.random.Generator):
            return cls(int(rstate.integers(2**63)))
        if isinstance(rstate, np.random.RandomState):
            return cls(int(rstate.randint(2**31 - 1)))
        if isinstance(rstate, Integral) and not isinstance(rstate, bool) and int(rstate) >= 0:
            return cls(int(rstate))
        raise TypeError(
            "rstate must be a numpy.random.Generator (np.random.default_rng(42)), an integer "
            f"of at least 0, a RandomState or None, got {rstate!r}"
        )

    def of_trial(self, tid: int) -> int:
        """The seed, below 2**31, of the suggestion whose first trial is ``tid``."""
        state = np.random.SeedSequence([self.entropy, tid]).generate_state(1)
        return int(state[0] >> 1)

    def of_objective(self, tid: int) -> int:
        """The seed, below 2**31, that the objective of this trial may ask for."""
        state = np.random.SeedSequence([self.entropy, tid, 1]).generate_state(1)
        return int(state[0] >> 1)
