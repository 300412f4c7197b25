"""A page about a search, for any browser: ``trials.report("search.html")``.

In reading order: what the page shows, as plain data; the page; the file that it is written into;
and a server on this machine that shows the trials of a store while they come. Nothing but numpy
and the standard library is needed.
"""

from sparktuner.report._data import report_data
from sparktuner.report._page import page
from sparktuner.report._server import PageServer
from sparktuner.report._write import write_report

__all__ = ["report_data", "page", "write_report", "PageServer"]


def __dir__() -> list[str]:
    return __all__
