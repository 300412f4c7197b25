"""Hyperopt's import path for the progress bars that ``show_progressbar`` may name."""

from sparktuner.driver import no_bar as no_progress_callback
from sparktuner.driver import tqdm_bar as tqdm_progress_callback

default_callback = tqdm_progress_callback

__all__ = ["default_callback", "tqdm_progress_callback", "no_progress_callback"]
