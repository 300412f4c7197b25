"""Hyperopt's import path for :class:`sparktuner.SparkTrials`."""

from sparktuner.trials import SparkTrials

__all__ = ["SparkTrials"]
