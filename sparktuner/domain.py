"""What an algorithm or an executor is handed: the objective and its search space."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from sparktuner.errors import BadSearchSpace
from sparktuner.records import (
    COMMAND,
    Document,
    TrialAttachments,
    configuration_of,
    normalise_result,
    utcnow,
)
from sparktuner.space import FlatSpace, Node, Parameter, as_node, evaluate, flatten, nodes
from sparktuner.status import STATUS_NEW

_log = logging.getLogger("sparktuner")


class Domain:
    """An objective together with the space of its argument.

    Attributes:
        fn: the objective.
        expr: the search space as one node.
        space: the same in columns.
        pass_expr_memo_ctrl: whether ``fn`` is called with ``(expr, memo, ctrl)``.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        expr: object,
        workdir: str | None = None,
        pass_expr_memo_ctrl: bool | None = None,
        name: str | None = None,
        loss_target: float | None = None,
    ) -> None:
        """Check the space and flatten it, once for the whole search.

        Args:
            fn: the objective.
            expr: a node, or any nesting of dicts, lists and tuples that holds nodes.
            workdir: kept for callers; nothing here uses it.
            pass_expr_memo_ctrl: None looks at the mark that ``fmin_pass_expr_memo_ctrl`` leaves.
            name: for people.
            loss_target: for people; no search stops at it.

        Raises:
            BadSearchSpace: the space is ill-formed.
            TypeError: the objective cannot be called.
        """
        if not callable(fn) or isinstance(fn, Node):
            raise TypeError(f"the objective must be callable, got {fn!r}; write fmin(fn, space)")
        if inspect.isfunction(expr):
            raise BadSearchSpace(f"the space is a function; call it: {expr.__name__}()")
        self.fn = fn
        self.expr: Node = as_node(expr)
        self.space: FlatSpace = flatten(self.expr)
        self.workdir = workdir
        self.name = name
        self.loss_target = loss_target
        if pass_expr_memo_ctrl is None:
            pass_expr_memo_ctrl = bool(getattr(fn, "fmin_pass_expr_memo_ctrl", False))
        self.pass_expr_memo_ctrl = pass_expr_memo_ctrl

    # What Hyperopt's users write into the documents of an algorithm of their own.
    cmd = COMMAND

    def new_result(self) -> dict[str, str]:
        """The result of a trial that has not run."""
        return {"status": STATUS_NEW}

    @property
    def params(self) -> dict[str, Parameter]:
        """The parameters by label."""
        return {node.label: node for node in nodes(self.expr) if isinstance(node, Parameter)}

    def argument(self, document: Document) -> Any:
        """What the executor hands to :meth:`objective` for this trial."""
        if self.pass_expr_memo_ctrl:
            return document
        return evaluate(self.expr, configuration_of(document))

    def objective(self, trials: Any = None) -> Callable[[Any], Any]:
        """A function of :meth:`argument` alone, which may be called in another process.

        Args:
            trials: for ``ctrl.trials``, where the objective runs in this process.
        """
        if self.pass_expr_memo_ctrl:
            return _ExpressionObjective(self, trials)
        return self.fn

    def evaluate(
        self, config: Mapping[str, Any], ctrl: Ctrl | None = None, attach_attachments: bool = True
    ) -> dict[str, Any]:
        """Run the objective here on the values of ``config`` by label.

        Args:
            config: a value for each active label.
            ctrl: where attachments go.
            attach_attachments: False leaves them in the result.

        Returns:
            The checked result.

        Raises:
            InvalidResultStatus: the result carries no valid status.
            InvalidLoss: the loss is no number.
        """
        if self.pass_expr_memo_ctrl:
            value = self.fn(self.expr, self._memo(config), ctrl)
        else:
            value = self.fn(evaluate(self.expr, config))
        result = normalise_result(value)
        if attach_attachments and ctrl is not None and ctrl.current_trial is not None:
            ctrl.attachments.update(result.pop("attachments", {}))
        return result

    def _memo(self, config: Mapping[str, Any]) -> dict[Node, Any]:
        return {
            node: config[node.label]
            for node in nodes(self.expr)
            if isinstance(node, Parameter) and node.label in config
        }

    def call_with_memo(self, document: Document, ctrl: Ctrl) -> Any:
        """Call an objective that wants ``(expr, memo, ctrl)`` for one trial."""
        return self.fn(self.expr, self._memo(configuration_of(document)), ctrl)


class _ExpressionObjective:
    """Calls an objective that wants the expression, the memo and a ctrl."""

    def __init__(self, domain: Domain, trials: Any) -> None:
        self._domain = domain
        self._trials = trials

    def __call__(self, document: Document) -> Any:
        return self._domain.call_with_memo(document, Ctrl(self._trials, document))

    def __getstate__(self) -> dict[str, Any]:
        # The trials stay on the driver: only it writes them.
        return {"_domain": self._domain, "_trials": None}


class Ctrl:
    """What an objective that asked for it may do to its own trial."""

    def __init__(self, trials: Any, current_trial: Document | None = None) -> None:
        self.trials = trials
        self.current_trial = current_trial

    @property
    def attachments(self) -> MutableMapping[str, Any]:
        """The current trial's attachments.

        Raises:
            RuntimeError: the objective runs in another process; return the attachments in
                the result instead.
        """
        if self.trials is None or self.current_trial is None:
            raise RuntimeError(
                "ctrl.attachments is there only where the objective runs in the driver's "
                "process; return {'attachments': {...}} in the result instead"
            )
        return TrialAttachments(self.trials.attachments, self.current_trial["tid"])

    def checkpoint(self, r: Mapping[str, Any] | None = None) -> None:
        """Keep a partial result in the current trial."""
        if self.current_trial is not None and r is not None:
            self.current_trial["result"] = dict(r)
            self.current_trial["refresh_time"] = utcnow()

    def inject_results(
        self, specs: Any, results: Any, miscs: Any, new_tids: list[Any] | None = None
    ) -> Any:
        """Insert finished trials beside the current one, which is named as their source."""
        n = len(results)
        tids = self.trials.new_trial_ids(n) if new_tids is None else new_tids
        documents = self.trials.source_trial_docs(
            tids, specs, results, miscs, [self.current_trial] * n
        )
        return self.trials.insert_trial_docs(documents)

    def info(self, *args: Any) -> None:
        """Log at level INFO."""
        _log.info(*args)

    def warn(self, *args: Any) -> None:
        """Log at level WARNING."""
        _log.warning(*args)

    def error(self, *args: Any) -> None:
        """Log at level ERROR."""
        _log.error(*args)

    def debug(self, *args: Any) -> None:
        """Log at level DEBUG."""
        _log.debug(*args)
