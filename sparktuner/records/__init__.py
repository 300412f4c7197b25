"""Trials as records: the document, the history in arrays, and where documents are kept.

In reading order: the document and its states, results, the columnar history that algorithms
see, the store's seam, and the store in memory.
"""

from sparktuner.records._document import (
    COMMAND,
    TRIAL_KEYS,
    TRIAL_MISC_KEYS,
    Document,
    advance,
    configuration_of,
    new_document,
    utcnow,
    validate_document,
)
from sparktuner.records._history import (
    History,
    HistoryLog,
    IntArray,
    finite_loss,
    is_its_own_fault,
)
from sparktuner.records._memory import MemoryStore
from sparktuner.records._result import normalise_result
from sparktuner.records._store import TrialAttachments, TrialStore, attachment_name
from sparktuner.records._table import expected_best_loss, miscs_to_idxs_vals

__all__ = [
    "Document",
    "COMMAND",
    "TRIAL_KEYS",
    "TRIAL_MISC_KEYS",
    "new_document",
    "validate_document",
    "configuration_of",
    "advance",
    "utcnow",
    "normalise_result",
    "History",
    "HistoryLog",
    "IntArray",
    "finite_loss",
    "is_its_own_fault",
    "miscs_to_idxs_vals",
    "expected_best_loss",
    "TrialStore",
    "TrialAttachments",
    "attachment_name",
    "MemoryStore",
]
