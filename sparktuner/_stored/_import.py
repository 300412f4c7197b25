"""The command that adds the trials of a file to a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Protocol, TypeAlias

import cloudpickle

from sparktuner._stored._export import OF_TRIAL, raw
from sparktuner.as_hyperopt import as_hyperopt
from sparktuner.errors import StoreError
from sparktuner.records import (
    Attachments,
    Tid,
    TrialDocument,
    TrialStore,
    active_values,
    attachment_name,
    has_ended,
    renumbered,
)
from sparktuner.stores import (
    BlobAttachments,
    ExportFile,
    JournalFile,
    RawAttachment,
    is_journal,
    open_store,
)
from sparktuner.trials import Trials

# Documents of one call.
_BATCH = 1000
# Ids that every store takes.
_LARGEST = 2**53
# What a trial is known by: the id that it had where it was made, its experiment, its values.
_Identity: TypeAlias = tuple[str, str | None, str]


@dataclass(frozen=True)
class Imported:
    """What an import has done.

    Attributes:
        where: the store, in words for messages.
        trials: how many trials were added.
        known: how many were there already.
        moved: ids that are others now, old -> new.
        is_in_use: a search runs on the store, so that no id is known to be free.
    """

    where: str
    trials: int
    known: int
    moved: Mapping[Tid, Tid]
    is_in_use: bool


class _Past(Protocol):
    def documents(self) -> list[TrialDocument]: ...

    def attachments(self) -> Iterator[RawAttachment]: ...


def import_trials(path: Path, url: str, trust_pickle: bool) -> Imported:
    """Adds trials to a store: those of an export, of a save file, or of a pickle.

    Trials that are there already, by an earlier import too, are left as they are. Attachments
    are there before the trials, so an import that was cut short can be run again.

    Args:
        path: the file.
        url: of the store, which is made if need be.
        trust_pickle: whether to unpickle what is neither an export nor a save file.

    Raises:
        StoreError: the file is none of them, or something in it is not in order.
        OSError: it cannot be read.
    """
    past = _opened(path, trust_pickle)
    documents = past.documents()
    store = open_store(url)
    there = store.load_since()[0]
    fresh = _unknown(documents, there)
    in_use = bool(store.owners())
    # An id without a trial may be one that a search holds, and is about to use.
    free = set() if in_use else {d["tid"] for d in fresh if _can_be_kept(d["tid"])}
    tids = _new_tids(store, fresh, free - {document["tid"] for document in there})
    _add_attachments(store.attachments, past, {str(d["tid"]): tids[d["tid"]] for d in fresh})
    placed = [_placed(document, tids) for document in fresh]
    for i in range(0, len(placed), _BATCH):
        store.insert(placed[i : i + _BATCH])
    moved = {old: new for old, new in tids.items() if old != new}
    return Imported(store.location, len(fresh), len(documents) - len(fresh), moved, in_use)


def _opened(path: Path, trust_pickle: bool) -> _Past:
    if is_journal(path):
        return _Saved(JournalFile(path))
    with path.open("rb") as file:
        begin = file.read(80).lstrip()
    if begin.startswith(b"["):
        return ExportFile(path)
    if trust_pickle:
        return _Pickled(path)
    raise StoreError(
        f"{path} was written neither by sparktuner export nor by trials_save_file. If it is a "
        "pickle of sparktuner's or Hyperopt's trials: reading it runs whatever is in it, so it is "
        "read with --trust-pickle alone; say that only where you trust whoever wrote it"
    )


class _Saved:
    """A save file."""

    def __init__(self, journal: JournalFile) -> None:
        self.documents = journal.documents
        self._kept = BlobAttachments(journal, str(journal.path))

    def attachments(self) -> Iterator[RawAttachment]:
        return (raw(self._kept, name) for name in self._kept.names())


class _Pickled:
    """Pickled trials, ours or Hyperopt's: the one place that unpickles a file."""

    def __init__(self, path: Path) -> None:
        try:
            # So that it needs no Hyperopt, whose Trials become ours.
            with as_hyperopt(), path.open("rb") as file:
                trials = cloudpickle.load(file)
        except Exception as error:  # whatever unpickling raises
            raise StoreError(f"{path} cannot be unpickled: {error!r}") from error
        if not isinstance(trials, Trials):
            raise StoreError(f"{path} is a pickle of {type(trials).__name__}, not of Trials")
        self._trials = trials

    def documents(self) -> list[TrialDocument]:
        return self._trials.all_trials

    def attachments(self) -> Iterator[RawAttachment]:
        kept = self._trials.store.attachments
        return (raw(kept, name) for name in kept.names())


# --- which trials


def _unknown(
    documents: Sequence[TrialDocument], there: Sequence[TrialDocument]
) -> list[TrialDocument]:
    times: dict[_Identity, set[str | None]] = {}
    for document in there:
        times.setdefault(_identity(document), set()).add(_time(document))
    return [d for d in documents if not _is_known(d, times.get(_identity(d)))]


def _is_known(document: TrialDocument, times: set[str | None] | None) -> bool:
    if times is None:
        return False
    # A trial that had not ended may have run since, here or there; the time is then another.
    return not has_ended(document) or None in times or _time(document) in times


def _identity(document: TrialDocument) -> _Identity:
    misc = document["misc"]
    values = sorted((str(k), str(v)) for k, v in active_values(misc).items())
    return str(misc.get("imported_tid", document["tid"])), document["exp_key"], repr(values)


def _time(document: TrialDocument) -> str | None:
    # Milliseconds, which every store keeps.
    booked = document["book_time"]
    return None if booked is None else booked.isoformat(timespec="milliseconds")


# --- which ids


def _new_tids(
    store: TrialStore, documents: Sequence[TrialDocument], free: Set[Tid]
) -> dict[Tid, Tid]:
    """The id of each trial here: its own where that is free, else one that nobody has."""
    tids: dict[Tid, Tid] = {tid: int(tid) for tid in free}
    others = [d["tid"] for d in documents if d["tid"] not in free]
    new: list[Tid] = []
    while len(new) < len(others):
        new += [tid for tid in store.allocate(len(others) - len(new)) if tid not in free]
    return tids | dict(zip(others, new, strict=True))


def _can_be_kept(tid: object) -> bool:
    return isinstance(tid, Integral) and not isinstance(tid, bool) and 0 <= int(tid) < _LARGEST


def _placed(document: TrialDocument, tids: Mapping[Tid, Tid]) -> TrialDocument:
    old, misc = document["tid"], document["misc"]
    copy = renumbered(document, tids[old])
    if tids[old] != old:
        copy["misc"]["imported_tid"] = misc.get("imported_tid", old)
    if "from_tid" in misc:
        copy["misc"]["from_tid"] = tids.get(misc["from_tid"], misc["from_tid"])
    return copy


def _add_attachments(attachments: Attachments, past: _Past, tids: Mapping[str, Tid]) -> None:
    assert isinstance(attachments, BlobAttachments)  # as every store with a URL has them
    others = {name for name in attachments.names() if OF_TRIAL.fullmatch(name) is None}
    for name, kind, pieces in past.attachments():
        of = OF_TRIAL.fullmatch(name)
        if of is None and name not in others:
            attachments.write_kept(name, kind, pieces)
        elif of is not None and of["tid"] in tids:
            here = attachment_name(tids[of["tid"]], of["name"])
            attachments.write_kept(here, kind, pieces)
