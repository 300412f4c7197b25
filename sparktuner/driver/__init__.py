"""The driver: turns the arguments of ``fmin`` into a search and runs it.

In reading order: the arguments, each defined once, and functions that take them; a search
from its arguments to its end; the loop; where its trials come from; the rules that stop it;
and what follows it (callbacks, the save file, the progress bar).
"""

from sparktuner.driver._annotated import resolve_annotated
from sparktuner.driver._callbacks import Background, Callback, Callbacks
from sparktuner.driver._loop import Loop, describe
from sparktuner.driver._options import EarlyStop, SearchArguments
from sparktuner.driver._progress import Bar, BarFactory, Progress, no_bar, tqdm_bar
from sparktuner.driver._protocol import TrialsView
from sparktuner.driver._save_file import load_saved, load_saved_file
from sparktuner.driver._search import search
from sparktuner.driver._seeds import RandomState, Seeds
from sparktuner.driver._settings import SearchSettings
from sparktuner.driver._signature import method_takes, takes
from sparktuner.driver._stopping import SameFailure, StopRules
from sparktuner.driver._suggestions import AsTheyCome, InOrder, Suggestions

__all__ = [
    "SearchArguments",
    "EarlyStop",
    "RandomState",
    "takes",
    "method_takes",
    "resolve_annotated",
    "TrialsView",
    "search",
    "load_saved",
    "load_saved_file",
    "Seeds",
    "Loop",
    "describe",
    "Suggestions",
    "AsTheyCome",
    "InOrder",
    "StopRules",
    "SameFailure",
    "SearchSettings",
    "Callback",
    "Callbacks",
    "Background",
    "Progress",
    "Bar",
    "BarFactory",
    "tqdm_bar",
    "no_bar",
]
