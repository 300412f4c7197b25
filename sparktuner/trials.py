"""Trials: a store, a way to run, and Hyperopt's ways to look at them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, NoReturn

import cloudpickle

from sparktuner.driver import SearchOptions, minimise
from sparktuner.errors import AllTrialsFailed, InvalidTrial, TrialsBusy
from sparktuner.execute import Executor, SerialExecutor
from sparktuner.records import (
    Document,
    History,
    HistoryLog,
    MemoryStore,
    TrialAttachments,
    TrialStore,
    attachment_name,
    configuration_of,
    expected_best_loss,
    finite_loss,
    miscs_to_idxs_vals,
    new_document,
    validate_document,
)
from sparktuner.space import FlatSpace, evaluate
from sparktuner.status import JOB_STATE_DONE, JOB_STATE_NEW, JOB_STATE_RUNNING

_SHOWN_STATES = (JOB_STATE_NEW, JOB_STATE_RUNNING, JOB_STATE_DONE)
# Never pickled: they belong to this process.
_LOCAL_ATTRIBUTES = ("_search_lock", "_logs", "_space", "_shown")


class Trials:
    """The trials of a search, run one after another in this process.

    :attr:`trials` shows the documents in state NEW, RUNNING and DONE as of the last
    :meth:`refresh`; those that failed or were cancelled are kept in ``_dynamic_trials``.

    Attributes:
        asynchronous: whether trials run beside the driver; if not, an exception in the
            objective ends the search.
        fmin_cancelled_reason: why the last search stopped before its ``max_evals``, or None.
    """

    asynchronous = False

    def __init__(
        self, exp_key: str | None = None, refresh: bool = True, store: TrialStore | None = None
    ) -> None:
        """Empty trials, or those that ``store`` holds.

        Args:
            exp_key: marks new trials, and shows only those that carry it.
            refresh: read the store at once.
            store: where the documents live; None keeps them in memory.
        """
        self._exp_key = exp_key
        self._store: TrialStore = MemoryStore() if store is None else store
        self.fmin_cancelled_reason: str | None = None
        self._forget_cached()
        if refresh:
            self.refresh()

    def _forget_cached(self) -> None:
        self._dynamic_trials: list[Document] = []
        self._positions: dict[Any, int] = {}
        self._revision = 0
        self._refreshed = 0  # how many documents there were at the last refresh
        self._shown: list[Document] | None = []
        self._logs: dict[FlatSpace, HistoryLog] = {}
        self._space: object = None
        self._pickled_space: bytes | None = None
        self._search_lock = threading.Lock()

    # --- reading

    @property
    def exp_key(self) -> str | None:
        """The experiment that new trials belong to."""
        return self._exp_key

    @property
    def trials(self) -> list[Document]:
        """The documents in state NEW, RUNNING and DONE, as of the last refresh."""
        if self._shown is None:
            refreshed = self._dynamic_trials[: self._refreshed]
            self._shown = [t for t in refreshed if t["state"] in _SHOWN_STATES]
        return self._shown

    def __iter__(self) -> Iterator[Document]:
        return iter(self.trials)

    def __len__(self) -> int:
        return len(self.trials)

    def __bool__(self) -> bool:
        # An empty Trials is still one: `trials or Trials()` must not replace it.
        return True

    def __getitem__(self, item: Any) -> NoReturn:
        raise NotImplementedError("index trials.trials, e.g. trials.trials[0]")

    @property
    def tids(self) -> list[Any]:
        """The trials' ids."""
        return [trial["tid"] for trial in self.trials]

    @property
    def specs(self) -> list[Any]:
        """The trials' specs (None for those that fmin made)."""
        return [trial["spec"] for trial in self.trials]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The trials' results."""
        return [trial["result"] for trial in self.trials]

    @property
    def miscs(self) -> list[dict[str, Any]]:
        """The trials' miscs: ids, values and where they ran."""
        return [trial["misc"] for trial in self.trials]

    @property
    def idxs_vals(self) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """By label, the ids of the trials in which it is active, and its values there."""
        return miscs_to_idxs_vals(self.miscs)

    @property
    def idxs(self) -> dict[str, list[Any]]:
        """By label, the ids of the trials in which it is active."""
        return self.idxs_vals[0]

    @property
    def vals(self) -> dict[str, list[Any]]:
        """By label, its values in the trials in which it is active."""
        return self.idxs_vals[1]

    def losses(self, bandit: object = None) -> list[Any]:
        """Each trial's loss; None where its result has none."""
        return [result.get("loss") for result in self.results]

    def statuses(self, bandit: object = None) -> list[Any]:
        """Each trial's status."""
        return [result.get("status") for result in self.results]

    @property
    def best_trial(self) -> Document:
        """The finished trial with the lowest loss, the earliest of equals.

        Raises:
            AllTrialsFailed: no trial finished with status ok and a finite loss.
        """
        best = min(
            (trial for trial in self.trials if finite_loss(trial) is not None),
            key=lambda trial: float(trial["result"]["loss"]),
            default=None,
        )
        if best is None:
            raise AllTrialsFailed(self._why_none())
        return best

    def _why_none(self) -> str:
        documents = self._dynamic_trials
        if not documents:
            return "there are no trials yet"
        errors = [t["misc"]["error"] for t in documents if "error" in t["misc"]]
        errors += [
            ("result", t["result"]["failure"]) for t in documents if t["result"].get("failure")
        ]
        text = f"none of the {len(documents)} trials finished with status 'ok' and a finite loss"
        return f"{text}; the last error was {': '.join(errors[-1])}" if errors else text

    @property
    def argmin(self) -> dict[str, Any]:
        """The best trial's values by label; a choice's value is its index."""
        return configuration_of(self.best_trial)

    @property
    def best_params(self) -> Any:
        """What the objective received in the best trial: choices as values, not indices.

        Raises:
            AllTrialsFailed: there is no best trial.
            RuntimeError: these trials have not been searched, so their space is not known;
                use ``space_eval(space, trials.argmin)``.
        """
        if self._space is None and self._pickled_space is not None:
            self._space = cloudpickle.loads(self._pickled_space)
        if self._space is None:
            raise RuntimeError(
                "the search space is known only after fmin; use space_eval(space, trials.argmin)"
            )
        return evaluate(self._space, self.argmin)

    def average_best_error(self, bandit: object = None) -> float:
        """The true loss that one should expect of the best trial.

        Results may hold ``loss_variance`` and ``true_loss``; see
        :func:`sparktuner.records.expected_best_loss`.
        """
        results = [t["result"] for t in self.trials if finite_loss(t) is not None]
        if not results:
            raise AllTrialsFailed(self._why_none())
        return expected_best_loss(results)

    def count_by_state_synced(
        self, arg: int | Sequence[int], trials: Iterable[Document] | None = None
    ) -> int:
        """How many of ``trials`` (None: as of the last refresh) are in one of the states."""
        states = [arg] if isinstance(arg, int) else list(arg)
        return sum(t["state"] in states for t in (self.trials if trials is None else trials))

    def count_by_state_unsynced(self, arg: int | Sequence[int]) -> int:
        """How many trials are in one of the states now, failed and cancelled ones included."""
        self._pull()
        return self.count_by_state_synced(arg, self._dynamic_trials)

    def history(self, space: FlatSpace) -> History:
        """The trials as arrays over the columns of ``space``; what algorithms learn from."""
        log = self._logs.get(space)
        if log is None:
            # One search at a time: the arrays of spaces searched before are not needed.
            self._logs = {space: (log := HistoryLog(space))}
        return log.update(self._dynamic_trials)

    # --- attachments

    @property
    def attachments(self) -> MutableMapping[str, Any]:
        """All attachments by name; a trial's carry the name that :meth:`aname` gives."""
        return self._store.attachments

    def aname(self, trial: Document, name: str) -> str:
        """The name in :attr:`attachments` of a trial's attachment."""
        return attachment_name(trial["tid"], name)

    def trial_attachments(self, trial: Document) -> MutableMapping[str, Any]:
        """The attachments of one trial by their own names."""
        return TrialAttachments(self._store.attachments, trial["tid"])

    # --- writing

    def refresh(self) -> None:
        """Bring what is shown up to date with the store."""
        self._pull()
        self._refreshed = len(self._dynamic_trials)
        self._shown = None

    def _pull(self) -> None:
        changed, self._revision = self._store.load_since(self._revision)
        for document in changed:
            if self._exp_key is not None and document["exp_key"] != self._exp_key:
                continue
            position = self._positions.get(document["tid"])
            if position is None:
                self._positions[document["tid"]] = len(self._dynamic_trials)
                self._dynamic_trials.append(document)
            else:
                self._dynamic_trials[position] = document

    def view(self, exp_key: str | None = None, refresh: bool = True) -> Trials:
        """The same store seen through another ``exp_key``."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._exp_key = exp_key
        view._forget_cached()
        if refresh:
            view.refresh()
        return view

    def assert_valid_trial(self, trial: Document) -> Document:
        """The document itself, if it is one of this experiment.

        Raises:
            InvalidTrial: it lacks a key, or belongs to another ``exp_key``.
        """
        validate_document(trial)
        if self._exp_key is not None and trial["exp_key"] != self._exp_key:
            raise InvalidTrial(
                f"exp_key is {trial['exp_key']!r}, but these trials have {self._exp_key!r}"
            )
        return trial

    def insert_trial_doc(self, doc: Document) -> Any:
        """Insert one document; it shows after the next :meth:`refresh`. Returns its id.

        Raises:
            InvalidTrial: it is ill-formed, or its id is taken.
        """
        return self.insert_trial_docs([doc])[0]

    def insert_trial_docs(self, docs: Iterable[Document]) -> list[Any]:
        """Insert documents, all or none; they show after the next :meth:`refresh`.

        Returns:
            Their ids.

        Raises:
            InvalidTrial: one is ill-formed, or its id is taken.
        """
        documents = [self.assert_valid_trial(doc) for doc in docs]
        for document in documents:
            document.setdefault("version", 0)
        self._store.insert(documents)
        self._pull()
        return [document["tid"] for document in documents]

    def update_trial_doc(self, document: Document) -> None:
        """Write a document that was changed; the driver's loop does so.

        Raises:
            InvalidTrial: another driver wrote it meanwhile.
        """
        self._store.update(document)

    def new_trial_ids(self, n: int) -> list[int]:
        """``n`` new ids, above all that were ever given out."""
        return self._store.allocate(n)

    def new_trial_docs(
        self,
        tids: Sequence[Any],
        specs: Sequence[Any],
        results: Sequence[Mapping[str, Any]],
        miscs: Sequence[Mapping[str, Any]],
    ) -> list[Document]:
        """Documents in state NEW; not inserted yet."""
        documents = []
        for tid, spec, result, misc in zip(tids, specs, results, miscs, strict=True):
            document = new_document(tid, {}, exp_key=self._exp_key)
            document.update(spec=spec, result=result, misc=misc)
            documents.append(document)
        return documents

    def source_trial_docs(
        self,
        tids: Sequence[Any],
        specs: Sequence[Any],
        results: Sequence[Mapping[str, Any]],
        miscs: Sequence[Mapping[str, Any]],
        sources: Sequence[Document],
    ) -> list[Document]:
        """Documents in state DONE that name, in ``misc["from_tid"]``, the trial they stem from."""
        documents = self.new_trial_docs(tids, specs, results, miscs)
        for document, source in zip(documents, sources, strict=True):
            document["state"] = JOB_STATE_DONE
            document["misc"]["from_tid"] = source["tid"]
            document["exp_key"] = source["exp_key"]
        return documents

    def emptied(self) -> Trials:
        """A copy with the same settings, no trials, and a store in memory."""
        copy = object.__new__(type(self))
        copy.__setstate__(self.__getstate__())
        copy._store = MemoryStore()
        copy._forget_cached()
        copy._pickled_space = self._pickled_space
        return copy

    def remember_space(self, space: object) -> None:
        """Note the space being searched, for :attr:`best_params`; the driver's loop does so."""
        self._space = space

    def delete_all(self) -> None:
        """Forget all trials (of this ``exp_key``, if there is one) and attachments."""
        self._store.delete_all(self._exp_key)
        self._forget_cached()
        self.refresh()

    # --- searching

    def _make_executor(self, objective: Callable[[Any], Any]) -> Executor:
        """Where trials run: subclasses give another executor."""
        return SerialExecutor(objective)

    def _search_options(self, options: SearchOptions) -> SearchOptions:
        """Subclasses fill in what their constructor was given."""
        return options

    def fmin(
        self,
        fn: Callable[..., Any],
        space: object,
        algo: Callable[..., Any] | None = None,
        max_evals: float | None = None,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        max_queue_len: int = 1,
        rstate: Any = None,
        verbose: bool = False,
        pass_expr_memo_ctrl: bool | None = None,
        catch_eval_exceptions: bool = False,
        return_argmin: bool = True,
        show_progressbar: Any = True,
        early_stop_fn: Callable[..., Any] | None = None,
        trials_save_file: str = "",
        points_to_evaluate: Sequence[Mapping[str, Any]] | None = None,
        reproducible: bool = False,
        deadline_margin: float | None = 1.0,
    ) -> Any:
        """Search on these trials; see :func:`sparktuner.fmin` for the arguments.

        Raises:
            TrialsBusy: a search on these trials is under way.
        """
        options = SearchOptions(
            algo=algo,
            max_evals=max_evals,
            timeout=timeout,
            loss_threshold=loss_threshold,
            max_queue_len=max_queue_len,
            rstate=rstate,
            verbose=verbose,
            pass_expr_memo_ctrl=pass_expr_memo_ctrl,
            catch_eval_exceptions=catch_eval_exceptions,
            return_argmin=return_argmin,
            show_progressbar=show_progressbar,
            early_stop_fn=early_stop_fn,
            trials_save_file=trials_save_file,
            points_to_evaluate=points_to_evaluate,
            reproducible=reproducible,
            deadline_margin=deadline_margin,
        )
        if not self._search_lock.acquire(blocking=False):
            raise TrialsBusy(
                "fmin is already running on this Trials object; wait for it to end, or give "
                "each fmin a Trials of its own"
            )
        try:
            return minimise(self, fn, space, self._search_options(options), self._make_executor)
        finally:
            self._search_lock.release()

    # --- pickling

    def __getstate__(self) -> dict[str, Any]:
        if self._space is not None:
            self._pickled_space = _try_pickle(self._space)
        return {k: v for k, v in self.__dict__.items() if k not in _LOCAL_ATTRIBUTES}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._search_lock = threading.Lock()
        self._logs = {}
        self._space = None
        self.refresh()


def _try_pickle(space: object) -> bytes | None:
    try:
        return bytes(cloudpickle.dumps(space))
    except Exception:  # whatever a user's object raises: best_params is then lost, not the trials
        return None


def trials_from_docs(docs: Iterable[Document], validate: bool = True, **kwargs: Any) -> Trials:
    """A :class:`Trials` that holds ``docs``.

    Args:
        docs: trial documents.
        validate: check each one; the documents are shared, not copied, either way.
        **kwargs: for :class:`Trials`.

    Raises:
        InvalidTrial: a document is ill-formed.
    """
    trials = Trials(**kwargs)
    if validate:
        trials.insert_trial_docs(docs)
    else:
        trials._store.insert(docs)
    trials.refresh()
    return trials
