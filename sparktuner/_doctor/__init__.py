"""Looks whether what a search needs is in order, for ``sparktuner doctor``.

In reading order: ``_finding`` (what is said of one thing), ``_spark`` (this machine, the session
and its workers), ``_services`` (a store, a tracking server), ``_secrets`` (what is never said),
``_diagnosis`` (one after another).
"""

from sparktuner._doctor._diagnosis import DoctorOptions, diagnosis
from sparktuner._doctor._finding import Finding, State

__all__ = ["DoctorOptions", "diagnosis", "Finding", "State"]
