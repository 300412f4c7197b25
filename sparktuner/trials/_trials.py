"""``Trials``: what happened in a search, and where the next trials run."""

from __future__ import annotations

import copy
import importlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar

import cloudpickle
import numpy as np

from sparktuner.checks import check_flag, check_has, check_text, check_whole, shown
from sparktuner.domain import Domain
from sparktuner.driver import (
    SearchArguments,
    load_saved,
    load_saved_file,
    method_takes,
    resolve_annotated,
    search,
)
from sparktuner.errors import AllTrialsFailed, InvalidTrial, StoreError, TrialsBusy
from sparktuner.execute import Runner, SerialRunner
from sparktuner.execute.spark import active_session
from sparktuner.history import PARAMETERS, Spaces, to_optuna, to_pandas, to_spark, trial_table
from sparktuner.mlflow import tracked
from sparktuner.records import (
    Attachments,
    Configuration,
    History,
    MemoryStore,
    ShownAttachments,
    Tid,
    TrialDocument,
    TrialLog,
    TrialMisc,
    TrialStore,
    attachment_name,
    configuration_of,
    describe_space,
    expected_best_loss,
    finite_loss,
    miscs_to_idxs_vals,
    new_document,
    validate_document,
)
from sparktuner.space import FlatSpace, evaluate, flatten
from sparktuner.status import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
)
from sparktuner.stores import JournalFile, open_store
from sparktuner.trials._checks import (
    check_columns,
    check_documents,
    check_parts,
    states_of,
    tid_of,
)
from sparktuner.trials._html import trials_html

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from pandas import DataFrame
    from pyspark.sql import DataFrame as SparkDataFrame
    from pyspark.sql import SparkSession

_SHOWN_STATES = (JOB_STATE_NEW, JOB_STATE_RUNNING, JOB_STATE_DONE)
# What repr() counts, in words.
_COUNTED = (
    ("done", (JOB_STATE_DONE,)),
    ("running", (JOB_STATE_RUNNING,)),
    ("waiting", (JOB_STATE_NEW,)),
    ("failed", (JOB_STATE_ERROR,)),
    ("cancelled", (JOB_STATE_CANCEL,)),
)
# At a time; more are a mistake that would take all memory.
_MOST_IDS = 10_000_000
# Never pickled: they belong to this process.
_LOCAL_ATTRIBUTES = ("_search_lock", "_space", "_columns", "_shown")

# What further positional arguments of Trials.fmin mean, in Hyperopt.
_HYPEROPTS_ORDER = (
    "max_queue_len",
    "rstate",
    "verbose",
    "pass_expr_memo_ctrl",
    "catch_eval_exceptions",
    "return_argmin",
    "show_progressbar",
    "early_stop_fn",
    "trials_save_file",
)

# What Hyperopt's SparkTrials calls the reasons to stop that it knows too.
HYPEROPTS_REASONS: Mapping[str, str] = MappingProxyType(
    {"timeout": "fmin run timeout", "early_stop_fn": "early stopping condition"}
)

T = TypeVar("T", bound="Trials")
# Values by label; with return_argmin=False whatever the space is made of, and a dict mostly.
Best: TypeAlias = dict[str, Any]


class Trials:
    """The trials of a search, run one after another in this process unless a runner is given.

    :attr:`trials` shows the documents in state NEW, RUNNING and DONE as of the last
    :meth:`refresh`; :attr:`all_trials` has those that failed or were cancelled too.

    Attributes:
        asynchronous: whether trials run beside the driver; if not, an exception in the
            objective ends the search.
        runner: where trials run.
        fmin_cancelled_reason: why the last search stopped before its ``max_evals``, or None.

    Example:
        >>> from sparktuner import Trials, fmin, hp
        >>> trials = Trials()
        >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
        >>> len(trials), trials.best_trial["misc"]["vals"]["x"] == [best["x"]]
        (5, True)
    """

    asynchronous = False

    def __init__(
        self,
        exp_key: str | None = None,
        refresh: bool = True,
        store: TrialStore | str | os.PathLike[str] | None = None,
        runner: Runner | None = None,
    ) -> None:
        """Shows the trials that ``store`` holds.

        Args:
            exp_key: marks new trials, and shows only those that carry it.
            refresh: whether to read the store at once.
            store: where the documents live: a URL, such as ``"sqlite:///tuning.db"`` or
                ``"postgresql://host/db"`` (see :func:`sparktuner.stores.open_store`), or a
                store; None keeps them in memory.
            runner: where trials run; None runs them one after another in this process.

        Raises:
            TypeError: an argument is of the wrong type.
        """
        check_parts(exp_key, runner)
        check_flag("refresh", refresh)
        self._log = TrialLog(MemoryStore() if store is None else open_store(store), exp_key)
        self.runner: Runner = SerialRunner() if runner is None else runner
        # On the class for Hyperopt's users, on the object where a runner was given.
        if runner is not None:
            self.asynchronous = runner.asynchronous
        self.fmin_cancelled_reason: str | None = None
        self._pickled_space: bytes | None = None
        self._begin()
        if refresh:
            self.refresh()
            # So that trials of a store answer as those of the search that made them last.
            self._log.read_as_last()

    def _begin(self) -> None:
        """Sets what belongs to this process."""
        self._refreshed = 0  # how many documents there were at the last refresh
        self._shown: list[TrialDocument] | None = None
        self._space: object = None
        self._columns: FlatSpace | None = None
        self._search_lock = threading.Lock()

    # --- reading

    @property
    def _fmin_cancelled_reason(self) -> str | None:
        """Hyperopt's name for it, of which programs know two values: see spark.py."""
        begins = (self.fmin_cancelled_reason or "").partition(":")[0]
        return HYPEROPTS_REASONS.get(begins, self.fmin_cancelled_reason)

    @property
    def exp_key(self) -> str | None:
        """The experiment that new trials belong to."""
        return self._log.exp_key

    @property
    def store(self) -> TrialStore:
        """Where the documents live."""
        return self._log.store

    @property
    def trials(self) -> list[TrialDocument]:
        """The documents in state NEW, RUNNING and DONE, as of the last refresh."""
        if self._shown is None:
            # Hyperopt shows inserted documents only after a refresh, and programs count on it.
            refreshed = self._log.documents[: self._refreshed]
            self._shown = [t for t in refreshed if t["state"] in _SHOWN_STATES]
        return self._shown

    @property
    def all_trials(self) -> list[TrialDocument]:
        """All documents, those of trials that failed or were cancelled included, as of now."""
        return list(self._log.documents)

    @property
    def _dynamic_trials(self) -> list[TrialDocument]:
        """Hyperopt's name for :attr:`all_trials`."""
        return self.all_trials

    def __iter__(self) -> Iterator[TrialDocument]:
        return iter(self.trials)

    def __len__(self) -> int:
        return len(self.trials)

    def __repr__(self) -> str:
        documents = self._log.documents
        best = self._log.best()
        counts = ", ".join(
            f"{n} {name}" for name, states in _COUNTED if (n := _count(documents, states))
        )
        found = ""
        if best is not None:
            found = f", best loss {best['result']['loss']:.6g} of trial {best['tid']}"
        key = "" if self.exp_key is None else f" of exp_key {self.exp_key!r}"
        return f"<{type(self).__name__}{key}: {counts or 'no trials'}{found}>"

    def _repr_html_(self) -> str:
        """What notebooks show: the line of repr(), the best trial, and a chart of the losses."""
        documents, best = self.all_trials, self._log.best()
        losses = [finite_loss(document) for document in documents]
        errors = [e for d in documents if (e := d["misc"].get("error")) is not None]
        found = None if best is None else (best["tid"], best["result"]["loss"])
        return trials_html(
            repr(self)[1:-1],
            np.array(losses, dtype=np.float64),
            found,
            [] if best is None else self._values_of(best),
            ": ".join(map(str, errors[-1])) if errors else "",
        )

    def _values_of(self, document: TrialDocument) -> list[tuple[str, object]]:
        """The parameters of a trial by label, choices by value where that can be read."""
        try:
            table = trial_table([document], self.spaces())
        except StoreError:
            return sorted(configuration_of(document).items(), key=lambda item: str(item[0]))
        cells = ((c.name, c.values[0]) for c in table if c.name.startswith(PARAMETERS))
        return [(k.removeprefix(PARAMETERS), v) for k, v in cells if v is not None]

    def __bool__(self) -> bool:
        # An empty Trials is still one: `trials or Trials()` must not replace it.
        return True

    def __getitem__(self, item: object) -> NoReturn:
        raise NotImplementedError("index trials.trials, e.g. trials.trials[0]")

    @property
    def tids(self) -> list[Tid]:
        """The trials' ids."""
        return [trial["tid"] for trial in self.trials]

    @property
    def specs(self) -> list[object]:
        """The trials' specs (None for those that fmin made)."""
        return [trial["spec"] for trial in self.trials]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The trials' results."""
        return [trial["result"] for trial in self.trials]

    @property
    def miscs(self) -> list[TrialMisc]:
        """The trials' miscs: ids, values and where they ran."""
        return [trial["misc"] for trial in self.trials]

    @property
    def idxs_vals(self) -> tuple[dict[str, list[Tid]], dict[str, list[Any]]]:
        """By label, the ids of the trials in which it is active, and its values there."""
        return miscs_to_idxs_vals(self.miscs)

    @property
    def idxs(self) -> dict[str, list[Tid]]:
        """By label, the ids of the trials in which it is active."""
        return self.idxs_vals[0]

    @property
    def vals(self) -> dict[str, list[Any]]:
        """By label, its values in the trials in which it is active."""
        return self.idxs_vals[1]

    def losses(self, bandit: object = None) -> list[float | None]:
        """Returns each trial's loss; None where its result has none."""
        return [result.get("loss") for result in self.results]

    def statuses(self, bandit: object = None) -> list[str | None]:
        """Returns each trial's status."""
        return [result.get("status") for result in self.results]

    @property
    def best_trial(self) -> TrialDocument:
        """The finished trial with the lowest loss, the earliest of equals.

        After a search, one that its space can make, in the terms of that space.

        Raises:
            AllTrialsFailed: no trial finished with status ok and a finite loss.
        """
        best = self._log.best_of(self.trials)
        if best is None:
            fitting = [d for d in self._log.documents if self._log.fits(d)]
            if self._log.documents and not fitting:
                raise AllTrialsFailed("no trial is of the space that was searched last")
            raise AllTrialsFailed(_why_none(fitting))
        return best

    @property
    def argmin(self) -> Configuration:
        """The best trial's values by label; a choice's value is its index.

        Raises:
            AllTrialsFailed: there is no best trial.
        """
        # Sorted, for documents of other tools; our own are in this order.
        return dict(
            sorted(configuration_of(self.best_trial).items(), key=lambda item: str(item[0]))
        )

    @property
    def best_params(self) -> Any:
        """What the objective received in the best trial: choices as values, not indices.

        Raises:
            AllTrialsFailed: there is no best trial.
            RuntimeError: these trials have not been searched, so their space is not known;
                use ``space_eval(space, trials.argmin)``.
        """
        space = self._known_space("use space_eval(space, trials.argmin)")
        best = self.best_trial
        # So that noise inside the space is drawn as it was in that trial.
        seed = best["misc"].get("execution", {}).get("seed")
        return evaluate(space, configuration_of(best), seed)

    @property
    def columns(self) -> FlatSpace:
        """The columns of the space that was searched last, for :meth:`history`.

        Raises:
            RuntimeError: these trials have not been searched, so their space is not known.

        Example:
            >>> from sparktuner import Trials, fmin, hp
            >>> trials = Trials()
            >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
            >>> trials.history(trials.columns).values.shape
            (5, 1)
        """
        if self._columns is None:
            self._columns = flatten(self._known_space("search on these trials first"))
        return self._columns

    def _known_space(self, otherwise: str) -> object:
        if self._space is None and self._pickled_space is not None:
            # Only when asked for: unpickling runs code, and may need modules not installed here.
            self._space = cloudpickle.loads(self._pickled_space)
        if self._space is None:
            raise RuntimeError(f"the search space is known only after fmin; {otherwise}")
        return self._space

    def average_best_error(self, bandit: object = None) -> float:
        """Returns the true loss that one should expect of the best trial.

        Results may hold ``loss_variance`` and ``true_loss``; see
        :func:`sparktuner.records.expected_best_loss`.

        Raises:
            AllTrialsFailed: there is no best trial.
        """
        results = [t["result"] for t in self.trials if finite_loss(t) is not None]
        if not results:
            raise AllTrialsFailed(_why_none(self._log.documents))
        return expected_best_loss(results)

    def count_by_state_synced(
        self, arg: int | Sequence[int], trials: Iterable[TrialDocument] | None = None
    ) -> int:
        """Returns how many of ``trials`` (None: as of the last refresh) are in a state.

        Args:
            arg: one state, or several.
            trials: the documents to count.

        Raises:
            ValueError, TypeError: ``arg`` is no state, or ``trials`` are no documents.
        """
        states = states_of(arg)
        if trials is None:
            return _count(self.trials, states)
        check_documents("trials", trials)
        return _count([validate_document(document) for document in trials], states)

    def count_by_state_unsynced(self, arg: int | Sequence[int]) -> int:
        """Returns how many of all trials, failed and cancelled ones included, are in a state."""
        self._log.refresh()
        return self.count_by_state_synced(arg, self._log.documents)

    def history(self, space: FlatSpace) -> History:
        """Returns the trials as arrays over the columns of ``space``; algorithms learn from it."""
        if not isinstance(space, FlatSpace):
            raise TypeError(f"space must be that of a domain, domain.space, got {shown(space)}")
        return self._log.history(space)

    # --- as data of other tools

    def to_pandas(self) -> DataFrame:
        """Returns all trials as a pandas DataFrame, one row each, by id.

        Failed and cancelled trials are rows too, and those that run or wait. The columns are
        ``state`` (``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``), ``status``
        and ``loss``; ``params.<label>`` for each parameter, missing where it was not active;
        ``result.<key>`` for each further number or text in the results; ``start`` and ``end``
        in UTC, ``duration`` in seconds, ``host``, ``attempts``, ``error`` (its type) and
        ``traceback``, ``exp_key``, ``owner``.

        A choice is the value of its option, where the space is known: of trials of ``fmin`` it
        is. An option that is no number or text is described: ``"{'C': <C>}"``. Whole numbers
        are ``Int64``, or floats where one is beyond 64 bits.

        Raises:
            MissingExtra: pandas is not installed.

        Example:
            >>> from sparktuner import Trials, fmin, hp
            >>> trials = Trials()
            >>> space = {"x": hp.uniform("x", 0, 1), "act": hp.choice("act", ["relu", "tanh"])}
            >>> best = fmin(
            ...     lambda p: p["x"], space, max_evals=9, trials=trials, rstate=0, verbose=False
            ... )
            >>> trials.to_pandas()[["state", "params.act", "params.x"]].round(2).tail(2)
                state params.act  params.x
            tid
            7    done       relu      0.89
            8    done       relu      0.44
        """
        return to_pandas(trial_table(self.all_trials, self.spaces()))

    def to_spark(self, spark: SparkSession | None = None) -> SparkDataFrame:
        """Returns all trials as a Spark DataFrame, in a Classic or a Connect session.

        The columns are those of :meth:`to_pandas` and ``tid``, but that ``params`` and
        ``result`` are structures: ``"params.lr"`` names a parameter in either table.

        Args:
            spark: the session; None takes the active one, or starts one.

        Raises:
            SparkUnavailable: the session was stopped; or there is none, and none can be started.
            TypeError: ``spark`` is no session.

        Example:
            >>> from sparktuner import Trials, fmin, hp
            >>> trials = Trials()
            >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=3, trials=trials, verbose=False)
            >>> frame = trials.to_spark()
            >>> frame.where("state = 'done'").orderBy("loss").first()["params"]["x"] == best["x"]
            True
        """
        if spark is not None and not hasattr(spark, "createDataFrame"):
            raise TypeError(f"spark must be a SparkSession or None, got {spark!r}")
        return to_spark(trial_table(self.all_trials, self.spaces()), active_session(spark))

    def to_optuna(
        self, storage: str | BaseStorage | None = None, study_name: str | None = None
    ) -> Study:
        """Returns all trials as a new study of Optuna, which its plots and dashboard read.

        Trials whose loss is finite are complete, those that run or wait do so there too, and
        all others have failed. Parameters have the distributions that Optuna has for them:
        ``hp.uniform`` and its kin theirs, with their logarithm or their step; of the normal
        ones, which Optuna lacks, the range of the values. A choice is the value of its option,
        as in :meth:`to_pandas`, whose other columns are attributes of the user.

        Args:
            storage: where Optuna keeps the study: a URL as ``"sqlite:///study.db"``, or a
                storage of Optuna's; None keeps it in memory.
            study_name: its name; None makes one up.

        Raises:
            MissingExtra: optuna is not installed.
            optuna.exceptions.DuplicatedStudyError: the storage has a study of that name.

        Example:
            >>> import optuna
            >>> from sparktuner import Trials, fmin, hp
            >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
            >>> trials = Trials()
            >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=3, trials=trials, verbose=False)
            >>> study = trials.to_optuna()
            >>> study.best_params == best
            True
            >>> study.trials[0].distributions
            {'x': FloatDistribution(high=1.0, log=False, low=-1.0, step=None)}
        """
        return to_optuna(self.all_trials, self.spaces(), storage, study_name)

    def report(self, path: str | os.PathLike[str]) -> None:
        """Writes one page about these trials, which any browser opens without a network.

        It has what was searched, where and for how long, the best parameters, plots, a table of
        all trials that sorts and filters, and the details of each with its traceback.

        Args:
            path: the file, such as ``"search.html"``; one that is there is replaced.

        Raises:
            TypeError: ``path`` is no path.
            ValueError: ``path`` is no name of a file.
            OSError: the file cannot be written.

        Example:
            >>> import os, tempfile
            >>> from sparktuner import Trials, fmin, hp
            >>> trials = Trials()
            >>> best = fmin(abs, hp.uniform("x", -1, 1), max_evals=5, trials=trials, verbose=False)
            >>> path = os.path.join(tempfile.mkdtemp(), "search.html")
            >>> trials.report(path)
            >>> os.path.getsize(path) > 10_000
            True
        """
        # The page is made of plots, which are above trials: here it is only called by its name.
        importlib.import_module("sparktuner.report").write_report(self, path)

    def spaces(self) -> Spaces:
        """Returns what the values of these trials mean, for tables and plots of them."""
        searched = None if self._log.reading is None else self._log.reading.present
        if searched is None and self._space is not None:
            searched = describe_space(flatten(self._space))
        return Spaces(self._log.attachments, searched)

    # --- attachments

    @property
    def attachments(self) -> Attachments:
        """All attachments by name; a trial's carry the name that :meth:`aname` gives."""
        return ShownAttachments(self._log.attachments)

    def aname(self, trial: TrialDocument, name: str) -> str:
        """Returns the name in :attr:`attachments` of a trial's attachment."""
        if not isinstance(name, str):
            raise TypeError(f"name must be text, got {shown(name)}")
        return attachment_name(tid_of(trial), name)

    def trial_attachments(self, trial: TrialDocument) -> Attachments:
        """Returns the attachments of one trial by their own names."""
        return self._log.attachments_of(tid_of(trial))

    # --- writing

    def refresh(self) -> None:
        """Brings what is shown up to date with the store."""
        self._log.refresh()
        self._refreshed = len(self._log.documents)
        self._shown = None

    def view(self: T, exp_key: str | None = None, refresh: bool = True) -> T:
        """Returns trials of the same kind that show the same store through an ``exp_key``."""
        check_text("exp_key", exp_key)
        check_flag("refresh", refresh)
        view = self.over(TrialLog(self.store, exp_key))
        if refresh:
            view.refresh()
        return view

    def over(self: T, log: TrialLog) -> T:
        """Returns trials of the same kind and settings that show another log."""
        if not isinstance(log, TrialLog):
            raise TypeError(f"log must be a TrialLog, got {shown(log)}")
        # Through __getstate__, as pickling would make it, but for the log.
        other = copy.copy(self)
        other._log = log
        other.refresh()
        return other

    def assert_valid_trial(self, trial: TrialDocument) -> TrialDocument:
        """Returns the document itself, if it is one of this experiment.

        Raises:
            InvalidTrial: it lacks a key, or belongs to another ``exp_key``.
        """
        validate_document(trial)
        if self.exp_key is not None and trial["exp_key"] != self.exp_key:
            raise InvalidTrial(
                f"exp_key is {trial['exp_key']!r}, but these trials have {self.exp_key!r}"
            )
        return trial

    def insert_trial_doc(self, doc: TrialDocument) -> Tid:
        """Inserts one document, which shows after the next :meth:`refresh`. Returns its id.

        Raises:
            InvalidTrial: it is ill-formed, or its id is taken.
        """
        return self.insert_trial_docs([doc])[0]

    def insert_trial_docs(self, docs: Iterable[TrialDocument]) -> list[Tid]:
        """Inserts documents, all or none; they show after the next :meth:`refresh`.

        Returns:
            Their ids.

        Raises:
            InvalidTrial: one is ill-formed, or its id is taken.
        """
        check_documents("docs", docs)
        return self._insert([self.assert_valid_trial(doc) for doc in docs])

    def _insert(self, documents: list[TrialDocument]) -> list[Tid]:
        for document in documents:
            # Hyperopt's documents have one; those that users write by hand often do not.
            document.setdefault("version", 0)
        self._log.insert(documents)
        return [document["tid"] for document in documents]

    def new_trial_ids(self, n: int) -> list[Tid]:
        """Returns ``n`` new ids, above all that were ever given out."""
        check_whole("n", n, least=0, most=_MOST_IDS)
        return self._log.allocate(int(n))

    def new_trial_docs(
        self,
        tids: Sequence[Tid],
        specs: Sequence[Any],
        results: Sequence[Mapping[str, Any]],
        miscs: Sequence[TrialMisc],
    ) -> list[TrialDocument]:
        """Returns documents in state NEW; they are not inserted yet.

        Raises:
            ValueError, TypeError: the arguments are no lists with an entry a trial.
        """
        check_columns(tids=tids, specs=specs, results=results, miscs=miscs)
        documents = []
        for tid, spec, result, misc in zip(tids, specs, results, miscs, strict=True):
            document = new_document(tid, {}, exp_key=self.exp_key)
            document["spec"], document["result"], document["misc"] = spec, dict(result), misc
            documents.append(document)
        return documents

    def source_trial_docs(
        self,
        tids: Sequence[Tid],
        specs: Sequence[Any],
        results: Sequence[Mapping[str, Any]],
        miscs: Sequence[TrialMisc],
        sources: Sequence[TrialDocument],
    ) -> list[TrialDocument]:
        """Returns documents in state DONE that name the trials they stem from.

        Each has the id of its source in ``misc["from_tid"]``.

        Raises:
            ValueError, TypeError: the arguments are no lists with an entry a trial.
            InvalidTrial: a source is no document.
        """
        check_columns(tids=tids, specs=specs, results=results, miscs=miscs, sources=sources)
        documents = self.new_trial_docs(tids, specs, results, miscs)
        for document, source in zip(documents, sources, strict=True):
            # A result that was injected needs no run, and the experiment is its source's.
            document["state"] = JOB_STATE_DONE
            document["misc"]["from_tid"] = tid_of(source)
            document["exp_key"] = source.get("exp_key")
        return documents

    def delete_all(self) -> None:
        """Forgets all trials (of this ``exp_key``, if there is one) and attachments."""
        self._log.delete_all()
        self.refresh()

    # --- searching

    @method_takes(SearchArguments, then=_HYPEROPTS_ORDER)
    def fmin(self, arguments: SearchArguments) -> Best:
        """Minimises an objective over a search space on these trials.

        Returns:
            As :func:`sparktuner.fmin`.

        Raises:
            BadSearchSpace: the space is ill-formed.
            ValueError, TypeError: another argument is.
            TrialsBusy: a search on these trials is under way.
            AllTrialsFailed: no trial finished with status ok.
        """
        fn, space = resolve_annotated(arguments.fn, arguments.space)
        # A domain may do without, a search may not.
        if fn is None:
            raise TypeError("the objective must be callable, got None; write fmin(fn, space)")
        domain = Domain(fn, space, pass_expr_memo_ctrl=arguments.pass_expr_memo_ctrl)
        self.search(domain, arguments)
        try:
            best = self.argmin
        except AllTrialsFailed:
            if self._log.documents:
                raise
            return {} if arguments.return_argmin else None  # type: ignore[return-value]
        if arguments.return_argmin:
            return best
        params: Best = self.best_params
        return params

    def search(
        self, domain: Domain, arguments: SearchArguments, most_queued: int | None = None
    ) -> None:
        """Searches on these trials, as :meth:`fmin` does, and leaves the answer in them.

        Args:
            domain: the objective and its space, in place of those in ``arguments``.
            arguments: the search's arguments.
            most_queued: how many of the trials in state NEW to run; None is all.

        Raises:
            TrialsBusy: a search on these trials is under way.
            TypeError: an argument is of the wrong type.
        """
        check_has("domain", domain, ("fn", "expr", "space"), "a Domain, such as Domain(fn, space)")
        if not isinstance(arguments, SearchArguments):
            raise TypeError(f"arguments must be SearchArguments(...), got {shown(arguments)}")
        if most_queued is not None:
            check_whole("most_queued", most_queued, least=0)
            most_queued = int(most_queued)
        arguments = tracked(arguments)
        # Two loops on one object would each count the other's trials as strangers'.
        if not self._search_lock.acquire(blocking=False):
            raise TrialsBusy(
                "fmin is already running on this Trials object; wait for it to end, or give "
                "each fmin a Trials of its own"
            )
        try:
            # Known from now on, also if the search fails: there may be results.
            self._space, self._columns = domain.expr, domain.space
            self.fmin_cancelled_reason = None
            self.fmin_cancelled_reason = search(
                self, self._log, self.runner, domain, arguments, most_queued
            )
        except BaseException:
            # What came back is to be seen, if it can be read: the error matters more.
            with suppress(StoreError):
                self.refresh()
            raise
        else:
            self.refresh()
        finally:
            self._search_lock.release()

    # --- pickling

    def __getstate__(self) -> dict[str, Any]:
        # By cloudpickle, because options of a space may be functions of the user's script.
        if self._space is not None:
            self._pickled_space = _try_pickle(self._space)
        return {k: v for k, v in self.__dict__.items() if k not in _LOCAL_ATTRIBUTES}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_log" not in state and "_dynamic_trials" in state:
            self._take_over(state)
            return
        self._begin()
        self.__dict__.update(state)
        self.refresh()

    def _take_over(self, state: Mapping[str, Any]) -> None:
        """Becomes what Hyperopt's own Trials were when they were pickled, by that name."""
        Trials.__init__(self, state.get("_exp_key"))
        documents: list[TrialDocument] = state["_dynamic_trials"]
        for document in documents:
            document.setdefault("version", 0)
        self._log.insert(documents)
        # Hyperopt keeps the pickled objective among the attachments, in its own classes.
        kept = dict(state.get("attachments", {}))
        kept.pop("FMinIter_Domain", None)
        self.attachments.update(kept)
        self.refresh()


def _count(documents: Sequence[TrialDocument], states: Sequence[int]) -> int:
    return sum(document["state"] in states for document in documents)


def _why_none(documents: Sequence[TrialDocument]) -> str:
    """Why none of these trials is the best one."""
    if not documents:
        return "there are no trials yet"
    # The last error is shown: the first ones are often other ones, of a cold cluster.
    errors = [t["misc"]["error"] for t in documents if "error" in t["misc"]]
    errors += [("result", t["result"]["failure"]) for t in documents if t["result"].get("failure")]
    text = f"none of the {len(documents)} trials finished with status 'ok' and a finite loss"
    return f"{text}; the last error was {': '.join(errors[-1])}" if errors else text


def _try_pickle(space: object) -> bytes | None:
    try:
        return bytes(cloudpickle.dumps(space))
    except Exception:  # whatever a user's object raises: best_params is then lost, not the trials
        return None


def trials_from_docs(
    docs: Iterable[TrialDocument], validate: bool = True, **kwargs: Any
) -> Trials:
    """Returns a :class:`Trials` that holds ``docs``.

    Args:
        docs: trial documents.
        validate: whether to check each one.
        **kwargs: for :class:`Trials`.

    Raises:
        InvalidTrial: a document is ill-formed.
        TypeError: another argument is of the wrong type.

    Example:
        >>> from sparktuner import fmin, hp, trials_from_docs
        >>> from sparktuner.fmin import generate_trial
        >>> trials = trials_from_docs([generate_trial(0, {"x": 0.5})])
        >>> fmin(abs, hp.uniform("x", -1, 1), max_evals=1, trials=trials, verbose=False)
        {'x': 0.5}
    """
    trials = Trials(**kwargs)
    check_flag("validate", validate)
    check_documents("docs", docs)
    if validate:
        trials.insert_trial_docs(docs)
    else:
        trials._insert(list(docs))
    trials.refresh()
    return trials


def load_trials(path: str | os.PathLike[str]) -> Trials:
    """Returns the trials of a file that ``trials_save_file`` has named, in memory.

    Nothing in it is unpickled, but for an attachment when it is read: large values, and what
    has no form in JSON, such as a fitted model that was part of a result.

    Args:
        path: the file; a search may be writing it.

    Raises:
        StoreError: it holds something else, or is corrupt.
        ValueError: there is none.

    Example:
        >>> import os, tempfile
        >>> from sparktuner import fmin, hp, load_trials
        >>> file = os.path.join(tempfile.mkdtemp(), "trials.jsonl")
        >>> best = fmin(
        ...     abs, hp.uniform("x", -1, 1), max_evals=5, trials_save_file=file, verbose=False
        ... )
        >>> load_trials(file).argmin == best
        True
    """
    trials = Trials()
    load_saved_file(trials._log, path)
    trials._log.read_as_last()
    trials.refresh()
    return trials


def load_records_1(records: list[bytes]) -> Trials:
    """Returns the trials of a save file that somebody reads with ``pickle.load``."""
    trials = Trials()
    load_saved(trials._log, JournalFile.of_records(records))
    trials._log.read_as_last()
    trials.refresh()
    return trials
