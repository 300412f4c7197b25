"""What an algorithm or an executor is handed: the objective and its search space."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, Protocol, SupportsFloat, TypeAlias

from sparktuner.checks import (
    check_flag,
    check_has,
    check_list,
    check_mapping,
    check_objective,
    shown,
)
from sparktuner.errors import BadSearchSpace
from sparktuner.records import (
    COMMAND,
    Attachments,
    Tid,
    TrialAttachments,
    TrialDocument,
    TrialMisc,
    configuration_of,
    miscs_to_idxs_vals,
    new_document,
    normalise_result,
    utcnow,
    validate_document,
)
from sparktuner.space import (
    FlatSpace,
    Literal,
    Node,
    Parameter,
    RngOrSeed,
    as_generator,
    as_node,
    call,
    evaluate,
    flatten,
    nodes,
)
from sparktuner.status import STATUS_NEW

_log = logging.getLogger("sparktuner")

# What an objective returns: the loss, or a dictionary with ``status`` and ``loss``.
ObjectiveResult: TypeAlias = SupportsFloat | Mapping[str, Any]
# Called with a configuration: whatever the space is made of.
Objective: TypeAlias = Callable[..., ObjectiveResult]


class CtrlTrials(Protocol):
    """What a :class:`Ctrl` needs of the :class:`sparktuner.Trials` that it is about."""

    @property
    def attachments(self) -> Attachments:
        """All attachments by name."""

    def new_trial_ids(self, n: int) -> list[Tid]:
        """Returns ``n`` new ids."""

    def source_trial_docs(
        self,
        tids: Sequence[Tid],
        specs: Sequence[Any],
        results: Sequence[Mapping[str, Any]],
        miscs: Sequence[TrialMisc],
        sources: Sequence[TrialDocument],
    ) -> list[TrialDocument]:
        """Returns documents in state DONE that name the trials they stem from."""

    def insert_trial_docs(self, docs: Sequence[TrialDocument]) -> list[Tid]:
        """Inserts documents."""


class Channel(Protocol):
    """How a :class:`Ctrl` reaches the loop of its search, the only writer of documents."""

    def checkpoint(self, tid: Tid, result: Mapping[str, object]) -> None:
        """Lets the loop keep a partial result in a running trial."""

    def inject(self, tid: Tid, documents: Sequence[TrialDocument]) -> None:
        """Lets the loop insert documents that a running trial has made."""


class Domain:
    """An objective together with the space of its argument.

    Attributes:
        fn: the objective.
        expr: the search space as one node.
        space: the same in columns.
        pass_expr_memo_ctrl: whether ``fn`` is called with ``(expr, memo, ctrl)``.

    Example:
        >>> from sparktuner import Domain, hp
        >>> domain = Domain(lambda p: p["x"] ** 2, {"x": hp.uniform("x", -5, 5)})
        >>> domain.evaluate({"x": 3.0})
        {'status': 'ok', 'loss': 9.0}
        >>> domain.space.labels
        ('x',)
    """

    def __init__(
        self,
        fn: Objective | None,
        expr: object,
        workdir: str | None = None,
        pass_expr_memo_ctrl: bool | None = None,
        name: str | None = None,
        loss_target: float | None = None,
    ) -> None:
        """Checks the space and flattens it, once for the whole search.

        Args:
            fn: the objective; None where nobody calls it, as in libraries that only ask
                algorithms for suggestions.
            expr: a node, or any nesting of dicts, lists and tuples that holds nodes.
            workdir: kept for callers; nothing here uses it.
            pass_expr_memo_ctrl: None looks at the mark that ``fmin_pass_expr_memo_ctrl`` leaves.
            name: for people.
            loss_target: for people; no search stops at it.

        Raises:
            BadSearchSpace: the space is ill-formed.
            TypeError: the objective cannot be called, or not with one argument.
            InvalidLoss: it is a coroutine or a generator function.
        """
        if fn is None:
            fn = _no_objective
        if not callable(fn) or isinstance(fn, Node):
            raise TypeError(
                f"the objective must be callable, got {shown(fn)}; write fmin(fn, space)"
            )
        # An easy slip: `fmin(f, make_space)`, which as a constant would search nothing.
        if inspect.isfunction(expr):
            raise BadSearchSpace(f"the space is a function; call it: {expr.__name__}()")
        self.fn = fn
        self.expr: Node = as_node(expr)
        self.space: FlatSpace = flatten(self.expr)
        self.workdir = workdir
        self.name = name
        self.loss_target = loss_target
        # The mark is on the function, so that a decorator suffices.
        if pass_expr_memo_ctrl is None:
            pass_expr_memo_ctrl = bool(getattr(fn, "fmin_pass_expr_memo_ctrl", False))
        check_flag("pass_expr_memo_ctrl", pass_expr_memo_ctrl)
        self.pass_expr_memo_ctrl = pass_expr_memo_ctrl
        check_objective(fn, takes=3 if pass_expr_memo_ctrl else 1)

    # What Hyperopt's users write into the documents of an algorithm of their own.
    cmd = COMMAND
    # Libraries that evaluate `expr` themselves pass it on to `pyll.rec_eval`.
    rec_eval_print_node_on_error = False

    @property
    def has_objective(self) -> bool:
        """Whether it can evaluate; where not, a library runs its trials itself."""
        return self.fn is not _no_objective

    def new_result(self) -> dict[str, str]:
        """Returns the result of a trial that has not run."""
        return {"status": STATUS_NEW}

    @property
    def params(self) -> dict[str, Parameter]:
        """The parameters by label."""
        return {node.label: node for node in nodes(self.expr) if isinstance(node, Parameter)}

    def argument(self, document: TrialDocument, seed: int | None = None) -> object:
        """Returns what the executor hands to :meth:`objective` for this trial.

        Args:
            document: the trial.
            seed: for draws without a label in the space; None takes fresh entropy.
        """
        if self.pass_expr_memo_ctrl:
            return document
        validate_document(document)
        return evaluate(self.expr, configuration_of(document), seed)

    def objective(
        self, trials: CtrlTrials | None = None, channel: Channel | None = None
    ) -> Callable[..., object]:
        """Returns a function of :meth:`argument` alone, which other processes may call.

        Args:
            trials: for ``ctrl.trials``, where the objective runs in this process.
            channel: for what the objective asks of its ctrl there.
        """
        if self.pass_expr_memo_ctrl:
            return _ExpressionObjective(self, trials, channel)
        # Where sparktuner goes by Hyperopt's name, it does so on workers too.
        shipped: Callable[[Objective], Objective] | None
        shipped = getattr(sys.modules.get("hyperopt"), "_shipped", None)
        objective: Callable[..., object] = self.fn
        return objective if shipped is None else shipped(objective)

    def evaluate(
        self,
        config: Mapping[str, Any],
        ctrl: Ctrl | None = None,
        attach_attachments: bool = True,
    ) -> dict[str, Any]:
        """Runs the objective here on the values of ``config`` by label.

        Args:
            config: a value for each active label.
            ctrl: where attachments go.
            attach_attachments: False leaves them in the result.

        Returns:
            The checked result.

        Raises:
            InvalidResultStatus: the result carries no valid status.
            InvalidLoss: the loss is no number.
            TypeError: an argument is of the wrong type.
        """
        check_mapping("config", config, "{'x': 0.5}")
        check_flag("attach_attachments", attach_attachments)
        if ctrl is not None:
            check_has("ctrl", ctrl, ("current_trial",), "a Ctrl, such as Ctrl(Trials()), or None")
        if self.pass_expr_memo_ctrl:
            value = self.fn(self.expr, self.memo_from_config(config), ctrl)
        else:
            value = self.fn(evaluate(self.expr, config))
        result = normalise_result(value)
        if attach_attachments and ctrl is not None and ctrl.current_trial is not None:
            ctrl.attachments.update(result.pop("attachments", {}))
        return result

    def memo_from_config(self, config: Mapping[str, Any]) -> dict[Node, Any]:
        """Returns values by node, as :func:`sparktuner.pyll.rec_eval` takes them.

        Args:
            config: a value for each active label.

        Example:
            >>> from sparktuner import Domain, hp, pyll
            >>> domain = Domain(None, {"twice": 2 * hp.uniform("x", 0, 1)})
            >>> pyll.rec_eval(domain.expr, memo=domain.memo_from_config({"x": 0.25}))
            {'twice': 0.5}
        """
        check_mapping("config", config, "{'x': 0.5}")
        return {
            node: config[node.label]
            for node in nodes(self.expr)
            if isinstance(node, Parameter) and node.label in config
        }

    def call_with_memo(self, document: TrialDocument, ctrl: Ctrl) -> object:
        """Calls an objective that wants ``(expr, memo, ctrl)`` for one trial."""
        return self.fn(self.expr, self.memo_from_config(configuration_of(document)), ctrl)

    # --- Hyperopt's way to draw from a space: algorithms copied from it evaluate the last one

    @cached_property
    def s_new_ids(self) -> Literal:
        """The node that stands for the new trials' ids in :attr:`s_idxs_vals`."""
        return Literal("new_ids")

    @cached_property
    def s_rng(self) -> Literal:
        """The node that stands for the generator in :attr:`s_idxs_vals`."""
        return Literal("rng")

    @cached_property
    def s_idxs_vals(self) -> Node:
        """The node of (idxs, vals) of new trials, drawn as random search does.

        Example:
            >>> from sparktuner import Domain, hp, pyll
            >>> domain = Domain(None, hp.randint("n", 5))
            >>> pyll.rec_eval(domain.s_idxs_vals, memo={domain.s_new_ids: [7], domain.s_rng: 0})
            ({'n': [7]}, {'n': [3]})
        """
        return call(_drawn, Literal(self.space), self.s_new_ids, self.s_rng)


def _drawn(
    space: FlatSpace, tids: Sequence[Tid], rng: RngOrSeed
) -> tuple[dict[str, list[Tid]], dict[str, list[Any]]]:
    configurations = space.decode(space.sample(as_generator("rng", rng), len(tids)))
    return miscs_to_idxs_vals(
        new_document(tid, configuration, space.labels)["misc"]
        for tid, configuration in zip(tids, configurations, strict=True)
    )


def _no_objective(*_: object) -> NoReturn:
    raise RuntimeError(
        "this domain was made without an objective, as Domain(None, space), so it cannot evaluate "
        "a trial; write Domain(fn, space)"
    )


class _ExpressionObjective:
    """Calls an objective that wants the expression, the memo and a ctrl."""

    def __init__(self, domain: Domain, trials: CtrlTrials | None, channel: Channel | None) -> None:
        self._domain = domain
        self._trials = trials
        self._channel = channel

    def __call__(self, document: TrialDocument) -> object:
        # One for each trial: objectives keep it, and trials run side by side.
        ctrl = Ctrl(self._trials, document, self._channel)
        return self._domain.call_with_memo(document, ctrl)

    def __getstate__(self) -> dict[str, Any]:
        # The trials stay on the driver: only it writes them.
        return {"_domain": self._domain, "_trials": None, "_channel": None}


class Ctrl:
    """What an objective that asked for it may do to its own trial.

    Attributes:
        trials: the trials of the search; None on a worker.
        current_trial: the trial's document.

    Example:
        >>> from sparktuner import Trials, fmin, fmin_pass_expr_memo_ctrl, hp, pyll
        >>> @fmin_pass_expr_memo_ctrl
        ... def objective(expr, memo, ctrl):
        ...     ctrl.attachments["note"] = "from the objective"
        ...     return pyll.rec_eval(expr, memo=memo)
        >>> trials, x = Trials(), hp.uniform("x", 0, 1)
        >>> best = fmin(objective, x, max_evals=1, trials=trials, verbose=False)
        >>> trials.trial_attachments(trials.best_trial)["note"]
        'from the objective'
    """

    def __init__(
        self,
        trials: CtrlTrials | None,
        current_trial: TrialDocument | None = None,
        channel: Channel | None = None,
    ) -> None:
        if trials is not None:
            check_has("trials", trials, ("new_trial_ids",), "a Trials object, such as Trials()")
        if current_trial is not None:
            check_mapping("current_trial", current_trial, "trials.trials[0]")
        self.trials = trials
        self.current_trial = current_trial
        self._channel = channel

    @property
    def attachments(self) -> Attachments:
        """The current trial's attachments.

        Raises:
            RuntimeError: the objective runs in another process.
        """
        trials, trial = self._here("attachments")
        return TrialAttachments(trials.attachments, trial["tid"])

    def checkpoint(self, r: Mapping[str, Any] | None = None) -> None:
        """Keeps a partial result in the current trial, until the objective returns its own.

        Raises:
            RuntimeError: the objective runs in another process.
        """
        _, trial = self._here("checkpoint()")
        if r is None:
            return
        check_mapping("r", r, "{'status': 'ok', 'loss': 0.5}")
        if self._channel is not None:
            self._channel.checkpoint(trial["tid"], dict(r))
            return
        # Made by hand: whoever did so is the one who writes the document.
        trial["result"] = dict(r)
        trial["refresh_time"] = utcnow()

    def inject_results(
        self,
        specs: Sequence[Any],
        results: Sequence[Mapping[str, Any]],
        miscs: Sequence[TrialMisc],
        new_tids: Sequence[Tid] | None = None,
    ) -> list[Tid]:
        """Inserts finished trials beside the current one, which is named as their source.

        Returns:
            Their ids. In a search they are there once its loop has taken them in.

        Raises:
            RuntimeError: the objective runs in another process.
            ValueError, TypeError: the arguments are no lists with an entry a trial.
        """
        trials, trial = self._here("inject_results()")
        check_list("results", results, "dictionaries")
        n = len(results)
        # Stores hand out ids to any thread, so this one need not wait for the loop.
        if new_tids is not None:
            check_list("new_tids", new_tids, "trials' ids")
        tids = trials.new_trial_ids(n) if new_tids is None else list(new_tids)
        documents = trials.source_trial_docs(tids, specs, results, miscs, [trial] * n)
        if self._channel is None:
            return trials.insert_trial_docs(documents)
        self._channel.inject(trial["tid"], documents)
        return tids

    def _here(self, what: str) -> tuple[CtrlTrials, TrialDocument]:
        if self.trials is None or self.current_trial is None:
            raise RuntimeError(
                f"ctrl.{what} is there only where the objective runs in the driver's process "
                "(Trials, ThreadTrials), because only the driver writes trials; return what is "
                "to be kept in the result instead, large values as {'attachments': {...}}"
            )
        return self.trials, self.current_trial

    def info(self, *args: object) -> None:
        """Logs at level INFO."""
        _log.info(*args)

    def warn(self, *args: object) -> None:
        """Logs at level WARNING."""
        _log.warning(*args)

    def error(self, *args: object) -> None:
        """Logs at level ERROR."""
        _log.error(*args)

    def debug(self, *args: object) -> None:
        """Logs at level DEBUG."""
        _log.debug(*args)
