"""Looks into stores and save files for ``sparktuner show`` and its kin.

In reading order: where the trials are, what is printed, and the commands themselves.
"""

from sparktuner._stored._commands import NothingFound, best, delete, show, trials
from sparktuner._stored._printing import Form, shown_text
from sparktuner._stored._source import Source

__all__ = ["Source", "Form", "shown_text", "NothingFound", "show", "best", "trials", "delete"]
