"""That there is nothing to show, which the commands tell apart from what went wrong."""

from __future__ import annotations

from sparktuner.errors import SparktunerError

EXIT_CODE = 3


class NothingFound(SparktunerError):
    """There is nothing of which the command could say something."""
