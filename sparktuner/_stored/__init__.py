"""Looks into stores and save files for ``sparktuner show`` and its kin, and moves trials.

In reading order: where the trials are, what is printed, the commands that look and the one that
deletes, and those that write trials into a file and add them to a store.
"""

from sparktuner._stored._commands import best, best_record, delete, print_best, show, trials
from sparktuner._stored._export import export
from sparktuner._stored._import import Imported, import_trials
from sparktuner._stored._printing import Form, plain
from sparktuner._stored._source import Source

__all__ = [
    "Source",
    "Form",
    "plain",
    "show",
    "best",
    "best_record",
    "print_best",
    "trials",
    "delete",
    "export",
    "import_trials",
    "Imported",
]
