"""Stores that outlive the process: which one a URL names, and what they share.

In reading order: the codec (values as JSON text), blobs (attachments in pieces), rows
(documents as back ends keep them), and a module for each kind of store, imported on use.
"""

from sparktuner.stores._blobs import BlobAttachments, Kind, packed, split
from sparktuner.stores._codec import Kept, Lost
from sparktuner.stores._export_file import ExportFile, RawAttachment, replaced, write_export
from sparktuner.stores._journal_file import JournalFile, is_journal
from sparktuner.stores._lock import locked
from sparktuner.stores._open import is_made, open_store
from sparktuner.stores._spill import Spill
from sparktuner.stores._urls import shown

__all__ = [
    "open_store",
    "is_made",
    "shown",
    "Kept",
    "Lost",
    "Kind",
    "BlobAttachments",
    "packed",
    "split",
    "JournalFile",
    "is_journal",
    "ExportFile",
    "RawAttachment",
    "write_export",
    "replaced",
    "locked",
    "Spill",
]
