"""Looks into stores and save files for ``sparktuner show`` and its kin.

In reading order: where the trials are, what is printed, and the commands themselves.
"""

from sparktuner._stored._commands import best, delete, show, trials
from sparktuner._stored._printing import Form
from sparktuner._stored._source import NothingFound, Source

__all__ = ["Source", "NothingFound", "Form", "show", "best", "trials", "delete"]
