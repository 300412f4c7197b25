"""The command that writes the trials of a store into a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sparktuner._nothing_found import NothingFound
from sparktuner._stored._commands import rows_of
from sparktuner._stored._printing import write_csv
from sparktuner._stored._source import Source
from sparktuner.records import SPACE_PREFIX, Attachments, TrialDocument
from sparktuner.stores import BlobAttachments, RawAttachment, packed, replaced, split, write_export

# An attachment of a trial by its name in the store.
OF_TRIAL = re.compile(r"ATTACH::(?P<tid>.*?)::(?P<name>.*)", re.DOTALL)


def export(source: Source, out: Path, with_attachments: bool) -> int:
    """Writes trials into a file, as JSON or CSV by its name, and returns how many.

    Args:
        source: where they are.
        out: the file; one that is there is replaced when the new one is whole.
        with_attachments: whether attachments go into the JSON too; a description of the
            search space, without which choices are known by their index alone, always does.

    Raises:
        NothingFound: there is no trial.
        StoreError: the file cannot be written.
    """
    documents, attachments = source.kept()
    if not documents:
        raise NothingFound(f"{source.named()} holds no trials to export")
    if out.suffix == ".csv":
        with replaced(out) as file:
            write_csv(rows_of(attachments, documents), file)
    else:
        chosen = _Chosen(documents, source.exp_key is None, with_attachments)
        write_export(out, documents, _raw(attachments, chosen))
    return len(documents)


class _Chosen:
    """Which attachments go with some trials."""

    def __init__(self, documents: Sequence[TrialDocument], is_all: bool, with_them: bool) -> None:
        self._tids = {str(document["tid"]) for document in documents} if with_them else set()
        self._spaces = {f"{SPACE_PREFIX}{d['misc'].get('space')}" for d in documents}
        self._others = is_all and with_them

    def __contains__(self, name: str) -> bool:
        if name.startswith(SPACE_PREFIX):
            return name in self._spaces
        of = OF_TRIAL.fullmatch(name)
        return self._others if of is None else of["tid"] in self._tids


def _raw(attachments: Attachments, chosen: _Chosen) -> Iterator[RawAttachment]:
    for name in sorted(name for name in attachments.names() if name in chosen):
        try:
            yield raw(attachments, name)
        except KeyError:  # deleted meanwhile
            continue


def raw(attachments: Attachments, name: str) -> RawAttachment:
    """Returns an attachment as it is kept; of a store nothing is unpickled for it."""
    if isinstance(attachments, BlobAttachments):
        return (name, *attachments.read_kept(name))
    kind, data = packed(attachments[name])
    return name, kind, split(data)
