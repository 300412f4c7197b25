"""The commands that look into a store, and the one that deletes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from sparktuner._nothing_found import NothingFound
from sparktuner._stored._printing import Form, Record, print_records
from sparktuner._stored._source import Source
from sparktuner.errors import StoreError
from sparktuner.history import PARAMETERS, STATES, Spaces, trial_table
from sparktuner.records import Attachments, TrialDocument, TrialStore, best_of, finite_loss

# Of a trial's table; the rest is in the JSON and the CSV.
_FOR_PEOPLE = ("tid", "state", "loss")
# Experiments in a message.
_LISTED = 10


def show(source: Source, form: Form) -> None:
    """Prints the experiments of a store, the one that changed last at the end.

    Raises:
        NothingFound: there is no trial.
    """
    store = source.open()
    groups: dict[str | None, list[TrialDocument]] = {}
    for document in _some(source, store):
        groups.setdefault(document["exp_key"], []).append(document)
    records = [_experiment(name, documents) for name, documents in groups.items()]
    print_records(sorted(records, key=lambda record: str(record["last_change"] or "")), form)


def best(source: Source, form: Form) -> None:
    """Prints the best trial: its id, its loss and what the objective's parameters were.

    Raises:
        NothingFound: no trial has a loss.
    """
    store = source.open()
    document = best_of(_some(source, store))
    if document is None:
        raise NothingFound(f"no trial in {source.where(store)} has a loss yet")
    print_best(store, document, form)


def print_best(store: TrialStore, document: TrialDocument, form: Form) -> None:
    """Prints a trial that is the best one: its id, its loss and its parameters."""
    record = best_record(store, document)
    if form is Form.TABLE:
        print_records([{"name": key, "value": value} for key, value in record.items()], form)
    else:
        print_records([record], form)


def best_record(store: TrialStore, document: TrialDocument) -> Record:
    """Returns a trial's id, loss and experiment, and the parameters that it had."""
    record = rows_of(store.attachments, [document])[0]
    found = {"tid": record["tid"], "loss": record["loss"], "exp_key": record["exp_key"]}
    return found | {k: v for k, v in record.items() if k.startswith(PARAMETERS) and v is not None}


def trials(source: Source, form: Form, state: str | None, limit: int | None) -> None:
    """Prints a table of trials, the newest last.

    Args:
        source: where they are.
        form: how they are printed; the table for people leaves some columns out.
        state: only trials in this state; None is all.
        limit: only so many, the newest; None is all.

    Raises:
        NothingFound: there is no such trial.
    """
    store = source.open()
    found = [d for d in _some(source, store) if state in (None, STATES.get(d["state"]))]
    if not found:
        raise NothingFound(f"no trial in {source.where(store)} is {state}")
    records = rows_of(store.attachments, found if limit is None else found[-limit:])
    if form is Form.TABLE:
        records = [
            {k: v for k, v in r.items() if k in _FOR_PEOPLE or k.startswith(PARAMETERS)}
            | {"error": r["error"]}
            for r in records
        ]
    print_records(records, form)


def delete(source: Source, may: Callable[[], bool]) -> bool:
    """Deletes the trials of an experiment, or all, with their attachments.

    Args:
        source: the store, and the experiment.
        may: is asked when it is clear that there is something to delete.

    Returns:
        What ``may`` has answered.

    Raises:
        NothingFound: the store has no such experiment.
    """
    store = source.open()
    if source.exp_key is not None and not _may_have(source, store):
        there = Counter(document["exp_key"] for document in store.load_since()[0])
        raise NothingFound(
            f"{source.where(store)} holds no trials of exp_key {source.exp_key!r}; "
            f"it holds {_listed(there)}"
        )
    if not may():
        return False
    store.delete_all(source.exp_key)
    return True


def _may_have(source: Source, store: TrialStore) -> bool:
    try:
        return bool(source.read(store))
    except StoreError:
        # A trial that cannot be read: to delete them is a way out.
        return True


def _listed(trials: Mapping[str | None, int]) -> str:
    most = [f"{n} of {key!r}" for key, n in sorted(trials.items(), key=lambda i: str(i[0]))]
    more = f", … ({len(most)} experiments)" if len(most) > _LISTED else ""
    return ", ".join(most[:_LISTED]) + more or "none at all"


def _some(source: Source, store: TrialStore) -> list[TrialDocument]:
    documents = source.read(store)
    if not documents:
        raise source.without_trials(store)
    return documents


def _experiment(name: str | None, documents: Sequence[TrialDocument]) -> Record:
    counts = Counter(STATES.get(document["state"], "other") for document in documents)
    return {
        "exp_key": name,
        "trials": len(documents),
        **{state: counts[state] for state in STATES.values()},
        "best_loss": _least(finite_loss(document) for document in documents),
        "last_change": max(filter(None, (d["refresh_time"] for d in documents)), default=None),
    }


def _least(losses: Iterable[float | None]) -> float | None:
    return min((loss for loss in losses if loss is not None), default=None)


def rows_of(attachments: Attachments, documents: Sequence[TrialDocument]) -> list[Record]:
    """Returns the rows of a table of trials, with the columns of ``to_pandas``."""
    columns = trial_table(documents, Spaces(attachments, None))
    return [{column.name: column.values[i] for column in columns} for i in range(len(documents))]
