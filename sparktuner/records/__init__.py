"""Trials as records: the document, how trials are ranked, and where documents are kept.

In reading order: the document and its states, results, which trial is better, the history in
arrays that algorithms see, what a space was and how trials of one are read in another, the
store's seam and the store in memory, the lines by which a log writes to its store, and the
log: a store as one search sees it.
"""

from sparktuner.records._attachments import (
    ELSEWHERE_PREFIX,
    Attachments,
    Deferred,
    FromFile,
    MemoryAttachments,
    TrialAttachments,
    attachment_name,
)
from sparktuner.records._behind import Behind, Unwritten
from sparktuner.records._columns import miscs_to_idxs_vals
from sparktuner.records._document import (
    COMMAND,
    MOST_RESTARTS,
    TRIAL_KEYS,
    TRIAL_MISC_KEYS,
    Configuration,
    Tid,
    TrialDocument,
    TrialMisc,
    active_values,
    advance,
    begin_again,
    configuration_of,
    copy_document,
    has_ended,
    new_document,
    renumbered,
    utcnow,
    validate_document,
)
from sparktuner.records._history import History, HistoryLog, IntArray, would_fail_again
from sparktuner.records._lease import held_lease
from sparktuner.records._line import Reader
from sparktuner.records._log import OpenLine, TrialLog
from sparktuner.records._memory import MemoryStore
from sparktuner.records._ranking import (
    Incumbent,
    best_first,
    best_of,
    expected_best_loss,
    finite_loss,
    is_better,
    reaches,
)
from sparktuner.records._result import normalise_result
from sparktuner.records._space_reading import ShownAttachments, SpaceReading, described
from sparktuner.records._space_record import (
    SPACE_PREFIX,
    ColumnRecord,
    DoesNotFit,
    SpaceRecord,
    describe_space,
    differences,
)
from sparktuner.records._store import TrialStore

__all__ = [
    "Tid",
    "Configuration",
    "TrialDocument",
    "TrialMisc",
    "COMMAND",
    "MOST_RESTARTS",
    "TRIAL_KEYS",
    "TRIAL_MISC_KEYS",
    "new_document",
    "copy_document",
    "renumbered",
    "validate_document",
    "configuration_of",
    "active_values",
    "has_ended",
    "advance",
    "begin_again",
    "utcnow",
    "normalise_result",
    "finite_loss",
    "is_better",
    "reaches",
    "best_of",
    "best_first",
    "Incumbent",
    "expected_best_loss",
    "History",
    "HistoryLog",
    "IntArray",
    "would_fail_again",
    "miscs_to_idxs_vals",
    "SpaceRecord",
    "ColumnRecord",
    "describe_space",
    "differences",
    "DoesNotFit",
    "SpaceReading",
    "described",
    "SPACE_PREFIX",
    "ShownAttachments",
    "TrialStore",
    "held_lease",
    "attachment_name",
    "ELSEWHERE_PREFIX",
    "Attachments",
    "Deferred",
    "FromFile",
    "MemoryAttachments",
    "TrialAttachments",
    "MemoryStore",
    "TrialLog",
    "OpenLine",
    "Reader",
    "Behind",
    "Unwritten",
]
